// The check of an aggregated FIB against a walk over both tables in JavaScript (src/verify/differences.ts), with faults and without.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { FibNextHop } from '../../src/core/fib-rows.ts';
import type { Aggregation } from '../../src/core/fibs.ts';
import { encodeForeign, type ForeignKind } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { FibDifference } from '../../src/core/verification.ts';
import type { WalkCursor } from '../../src/core/walk.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix, prefixFamily } from '../../src/net/prefix.ts';
import { type Difference, findDifferences } from '../../src/verify/differences.ts';
import { disturb } from '../assembly/faulty-core.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

vi.mock('../../src/core/core-module.ts', () => import('../assembly/faulty-core.ts'));

const FIB = 1;
const PEER = 1;
type Family = 'ipv4-unicast' | 'ipv6-unicast';
const widths = { 'ipv4-unicast': 32, 'ipv6-unicast': 128 } as const;
const nextHops = { 'ipv4-unicast': '192.0.2.', 'ipv6-unicast': '2001:db8::' } as const;

class Bench {
  readonly core: RouteCore;
  readonly aggregation: Aggregation;
  readonly barriers = new Map<string, ForeignKind>();

  private constructor(core: RouteCore, aggregation: Aggregation) {
    this.core = core;
    this.aggregation = aggregation;
  }

  static async create(aggregation: Aggregation, isPatient = false): Promise<Bench> {
    const core = await loadCore();
    core.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: false });
    core.addFib(FIB, 1, { holdRemovals: false, aggregation, cost: 'next-hops', isPatient });
    addOpenPeer(core, PEER);
    return new Bench(core, aggregation);
  }

  announce(prefix: string, hop: number, nowSeconds = 1): void {
    const attributes = {
      asPath: [65001],
      nextHop: `${nextHops[prefixFamily(parsePrefix(prefix)!) as Family]}${hop}`,
    };
    this.core.receive(PEER, announcement({ attributes, prefixes: [prefix] }), nowSeconds);
  }

  withdraw(prefix: string): void {
    this.core.receive(PEER, withdrawal([prefix]), 1);
  }

  foreign(prefix: string, kind: ForeignKind): void {
    const { records, byteLength } = encodeForeign([{ prefix: parsePrefix(prefix)!, kind }]);
    this.core.observeForeign(FIB, records, byteLength);
    if (kind === 'none') this.barriers.delete(prefix);
    else this.barriers.set(prefix, kind);
  }

  settle(): void {
    while (this.core.work(1_000_000)) {
      // to the end
    }
  }

  verify(family: Family, limit: number): FibDifference[] {
    const found: FibDifference[] = [];
    let cursor: WalkCursor | undefined;
    do {
      const check = this.core.verifyFib(FIB, family, cursor, limit)!;
      found.push(...check.differences);
      cursor = check.next;
    } while (cursor !== undefined);
    return found;
  }

  /** The same by two tables of objects. */
  verifySlowly(family: Family): Difference[] {
    const routes = this.core.labels(1, family, undefined, 10_000).rows;
    const entries = this.core.fibEntries(FIB, family, { kind: 'all' }, undefined, 10_000).rows;
    const expected = new Map(
      routes.map(({ prefix, nextHops: hops }) => [formatPrefix(prefix), text(hops)]),
    );
    const actual = new Map(
      entries.flatMap(({ prefix, desired }) =>
        desired === undefined ? [] : [[formatPrefix(prefix), text(desired)]],
      ),
    );
    const differences = findDifferences(
      this.#withForeign(expected, family),
      this.#withForeign(actual, family),
      widths[family],
    );
    const drops = (label: string | undefined) => label === undefined || label === '';
    return differences.filter(
      (range) => this.aggregation !== 'discard' || !drops(range.expected) || !drops(range.actual),
    );
  }

  #withForeign(table: Map<string, string>, family: Family) {
    const all = new Map(table);
    for (const [prefix, kind] of this.barriers) {
      if (prefixFamily(parsePrefix(prefix)!) !== family) continue;
      const own = table.get(prefix);
      if (kind !== 'yields' || own === undefined) all.set(prefix, `foreign ${own ?? 'alone'}`);
    }
    return [...all].map(([prefix, label]) => ({ prefix: parsePrefix(prefix)!, label }));
  }
}

function text(hops: readonly FibNextHop[]): string {
  return hops.map(({ address }) => formatIpAddress(address)).join(' ');
}

/** Ranges of the core as long as they can be, with the labels that the slow walk has but for what is foreign. */
function joined(found: readonly FibDifference[]): Difference[] {
  const ranges: Difference[] = [];
  const number = (address: Uint8Array) => BigInt(`0x${Buffer.from(address).toString('hex')}`);
  const label = ({ nextHops: hops, withForeign }: FibDifference['expected']) => {
    const own = hops === undefined ? undefined : text(hops);
    return withForeign ? `foreign ${own ?? 'alone'}` : own;
  };
  for (const { first, last, ...labels } of found) {
    const [expected, actual] = [label(labels.expected), label(labels.actual)];
    const before = ranges.at(-1);
    const goesOn =
      before?.last === number(first) - 1n &&
      before.expected === expected &&
      before.actual === actual;
    if (goesOn) ranges[ranges.length - 1] = { ...before, last: number(last) };
    else ranges.push({ first: number(first), last: number(last), expected, actual });
  }
  return ranges;
}

function prefixes(family: Family): fc.Arbitrary<string> {
  const bits = widths[family];
  // Few places, so that prefixes meet; next to word borders and at both ends of the space and of the lengths.
  const lengths =
    bits === 32 ? [0, 1, 2, 3, 8, 9, 30, 31, 32] : [0, 1, 2, 33, 63, 64, 65, 96, 97, 127, 128];
  return fc
    .record({
      length: fc.constantFrom(...lengths),
      set: fc.array(fc.constantFrom(0, 1, 2, 7, 8, 29, 30, 31, 32, 62, 63, 64, 95, 96, 126, 127), {
        maxLength: 5,
      }),
      ones: fc.boolean(),
    })
    .map(({ length, set, ones }) => {
      const address = new Uint8Array(bits / 8).fill(ones ? 255 : 0);
      for (const bit of set) {
        if (bit < bits) address[bit >> 3]! ^= 128 >> (bit & 7);
      }
      for (let bit = length; bit < bits; bit++) address[bit >> 3]! &= ~(128 >> (bit & 7));
      return formatPrefix({ address, length } satisfies Prefix);
    });
}

interface Story {
  readonly routes: readonly (readonly [string, number])[];
  readonly withdrawn: readonly number[];
  readonly barriers: readonly (readonly [string, ForeignKind])[];
  readonly faults: readonly (readonly [string, boolean])[];
  readonly limit: number;
}

function stories(family: Family): fc.Arbitrary<Story> {
  const prefix = prefixes(family);
  return fc.record({
    routes: fc.array(fc.tuple(prefix, fc.integer({ min: 1, max: 3 })), { maxLength: 25 }),
    withdrawn: fc.array(fc.nat(24), { maxLength: 5 }),
    barriers: fc.array(fc.tuple(prefix, fc.constantFrom<ForeignKind>('wins', 'yields', 'none')), {
      maxLength: 6,
    }),
    faults: fc.array(fc.tuple(prefix, fc.boolean()), { maxLength: 4 }),
    limit: fc.constantFrom(1, 2, 3, 7, 1000),
  });
}

async function tell(aggregation: Aggregation, story: Story): Promise<Bench> {
  const bench = await Bench.create(aggregation);
  for (const [prefix, hop] of story.routes) bench.announce(prefix, hop);
  for (const [prefix, kind] of story.barriers) bench.foreign(prefix, kind);
  bench.settle();
  for (const index of story.withdrawn) {
    const route = story.routes[index];
    if (route !== undefined) bench.withdraw(route[0]);
  }
  bench.settle();
  return bench;
}

describe.each(['ipv4-unicast', 'ipv6-unicast'] as const)('verification of %s', (family) => {
  it.each(['exact', 'discard'] as const)(
    'finds nothing wrong in what it aggregates (%s)',
    (aggregation) =>
      fc.assert(
        fc.asyncProperty(stories(family), async (story) => {
          const bench = await tell(aggregation, story);
          expect(bench.verifySlowly(family)).toEqual([]);
          expect(bench.verify(family, story.limit)).toEqual([]);
        }),
        { numRuns: 150 },
      ),
  );

  it.each(['exact', 'discard'] as const)(
    'finds every range that a fault makes (%s)',
    async (aggregation) => {
      let faultyCount = 0;
      await fc.assert(
        fc.asyncProperty(stories(family), async (story) => {
          const bench = await tell(aggregation, story);
          for (const [prefix, isGone] of story.faults) {
            const rows = bench.core.fibEntries(FIB, family, { kind: 'all' }, undefined, 1).rows;
            if (rows[0] === undefined) continue;
            disturb(FIB, prefix, isGone ? undefined : formatPrefix(rows[0].prefix));
          }
          const differences = bench.verifySlowly(family);
          faultyCount += differences.length;
          expect(joined(bench.verify(family, story.limit))).toEqual(differences);
        }),
        { numRuns: 300 },
      );
      expect(faultyCount).toBeGreaterThan(100);
    },
  );
});

it('holds slice by slice while thousands of changes come in between', async () => {
  const bench = await Bench.create('exact');
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let cursor: WalkCursor | undefined;
  let sliceCount = 0;
  for (let change = 0; change < 5000; change++) {
    const length = 8 + random(10);
    const bits = (10 << 24) | ((random(1 << 10) << 14) & -(1 << (32 - length)));
    const address = [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
    const prefix = `${address}/${length}`;
    if (random(3) === 0) bench.withdraw(prefix);
    else if (random(40) === 0) bench.foreign(prefix, random(2) === 0 ? 'wins' : 'none');
    else bench.announce(prefix, 1 + random(3));
    if (change % 3 !== 0) continue;
    bench.settle();
    const check = bench.core.verifyFib(FIB, 'ipv4-unicast', cursor, 1 + random(40))!;
    expect(check.differences).toEqual([]);
    cursor = check.next;
    sliceCount++;
  }
  expect(sliceCount).toBe(1667);
  expect(bench.core.fibCounters(FIB).entryCount).toBeGreaterThan(100);
});

it('cannot tell while changes are on their way, or without aggregation', async () => {
  const bench = await Bench.create('exact');
  bench.announce('10.0.0.0/8', 1);
  expect(bench.core.verifyFib(FIB, 'ipv4-unicast', undefined, 10)).toBeUndefined();
  bench.settle();
  expect(bench.core.verifyFib(FIB, 'ipv4-unicast', undefined, 10)).toEqual({
    differences: [],
    next: undefined,
  });
  const plain = await Bench.create('off');
  plain.settle();
  expect(plain.core.verifyFib(FIB, 'ipv4-unicast', undefined, 10)).toBeUndefined();
});

it('holds a patient FIB to what it was told of a restless prefix', async () => {
  const bench = await Bench.create('exact', true);
  bench.announce('10.0.0.0/8', 1);
  bench.settle();
  for (let i = 0; i < 13; i++) {
    bench.announce('10.0.0.0/8', 1 + (i % 2), 2 + i / 10);
    bench.settle();
  }
  expect(bench.core.restlessPrefixCount()).toBe(1);
  const [told] = bench.core.fibEntries(FIB, 'ipv4-unicast', { kind: 'all' }, undefined, 1).rows;
  const [label] = bench.core.labels(1, 'ipv4-unicast', undefined, 1).rows;
  expect(told?.desired).not.toEqual(label?.nextHops);
  expect(bench.verify('ipv4-unicast', 10)).toEqual([]);
  disturb(FIB, '10.0.0.0/8', undefined);
  expect(bench.verify('ipv4-unicast', 10)).toHaveLength(1);
});
