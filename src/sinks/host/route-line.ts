// FIB changes ↔ lines of `ip -batch` for routes. Every route of ours names a next hop object, the discard object included.
//
// `add` fails on a route that is already there at the same metric, so a route of somebody else is never overwritten; `replace` is only
// for a prefix that holds a route of ours. `del` names protocol and next hop object, and the kernel removes nothing that differs.
//
// The prefix comes last and in quotes. `ip` carries out a line that ends with its input: when we are killed, half a line must not be a
// command of its own (another metric, somebody else's protocol). Without a prefix, or its closing quote, `ip` refuses it and ends.

export interface RouteMark {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
}

/** RT_TABLE_MAIN (linux/rtnetlink.h). */
const MAIN_TABLE = 254;

/** Makes the lines of one table. */
export class RouteLines {
  readonly #mark: string;

  constructor({ table, protocol, metric }: RouteMark) {
    // Without a table `ip` means main, and has a word less to look up in each line.
    const place = table === MAIN_TABLE ? '' : ` table ${table}`;
    // Metric 0 is the kernel's word for 1024 in IPv6: it is passed on as it is.
    this.#mark = `proto ${protocol} metric ${metric}${place}`;
  }

  add(prefix: string, nextHopId: number): string {
    return `route add nhid ${nextHopId} ${this.#mark} "${prefix}"`;
  }

  replace(prefix: string, nextHopId: number): string {
    return `route replace nhid ${nextHopId} ${this.#mark} "${prefix}"`;
  }

  /** `nextHopId`: what the route is known to use; undefined when it uses no object of ours. */
  remove(prefix: string, nextHopId: number | undefined): string {
    const object = nextHopId === undefined ? '' : `nhid ${nextHopId} `;
    return `route del ${object}${this.#mark} "${prefix}"`;
  }
}

/** What a refusal means, by the kernel's words. Anything else is `rejected`. */
export const refusals: ReadonlyMap<string, 'exists' | 'absent' | 'unreachable-next-hop'> = new Map([
  ['File exists', 'exists'],
  ['No such process', 'absent'],
  ['FIB table does not exist.', 'absent'],
  ['Nexthop id does not exist.', 'unreachable-next-hop'],
  ['Nexthop id does not exist', 'unreachable-next-hop'],
]);

/**
 * Whether a route of the table is ours (P2). A protocol number of our own says so by itself; one that other programs write too (`bgp`) only
 * together with a next hop object of ours.
 */
export function isOurs(
  route: {
    readonly protocol: number;
    readonly metric: number;
    readonly nextHopId: number | undefined;
  },
  mark: RouteMark,
  isOwnId: (id: number) => boolean,
): boolean {
  if (route.protocol !== mark.protocol || route.metric !== mark.metric) return false;
  if (route.nextHopId !== undefined && isOwnId(route.nextHopId)) return true;
  return !isSharedProtocol(mark.protocol);
}

/** Numbers given to kernel and well-known daemons in linux/rtnetlink.h and FRR's. */
function isSharedProtocol(protocol: number): boolean {
  return protocol <= 18 || sharedProtocols.has(protocol);
}

const sharedProtocols = new Set([42, 99, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196]);
