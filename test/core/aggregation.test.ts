// An aggregated FIB from the outside: every address forwards as before or as after at each drained record, whatever comes and goes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { Aggregation } from '../../src/core/fibs.ts';
import {
  encodeForeign,
  encodeObservations,
  FibBatch,
  type FibChange,
  type ForeignKind,
} from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, formatPrefix, type Prefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const FIB = 1;
const A = '192.0.2.1';
const B = '192.0.2.2';
const C = '192.0.2.3';

/** Prefix → next hops, as text. */
type Table = Map<string, string>;

class Bench {
  readonly core: RouteCore;
  /** What the announced routes are, what others have, and what is in place. */
  readonly routes: Table = new Map();
  readonly barriers = new Map<string, ForeignKind>();
  readonly installed: Table = new Map();

  private constructor(core: RouteCore) {
    this.core = core;
  }

  static async create(aggregation: Aggregation = 'exact', holdRemovals = false): Promise<Bench> {
    const core = await loadCore();
    core.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: false });
    core.addFib(FIB, 1, { holdRemovals, aggregation, cost: 'next-hops' });
    addOpenPeer(core, 1);
    return new Bench(core);
  }

  announce(prefix: string, nextHop: string): void {
    const attributes = { asPath: [65001], nextHop };
    this.core.receive(1, announcement({ attributes, prefixes: [prefix] }), 1);
    this.routes.set(prefix, nextHop);
  }

  withdraw(prefix: string): void {
    this.core.receive(1, withdrawal([prefix]), 1);
    this.routes.delete(prefix);
  }

  foreign(text: string, kind: ForeignKind): void {
    const { records, byteLength } = encodeForeign([{ prefix: parsePrefix(text)!, kind }]);
    this.core.observeForeign(FIB, records, byteLength);
    if (kind === 'none') this.barriers.delete(text);
    else this.barriers.set(text, kind);
  }

  work(): void {
    while (this.core.work(1_000_000)) {
      // to the end
    }
  }

  drain(limit = 1000): FibChange[] {
    const { buffer, count, byteLength } = this.core.drain(FIB, limit);
    const batch = new FibBatch(buffer, count, byteLength);
    return Array.from({ length: count }, (_, i) => batch.change(i));
  }

  write({ prefix, to }: FibChange): void {
    const text = formatPrefix(prefix);
    if (to === undefined) this.installed.delete(text);
    else this.installed.set(text, labelOf(to));
  }

  /** Drains and writes until nothing is left; the prefixes in the order in which they were written. */
  settle(limit = 1000): string[] {
    this.work();
    const written: string[] = [];
    for (;;) {
      const changes = this.drain(limit);
      if (changes.length === 0) return written;
      for (const change of changes) {
        this.write(change);
        written.push(`${change.to === undefined ? '-' : '+'}${formatPrefix(change.prefix)}`);
      }
      this.core.acknowledge(FIB, []);
    }
  }

  /** Says what is not in place, as a sink that refuses does. */
  lookAt(at: string): string {
    return forward(at, this.installed, this.barriers);
  }
}

function labelOf(set: NonNullable<FibChange['to']>): string {
  return set.discard
    ? 'drop'
    : set.members.map(({ address }) => formatIpAddress(address)).join('|');
}

/** What an address forwards by, among rows of ours and others' routes. */
function forward(at: string, rows: Table, barriers: ReadonlyMap<string, ForeignKind>): string {
  const address = parseIpAddress(at)!;
  const host = { address, length: address.length * 8 };
  const best = (prefixes: Iterable<string>) => {
    let longest: Prefix | undefined;
    for (const text of prefixes) {
      const prefix = parsePrefix(text)!;
      if (prefix.address.length !== address.length || !containsPrefix(prefix, host)) continue;
      if (longest === undefined || prefix.length > longest.length) longest = prefix;
    }
    return longest;
  };
  const ours = best(rows.keys());
  const theirs = best(barriers.keys());
  if (theirs !== undefined && theirs.length >= (ours?.length ?? -1)) {
    const text = formatPrefix(theirs);
    const isShared = ours?.length === theirs.length;
    if (!isShared) return `theirs ${text}`;
    return barriers.get(text) === 'yields'
      ? rows.get(text)!
      : `theirs ${text} and ${rows.get(text)}`;
  }
  const label = ours === undefined ? 'drop' : rows.get(formatPrefix(ours))!;
  return label === 'drop' ? 'none' : label;
}

/** First and last addresses of prefixes of a small space. */
function addresses(prefixes: Iterable<string>): string[] {
  const points = new Set<string>();
  for (const text of prefixes) {
    const { address, length } = parsePrefix(text)!;
    points.add(formatIpAddress(address));
    const last = address.map((byte, i) => {
      const kept = Math.min(8, Math.max(0, length - 8 * i));
      return byte | (0xff >> kept);
    });
    points.add(formatIpAddress(Uint8Array.from(last)));
  }
  return [...points];
}

describe('an aggregated FIB', () => {
  it('holds one entry for two halves, and both again when one goes another way', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/25', A);
    bench.announce('10.0.0.128/25', A);
    expect(bench.settle()).toEqual(['+10.0.0.0/24']);
    bench.announce('10.0.0.128/25', B);
    bench.settle();
    expect(bench.lookAt('10.0.0.1')).toBe(A);
    expect(bench.lookAt('10.0.0.200')).toBe(B);
    expect(bench.installed.size).toBe(2);
  });

  it('covers no address that has no route', async () => {
    const bench = await Bench.create();
    for (const third of [0, 1, 3]) bench.announce(`10.0.${third}.0/24`, A);
    bench.settle();
    expect(bench.lookAt('10.0.2.1')).toBe('none');
    expect([...bench.installed.keys()].sort()).toEqual(['10.0.0.0/23', '10.0.3.0/24']);
  });

  it('covers it with an entry that drops where that is allowed', async () => {
    const bench = await Bench.create('discard');
    for (let third = 0; third < 8; third++) {
      if (third !== 2) bench.announce(`10.0.${third}.0/24`, A);
    }
    bench.settle();
    expect(Object.fromEntries(bench.installed)).toEqual({
      '10.0.0.0/21': A,
      '10.0.2.0/24': 'drop',
    });
  });

  it.each([
    [A, B],
    [B, A],
  ])('keeps the entry that stands where another would do as well: %s', async (most, other) => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/24', other);
    for (const third of [1, 2, 3]) bench.announce(`10.0.${third}.0/24`, most);
    bench.settle();
    expect(bench.installed.get('10.0.0.0/22')).toBe(most);
    // Now each has two of the four, and one entry and two exceptions do either way.
    bench.announce('10.0.3.0/24', other);
    expect(bench.settle()).toEqual(['+10.0.3.0/24']);
    expect(bench.installed.get('10.0.0.0/22')).toBe(most);
  });

  it('writes nothing when a route comes and goes between two drains', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/25', A);
    bench.announce('10.0.0.128/25', A);
    bench.settle();
    bench.announce('10.0.0.64/26', B);
    bench.work();
    bench.withdraw('10.0.0.64/26');
    bench.work();
    expect(bench.core.pendingFibs()).toEqual([]);
  });

  it('is not drained between a change of routes and work()', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/24', A);
    expect(bench.core.pendingFibs()).toEqual([]);
    bench.work();
    expect(bench.core.pendingFibs()).toEqual([FIB]);
  });
});

describe('routes of others', () => {
  it('are stayed clear of when they come, and forgotten when they go', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/16', A);
    bench.announce('10.0.1.0/24', A);
    expect(bench.settle()).toEqual(['+10.0.0.0/16']);
    bench.foreign('10.0.0.0/20', 'wins');
    bench.settle();
    expect([...bench.installed.keys()].sort()).toEqual(['10.0.0.0/16', '10.0.1.0/24']);
    bench.foreign('10.0.0.0/20', 'none');
    expect(bench.settle()).toEqual(['-10.0.1.0/24']);
  });

  it('that a snapshot does not name are gone', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/16', A);
    bench.announce('10.0.1.0/24', A);
    bench.foreign('10.0.0.0/20', 'wins');
    bench.settle();
    const prefixes = [...bench.installed.keys()];
    const { records, byteLength } = encodeObservations(
      prefixes.map((prefix) => ({
        prefix: parsePrefix(prefix)!,
        set: {
          discard: false,
          members: [{ address: parseIpAddress(A)!, weight: 1, interfaceIndex: 0 }],
        },
      })),
    );
    bench.core.beginSnapshot(FIB);
    bench.core.observe(FIB, records, byteLength);
    bench.core.endSnapshot(FIB);
    expect(bench.settle()).toEqual(['-10.0.1.0/24']);
  });

  it('have ours offered at their prefix, for the target to judge', async () => {
    const bench = await Bench.create();
    bench.foreign('0.0.0.0/0', 'wins');
    bench.announce('0.0.0.0/0', A);
    bench.announce('10.0.0.0/8', A);
    expect(bench.settle()).toEqual(['+10.0.0.0/8', '+0.0.0.0/0']);
  });

  it('that yield are covered by ours, and by nothing else', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/8', A);
    bench.announce('10.1.0.0/16', A);
    bench.announce('10.1.1.0/24', A);
    bench.foreign('10.1.0.0/16', 'yields');
    bench.settle();
    expect([...bench.installed.keys()].sort()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
  });
});

describe('who asks', () => {
  const carriers = (bench: Bench) =>
    bench.core
      .routes(
        { network: 1, family: 'ipv4-unicast', stage: 'loc-rib', match: { kind: 'all' } },
        undefined,
        100,
      )
      .rows.map(({ prefix, fibStates }) => {
        const [{ state, carrier }] = fibStates as [(typeof fibStates)[0]];
        return `${formatPrefix(prefix!)} by ${carrier} ${state}`;
      });
  const entries = (bench: Bench) =>
    bench.core
      .fibEntries(FIB, 'ipv4-unicast', { kind: 'all' }, undefined, 100)
      .rows.map(({ prefix, routeCount }) => {
        const routes = bench.core.carriedRoutes(FIB, prefix, 10);
        expect(routes.length).toBe(routeCount);
        return `${formatPrefix(prefix)} for ${routes.map(formatPrefix).join(' ')}`;
      });

  it('hears which entry carries a route, and which routes an entry stands for', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/24', A);
    bench.announce('10.0.0.0/25', A);
    bench.announce('10.0.1.0/24', A);
    bench.announce('10.0.1.64/26', B);
    bench.settle();
    expect(carriers(bench)).toEqual([
      '10.0.0.0/24 by 23 installed',
      '10.0.0.0/25 by 23 installed',
      '10.0.1.0/24 by 23 installed',
      '10.0.1.64/26 by 26 installed',
    ]);
    expect(entries(bench)).toEqual([
      '10.0.0.0/23 for 10.0.0.0/24 10.0.0.0/25 10.0.1.0/24',
      '10.0.1.64/26 for 10.0.1.64/26',
    ]);
  });

  it('hears of a route that is put together of parts', async () => {
    const bench = await Bench.create();
    bench.announce('0.0.0.0/0', A);
    bench.announce('10.0.0.0/8', B);
    bench.announce('10.0.0.0/9', A);
    bench.settle();
    expect(carriers(bench)).toEqual([
      '0.0.0.0/0 by 0 installed',
      '10.0.0.0/8 by parts installed',
      '10.0.0.0/9 by 0 installed',
    ]);
    expect(entries(bench)).toEqual([
      '0.0.0.0/0 for 0.0.0.0/0 10.0.0.0/9',
      '10.128.0.0/9 for 10.0.0.0/8',
    ]);
  });

  it('hears that a route waits until its entry is in place', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/25', A);
    bench.announce('10.0.0.128/25', A);
    bench.work();
    expect(carriers(bench)).toEqual(['10.0.0.0/25 by 24 pending', '10.0.0.128/25 by 24 pending']);
  });
});

describe('the order', () => {
  it('is sets by falling length, then removals by rising length, over batches of one', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/24', A);
    bench.announce('10.0.2.0/24', B);
    bench.settle();
    for (let third = 0; third < 4; third++) bench.announce(`10.0.${third}.0/24`, B);
    bench.announce('10.0.3.128/25', C);
    expect(bench.settle(1)).toEqual([
      '+10.0.3.128/25',
      '+10.0.0.0/22',
      '-10.0.0.0/24',
      '-10.0.2.0/24',
    ]);
  });

  it('lets bad news that stands alone jump it', async () => {
    const bench = await Bench.create();
    bench.announce('10.9.9.0/24', A);
    bench.settle();
    for (let i = 0; i < 200; i++) bench.announce(`172.16.${i}.0/24`, i % 2 ? A : B);
    bench.withdraw('10.9.9.0/24');
    bench.work();
    const [first] = bench.drain(10);
    expect(formatPrefix(first!.prefix)).toBe('10.9.9.0/24');
    expect(first!.urgent).toBe(true);
  });

  it('keeps what a refused entry should cover until it is in, if it is right', async () => {
    const bench = await Bench.create();
    bench.announce('10.0.0.0/25', A);
    bench.announce('10.0.0.128/25', B);
    bench.settle();
    bench.announce('10.0.0.128/25', A);
    bench.work();
    expect(bench.drain().map(({ prefix }) => formatPrefix(prefix))).toEqual(['10.0.0.0/24']);
    bench.core.acknowledge(FIB, [0]);
    // Nobody goes by B any more.
    expect(bench.settle()).toEqual(['-10.0.0.128/25']);
    expect(bench.core.pendingFibs()).toEqual([]);
    const { rows } = bench.core.fibEntries(FIB, 'ipv4-unicast', { kind: 'all' }, undefined, 10);
    expect(rows.map(({ prefix, state }) => `${formatPrefix(prefix)} ${state}`)).toEqual([
      '10.0.0.0/24 refused',
      '10.0.0.0/25 held',
    ]);
    const retried = encodeObservations([{ prefix: parsePrefix('10.0.0.0/24')!, set: undefined }]);
    bench.core.retry(FIB, retried.records, retried.byteLength);
    expect(bench.settle()).toEqual(['+10.0.0.0/24', '-10.0.0.0/25']);
  });

  it('leaves no entry over a refused one by a next hop that nobody there announced', async () => {
    const bench = await Bench.create();
    bench.announce('0.0.0.0/0', B);
    for (const third of [0, 1, 2]) bench.announce(`10.0.${third}.0/24`, A);
    bench.announce('10.0.3.0/24', A);
    expect(bench.settle()).toEqual(['+10.0.0.0/22', '+0.0.0.0/0']);
    bench.announce('10.0.3.0/24', C);
    bench.work();
    expect(bench.drain().map(({ prefix }) => formatPrefix(prefix))).toEqual(['10.0.3.0/24']);
    bench.core.acknowledge(FIB, [0]);
    // What it carried goes by the default route until there is room; 10.0.3.0/24 never by A.
    expect(bench.settle()).toEqual(['-10.0.0.0/22']);
    expect(bench.core.pendingFibs()).toEqual([]);
    const { rows } = bench.core.fibEntries(FIB, 'ipv4-unicast', { kind: 'all' }, undefined, 10);
    expect(rows.map(({ prefix, state }) => `${formatPrefix(prefix)} ${state}`)).toEqual([
      '0.0.0.0/0 installed',
      '10.0.0.0/22 held',
      '10.0.3.0/24 refused',
    ]);
    bench.withdraw('10.0.3.0/24');
    expect(bench.settle().slice(-1)).toEqual(['+10.0.0.0/23']);
    for (const third of [0, 1, 2]) expect(bench.lookAt(`10.0.${third}.1`)).toBe(A);
    expect(bench.lookAt('10.0.3.1')).toBe(B);
  });
});

const prefixOf = (value: number, length: number) =>
  formatPrefix({
    address: Uint8Array.of(10, 0, value & (0xf00 >> length) & 0xf0, 0),
    length: 16 + length,
  });

const step = fc.record({
  value: fc.nat(15).map((each) => each << 4),
  length: fc.nat(4),
  what: fc.constantFrom('A', 'B', 'C', 'none', 'none', 'theirs', 'yields', 'gone'),
});

/** Few labels at the lower end of a few octets: ties everywhere. */
const denseStep = fc.record({
  value: fc.nat(15).map((each) => each << 4),
  length: fc.constantFrom(2, 3, 4, 4, 4),
  what: fc.constantFrom('A', 'A', 'B', 'B', 'C', 'none', 'theirs', 'gone'),
});

describe('at every drained record', () => {
  it.each(['exact', 'discard'] as const)(
    'an address forwards as before or as after (%s)',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
          fc.integer({ min: 1, max: 4 }),
          async (rounds, limit) => {
            const bench = await Bench.create(mode);
            for (const round of rounds) {
              // A change of others' routes is theirs: what it changes is not ours to order. The rest is looked at by itself.
              for (const { value, length, what } of round)
                apply(bench, prefixOf(value, length), what, 'theirs');
              bench.settle();
              const before = new Map(bench.installed);
              for (const { value, length, what } of round)
                apply(bench, prefixOf(value, length), what, 'ours');
              bench.work();
              const points = addresses([
                ...bench.routes.keys(),
                ...before.keys(),
                ...bench.barriers.keys(),
                '10.0.0.0/8',
              ]);
              for (;;) {
                const changes = bench.drain(limit);
                if (changes.length === 0) break;
                for (const change of changes) {
                  bench.write(change);
                  for (const at of points) {
                    const seen = bench.lookAt(at);
                    const old = forward(at, before, bench.barriers);
                    const wanted = forward(at, bench.routes, bench.barriers);
                    if (seen !== old) expect(`${at} ${seen}`).toBe(`${at} ${wanted}`);
                  }
                }
                bench.core.acknowledge(FIB, []);
              }
              for (const at of points) {
                expect(`${at} ${bench.lookAt(at)}`).toBe(
                  `${at} ${forward(at, bench.routes, bench.barriers)}`,
                );
              }
            }
          },
        ),
        { numRuns: 150 },
      );
    },
  );
});

/** Another life: the target names what the last one has left there; routes come in whatever order. */
async function restart(
  before: Bench,
  routes: readonly (readonly [string, string])[],
  namedAfter: number,
): Promise<string[]> {
  const bench = await Bench.create('exact', true);
  const { core } = bench;
  const name = () => {
    const inPlace = [...before.installed].map(([prefix, label]) => ({
      prefix: parsePrefix(prefix)!,
      set: {
        discard: false,
        members: [{ address: parseIpAddress(label)!, weight: 1, interfaceIndex: 0 }],
      },
    }));
    core.beginSnapshot(FIB);
    const { records, byteLength } = encodeObservations(inPlace);
    core.observe(FIB, records, byteLength);
    for (const [prefix, kind] of before.barriers) bench.foreign(prefix, kind);
    core.endSnapshot(FIB);
    for (const [prefix, label] of before.installed) bench.installed.set(prefix, label);
    bench.work();
  };
  for (const [i, [prefix, nextHop]] of routes.entries()) {
    if (i === namedAfter) name();
    bench.announce(prefix, nextHop);
    if (i % 3 === 0) bench.work();
  }
  if (namedAfter >= routes.length) name();
  bench.work();
  core.releaseRemovals(FIB);
  return bench.settle();
}

describe('a restart', () => {
  it('writes nothing where another entry would do as well', async () => {
    const before = await Bench.create();
    before.announce('10.0.0.0/24', B);
    for (const third of [1, 2, 3]) before.announce(`10.0.${third}.0/24`, A);
    before.settle();
    before.announce('10.0.3.0/24', B);
    before.settle();
    expect(before.installed.get('10.0.0.0/22')).toBe(A); // not the lowest label of a fresh start
    expect(await restart(before, [...before.routes], 2)).toEqual([]);
  });

  it('writes nothing, however the table came to be and in whatever order it is told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(denseStep, { minLength: 20, maxLength: 150 }),
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        fc.nat(20),
        async (steps, together, random, namedAfter) => {
          const before = await Bench.create();
          for (const [i, { value, length, what }] of steps.entries()) {
            const isTheirs = what === 'theirs' || what === 'gone';
            apply(before, prefixOf(value, length), what, isTheirs ? 'theirs' : 'ours');
            if (i % together === 0) before.settle();
          }
          before.settle();
          const routes = [...before.routes]
            .map((route) => ({ route, rank: random.next().value as number }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ route }) => route);
          expect(await restart(before, routes, namedAfter)).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });
});

function apply(bench: Bench, prefix: string, what: string, whose: 'ours' | 'theirs'): void {
  const isTheirs = what === 'theirs' || what === 'yields' || what === 'gone';
  if (isTheirs !== (whose === 'theirs')) return;
  const nextHops: Record<string, string> = { A, B, C };
  if (what === 'theirs') bench.foreign(prefix, 'wins');
  else if (what === 'yields') bench.foreign(prefix, 'yields');
  else if (what === 'gone') bench.foreign(prefix, 'none');
  else if (what === 'none') bench.withdraw(prefix);
  else bench.announce(prefix, nextHops[what]!);
}
