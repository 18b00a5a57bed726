// Reads what the kernel holds through `ip … show`, in the lines that the monitor prints too.
import { readIpLines } from '../../iproute2/command.ts';
import type { KernelTable } from '../../iproute2/table.ts';
import { TableListing } from './followed-table.ts';
import type { RouteLineReader } from './route-line.ts';

/** Listings of a table that keeps changing under them, before one with gaps is taken. */
const ATTEMPTS = 5;

/** What `ip -N -oneline ARGS` prints. */
export async function readLines(
  namespace: string | undefined,
  args: readonly string[],
): Promise<{ readonly lines: readonly string[]; readonly isWhole: boolean }> {
  const lines: string[] = [];
  const all = ['-N', '-oneline', ...args];
  const { isWhole } = await readIpLines(namespace, all, (line) => lines.push(line));
  return { lines, isWhole };
}

/** The routes of one protocol in a table, both families. */
export async function readRoutes(
  namespace: string | undefined,
  table: KernelTable,
  protocol: number,
  reader: RouteLineReader,
): Promise<{ readonly listing: TableListing; readonly isWhole: boolean }> {
  const listing = new TableListing();
  let isWhole = true;
  for (const family of ['-4', '-6'] as const) {
    const selection = ['table', String(table.number), 'proto', String(protocol)];
    const read = await readWhole(namespace, [family, 'route', 'show', ...selection]);
    isWhole &&= read.isWhole;
    for (const line of read.lines) {
      const route = reader.read(line, family === '-6', protocol);
      if (route !== undefined) listing.add(route);
    }
  }
  return { listing, isWhole };
}

async function readWhole(
  namespace: string | undefined,
  args: readonly string[],
): ReturnType<typeof readLines> {
  for (let attempt = 1; ; attempt++) {
    const read = await readLines(namespace, args);
    if (read.isWhole || attempt === ATTEMPTS) return read;
  }
}
