// A full table through random updates, from bytes to drained records: always what a fresh load comes to, and forwarding alike.
//
// RUTTER_UPDATES: how many on the largest table there is, with figures; when it is not set 20 000 on a smaller one.
import { describe, expect, it } from 'vitest';
import {
  announcing,
  type LabelledRoute,
  newAggregatingCore,
  readTable,
  receiveAll,
  tableNames,
  withdrawing,
  workAll,
} from '../../bench/aggregation-tables.ts';
import { FIB } from '../../bench/fed-core.ts';
import { randomSource } from '../../bench/feed/random.ts';
import { encodeObservations, FibBatch, type Observation } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { IpAddress } from '../../src/net/ip-address.ts';
import { forwardingRanges, type LabelledPrefix } from '../naive/forwarding-ranges.ts';

const WANTED_UPDATES = process.env['RUTTER_UPDATES'];
const UPDATES = Number(WANTED_UPDATES ?? 20_000);
/** Its routes, and what another program found to be the fewest entries (README of the data). */
const [TABLE, ROUTES, ENTRIES] =
  WANTED_UPDATES === undefined
    ? (['rrc06-20100701-v4-as4777', 323_485, 113_910] as const)
    : (['dfz-20230204-v4-projected-as4777', 901_899, 186_364] as const);
/** Committed states at which every address is looked at. */
const CHECKS = 4;

/** Four bytes as a number. */
function numberOf(address: Uint8Array): number {
  return address.reduce((sum, byte) => sum * 256 + byte, 0);
}

function octetsOf(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

/** What a target that takes everything would hold. */
class Target {
  readonly #core: RouteCore;
  readonly #entries = new Map<number, LabelledPrefix>();
  writtenCount = 0;

  constructor(core: RouteCore) {
    this.#core = core;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** As a snapshot tells it. */
  observations(): Observation[] {
    return [...this.#entries.values()].map(({ first, length, label }) => ({
      prefix: { address: octetsOf(first), length },
      set: {
        discard: false,
        members: [{ address: octetsOf(label), weight: 1, interfaceIndex: 0 }],
      },
    }));
  }

  ranges() {
    return forwardingRanges([...this.#entries.values()]);
  }

  drain(): void {
    for (;;) {
      const { buffer, count, byteLength } = this.#core.drain(FIB, 100_000);
      if (count === 0) return;
      const batch = new FibBatch(buffer, count, byteLength);
      for (let i = 0; i < count; i++) this.#write(batch, i);
      this.writtenCount += count;
      this.#core.acknowledge(FIB, []);
    }
  }

  #write(batch: FibBatch, i: number): void {
    const first = numberOf(batch.address(i));
    const length = batch.bits(i);
    const key = first * 64 + length;
    const to = batch.to(i);
    if (to === undefined) expect(this.#entries.delete(key)).toBe(true);
    else this.#entries.set(key, { first, length, label: numberOf(to.members[0]!.address) });
  }
}

async function load(routes: readonly LabelledRoute[]) {
  const core = await newAggregatingCore('exact');
  receiveAll(core, announcing(routes));
  workAll(core);
  const target = new Target(core);
  target.drain();
  return { core, target };
}

/** Another life of the agent, told in another order: how many records it writes, and how many removals are left over. */
async function restart(target: Target, routes: readonly LabelledRoute[]) {
  const core = await newAggregatingCore('exact', { holdRemovals: true });
  const half = routes.length >> 1;
  receiveAll(core, announcing(routes.slice(half).toReversed()));
  workAll(core);
  core.beginSnapshot(FIB);
  const { records, byteLength } = encodeObservations(target.observations());
  core.observe(FIB, records, byteLength);
  core.endSnapshot(FIB);
  workAll(core);
  receiveAll(core, announcing(routes.slice(0, half)));
  workAll(core);
  const { heldCount } = core.fibCounters(FIB);
  core.releaseRemovals(FIB);
  workAll(core);
  return { heldCount, written: core.drain(FIB, 1000).count };
}

function quantile(values: Float64Array, share: number): number {
  return values.toSorted()[Math.floor((values.length - 1) * share)]!;
}

describe.runIf(tableNames().includes(TABLE))('a full table', () => {
  it(`is after ${UPDATES} random updates what a fresh load comes to, and a restart keeps it`, async () => {
    const routes = await readTable(TABLE);
    expect(routes.length).toBe(ROUTES);
    const { core, target } = await load(routes);
    expect(target.size).toBe(ENTRIES);

    const random = randomSource(20_230_204);
    const now: (IpAddress | undefined)[] = routes.map(({ nextHop }) => nextHop);
    const current = () =>
      routes.flatMap(({ prefix }, i) =>
        now[i] === undefined ? [] : [{ prefix, nextHop: now[i] }],
      );
    const microseconds = new Float64Array(UPDATES);
    const loadCount = target.writtenCount;
    let mostWritten = 0;
    for (let update = 1; update <= UPDATES; update++) {
      const i = random() % ROUTES;
      const { prefix } = routes[i]!;
      // A third goes; what is gone comes again, as it was or otherwise.
      now[i] =
        now[i] !== undefined && random() % 3 === 0 ? undefined : routes[random() % ROUTES]!.nextHop;
      const messages =
        now[i] === undefined ? [withdrawing(prefix)] : announcing([{ prefix, nextHop: now[i] }]);
      const start = performance.now();
      receiveAll(core, messages);
      workAll(core);
      microseconds[update - 1] = (performance.now() - start) * 1000;
      const before = target.writtenCount;
      target.drain();
      mostWritten = Math.max(mostWritten, target.writtenCount - before);
      if (update % Math.ceil(UPDATES / CHECKS) > 0 && update < UPDATES) continue;
      const wanted = current().map(({ prefix, nextHop }) => ({
        first: numberOf(prefix.address),
        length: prefix.length,
        label: numberOf(nextHop),
      }));
      // Compared as text: a million objects one by one take minutes.
      expect(JSON.stringify(target.ranges()) === JSON.stringify(forwardingRanges(wanted))).toBe(
        true,
      );
    }

    const fresh = await load(current());
    if (WANTED_UPDATES !== undefined) {
      const mean = microseconds.reduce((sum, each) => sum + each, 0) / UPDATES;
      console.info({
        updates: UPDATES,
        routes: current().length,
        entries: target.size,
        fresh: fresh.target.size,
        meanMicroseconds: mean,
        p99Microseconds: quantile(microseconds, 0.99),
        meanWritten: (target.writtenCount - loadCount) / UPDATES,
        mostWritten,
      });
    }
    expect(target.size).toBe(fresh.target.size);
    expect(core.fibCounters(FIB).entryCount).toBe(fresh.target.size);
    expect(await restart(target, current())).toEqual({ heldCount: 0, written: 0 });
  }, 600_000);
});
