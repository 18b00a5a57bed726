// The answer to `ip -json route get fibmatch ADDRESS` → where packets for that address go.
import { parseIpAddress } from '../net/ip-address.ts';

/** Where a next hop is: behind a gateway or on the link itself, or nowhere, and why. */
export type Location =
  | {
      readonly reachable: true;
      /** The neighbour's address: the next hop itself when it is on the link. */
      readonly gateway: string;
      readonly device: string;
      readonly metric: number;
    }
  | { readonly reachable: false; readonly reason: string };

/** One route as `ip -N -json` prints it; only what we read. */
export interface RouteJson {
  /** Route type number of linux/rtnetlink.h, when it is not unicast. */
  readonly type?: string;
  /** Number, where it is not `main`. */
  readonly table?: string;
  readonly dst?: string;
  readonly gateway?: string;
  readonly via?: { readonly host: string };
  readonly dev?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly flags?: readonly string[];
  readonly nexthops?: readonly RouteJson[];
}

/** Flags of a way out that carries nothing (linux/rtnetlink.h RTNH_F_DEAD, RTNH_F_LINKDOWN). */
const deadFlags = new Set(['dead', 'linkdown']);

/** local, main, default: rtnetlink(7). */
const mainTables = new Set(['253', '254', '255']);

const typeNames: Readonly<Record<string, string>> = {
  2: 'local',
  3: 'broadcast',
  4: 'anycast',
  5: 'multicast',
  6: 'blackhole',
  7: 'unreachable',
  8: 'prohibit',
};

export function isOwnRoute(route: RouteJson, protocol: number): boolean {
  return route.protocol === String(protocol);
}

/**
 * Whether a VRF's look-up ended in the VRF. Where the VRF's table has no match, the kernel's rules go on to the main tables: a packet would leave
 * the network.
 */
export function isInsideVrf({ table }: RouteJson): boolean {
  return table !== undefined && !mainTables.has(table);
}

/** Follows a route to its first living way out. */
export function locate(address: string, route: RouteJson): Location {
  const { type, metric = 0 } = route;
  if (type !== undefined) {
    const reason = `${address} matches a ${typeNames[type] ?? `type ${type}`} route`;
    return { reachable: false, reason };
  }
  const ways = route.nexthops ?? [route];
  const way = ways.find((hop) => !hop.flags?.some((flag) => deadFlags.has(flag)));
  const device = way?.dev ?? route.dev;
  if (way === undefined || device === undefined) {
    return { reachable: false, reason: `the link towards ${address} is down` };
  }
  return { reachable: true, gateway: way.gateway ?? way.via?.host ?? address, device, metric };
}

/** Of the routes that cover an address, the one the kernel would take were ours not there. */
export function bestForeignMatch(
  routes: readonly RouteJson[],
  protocol: number,
): RouteJson | undefined {
  const foreign = routes.filter((route) => !isOwnRoute(route, protocol));
  return foreign.sort(
    (a, b) => matchLength(b) - matchLength(a) || (a.metric ?? 0) - (b.metric ?? 0),
  )[0];
}

function matchLength(route: RouteJson): number {
  const { dst = 'default' } = route;
  if (dst === 'default') return 0;
  const slash = dst.indexOf('/');
  return slash < 0 ? (parseIpAddress(dst)?.length ?? 0) * 8 : Number(dst.slice(slash + 1));
}
