// The whole core against plain lists and maps, over random sequences of everything that can happen: routes come and go, sessions
// end and return, next hops fail, a sink takes batches, refuses records, loses answers and drifts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import { encodeObservations, FibBatch, type NextHopSet } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { type AddressFamily, addressFamilies } from '../../src/net/address-family.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import type { Options } from '../naive/best-path.ts';
import {
  type NaiveAttributes,
  type NaivePeer,
  type NaiveRoute,
  nextHopText,
  RouteTable,
} from '../naive/route-table.ts';
import { announcement, withdrawal } from './updates.ts';

const LOCAL_AS = 65000;
const NETWORK = 3;
const FIB = 7;
const ADD_PATH_PEER = 3;

const peers: readonly NaivePeer[] = [
  { id: 1, address: '10.0.0.9', asn: 65001, routerId: 5, interfaceIndex: 2 },
  { id: 2, address: '10.0.0.10', asn: 65002, routerId: 5, interfaceIndex: 3 },
  { id: ADD_PATH_PEER, address: '10.0.0.3', asn: LOCAL_AS, routerId: 3, interfaceIndex: 2 },
];

const ipv4Prefixes = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/16',
  '10.0.0.0/24',
  '10.0.1.0/24',
  '10.0.0.1/32',
  '192.0.2.0/25',
];
const ipv6Prefixes = [
  '::/0',
  '2001:db8::/32',
  '2001:db8::/48',
  '2001:db8:0:1::/64',
  '2001:db8::1/128',
];
const ipv4NextHops = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
const ipv6NextHops = ['2001:db8::a', '2001:db8::b', 'fe80::1'];

type Step =
  | {
      readonly kind: 'announce' | 'withdraw';
      readonly peer: NaivePeer;
      readonly isIpv6: boolean;
      readonly prefixes: readonly number[];
      readonly pathId: number;
      readonly attributes: NaiveAttributes;
      readonly nextHop: number;
      readonly cut: number;
    }
  | { readonly kind: 'restart'; readonly peer: NaivePeer; readonly retain: readonly boolean[] }
  | {
      readonly kind: 'beginRefresh' | 'endRefresh';
      readonly peer: NaivePeer;
      readonly isIpv6: boolean;
    }
  | { readonly kind: 'originate' | 'withdrawOriginated'; readonly prefix: string }
  | {
      readonly kind: 'resolve';
      readonly which: number;
      readonly resolved: boolean;
      readonly metric: number;
    }
  | { readonly kind: 'work'; readonly budget: number }
  | { readonly kind: 'drain'; readonly limit: number }
  | { readonly kind: 'answer'; readonly failures: readonly boolean[] }
  | { readonly kind: 'loseAnswer'; readonly written: readonly boolean[] }
  | { readonly kind: 'drift'; readonly which: number; readonly remove: boolean }
  | { readonly kind: 'retry' };

const booleans = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
const anyPeer = fc.constantFrom(...peers);
const announceOrWithdraw = (kind: 'announce' | 'withdraw'): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant(kind),
    peer: anyPeer,
    isIpv6: fc.boolean(),
    prefixes: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 }),
    pathId: fc.integer({ min: 1, max: 2 }),
    attributes: fc.record({
      asPath: fc.constantFrom([65001], [65002], [65001, 9], [65001, LOCAL_AS]),
      med: fc.constantFrom(0, 0, 5),
      localPref: fc.constantFrom(100, 100, 50),
      nextHop: fc.constant(''),
    }),
    nextHop: fc.integer({ min: 0, max: 2 }),
    cut: fc.nat(),
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: announceOrWithdraw('announce') },
  { weight: 4, arbitrary: announceOrWithdraw('withdraw') },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      peer: anyPeer,
      retain: booleans,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('beginRefresh' as const, 'endRefresh' as const),
      peer: anyPeer,
      isIpv6: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('originate' as const, 'withdrawOriginated' as const),
      prefix: fc.constantFrom(...ipv4Prefixes, ...ipv6Prefixes),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('resolve' as const),
      which: fc.nat(),
      resolved: fc.constantFrom(true, true, false),
      metric: fc.constantFrom(0, 0, 7),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      budget: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('drain' as const),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), failures: booleans }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('loseAnswer' as const), written: booleans }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('drift' as const),
      which: fc.nat(),
      remove: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const) }) },
);

const optionSet: fc.Arbitrary<Options> = fc.record({
  med: fc.constantFrom('deterministic' as const, 'always' as const),
  multipath: fc.constantFrom(1, 2, 4),
  multipathRelax: fc.boolean(),
});

/** A core, its twin, and a place that its one FIB is written to. */
class Run {
  readonly core: RouteCore;
  readonly table: RouteTable;
  /** What the sink has: prefix → next hops. */
  readonly place = new Map<string, readonly string[]>();
  /** Next hops the host was told of, by id. */
  readonly known = new Map<number, string>();
  /** Prefixes whose observation and batch crossed: what the core thinks is there may be older than what is. */
  readonly #crossed = new Set<string>();
  #inFlight: FibBatch | undefined;

  constructor(core: RouteCore, options: Options) {
    this.core = core;
    this.table = new RouteTable(LOCAL_AS, options);
    core.addNetwork(NETWORK, options);
    core.trackNextHops(NETWORK, true);
    core.addFib(FIB, NETWORK, { holdRemovals: false });
    for (const peer of peers) {
      core.addPeer(peer.id, {
        network: NETWORK,
        address: parseIpAddress(peer.address)!,
        asn: peer.asn,
        localAsn: LOCAL_AS,
        localRouterId: 1,
        interfaceIndex: peer.interfaceIndex,
        importPolicy: POLICY_ACCEPT,
        enforceFirstAs: false,
        maxPrefixes: {},
      });
      this.#open(peer);
    }
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'announce':
      case 'withdraw':
        this.#update(step);
        break;
      case 'restart':
        this.#restart(step.peer, step.retain);
        break;
      case 'beginRefresh':
        this.core.beginRefresh(step.peer.id, familyOf(step.isIpv6));
        this.table.markStale(step.peer, step.isIpv6);
        break;
      case 'endRefresh':
        this.core.endRefresh(step.peer.id, familyOf(step.isIpv6));
        this.table.removeStale(step.peer, step.isIpv6);
        break;
      case 'originate':
        this.core.originate(NETWORK, parsePrefix(step.prefix)!, 1);
        this.table.originate(step.prefix);
        break;
      case 'withdrawOriginated':
        this.core.withdrawOriginated(NETWORK, parsePrefix(step.prefix)!);
        this.table.withdrawOriginated(step.prefix);
        break;
      case 'resolve':
        this.#resolve(step.which, { resolved: step.resolved, metric: step.metric });
        break;
      case 'work':
        this.core.work(step.budget);
        break;
      case 'drain':
        this.#drain(step.limit);
        break;
      case 'answer':
        this.#answer(step.failures);
        break;
      case 'loseAnswer':
        this.#loseAnswer(step.written);
        break;
      case 'drift':
        this.#drift(step.which, step.remove);
        break;
      case 'retry':
        this.#retry();
        break;
    }
  }

  /** Until nothing is left to do: then the place must hold what the twin says. */
  settle(): void {
    for (let round = 0; round < 20; round++) {
      this.#hearNextHops();
      while (this.core.work(3));
      this.#answer([]);
      this.#retry();
      while (this.core.pendingFibs().length > 0) {
        this.#drain(4);
        this.#answer([]);
      }
    }
  }

  expectAgreement(): void {
    const decisions = this.table.prefixes().map((prefix) => this.table.decision(prefix));
    expect(this.#rows()).toEqual(decisions.flatMap(describeDecision).sort());
    const wanted = decisions
      .filter(({ nextHops }) => nextHops.length > 0)
      .map(({ best, nextHops }) => [best!.prefix, [...nextHops].sort()] as const);
    expect(Object.fromEntries(this.place)).toEqual(Object.fromEntries(wanted));
    expect(this.core.fibCounters(FIB)).toEqual({
      entryCount: wanted.length,
      installedCount: wanted.length,
      pendingCount: 0,
      refusedCount: 0,
      heldCount: 0,
    });
    expect([...this.known.values()].sort()).toEqual([...this.table.usedNextHops()].sort());
    this.#expectCounters(
      decisions.flatMap(({ routes }) => routes),
      new Set(decisions.flatMap(({ chosen }) => chosen)),
    );
  }

  /** Everything gone: what is left in memory is what was there before. */
  expectNoLeak(usedBytes: number): void {
    for (const peer of peers) this.#restart(peer, [false, false]);
    for (const prefix of [...ipv4Prefixes, ...ipv6Prefixes]) {
      this.core.withdrawOriginated(NETWORK, parsePrefix(prefix)!);
      this.table.withdrawOriginated(prefix);
    }
    this.settle();
    this.expectAgreement();
    expect(this.core.memory()).toMatchObject({
      usedBytes,
      routeCount: 0,
      prefixCount: 0,
      attributeSetCount: 0,
      nextHopSetCount: 0,
    });
  }

  #update(step: Extract<Step, { kind: 'announce' | 'withdraw' }>): void {
    const pool = step.isIpv6 ? ipv6Prefixes : ipv4Prefixes;
    const prefixes = [...new Set(step.prefixes.map((index) => pool[index % pool.length]!))];
    const nextHop = (step.isIpv6 ? ipv6NextHops : ipv4NextHops)[step.nextHop]!;
    const attributes = { ...step.attributes, nextHop };
    const hasPathId = step.peer.id === ADD_PATH_PEER;
    const path = hasPathId ? { pathId: step.pathId } : {};
    const bytes =
      step.kind === 'announce'
        ? announcement({ attributes, prefixes, ...path })
        : withdrawal(prefixes, path.pathId);
    // Two chunks, cut anywhere.
    const cut = step.cut % (bytes.length + 1);
    this.core.receive(step.peer.id, bytes.subarray(0, cut), 5);
    expect(this.core.receive(step.peer.id, bytes.subarray(cut), 5).status).toBe('done');
    for (const prefix of prefixes) {
      const pathId = hasPathId ? step.pathId : 0;
      if (step.kind === 'announce') this.table.announce(step.peer, prefix, pathId, attributes);
      else this.table.withdraw(step.peer, prefix, pathId);
    }
  }

  #restart(peer: NaivePeer, retain: readonly boolean[]): void {
    const families = [false, true].filter((isIpv6) => retain[isIpv6 ? 1 : 0]);
    this.core.closePeer(peer.id, families.map(familyOf));
    for (const isIpv6 of [false, true]) {
      this.table.markStale(peer, isIpv6);
      if (!families.includes(isIpv6)) this.table.removeStale(peer, isIpv6);
    }
    this.#open(peer);
  }

  #open(peer: NaivePeer): void {
    this.core.openPeer(peer.id, {
      routerId: peer.routerId,
      fourOctetAs: true,
      maxMessageBytes: 4096,
      families: ['ipv4-unicast', 'ipv6-unicast'],
      addPath: peer.id === ADD_PATH_PEER ? ['ipv4-unicast', 'ipv6-unicast'] : [],
    });
  }

  #hearNextHops(): void {
    for (const { id, kind, address, interfaceIndex, network } of this.core.takeNextHopEvents()) {
      const text = nextHopText(address, interfaceIndex);
      expect(network).toBe(NETWORK);
      expect(this.known.has(id)).toBe(kind === 'removed');
      if (kind === 'removed') {
        this.known.delete(id);
        continue;
      }
      this.known.set(id, text);
      const state = this.table.nextHopStates.get(text) ?? { resolved: true, metric: 0 };
      this.table.nextHopStates.set(text, state);
      this.core.setNextHop(id, state);
    }
  }

  #resolve(which: number, state: { readonly resolved: boolean; readonly metric: number }): void {
    this.#hearNextHops();
    const ids = [...this.known.keys()];
    const id = ids[which % Math.max(ids.length, 1)];
    if (id === undefined) return;
    this.table.nextHopStates.set(this.known.get(id)!, state);
    this.core.setNextHop(id, state);
  }

  #drain(limit: number): void {
    if (this.#inFlight || !this.core.pendingFibs().includes(FIB)) return;
    const { buffer, count, byteLength } = this.core.drain(FIB, limit);
    const batch = new FibBatch(buffer, count, byteLength);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(limit);
    let isPastUrgent = false;
    for (let i = 0; i < count; i++) {
      const { prefix, from, to, urgent } = batch.change(i);
      const text = formatPrefix(prefix);
      expect(members(from)).not.toEqual(members(to));
      if (!this.#crossed.has(text)) expect(members(from) ?? []).toEqual(this.place.get(text) ?? []);
      const isLoss = (members(from) ?? []).some((member) => !(members(to) ?? []).includes(member));
      expect(urgent).toBe(isLoss);
      if (isPastUrgent) expect(urgent).toBe(false);
      isPastUrgent = !urgent;
    }
    this.#inFlight = batch;
  }

  #answer(failures: readonly boolean[]): void {
    const batch = this.#inFlight;
    if (!batch) return;
    const failed: number[] = [];
    for (let i = 0; i < batch.count; i++) {
      if (failures[i]) failed.push(i);
      else this.#write(batch, i);
    }
    this.#inFlight = undefined;
    this.core.acknowledge(FIB, failed);
  }

  /** The sink wrote some of the batch and lost its connection; its snapshot tells. */
  #loseAnswer(written: readonly boolean[]): void {
    const batch = this.#inFlight;
    if (!batch) return;
    for (let i = 0; i < batch.count; i++) if (written[i]) this.#write(batch, i);
    this.#inFlight = undefined;
    this.core.forget(FIB);
    expect(this.core.pendingFibs()).toEqual([]);
    this.core.beginSnapshot(FIB);
    for (const prefix of this.place.keys()) this.#observe(prefix);
    this.core.endSnapshot(FIB);
    this.#crossed.clear();
  }

  #write(batch: FibBatch, index: number): void {
    const { prefix, to } = batch.change(index);
    const text = formatPrefix(prefix);
    const next = members(to);
    if (next) this.place.set(text, next);
    else this.place.delete(text);
  }

  #drift(which: number, remove: boolean): void {
    const prefixes = [...this.place.keys(), ...ipv4Prefixes];
    const prefix = prefixes[which % prefixes.length]!;
    if (remove) this.place.delete(prefix);
    else this.place.set(prefix, [prefix.includes(':') ? '2001:db8::bad' : '198.51.100.1']);
    if (this.#inFlightPrefixes().includes(prefix)) this.#crossed.add(prefix);
    else this.#crossed.delete(prefix);
    this.#observe(prefix);
  }

  #inFlightPrefixes(): string[] {
    const batch = this.#inFlight;
    if (!batch) return [];
    return Array.from({ length: batch.count }, (_, i) => formatPrefix(batch.change(i).prefix));
  }

  #observe(prefix: string): void {
    const { records, byteLength } = observation(prefix, this.place.get(prefix));
    this.core.observe(FIB, records, byteLength);
  }

  #retry(): void {
    for (const prefix of [...ipv4Prefixes, ...ipv6Prefixes]) {
      const { records, byteLength } = observation(prefix, undefined);
      this.core.retry(FIB, records, byteLength);
    }
  }

  #rows(): string[] {
    return (['ipv4-unicast', 'ipv6-unicast'] as const)
      .flatMap((family) => {
        const query = {
          network: NETWORK,
          family,
          stage: 'adj-rib-in',
          match: { kind: 'all' },
        } as const;
        const rows = [];
        let page = this.core.routes(query, undefined, 3);
        rows.push(...page.rows);
        while (page.next) {
          page = this.core.routes(query, page.next, 3);
          rows.push(...page.rows);
        }
        return rows.map(({ prefix, peer, pathId, best, multipath, stale, attributes, reason }) => {
          const isEligible = !/own AS|unresolved/.test(reason);
          const nextHop = peer === 0 ? '' : nextHopText(attributes.nextHop, interfaceOf(peer));
          return describeRoute(
            formatPrefix(prefix!),
            peer,
            pathId,
            best,
            multipath,
            stale,
            nextHop,
            isEligible,
          );
        });
      })
      .sort();
  }

  #expectCounters(routes: readonly NaiveRoute[], chosen: ReadonlySet<NaiveRoute>): void {
    for (const peer of peers) {
      const count = (isWanted: (route: NaiveRoute) => boolean) =>
        addressFamilies.map(
          (family) =>
            routes.filter(
              (route) =>
                route.peer === peer &&
                familyOf(route.prefix.includes(':')) === family &&
                isWanted(route),
            ).length,
        );
      expect(this.core.peerCounters(peer.id)).toEqual({
        received: count(() => true),
        accepted: count(({ eligible }) => eligible),
        best: count((route) => chosen.has(route)),
      });
    }
  }
}

function describeDecision(decision: ReturnType<RouteTable['decision']>): string[] {
  return decision.routes.map((route) => {
    const isBest = route === decision.best;
    return describeRoute(
      route.prefix,
      route.peer?.id ?? 0,
      route.pathId,
      isBest,
      !isBest && decision.chosen.includes(route),
      route.stale,
      route.nextHop,
      route.eligible,
    );
  });
}

function describeRoute(prefix: string, peer: number, pathId: number, ...facts: unknown[]): string {
  return [prefix, peer, pathId, ...facts].join(' ');
}

function familyOf(isIpv6: boolean): AddressFamily {
  return isIpv6 ? 'ipv6-unicast' : 'ipv4-unicast';
}

function interfaceOf(peer: number): number {
  return peers.find(({ id }) => id === peer)!.interfaceIndex;
}

function members(set: NextHopSet | undefined): string[] | undefined {
  return set?.members
    .map(({ address, interfaceIndex }) => nextHopText(address, interfaceIndex))
    .sort();
}

function observation(prefix: string, nextHops: readonly string[] | undefined) {
  const set = nextHops && {
    discard: false,
    members: nextHops.map((nextHop) => {
      const [address, interfaceIndex = '0'] = nextHop.split('%');
      return {
        address: parseIpAddress(address!)!,
        weight: 1,
        interfaceIndex: Number(interfaceIndex),
      };
    }),
  };
  return encodeObservations([{ prefix: parsePrefix(prefix)!, set }]);
}

describe('route core', () => {
  it('agrees with plain lists after anything that can happen', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 80 }),
        optionSet,
        async (steps, options) => {
          const run = new Run(await loadCore(), options);
          // Interning tables take their first block at first use and keep it.
          for (const isIpv6 of [false, true]) {
            run.take({
              kind: 'announce',
              peer: peers[0]!,
              isIpv6,
              prefixes: [0],
              pathId: 1,
              attributes: { asPath: [65001], nextHop: '' },
              nextHop: 0,
              cut: 0,
            });
          }
          run.settle();
          const usedBytes = withoutRoutes(run);
          for (const step of steps) run.take(step);
          run.settle();
          run.expectAgreement();
          run.expectNoLeak(usedBytes);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Used bytes when the routes of the warm-up are gone. */
function withoutRoutes(run: Run): number {
  for (const peer of peers) run.take({ kind: 'restart', peer, retain: [false, false] });
  run.settle();
  return run.core.memory().usedBytes;
}
