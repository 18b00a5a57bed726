// What a target refuses, with aggregation: what is in place is right for what it covers, and nothing goes by a next hop that no route gave it.
//
// Without aggregation an address whose route is refused goes by the next shorter route that covers it, or nowhere. An aggregated row may stand
// for routes beside that address, so it must not be in place without the rows that except it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { Aggregation } from '../../src/core/fibs.ts';
import { encodeForeign, encodeObservations, FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, formatPrefix, type Prefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const FIB = 1;
/** Records after which a round must have come to rest. */
const MOST_RECORDS = 2000;

interface Entry extends Prefix {
  readonly label: string;
}

const DROP = 'drop';
const points = [...Array.from({ length: 16 }, (_, i) => `10.${i << 4}.0.1`), '11.0.0.1'].map(
  (text) => ({ address: parseIpAddress(text)!, length: 32 }),
);

async function newCore(aggregation: Aggregation): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  core.addFib(FIB, 1, { holdRemovals: false, aggregation, cost: 'next-hops' });
  addOpenPeer(core, 1, { families: ['ipv4-unicast'] });
  return core;
}

/** Covering entries of a table, the longest first; those that a route of others hides are left out. */
function covers(
  at: Prefix,
  table: ReadonlyMap<string, Entry>,
  barriers: ReadonlyMap<string, Prefix>,
) {
  const hidden = [...barriers.values()]
    .filter((barrier) => containsPrefix(barrier, at))
    .reduce((longest, { length }) => Math.max(longest, length), -1);
  return [...table.values()]
    .filter((entry) => containsPrefix(entry, at) && entry.length > hidden)
    .sort((a, b) => b.length - a.length)
    .map(({ label }) => (label === DROP ? 'none' : label));
}

/** A target with room for so many entries, some of whose prefixes it never takes. */
class Target {
  readonly core: RouteCore;
  readonly entries = new Map<string, Entry>();
  readonly barriers = new Map<string, Prefix>();
  readonly #cap: number;
  readonly #never: ReadonlySet<string>;
  readonly #waiting = new Map<string, Prefix>();
  /** Of the batch under way: prefixes without an entry, because it was refused, and those that were not tried for that. */
  #holes: Prefix[] = [];
  #untried: Prefix[] = [];
  #recordCount = 0;

  constructor(core: RouteCore, cap: number, never: ReadonlySet<string>) {
    this.core = core;
    this.#cap = cap;
    this.#never = never;
  }

  /** A route of others comes, and ours goes that is there; or it goes, and ours is welcome. */
  setBarrier(prefix: Prefix, isThere: boolean): void {
    const text = formatPrefix(prefix);
    if (isThere) this.barriers.set(text, prefix);
    else this.barriers.delete(text);
    const foreign = encodeForeign([{ prefix, kind: isThere ? 'wins' : 'none' }]);
    this.core.observeForeign(FIB, foreign.records, foreign.byteLength);
    const { records, byteLength } = encodeObservations([{ prefix, set: undefined }]);
    if (!isThere) this.core.retry(FIB, records, byteLength);
    else if (this.entries.delete(text)) {
      this.core.observe(FIB, records, byteLength);
      this.core.refuse(FIB, records, byteLength);
    }
  }

  /** Takes what the core has until it has no more. `onWritten`: after each record. */
  settle(limit: number, onWritten: () => void): void {
    this.#recordCount = 0;
    for (;;) {
      while (this.core.work(1_000_000)) {
        // to the end
      }
      const { buffer, count, byteLength } = this.core.drain(FIB, limit);
      if (count === 0 && this.core.pendingFibs().length === 0) return;
      const batch = new FibBatch(buffer, count, byteLength);
      const failed: number[] = [];
      for (let i = 0; i < count; i++) {
        if (!this.#write(batch, i)) failed.push(i);
        onWritten();
        expect(++this.#recordCount).toBeLessThan(MOST_RECORDS);
      }
      if (count > 0) this.core.acknowledge(FIB, failed);
      this.#giveRoom();
    }
  }

  #write(batch: FibBatch, i: number): boolean {
    const { prefix, to } = batch.change(i);
    const text = formatPrefix(prefix);
    this.#waiting.delete(text);
    if (to === undefined) {
      this.entries.delete(text);
      return true;
    }
    if (this.barriers.has(text)) return false;
    // As a sink does: what may not stand over a hole is for the core to say, which has not heard of it yet.
    if (this.#holes.some((hole) => containsPrefix(prefix, hole))) {
      this.#untried.push(prefix);
      this.#noteHole(prefix);
      return false;
    }
    const isFull = !this.entries.has(text) && this.entries.size >= this.#cap;
    if (isFull || this.#never.has(text)) {
      if (isFull) this.#waiting.set(text, prefix);
      this.#noteHole(prefix);
      return false;
    }
    const label = to.discard ? DROP : formatIpAddress(to.members[0]!.address);
    this.entries.set(text, { ...prefix, label });
    return true;
  }

  #noteHole(prefix: Prefix): void {
    if (!this.entries.has(formatPrefix(prefix))) this.#holes.push(prefix);
  }

  /** Shorter prefixes first, as many as there is room for. */
  #giveRoom(): void {
    const invited = [...this.#waiting]
      .sort(([, a], [, b]) => a.length - b.length)
      .slice(0, this.#cap - this.entries.size);
    for (const [text] of invited) this.#waiting.delete(text);
    const told = [...invited.map(([, prefix]) => prefix), ...this.#untried].map((prefix) => ({
      prefix,
      set: undefined,
    }));
    this.#holes = [];
    this.#untried = [];
    const { records, byteLength } = encodeObservations(told);
    if (told.length > 0) this.core.retry(FIB, records, byteLength);
  }
}

const prefix = fc.oneof(
  { weight: 1, arbitrary: fc.constant('0.0.0.0/0') },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1, 2, 3, 3, 4, 4, 4), fc.nat(15))
      .map(
        ([length, value]) =>
          `10.${((value >> (4 - length)) << (4 - length)) << 4}.0.0/${8 + length}`,
      ),
  },
);

const change = fc.record({
  prefix,
  what: fc.constantFrom('1', '1', '2', '2', '3', 'none', 'none', 'theirs', 'gone'),
});

function apply(
  target: Target,
  routes: Map<string, Entry>,
  { prefix: text, what }: { prefix: string; what: string },
) {
  const parsed = parsePrefix(text)!;
  if (what === 'theirs' || what === 'gone') {
    target.setBarrier(parsed, what === 'theirs');
  } else if (what === 'none') {
    target.core.receive(1, withdrawal([text]), 1);
    routes.delete(text);
  } else {
    const attributes = { asPath: [65001], nextHop: `192.0.2.${what}` };
    target.core.receive(1, announcement({ attributes, prefixes: [text] }), 1);
    routes.set(text, { ...parsed, label: `192.0.2.${what}` });
  }
}

it.each(['exact', 'discard'] as const)(
  'no address goes by a next hop that no route gave it, whatever is refused (%s)',
  (aggregation) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 }),
        fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constant(100)),
        fc.uniqueArray(prefix, { maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        async (rounds, cap, never, limit) => {
          const target = new Target(await newCore(aggregation), cap, new Set(never));
          const routes = new Map<string, Entry>();
          const answersOf = (table: ReadonlyMap<string, Entry>) =>
            points.map((at) => covers(at, table, target.barriers));
          for (const round of rounds) {
            // What others change is not ours to order: it is looked at by itself.
            for (const each of round)
              if (/theirs|gone/.test(each.what)) apply(target, routes, each);
            target.settle(limit, () => undefined);
            const before = answersOf(target.entries);
            const routesBefore = answersOf(routes);
            for (const each of round)
              if (!/theirs|gone/.test(each.what)) apply(target, routes, each);
            const wanted = answersOf(routes);
            target.settle(limit, () => {
              for (const [i, [got = 'none']] of answersOf(target.entries).entries()) {
                const allowed = [before[i]![0], ...routesBefore[i]!, ...wanted[i]!, 'none'];
                expect(allowed, `${formatPrefix(points[i]!)}`).toContain(got);
              }
            });
            for (const [i, [got = 'none']] of answersOf(target.entries).entries()) {
              expect([...wanted[i]!, 'none'], `at rest, ${formatPrefix(points[i]!)}`).toContain(
                got,
              );
              const [first = 'none'] = wanted[i]!;
              if (cap === 100 && never.length === 0) expect(got).toBe(first);
            }
          }
        },
      ),
      { numRuns: 150 },
    ),
  60_000,
);
