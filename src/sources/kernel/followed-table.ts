// One kernel table as it is followed: its routes of one protocol, what each prefix forwards to, and which prefixes have changed since they
// were told last. Pure.
//
// Beside one prefix there may be several routes: of other metrics (the lowest counts), or appended at the same metric (the first counts).
// What the monitor's lines mean:
//
//   IPv6, without an object   a line shows all ways at its metric, so it stands for them all; `Deleted` names the ways that went,
//                             one or all
//   everything else           a line stands for the route at its metric; `Deleted` names it whole
//
// A line does not say whether a route was replaced or appended. With an object of FRR it was replaced: FRR does nothing else. Without one it
// is taken as replaced too, and `isDoubtful` asks for a listing.
import type { Observation } from '../../core/records.ts';
import { compareIpAddresses, isLinkLocal } from '../../net/ip-address.ts';
import { parsePrefix } from '../../net/prefix.ts';
import type { NextHopObjects } from './next-hop-objects.ts';
import type { PrintedRoute, RouteBody, Way } from './route-line.ts';

const UNICAST = 1;

/** What became of a prefix. */
export type Outcome =
  | 'learned'
  /** Blackhole, unreachable, prohibit: nothing a gateway could be written for. */
  | 'discard'
  /** No way has a gateway. */
  | 'onLink'
  /** Its next-hop object is not there, or every way is down. */
  | 'unresolved';

export type OutcomeCounts = Readonly<Record<Outcome, number>>;

interface Destination {
  /** By metric; routes of one metric in the kernel's order. */
  routes: readonly RouteBody[];
  outcome: Outcome | undefined;
}

export class FollowedTable {
  readonly #objects: NextHopObjects;
  readonly #interfaceIndex: (device: string) => number;
  readonly #destinations = new Map<string, Destination>();
  readonly #changed = new Set<string>();
  /** Routes per next-hop object. */
  readonly #usage = new Map<number, number>();
  readonly #counts = { learned: 0, discard: 0, onLink: 0, unresolved: 0 };
  #isDoubtful = false;

  constructor(objects: NextHopObjects, interfaceIndex: (device: string) => number) {
    this.#objects = objects;
    this.#interfaceIndex = interfaceIndex;
  }

  /** Prefixes by what became of them, as of the last takeChanges(). */
  get counts(): OutcomeCounts {
    return this.#counts;
  }

  get changeCount(): number {
    return this.#changed.size;
  }

  /** A line could have meant two things: only a listing tells. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Takes a line of the monitor that is about this table and protocol. */
  hear({ prefix, body }: PrintedRoute, isDeleted: boolean): void {
    if (body.tos !== 0) return;
    const destination = this.#destinations.get(prefix);
    const routes = destination?.routes ?? [];
    const after = isDeleted
      ? this.#without(routes, body, prefix.includes(':'))
      : this.#with(routes, body, prefix.includes(':'));
    if (after !== routes) this.#set(prefix, destination, after);
  }

  /** Takes a line about a route of another protocol: at the metric of one of ours it may have taken its place. */
  hearForeign({ prefix, body }: PrintedRoute, isDeleted: boolean): void {
    const routes = this.#destinations.get(prefix)?.routes;
    if (!isDeleted && routes?.some((route) => isBeside(route, body))) this.#isDoubtful = true;
  }

  /** These objects are others than they were. */
  touchObjects(ids: ReadonlySet<number>): void {
    if (!this.#usesAny(ids)) return;
    for (const [prefix, { routes }] of this.#destinations) {
      if (routes.some(({ nextHopId }) => nextHopId !== undefined && ids.has(nextHopId))) {
        this.#changed.add(prefix);
      }
    }
  }

  /** These objects are gone, and their routes with them: the kernel does not tell of IPv4 ones. */
  dropObjects(ids: ReadonlySet<number>): void {
    if (!this.#usesAny(ids)) return;
    const isGone = ({ nextHopId }: RouteBody) => nextHopId !== undefined && ids.has(nextHopId);
    for (const [prefix, destination] of this.#destinations) {
      if (!destination.routes.some(isGone)) continue;
      const left = destination.routes.filter((route) => !isGone(route));
      this.#set(prefix, destination, left);
    }
  }

  /** Whether any route leaves by the device without an object. */
  usesDevice(device: string): boolean {
    for (const { routes } of this.#destinations.values()) {
      if (routes.some(({ ways }) => ways.some((way) => way.device === device))) return true;
    }
    return false;
  }

  /** Whether any route is sent from the address. */
  usesSource(address: string): boolean {
    for (const { routes } of this.#destinations.values()) {
      if (routes.some(({ source }) => source === address)) return true;
    }
    return false;
  }

  /** Takes a whole listing: what differs has changed. */
  load(listing: TableListing): void {
    this.#isDoubtful = false;
    const listed = listing.routes;
    for (const [prefix, routes] of listed) {
      const destination = this.#destinations.get(prefix);
      if (destination === undefined || !areAlike(destination.routes, routes)) {
        this.#set(prefix, destination, routes);
      }
    }
    for (const [prefix, destination] of this.#destinations) {
      if (!listed.has(prefix)) this.#set(prefix, destination, []);
    }
  }

  /** Every prefix is to be told again. */
  touchAll(): void {
    for (const prefix of this.#destinations.keys()) this.#changed.add(prefix);
  }

  /** Up to `limit` prefixes that have changed, and what they forward to now. */
  takeChanges(limit: number): Observation[] {
    const observations: Observation[] = [];
    for (const text of this.#changed) {
      if (observations.length === limit) break;
      this.#changed.delete(text);
      const prefix = parsePrefix(text);
      if (prefix !== undefined) observations.push({ prefix, set: this.#decide(text) });
    }
    return observations;
  }

  #decide(prefix: string): Observation['set'] {
    const destination = this.#destinations.get(prefix);
    if (destination === undefined) return undefined;
    const [first] = destination.routes;
    const { outcome, members } = this.#resolve(first);
    if (destination.outcome !== undefined) this.#counts[destination.outcome]--;
    destination.outcome = outcome;
    if (outcome !== undefined) this.#counts[outcome]++;
    else this.#destinations.delete(prefix);
    return members && { discard: false, members };
  }

  #resolve(route: RouteBody | undefined): {
    outcome: Outcome | undefined;
    members?: NonNullable<Observation['set']>['members'];
  } {
    if (route === undefined) return { outcome: undefined };
    if (route.type !== UNICAST) return { outcome: 'discard' };
    const { nextHopId } = route;
    const ways = nextHopId === undefined ? route.ways : this.#objects.resolve(nextHopId);
    if (ways === undefined) return { outcome: 'unresolved' };
    if (ways.length === 0) return { outcome: 'discard' };
    const members = new Map<string, NonNullable<Observation['set']>['members'][number]>();
    const living = ways.filter(({ isDead }) => !isDead);
    if (living.length === 0) return { outcome: 'unresolved' };
    for (const { gateway: address, device, weight } of living) {
      if (address === undefined) continue;
      const interfaceIndex = isLinkLocal(address) ? this.#interfaceIndex(device) : 0;
      const key = `${address} ${interfaceIndex}`;
      const sum = (members.get(key)?.weight ?? 0) + weight;
      members.set(key, { address, weight: sum, interfaceIndex });
    }
    if (members.size === 0) return { outcome: 'onLink' };
    const sorted = [...members.values()].sort(
      (a, b) => compareIpAddresses(a.address, b.address) || a.interfaceIndex - b.interfaceIndex,
    );
    // A weight is a share; alone it means nothing, and a group that lost its other members still has one.
    const [only] = sorted;
    const shared = sorted.length === 1 ? [{ ...only!, weight: 1 }] : sorted.map(scaledBy(sorted));
    return { outcome: 'learned', members: shared };
  }

  #usesAny(ids: ReadonlySet<number>): boolean {
    for (const id of ids) if (this.#usage.has(id)) return true;
    return false;
  }

  #count(routes: readonly RouteBody[], difference: 1 | -1): void {
    for (const { nextHopId } of routes) {
      if (nextHopId === undefined) continue;
      const count = (this.#usage.get(nextHopId) ?? 0) + difference;
      if (count > 0) this.#usage.set(nextHopId, count);
      else this.#usage.delete(nextHopId);
    }
  }

  #set(prefix: string, known: Destination | undefined, routes: readonly RouteBody[]): void {
    this.#count(known?.routes ?? [], -1);
    this.#count(routes, 1);
    if (known !== undefined) known.routes = routes;
    else this.#destinations.set(ownCopy(prefix), { routes, outcome: undefined });
    this.#changed.add(prefix);
  }

  #with(routes: readonly RouteBody[], body: RouteBody, isIpv6: boolean): readonly RouteBody[] {
    const index = routes.findIndex((route) => isBeside(route, body));
    if (index < 0) return sortByMetric([...routes, body]);
    const replaced = routes[index]!;
    if (routes.some((route) => isBeside(route, body) && isAlike(route, body))) return routes;
    if (!this.#isCertain(replaced, body, isIpv6)) this.#isDoubtful = true;
    return routes.with(index, body);
  }

  /** Whether a line about `next` at the place of `known` can only mean that it is there instead. */
  #isCertain(known: RouteBody, next: RouteBody, isIpv6: boolean): boolean {
    if (next.nextHopId !== undefined) return this.#objects.isOfFrr(next.nextHopId);
    return isIpv6 && hasGateways(known) && hasGateways(next);
  }

  #without(routes: readonly RouteBody[], body: RouteBody, isIpv6: boolean): readonly RouteBody[] {
    const index = routes.findIndex((route) => isBeside(route, body) && isAlike(route, body));
    if (index >= 0) return routes.toSpliced(index, 1);
    const partly = routes.findIndex((route) => isBeside(route, body) && hasGateways(route));
    if (isIpv6 && hasGateways(body) && partly >= 0) {
      const route = routes[partly]!;
      const ways = route.ways.filter((way) => !body.ways.some((gone) => isSameHop(way, gone)));
      const isWhole = ways.length === 0;
      return isWhole ? routes.toSpliced(partly, 1) : routes.with(partly, { ...route, ways });
    }
    if (routes.some((route) => isBeside(route, body))) this.#isDoubtful = true;
    return routes;
  }
}

/** A listing of a table, as it is read. */
export class TableListing {
  readonly routes = new Map<string, readonly RouteBody[]>();

  add({ prefix, body }: PrintedRoute): void {
    if (body.tos !== 0) return;
    const known = this.routes.get(prefix);
    this.routes.set(prefix, known === undefined ? [body] : sortByMetric([...known, body]));
  }
}

/** Stable: routes of one metric keep their order. */
function sortByMetric(routes: RouteBody[]): RouteBody[] {
  return routes.sort((a, b) => a.metric - b.metric);
}

/** One route of the kernel's at its prefix, or one that shares the load with it. */
function isBeside(a: RouteBody, b: RouteBody): boolean {
  return a.metric === b.metric;
}

/** IPv6 routes share the load only when each has a gateway, and none an object. */
function hasGateways({ nextHopId, ways }: RouteBody): boolean {
  return nextHopId === undefined && ways.length > 0 && ways.every(({ gateway }) => gateway);
}

function areAlike(a: readonly RouteBody[], b: readonly RouteBody[]): boolean {
  return (
    a.length === b.length && a.every((route, i) => isBeside(route, b[i]!) && isAlike(route, b[i]!))
  );
}

function isAlike(a: RouteBody, b: RouteBody): boolean {
  if (a === b) return true;
  if (a.type !== b.type || a.nextHopId !== b.nextHopId || a.ways.length !== b.ways.length) {
    return false;
  }
  return a.ways.every((way, i) => isSameWay(way, b.ways[i]!) && way.isDead === b.ways[i]!.isDead);
}

function isSameWay(a: Way, b: Way): boolean {
  return a.weight === b.weight && isSameHop(a, b);
}

function isSameHop(a: Way, b: Way): boolean {
  if (a.device !== b.device) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return compareIpAddresses(a.gateway, b.gateway) === 0;
}

/** A text cut from a longer one keeps that one in memory; a key lives long. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** What the core keeps of a weight at most. */
const MOST_WEIGHT = 256;

/** In the same proportions, as far as small numbers can say them, and never 0. */
function scaledBy<Weighted extends { readonly weight: number }>(
  all: readonly Weighted[],
): (each: Weighted) => Weighted {
  const most = Math.max(...all.map(({ weight }) => weight));
  if (most <= MOST_WEIGHT) return (each) => each;
  const scaled = (weight: number) => Math.max(1, Math.round((weight * MOST_WEIGHT) / most));
  return (each) => ({ ...each, weight: scaled(each.weight) });
}
