// Reads tables out of an offline core page by page, as the objects the agent would answer with.
import {
  type EntryObject,
  entryObject,
  type RouteNames,
  type RouteObject,
  routeObject,
} from '../control/route-object.ts';
import type { FibRow } from '../core/fib-rows.ts';
import type { Page, PrefixMatch, WalkCursor } from '../core/walk.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import { prefixFamily } from '../net/prefix.ts';
import { OFFLINE_FIB, OFFLINE_NETWORK, type OfflineCore } from './offline-core.ts';

const PAGE_ROWS = 1024;

export interface OfflineQuery {
  readonly network: string;
  readonly stage: 'adj-rib-in' | 'loc-rib' | 'fib';
  readonly family?: AddressFamily;
  readonly peer?: string;
  readonly match: PrefixMatch;
  /** Entries with the routes they stand for; where a prefix is asked for they have them anyway. */
  readonly why?: boolean;
}

/** Every row of the query, in table order: family, address, length. */
export function* readOffline(offline: OfflineCore, query: OfflineQuery): Generator<object> {
  for (const family of familiesOf(query)) {
    if (query.stage === 'fib') yield* readFib(offline, query, family);
    else yield* readRoutes(offline, query, family, query.stage);
  }
}

function familiesOf({ family, match, stage }: OfflineQuery): readonly AddressFamily[] {
  if (family !== undefined) return [family];
  if (match.kind !== 'all') return [prefixFamily(match.prefix)];
  return stage === 'fib' ? ['ipv4-unicast', 'ipv6-unicast'] : addressFamilies;
}

function* readRoutes(
  offline: OfflineCore,
  { network, peer, match }: OfflineQuery,
  family: AddressFamily,
  stage: 'adj-rib-in' | 'loc-rib',
): Generator<RouteObject> {
  const names = namesOf(offline, network);
  const ids = peer === undefined ? [undefined] : offline.peerIds(peer);
  for (const id of ids) {
    const query = { network: OFFLINE_NETWORK, family, stage, match };
    const selected = id === undefined ? query : { ...query, peer: id };
    for (const row of pages((cursor) => offline.core.routes(selected, cursor, PAGE_ROWS))) {
      yield routeObject(row, names);
    }
  }
}

function* readFib(
  offline: OfflineCore,
  { network, match, why = match.kind !== 'all' }: OfflineQuery,
  family: AddressFamily,
): Generator<object> {
  const read = (cursor: WalkCursor | undefined): Page<FibRow> =>
    offline.core.fibEntries(OFFLINE_FIB, family, match, cursor, PAGE_ROWS);
  for (const row of pages(read)) {
    if (row.desired === undefined) continue;
    const isListed = why && row.routeCount > 0;
    const routes = isListed ? offline.core.carriedRoutes(OFFLINE_FIB, row.prefix, PAGE_ROWS) : [];
    const {
      target: _,
      installed: __,
      ...entry
    } = entryObject(row, {
      network,
      target: 'memory',
      routes,
    });
    yield entry;
  }
}

function* pages<Row>(read: (cursor: WalkCursor | undefined) => Page<Row>): Generator<Row> {
  let cursor: WalkCursor | undefined;
  do {
    const page = read(cursor);
    yield* page.rows;
    cursor = page.next;
  } while (cursor !== undefined);
}

function namesOf(offline: OfflineCore, network: string): RouteNames {
  return {
    network,
    peer: (id) => offline.peerName(id),
    source: (id) => `network ${id}`, // a file has no import lines
    target: () => undefined, // nothing is programmed
  };
}

export interface LookupObject {
  readonly address: string;
  readonly network: string;
  /** The longest match, or null. */
  readonly prefix: string | null;
  /** Every path to that prefix, the best first. */
  readonly routes: readonly RouteObject[];
  /** What each target of a running agent should hold for it, what it holds, and why not. */
  readonly entries?: readonly EntryObject[];
}

/** The longest match of an address in the Loc-RIB, and what every peer says of that prefix. */
export function lookUpOffline(
  offline: OfflineCore,
  address: IpAddress,
  text: string,
  network: string,
): LookupObject {
  const prefix = { address, length: address.length * 8 };
  const family = prefixFamily(prefix);
  const names = namesOf(offline, network);
  const query = { network: OFFLINE_NETWORK, family } as const;
  const [match] = offline.core.routes(
    { ...query, stage: 'loc-rib', match: { kind: 'longest', prefix } },
    undefined,
    1,
  ).rows;
  if (match?.prefix === undefined) return { address: text, network, prefix: null, routes: [] };
  const all = offline.core.routes(
    { ...query, stage: 'adj-rib-in', match: { kind: 'exact', prefix: match.prefix } },
    undefined,
    PAGE_ROWS,
  );
  const routes = all.rows.map((row) => routeObject(row, names)).sort(bestFirst);
  return { address: text, network, prefix: routes[0]?.prefix ?? null, routes };
}

function bestFirst(a: RouteObject, b: RouteObject): number {
  return rank(a) - rank(b);
}

function rank({ best, multipath }: RouteObject): number {
  return best ? 0 : multipath ? 1 : 2;
}
