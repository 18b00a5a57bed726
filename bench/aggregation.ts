// How far does a table aggregate, and what does one change of a route cost and write? In process, per table.
//
// The core's own time: parsing, decision and aggregation, without sockets or targets. An update is one UPDATE of one prefix, from its
// bytes to the FIB at rest.
import { FIB_CHANGE_SIZE } from '../assembly/abi.ts';
import { packageVersion } from '../src/cli/version.ts';
import type { Aggregation } from '../src/core/fibs.ts';
import type { RouteCore } from '../src/core/route-core.ts';
import type { IpAddress } from '../src/net/ip-address.ts';
import {
  announcing,
  LABELS,
  type LabelledRoute,
  newAggregatingCore,
  readLabelled,
  receiveAll,
  tablePoints,
  tableSweep,
  withdrawing,
  workAll,
} from './aggregation-tables.ts';
import { FIB } from './fed-core.ts';
import { randomSource } from './feed/random.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import type { Sample as Figures, RunOptions, Scenario } from './harness/scenario.ts';
import { percentile } from './harness/statistics.ts';

const updatesOf = (isSmall: boolean): number => (isSmall ? 500 : 20_000);
const warmUpUpdatesOf = (isSmall: boolean): number => (isSmall ? 200 : 2000);
const BATCH = 10_000;

interface UpdateFigures {
  readonly meanMicroseconds: number;
  /** What a busy machine leaves alone. */
  readonly medianMicroseconds: number;
  readonly p99Microseconds: number;
  readonly meanWrites: number;
  readonly p99Writes: number;
}

async function load(aggregation: Aggregation, messages: readonly Uint8Array[]) {
  const core = await newAggregatingCore(aggregation);
  receiveAll(core, messages);
  workAll(core);
  return core;
}

function measureUpdates(core: RouteCore, routes: readonly LabelledRoute[], count: number) {
  const nextHops = [...new Map(routes.map(({ nextHop }) => [nextHop.join('.'), nextHop])).values()];
  const ofFamily = Map.groupBy(nextHops, ({ length }) => length);
  const random = randomSource(7);
  const change = new Sample();
  const withdraw = new Sample();
  const announce = new Sample();
  const current = new Map<LabelledRoute, IpAddress>();
  for (let i = 0; i < count; i++) {
    const route = routes[random() % routes.length]!;
    const before = current.get(route) ?? route.nextHop;
    // A label as frequent as it is in the table, so that the table stays what it is.
    const other = routes[random() % routes.length]!.nextHop;
    const own = ofFamily.get(before.length)!;
    const isOther = other.length === before.length && other.join() !== before.join();
    const nextHop = isOther ? other : own[i % own.length]!;
    change.take(core, announcing([{ ...route, nextHop }]));
    change.take(core, announcing([{ ...route, nextHop: before }]));
    withdraw.take(core, [withdrawing(route.prefix)]);
    announce.take(core, announcing([{ ...route, nextHop: before }]));
    current.set(route, before);
  }
  return {
    change: change.figures(),
    withdraw: withdraw.figures(),
    announce: announce.figures(),
  };
}

class Sample {
  readonly #microseconds: number[] = [];
  readonly #writes: number[] = [];

  take(core: RouteCore, messages: readonly Uint8Array[]): void {
    const start = performance.now();
    receiveAll(core, messages);
    workAll(core);
    this.#microseconds.push((performance.now() - start) * 1000);
    this.#writes.push(drainAll(core));
  }

  figures(): UpdateFigures {
    const microseconds = ascending(this.#microseconds);
    return {
      meanMicroseconds: mean(this.#microseconds),
      medianMicroseconds: percentile(microseconds, 50),
      p99Microseconds: percentile(microseconds, 99),
      meanWrites: mean(this.#writes),
      p99Writes: percentile(ascending(this.#writes), 99),
    };
  }
}

/** Takes and acknowledges everything; the number of records. */
function drainAll(core: RouteCore): number {
  let records = 0;
  for (;;) {
    const { count, byteLength } = core.drain(FIB, BATCH);
    if (count === 0) return records;
    if (byteLength < count * FIB_CHANGE_SIZE) throw new Error(`${byteLength} bytes of a batch`);
    core.acknowledge(FIB, []);
    records += count;
  }
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const points = tablePoints();

export const aggregation: Scenario = {
  name: 'aggregation',
  question: 'how far does a table aggregate, and what does one change cost and write?',
  routes: 0,
  smallRoutes: 0,
  repeats: 1,
  ...tableSweep(points),
  warmUpShare: 0,
  input: (_routes, isSmall) =>
    `every table there is, with its own next hops, or ${LABELS} of them by /16 (IPv6: /32); in process; ${updatesOf(isSmall)} random changes of one prefix, ` +
    `after ${warmUpUpdatesOf(isSmall)} not counted`,
  metrics: [
    { key: 'routes', title: 'routes', unit: 'count', isContext: true },
    { key: 'exact', title: 'entries, exact', unit: '%' },
    { key: 'discard', title: 'entries, discard', unit: '%' },
    { key: 'change', title: 'one change, mean', unit: 'µs' },
    { key: 'changeMedian', title: 'one change, median', unit: 'µs' },
    { key: 'changeP99', title: 'one change, p99', unit: 'µs' },
    { key: 'writes', title: 'written by a change, mean', unit: 'count' },
    { key: 'writesP99', title: 'written by a change, p99', unit: 'count' },
    { key: 'withdraw', title: 'one withdrawal, mean', unit: 'µs' },
    { key: 'withdrawWrites', title: 'written by a withdrawal, mean', unit: 'count' },
    { key: 'announce', title: 'announced again, mean', unit: 'µs' },
  ],
  contestants: [{ name: 'Rutter', version: async () => packageVersion(), run: measurePoint }],
  goals: [
    { metric: 'change', atMost: 6 },
    { metric: 'changeP99', atMost: 60 },
    { metric: 'writes', atMost: 2.2 },
    { metric: 'writesP99', atMost: 12 },
  ],
};

async function measurePoint({ point, isSmall }: RunOptions): Promise<Figures> {
  const routes = await readLabelled(points[point.value]!);
  const messages = announcing(routes);
  const foreign = watchForeignCpu();
  const sizeOf = (core: RouteCore) => (100 * core.fibCounters(FIB).entryCount) / routes.length;
  const discard = sizeOf(await load('discard', messages));
  const core = await load('exact', messages);
  const exact = sizeOf(core);
  drainAll(core);
  measureUpdates(core, routes, warmUpUpdatesOf(isSmall));
  const updates = measureUpdates(core, routes, updatesOf(isSmall));
  return {
    routes: routes.length,
    exact,
    discard,
    change: updates.change.meanMicroseconds,
    changeMedian: updates.change.medianMicroseconds,
    changeP99: updates.change.p99Microseconds,
    writes: updates.change.meanWrites,
    writesP99: updates.change.p99Writes,
    withdraw: updates.withdraw.meanMicroseconds,
    withdrawWrites: updates.withdraw.meanWrites,
    announce: updates.announce.meanMicroseconds,
    foreignCores: foreign(),
  };
}
