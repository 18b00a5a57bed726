// Reads tables out of the running core for the control API: any stage, page by page, in constant memory.
//
// Between two pages the main loop gets its turn; a cursor survives whatever changes meanwhile (RouteCore.routes).
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BadQuestion, type RoutesQuery } from '../control/agent-view.ts';
import {
  type EntryObject,
  entryObject,
  type RouteNames,
  routeObject,
} from '../control/route-object.ts';
import type { FibNextHop, FibRow } from '../core/fib-rows.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { RouteRow } from '../core/route-rows.ts';
import type { Page, PrefixMatch, WalkCursor } from '../core/walk.ts';
import { type AddressFamily, addressFamilies } from '../net/address-family.ts';
import { formatIpAddress, parseIpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix, prefixFamily } from '../net/prefix.ts';
import { type AdjRibOutParts, readAdjRibOut } from './adj-rib-out-reader.ts';
import type { NetworkRuntime, PeerRuntime, SourceRuntime, TargetRuntime } from './runtime.ts';
import type { TargetKind } from './targets.ts';

/** Rows per page: about two milliseconds of work. */
const PAGE_ROWS = 500;

/** Routes named with an entry that stands for them. */
const ROUTES_LISTED = 100;

export interface ReaderParts extends AdjRibOutParts {
  readonly core: RouteCore;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
  readonly sources: ReadonlyMap<string, SourceRuntime>;
}

interface EntryChoice {
  readonly select?: (row: FibRow) => boolean;
  /** With the routes they stand for. */
  readonly withRoutes?: boolean;
}

export class RouteReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Throws BadQuestion before the first row for what cannot be asked. */
  async *routes(query: RoutesQuery): AsyncGenerator<object> {
    const match = readMatch(query);
    const families = readFamilies(query.family, match);
    if (query.stage === 'adj-rib-out') return yield* this.#adjRibOut(query, families, match);
    const network = this.network(query.network);
    const stage = query.stage ?? 'loc-rib';
    const withRoutes = query.why === 'true' || match.kind !== 'all';
    const peer = query.peer === undefined ? undefined : this.peerId(query.peer);
    for (const family of families) {
      switch (stage) {
        case 'adj-rib-in':
        case 'loc-rib':
          yield* this.#rows(network, family, stage, peer, match);
          break;
        case 'fib':
          for (const target of network.targets) {
            yield* this.#entries(network, target, family, match, { withRoutes });
          }
          break;
        case 'ovn':
        case 'host':
          yield* this.#entries(network, requireTarget(network, stage), family, match, {
            withRoutes,
            select: (row) => row.installed !== undefined,
          });
          break;
        default:
          throw new BadQuestion(
            `stage ${stage}, expected adj-rib-in, loc-rib, adj-rib-out, fib, ovn or host`,
          );
      }
    }
  }

  /** Of one peer, or of every session of a network. */
  async *#adjRibOut(
    { network, peer }: RoutesQuery,
    families: readonly AddressFamily[],
    match: PrefixMatch,
  ): AsyncGenerator<object> {
    const { peers } = this.#parts;
    const asked =
      peer === undefined
        ? [...peers.values()].filter((each) => each.network === this.network(network))
        : [this.peer(peer)];
    for (const each of asked) yield* readAdjRibOut(this.#parts, each, families, match);
  }

  /** Longest match, with every route of that prefix. */
  lookup(asked: { readonly network?: string; readonly address: string }): object {
    const network = this.network(asked.network);
    const address = parseIpAddress(asked.address ?? '');
    if (address === undefined)
      throw new BadQuestion(`address ${asked.address}, expected an IP address`);
    const host = { address, length: address.length * 8 };
    const query = { network: network.id, family: prefixFamily(host) } as const;
    const { core } = this.#parts;
    const longest = { kind: 'longest', prefix: host } as const;
    const [match] = core.routes({ ...query, stage: 'loc-rib', match: longest }, undefined, 1).rows;
    const found = { address: asked.address, network: network.config.name };
    if (match?.prefix === undefined) return { ...found, prefix: null, routes: [], entries: [] };
    const exact = { kind: 'exact', prefix: match.prefix } as const;
    const page = core.routes({ ...query, stage: 'adj-rib-in', match: exact }, undefined, PAGE_ROWS);
    const names = this.names(network);
    return {
      ...found,
      prefix: formatPrefix(match.prefix),
      routes: page.rows.toSorted(byUse).map((row) => routeObject(row, names)),
      entries: this.entriesOf(network, match.prefix),
    };
  }

  /** What each target should hold for a prefix, what it holds, and why not. */
  entriesOf(network: NetworkRuntime, prefix: Prefix): EntryObject[] {
    return network.targets.flatMap((target) => {
      const match = { kind: 'exact', prefix } as const;
      const family = prefixFamily(prefix);
      const page = this.#parts.core.fibEntries(target.fib, family, match, undefined, 1);
      return page.rows.map((row) => this.#entry(network, target, row, true));
    });
  }

  #entry(
    network: NetworkRuntime,
    { fib, kind, reconciler }: TargetRuntime,
    row: FibRow,
    withRoutes = false,
  ): EntryObject {
    const failure = reconciler.failure(row.prefix);
    const isListed = withRoutes && row.routeCount > 0;
    const routes = isListed ? this.#parts.core.carriedRoutes(fib, row.prefix, ROUTES_LISTED) : [];
    return entryObject(row, { network: network.config.name, target: kind, failure, routes });
  }

  /** What the Loc-RIB forwards to, whatever its FIBs make of it. */
  async *forwarding(networkName: string | undefined): AsyncGenerator<object> {
    const { id, config } = this.network(networkName);
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      const pages = this.#pages((cursor) => this.#parts.core.labels(id, family, cursor, PAGE_ROWS));
      for await (const { prefix, nextHops } of pages) {
        yield {
          network: config.name,
          prefix: formatPrefix(prefix),
          nextHops: nextHops.map(describeHop),
        };
      }
    }
  }

  /** Entries that are not in place as desired. */
  async *drift(networkName: string | undefined): AsyncGenerator<object> {
    const networks =
      networkName === undefined ? this.#parts.networks.values() : [this.network(networkName)];
    for (const network of networks) {
      for (const target of network.targets) {
        for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
          yield* this.#entries(
            network,
            target,
            family,
            { kind: 'all' },
            { select: (row) => row.state !== 'installed' },
          );
        }
      }
    }
  }

  network(name = 'default'): NetworkRuntime {
    const network = this.#parts.networks.get(name);
    if (network !== undefined) return network;
    throw new BadQuestion(
      `network ${name}, expected one of ${[...this.#parts.networks.keys()].join(', ')}`,
    );
  }

  /** Of a session, or of a source that is none. */
  peerId(name: string): number {
    return (this.#parts.sources.get(name) ?? this.peer(name)).id;
  }

  peer(name: string): PeerRuntime {
    const peer = this.#parts.peers.get(name);
    if (peer !== undefined) return peer;
    throw new BadQuestion(
      `peer ${name}, expected one of ${[...this.#parts.peers.keys()].join(', ')}`,
    );
  }

  async *#rows(
    network: NetworkRuntime,
    family: AddressFamily,
    stage: 'adj-rib-in' | 'loc-rib',
    peer: number | undefined,
    match: PrefixMatch,
  ): AsyncGenerator<object> {
    const names = this.names(network);
    const query = {
      network: network.id,
      family,
      stage,
      match,
      ...(peer === undefined ? {} : { peer }),
    };
    const pages = this.#pages((cursor) => this.#parts.core.routes(query, cursor, PAGE_ROWS));
    const received = stage === 'adj-rib-in';
    for await (const row of pages) yield routeObject(row, names, { received });
  }

  async *#entries(
    network: NetworkRuntime,
    target: TargetRuntime,
    family: AddressFamily,
    match: PrefixMatch,
    { select = () => true, withRoutes = false }: EntryChoice,
  ): AsyncGenerator<object> {
    const pages = this.#pages((cursor) =>
      this.#parts.core.fibEntries(target.fib, family, match, cursor, PAGE_ROWS),
    );
    for await (const row of pages) {
      if (select(row)) yield this.#entry(network, target, row, withRoutes);
    }
  }

  async *#pages<Row>(read: (cursor: WalkCursor | undefined) => Page<Row>): AsyncGenerator<Row> {
    let cursor: WalkCursor | undefined;
    do {
      const page = read(cursor);
      yield* page.rows;
      cursor = page.next;
      await nextTurn();
    } while (cursor !== undefined);
  }

  /** What rows of a network say by number. */
  names(network: NetworkRuntime): RouteNames {
    const { peers: sessions, sources } = this.#parts;
    const peers = new Map(
      [...sessions.values(), ...sources.values()].map(({ id, config }) => [id, config.name]),
    );
    const networks = new Map(
      [...this.#parts.networks.values()].map(({ id, config }) => [id, config.name]),
    );
    const targets = new Map(network.targets.map(({ fib, kind }) => [fib, kind]));
    return {
      network: network.config.name,
      source: (id) => networks.get(id) ?? `network ${id}`,
      peer: (id) => (id === 0 ? 'local' : (peers.get(id) ?? `peer ${id}`)),
      target: (fib) => targets.get(fib),
    };
  }
}

/** The best path first, then those that share the load with it. */
export function byUse(a: RouteRow, b: RouteRow): number {
  const rank = ({ best, multipath }: RouteRow): number => (best ? 0 : multipath ? 1 : 2);
  return rank(a) - rank(b);
}

function describeHop({ address, weight, interfaceIndex }: FibNextHop): object {
  const device = interfaceIndex === 0 ? undefined : { interfaceIndex };
  return { address: formatIpAddress(address), weight, ...device };
}

function requireTarget(network: NetworkRuntime, kind: TargetKind): TargetRuntime {
  const target = network.targets.find((each) => each.kind === kind);
  if (target !== undefined) return target;
  const { name } = network.config;
  const kinds = network.targets.map((each) => each.kind).join(', ') || 'no target';
  throw new BadQuestion(`stage ${kind}, but network ${name} writes to ${kinds}`);
}

function readMatch({ prefix: text, match = 'exact' }: RoutesQuery): PrefixMatch {
  if (text === undefined) return { kind: 'all' };
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new BadQuestion(`prefix ${text}, expected ADDRESS/LENGTH`);
  switch (match) {
    case 'exact':
    case 'longer':
    case 'covering':
    case 'longest':
      return { kind: match, prefix };
    default:
      throw new BadQuestion(`match ${match}, expected exact, longer, covering or longest`);
  }
}

function readFamilies(text: string | undefined, match: PrefixMatch): readonly AddressFamily[] {
  if (text === undefined) {
    return match.kind === 'all' ? ['ipv4-unicast', 'ipv6-unicast'] : [prefixFamily(match.prefix)];
  }
  const family = addressFamilies.find((name) => name === text);
  if (family === undefined) {
    throw new BadQuestion(`family ${text}, expected one of ${addressFamilies.join(', ')}`);
  }
  return [family];
}
