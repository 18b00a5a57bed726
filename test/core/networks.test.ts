// Many networks against their twin: whatever happened in whatever order, the tables are those that a fresh start would compute.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_ACCEPT, POLICY_FIRST, POLICY_REJECT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix, prefixFamily } from '../../src/net/prefix.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { Options } from '../naive/best-path.ts';
import { type ImportedRoute, type NaivePolicy, Networks } from '../naive/networks.ts';
import type { NaiveAttributes, NaivePeer } from '../naive/route-table.ts';
import { announcement, withdrawal } from './updates.ts';

const LOCAL_AS = 65000;
const NETWORK_COUNT = 4;
const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
const prefixes = ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.7.0/24', '2001:db8::/32'];
const nextHops = ['192.0.2.1', '192.0.2.2', '2001:db8::a', '2001:db8::b'];
const NAMED = POLICY_FIRST;

/** What the named policy may say, and what its twin makes of a route then. */
const variants: readonly { readonly policy: Policy; readonly naive: NaivePolicy }[] = [
  {
    policy: [{ match: {}, set: { localPref: 200 }, action: 'accept' }],
    naive: (route) => ({ ...route, localPref: 200 }),
  },
  {
    policy: [
      {
        match: { prefixes: [{ prefix: parsePrefix('10.1.0.0/16')!, ge: 16, le: 32 }] },
        set: {},
        action: 'reject',
      },
      { match: {}, set: { med: 3, weight: 9 }, action: 'accept' },
    ],
    naive: (route) =>
      route.prefix.startsWith('10.1.') ? undefined : { ...route, med: 3, weight: 9 },
  },
  {
    policy: [{ match: { family: ['ipv6-unicast'] }, set: {}, action: 'accept' }],
    naive: (route) => (route.prefix.includes(':') ? route : undefined),
  },
];

type Step =
  | { readonly kind: 'addNetwork' | 'removeNetwork'; readonly network: number }
  | {
      readonly kind: 'import';
      readonly network: number;
      readonly from: number;
      readonly policy: number | undefined;
    }
  | {
      readonly kind: 'announce' | 'withdraw';
      readonly network: number;
      readonly peer: number;
      readonly pathId: number;
      readonly prefix: string;
      readonly attributes: NaiveAttributes;
    }
  | { readonly kind: 'restart'; readonly network: number; readonly peer: number }
  | {
      readonly kind: 'resolve';
      readonly network: number;
      readonly nextHop: string;
      readonly resolved: boolean;
      readonly metric: number;
    }
  | {
      readonly kind: 'originate' | 'withdrawOriginated';
      readonly network: number;
      readonly prefix: string;
    }
  | {
      readonly kind: 'ownSubnets';
      readonly network: number;
      readonly subnets: readonly string[];
    }
  | { readonly kind: 'policy'; readonly variant: number }
  | { readonly kind: 'work'; readonly budget: number };

const network = fc.integer({ min: 1, max: NETWORK_COUNT });
const peer = fc.integer({ min: 0, max: 1 });
const prefix = fc.constantFrom(...prefixes);
const kind = <Kind extends string>(...kinds: Kind[]) => fc.constantFrom(...kinds);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: kind('announce', 'announce', 'withdraw'),
      network,
      peer,
      pathId: fc.integer({ min: 1, max: 3 }),
      prefix,
      attributes: fc.record({
        asPath: fc.constantFrom([65001], [65002], [65001, 9], [65001, LOCAL_AS]),
        med: fc.constantFrom(0, 0, 5),
        localPref: fc.constantFrom(100, 100, 50),
        nextHop: fc.constantFrom(...nextHops),
      }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('import'),
      network,
      from: network,
      policy: fc.constantFrom(undefined, POLICY_ACCEPT, POLICY_ACCEPT, POLICY_REJECT, NAMED),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('addNetwork', 'removeNetwork'), network }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('restart'), network, peer }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind('resolve'),
      network,
      nextHop: fc.constantFrom(...nextHops),
      resolved: fc.constantFrom(true, true, false),
      metric: fc.constantFrom(0, 0, 7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('originate', 'withdrawOriginated'), network, prefix }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('ownSubnets'),
      network,
      subnets: fc.subarray(['10.1.0.0/16', '10.1.7.0/24', '2001:db8::/32', '10.0.0.0/7']),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('policy'),
      variant: fc.integer({ min: 0, max: variants.length - 1 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: kind('work'), budget: fc.constantFrom(1, 3, 20) }) },
);

class Run {
  readonly core: RouteCore;
  readonly twin: Networks;
  readonly #options: Options;
  readonly #peers = new Map<number, NaivePeer>();
  /** Next hops the core asks for: network and address → id. */
  readonly #nextHopIds = new Map<string, number>();
  #variant = 0;

  constructor(core: RouteCore, options: Options) {
    this.core = core;
    this.#options = options;
    this.twin = new Networks(LOCAL_AS, options);
    this.#setPolicy(0);
  }

  take(step: Step): void {
    const isThere = 'network' in step && this.twin.byId.has(step.network);
    switch (step.kind) {
      case 'addNetwork':
        if (!isThere) this.addNetwork(step.network);
        break;
      case 'removeNetwork':
        if (isThere) this.removeNetwork(step.network);
        break;
      case 'import':
        if (isThere && this.twin.byId.has(step.from) && step.from !== step.network) {
          this.#import(step.network, step.from, step.policy);
        }
        break;
      case 'announce':
      case 'withdraw':
        if (isThere) this.#update(step);
        break;
      case 'restart':
        if (isThere) this.#restart(step.network, step.peer);
        break;
      case 'resolve':
        if (isThere) this.#resolve(step);
        break;
      case 'originate':
        if (!isThere) break;
        this.core.originate(step.network, parsePrefix(step.prefix)!, 1);
        this.#table(step.network).originate(step.prefix);
        break;
      case 'withdrawOriginated':
        if (!isThere) break;
        this.core.withdrawOriginated(step.network, parsePrefix(step.prefix)!);
        this.#table(step.network).withdrawOriginated(step.prefix);
        break;
      case 'ownSubnets':
        if (!isThere) break;
        this.core.setOwnSubnets(
          step.network,
          step.subnets.map((subnet) => parsePrefix(subnet)!),
        );
        this.#table(step.network).ownSubnets = step.subnets;
        break;
      case 'policy':
        this.#setPolicy(step.variant);
        break;
      case 'work':
        this.core.work(step.budget);
        break;
    }
  }

  addNetwork(id: number): void {
    this.core.addNetwork(id, this.#options);
    this.core.trackNextHops(id, true);
    this.core.addFib(id, id, { holdRemovals: false });
    this.twin.add(id);
    const known = { resolved: true, metric: 0 };
    for (const each of nextHops.slice(0, 3)) this.#table(id).nextHopStates.set(each, known);
    for (const index of [0, 1]) {
      const peer: NaivePeer = {
        id: peerId(id, index),
        address: `10.9.${index}.${9 - id}`,
        asn: index === 0 ? 65001 : LOCAL_AS,
        routerId: (id * 7 + index) % 5,
        interfaceIndex: 0,
      };
      this.#peers.set(peer.id, peer);
      this.core.addPeer(peer.id, {
        network: id,
        address: parseIpAddress(peer.address)!,
        asn: peer.asn,
        localAsn: LOCAL_AS,
        localRouterId: 99,
        interfaceIndex: 0,
        importPolicy: POLICY_ACCEPT,
        enforceFirstAs: false,
        maxPrefixes: {},
      });
      this.#open(peer, index);
    }
  }

  /** As the agent does it: who uses it goes first, what is left goes when everything is settled. */
  removeNetwork(id: number): void {
    const going = [peerId(id, 0), peerId(id, 1)];
    for (const [other, { imports }] of this.twin.byId) {
      if (imports.has(id)) going.push(lineId(other, id));
      if (other === id) going.push(...[...imports.keys()].map((from) => lineId(id, from)));
    }
    for (const each of going) this.core.closePeer(each, []);
    for (const prefix of prefixes) this.core.withdrawOriginated(id, parsePrefix(prefix)!);
    this.core.removeFib(id);
    while (this.core.work(7));
    this.#hearNextHops();
    for (const each of going) this.core.removePeer(each);
    this.core.removeNetwork(id);
    this.twin.remove(id);
  }

  settle(): void {
    do this.#hearNextHops();
    while (this.core.work(5));
    this.#hearNextHops();
    while (this.core.work(5));
  }

  expectAgreement(): void {
    for (const id of this.twin.byId.keys()) {
      const decisions = this.twin.prefixes(id).map((each) => this.twin.decision(id, each));
      expect(this.#rows(id)).toEqual(decisions.flatMap(describeDecision).sort());
      const entries = decisions
        .filter(({ nextHops }) => nextHops.length > 0)
        .map(({ best, nextHops }) => `${best!.prefix} ${[...nextHops].sort().join('|')}`);
      expect(this.#entries(id)).toEqual(entries.sort());
      expect(this.#counts(id)).toEqual(
        decisions.flatMap(({ routes }) => routes).filter(({ importedFrom }) => importedFrom).length,
      );
    }
  }

  expectNothingLeft(): void {
    for (const id of [...this.twin.byId.keys()]) this.removeNetwork(id);
    this.core.removePolicy(NAMED);
    this.core.takeNextHopEvents();
    expect(this.core.memory()).toMatchObject({
      routeCount: 0,
      prefixCount: 0,
      attributeSetCount: 0,
      nextHopSetCount: 0,
    });
  }

  #table(id: number) {
    return this.twin.byId.get(id)!.table;
  }

  #open(peer: NaivePeer, index: number): void {
    this.core.openPeer(peer.id, {
      routerId: peer.routerId,
      fourOctetAs: true,
      maxMessageBytes: 4096,
      families: families,
      addPath: index === 1 ? families : [],
    });
  }

  #setPolicy(variant: number): void {
    this.#variant = variant;
    const names = { asn: LOCAL_AS, peer: () => 0 };
    this.core.setPolicy(NAMED, compilePolicy(variants[variant]!.policy, names).bytes);
  }

  #import(network: number, from: number, policy: number | undefined): void {
    const { imports } = this.twin.byId.get(network)!;
    const id = lineId(network, from);
    if (policy !== undefined) {
      this.core.addImport(id, { network, from, policy });
      imports.set(from, this.#naivePolicy(policy));
    } else if (imports.delete(from)) this.core.closePeer(id, []);
    else return;
    if (policy !== undefined) return;
    while (this.core.work(7));
    this.core.removePeer(id);
  }

  #naivePolicy(policy: number): NaivePolicy {
    if (policy === POLICY_ACCEPT) return (route) => route;
    if (policy === POLICY_REJECT) return () => undefined;
    return (route) => variants[this.#variant]!.naive(route);
  }

  #update(step: Extract<Step, { kind: 'announce' | 'withdraw' }>): void {
    const { prefix } = step;
    // An IPv6 next hop for an IPv4 prefix is as good as any; the reverse does not exist.
    const isIpv6 = prefix.includes(':');
    const nextHop = isIpv6 ? step.attributes.nextHop.replace(/^192.*(.)$/, '2001:db8::$1') : '';
    const attributes = { ...step.attributes, ...(isIpv6 ? { nextHop } : {}) };
    const peer = this.#peers.get(peerId(step.network, step.peer))!;
    const pathId = step.peer === 1 ? step.pathId : 0;
    const path = step.peer === 1 ? { pathId } : {};
    const table = this.#table(step.network);
    if (step.kind === 'announce') {
      this.core.receive(peer.id, announcement({ attributes, prefixes: [prefix], ...path }), 5);
      table.announce(peer, prefix, pathId, attributes);
    } else {
      this.core.receive(peer.id, withdrawal([prefix], path.pathId), 5);
      table.withdraw(peer, prefix, pathId);
    }
  }

  #restart(network: number, index: number): void {
    const peer = this.#peers.get(peerId(network, index))!;
    this.core.closePeer(peer.id, []);
    for (const isIpv6 of [false, true]) {
      this.#table(network).markStale(peer, isIpv6);
      this.#table(network).removeStale(peer, isIpv6);
    }
    this.#open(peer, index);
  }

  #resolve(step: Extract<Step, { kind: 'resolve' }>): void {
    this.#hearNextHops();
    const { network, nextHop, resolved, metric } = step;
    this.#table(network).nextHopStates.set(nextHop, { resolved, metric });
    const id = this.#nextHopIds.get(`${network} ${nextHop}`);
    if (id !== undefined) this.core.setNextHop(id, { resolved, metric });
  }

  /** The core asks for next hops as they come, and is answered at once: nothing known of one is that it is not there. */
  #hearNextHops(): void {
    for (const { id, network, address, kind } of this.core.takeNextHopEvents()) {
      const text = formatIpAddress(address);
      const key = `${network} ${text}`;
      if (kind === 'removed') {
        this.#nextHopIds.delete(key);
        continue;
      }
      this.#nextHopIds.set(key, id);
      const state = this.twin.byId.get(network)?.table.nextHopStates.get(text);
      this.core.setNextHop(id, state ?? { resolved: false, metric: 0 });
    }
  }

  #rows(id: number): string[] {
    return families
      .flatMap((family) => {
        const query = { network: id, family, stage: 'adj-rib-in', match: { kind: 'all' } } as const;
        return this.core.routes(query, undefined, 1000).rows;
      })
      .map((row) =>
        [
          formatPrefix(row.prefix!),
          row.peer,
          `from ${row.importedFrom}`,
          `#${row.pathId}`,
          row.peer === 0 ? '' : formatIpAddress(row.attributes.nextHop),
          `weight ${row.attributes.weight}`,
          row.best ? 'best' : row.multipath ? 'multipath' : '',
        ].join(' '),
      )
      .sort();
  }

  #entries(fib: number): string[] {
    return families
      .flatMap((family) => {
        const rows = this.core.fibEntries(fib, family, { kind: 'all' }, undefined, 1000).rows;
        return rows.map(({ prefix, desired = [] }) => {
          expect(prefixFamily(prefix)).toBe(family);
          const hops = desired.map(({ address }) => formatIpAddress(address)).sort();
          return `${formatPrefix(prefix)} ${hops.join('|')}`;
        });
      })
      .sort();
  }

  /** Routes that the import lines of a network say they have. */
  #counts(id: number): number {
    const lines = [...this.twin.byId.get(id)!.imports.keys()].map((from) => lineId(id, from));
    const counts = lines.flatMap((line) => this.core.peerCounters(line).received);
    return counts.reduce((sum, each) => sum + each, 0);
  }
}

function peerId(network: number, index: number): number {
  return network * 2 + index;
}

function lineId(network: number, from: number): number {
  return 100 + network * 10 + from;
}

function describeDecision({
  routes,
  best,
  chosen,
}: {
  readonly routes: readonly ImportedRoute[];
  readonly best: ImportedRoute | undefined;
  readonly chosen: readonly ImportedRoute[];
}): string[] {
  return routes.map((route) =>
    [
      route.prefix,
      route.peer?.id ?? 0,
      `from ${route.importedFrom}`,
      `#${route.pathId}`,
      route.nextHop,
      `weight ${route.weight}`,
      route === best ? 'best' : chosen.includes(route) ? 'multipath' : '',
    ].join(' '),
  );
}

const options: fc.Arbitrary<Options> = fc.record({
  med: fc.constantFrom('deterministic' as const, 'always' as const),
  multipath: fc.constantFrom(1, 2, 16),
  multipathRelax: fc.boolean(),
});

describe('networks that import from each other', () => {
  it('end in the tables that a fresh start would compute, and leave nothing behind', async () => {
    const steps = fc.array(step, { maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(options, steps, async (options, steps) => {
        const run = new Run(await loadCore(), options);
        for (let id = 1; id < NETWORK_COUNT; id++) run.addNetwork(id);
        for (const each of steps) run.take(each);
        run.settle();
        run.expectAgreement();
        run.expectNothingLeft();
      }),
      { numRuns: 300 },
    );
  });
});
