// Reads a kernel table through `ip route show`, one route at a time: a million routes pass in constant memory.
import { readIpLines } from './command.ts';
import { type KernelRoute, parseKernelRoute } from './kernel-route.ts';

const families = ['-4', '-6'] as const;

export type OnRoute = (route: KernelRoute, text: string) => void;

/** Every route of the table, IPv4 then IPv6. */
export async function readTable(
  namespace: string | undefined,
  table: number | 'all',
  onRoute: OnRoute,
): Promise<void> {
  for (const family of families) {
    const args = ['-N', '-oneline', family, 'route', 'show', 'table', String(table)];
    await readIpLines(namespace, args, (text) => {
      const route = parseKernelRoute(text, family === '-6');
      if (route !== undefined) onRoute(route, text);
    });
  }
}

/** The next hop objects that any route of any table uses. */
export async function readUsedNextHops(namespace: string | undefined): Promise<Set<number>> {
  const used = new Set<number>();
  await readTable(namespace, 'all', ({ nextHopId }) => {
    if (nextHopId !== undefined) used.add(nextHopId);
  });
  return used;
}
