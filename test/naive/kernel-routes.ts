// The kernel's routes of one table and protocol, listed whole each time: the slow, obvious twin of following them.
//
// Nothing is resolved here: the kernel itself expands next-hop objects in what it lists.
import { execute } from '../../src/lab/execute.ts';

interface RouteJson {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly via?: { readonly host: string };
  readonly dev?: string;
  readonly weight?: number;
  readonly metric?: number;
  readonly flags?: readonly string[];
  readonly nexthops?: readonly RouteJson[];
}

/** Per prefix `gateway%device×weight …`; what has no living gateway is not there. */
export async function listKernelRoutes(
  namespace: string,
  table: number,
  protocol: number,
): Promise<Map<string, string>> {
  const ways = new Map<string, { readonly metric: number; readonly text: string }>();
  for (const family of ['-4', '-6']) {
    const what = ['route', 'show', 'table', String(table), 'proto', String(protocol)];
    const args = ['-n', namespace, '-N', '-json', family, ...what];
    const text = await execute('ip', args).catch(() => '[]');
    for (const route of JSON.parse(text || '[]') as RouteJson[]) {
      const { metric = 0 } = route;
      const prefix = fullPrefix(route.dst, family);
      const known = ways.get(prefix);
      if (known === undefined || metric < known.metric) {
        ways.set(prefix, { metric, text: waysOf(route) });
      }
    }
  }
  const named = [...ways].map(([prefix, { text }]) => [prefix, text] as const);
  return new Map(named.filter(([, text]) => text !== ''));
}

function waysOf(route: RouteJson): string {
  if (route.type !== undefined) return '';
  const weights = new Map<string, number>();
  for (const { gateway, via, dev, weight = 1, flags = [] } of route.nexthops ?? [route]) {
    const address = gateway ?? via?.host;
    if (address === undefined || flags.includes('dead')) continue;
    const way = address.startsWith('fe80:') ? `${address}%${dev}` : address;
    weights.set(way, (weights.get(way) ?? 0) + weight);
  }
  return [...weights]
    .map(([way, weight]) => `${way}×${weights.size === 1 ? 1 : weight}`)
    .sort()
    .join(' ');
}

function fullPrefix(dst: string, family: string): string {
  if (dst === 'default') return family === '-6' ? '::/0' : '0.0.0.0/0';
  if (dst.includes('/')) return dst;
  return `${dst}/${family === '-6' ? 128 : 32}`;
}
