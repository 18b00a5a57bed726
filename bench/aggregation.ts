// How far does a table aggregate, what does that cost, and how many entries does one change of a route write? In process, per table.
//
// The core's own time: parsing, decision and aggregation, without sockets or targets. An update is one UPDATE of one prefix, from its
// bytes to the FIB at rest.
import { FIB_CHANGE_SIZE } from '../assembly/abi.ts';
import { packageVersion } from '../src/cli/version.ts';
import type { WasmRouteCore } from '../src/core/core.ts';
import type { Aggregation } from '../src/core/route-core.ts';
import type { IpAddress } from '../src/net/ip-address.ts';
import {
  announcing,
  type LabelledRoute,
  labelByBlock,
  newAggregatingCore,
  readTable,
  receiveAll,
  tableNames,
  withdrawing,
  workAll,
} from './aggregation-tables.ts';
import { FIB } from './fed-core.ts';
import { randomSource } from './feed/random.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import type { Sample as Figures, Point, RunOptions, Scenario } from './harness/scenario.ts';

/** Labels of the tables that have none of their own, and of the updates. */
const LABELS = 4;
const UPDATES = 20_000;
const BATCH = 10_000;

interface LoadFigures {
  readonly entryCount: number;
  /** Parsing, decision, and the trie of the aggregation. */
  readonly receiveMs: number;
  /** The full pass: every node up and down, and every entry made. */
  readonly passMs: number;
  readonly bytesPerRoute: number;
}

interface UpdateFigures {
  readonly meanMicroseconds: number;
  readonly p99Microseconds: number;
  readonly meanWrites: number;
  readonly p99Writes: number;
  readonly maxWrites: number;
}

interface AggregationFigures {
  readonly table: string;
  readonly labels: string;
  readonly routeCount: number;
  readonly off: LoadFigures;
  readonly exact: LoadFigures;
  readonly discard: LoadFigures;
  /** One prefix goes to another next hop. */
  readonly change: UpdateFigures;
  /** One prefix is withdrawn; and announced again. */
  readonly withdraw: UpdateFigures;
  readonly announce: UpdateFigures;
}

/** The figures of one table: with its own next hops, or with LABELS of them by /16 (IPv6: /32). */
async function measureTable(
  table: string,
  { byBlock = false, updates = UPDATES }: { byBlock?: boolean; updates?: number } = {},
): Promise<AggregationFigures> {
  const own = await readTable(table);
  const routes = byBlock
    ? own.map(({ prefix }) => ({ prefix, nextHop: labelByBlock(prefix, LABELS) }))
    : own;
  const messages = announcing(routes);
  const { figures: off } = await load('off', messages, routes.length);
  const { figures: discard } = await load('discard', messages, routes.length);
  const { figures: exact, core } = await load('exact', messages, routes.length);
  drainAll(core);
  return {
    table,
    labels: byBlock ? `${LABELS} by block` : 'its own',
    routeCount: routes.length,
    off,
    exact,
    discard,
    ...measureUpdates(core, routes, updates),
  };
}

async function load(
  aggregation: Aggregation,
  messages: readonly Uint8Array[],
  routeCount: number,
): Promise<{ figures: LoadFigures; core: WasmRouteCore }> {
  const core = await newAggregatingCore(aggregation);
  const emptyBytes = core.memory().usedBytes;
  const start = performance.now();
  receiveAll(core, messages);
  const received = performance.now();
  workAll(core);
  const done = performance.now();
  return {
    core,
    figures: {
      entryCount: core.fibCounters(FIB).entryCount,
      receiveMs: received - start,
      passMs: done - received,
      bytesPerRoute: (core.memory().usedBytes - emptyBytes) / routeCount,
    },
  };
}

function measureUpdates(core: WasmRouteCore, routes: readonly LabelledRoute[], count: number) {
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

  take(core: WasmRouteCore, messages: readonly Uint8Array[]): void {
    const start = performance.now();
    receiveAll(core, messages);
    workAll(core);
    this.#microseconds.push((performance.now() - start) * 1000);
    this.#writes.push(drainAll(core));
  }

  figures(): UpdateFigures {
    return {
      meanMicroseconds: mean(this.#microseconds),
      p99Microseconds: quantile(this.#microseconds, 0.99),
      meanWrites: mean(this.#writes),
      p99Writes: quantile(this.#writes, 0.99),
      maxWrites: Math.max(...this.#writes),
    };
  }
}

/** Takes and acknowledges everything; the number of records. */
function drainAll(core: WasmRouteCore): number {
  let records = 0;
  for (;;) {
    const { count, byteLength } = core.drain(FIB, BATCH);
    if (count === 0) return records;
    if (byteLength < count * FIB_CHANGE_SIZE) throw new Error(`${byteLength} bytes of a batch`);
    core.acknowledge(FIB, []);
    records += count;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Of each table, and of the large one with few next hops too. */
function points(): (Point & { readonly table: string; readonly byBlock: boolean })[] {
  const measured = tableNames().flatMap((table) => {
    const isBare = table.endsWith('-prefixes');
    const own = { table, byBlock: isBare };
    return table.startsWith('dfz') && !isBare ? [own, { table, byBlock: true }] : [own];
  });
  return measured.map(({ table, byBlock }, value) => ({
    name: byBlock ? `${table} with ${LABELS} labels` : table,
    value,
    table,
    byBlock,
  }));
}

const tables = points();

export const aggregation: Scenario = {
  name: 'aggregation',
  question: 'how far does a table aggregate, what does that cost, and what does one change write?',
  routes: 0,
  smallRoutes: 0,
  repeats: 1,
  sweep: {
    title: 'table',
    scale: 'names',
    points: tables,
    smallPoints: tables.filter(({ table }) => table === 'linx-20170101-v6'),
  },
  warmUpShare: 0,
  obstacle: () => (tables.length > 0 ? undefined : 'no tables in the directory RUTTER_DATA'),
  input: () =>
    `every table there is, with its own next hops, or ${LABELS} of them by /16 (IPv6: /32); in process; ${UPDATES} random changes`,
  metrics: [
    { key: 'routes', title: 'routes', unit: 'count', isContext: true },
    { key: 'exact', title: 'entries, exact', unit: '%' },
    { key: 'discard', title: 'entries, discard', unit: '%' },
    { key: 'load', title: 'load, to that without', unit: 'count' },
    { key: 'pass', title: 'full pass', unit: 'ms' },
    { key: 'change', title: 'one change', unit: 'µs' },
    { key: 'changeP99', title: 'one change, p99', unit: 'µs' },
    { key: 'writes', title: 'written by a change', unit: 'count' },
    { key: 'writesP99', title: 'written by a change, p99', unit: 'count' },
    { key: 'withdraw', title: 'one withdrawal', unit: 'µs' },
    { key: 'withdrawWrites', title: 'written by a withdrawal', unit: 'count' },
    { key: 'bytes', title: 'memory per route', unit: 'bytes' },
  ],
  contestants: [{ name: 'Rutter', version: async () => packageVersion(), run: measurePoint }],
  goals: [
    { metric: 'change', atMost: 6 },
    { metric: 'changeP99', atMost: 60 },
    { metric: 'writes', atMost: 2.2 },
    { metric: 'writesP99', atMost: 12 },
    { metric: 'load', atMost: 1.6 },
  ],
};

async function measurePoint({ point, isSmall }: RunOptions): Promise<Figures> {
  const { table, byBlock } = tables[point.value]!;
  const foreign = watchForeignCpu();
  const updates = isSmall ? 500 : UPDATES;
  const figures = await measureTable(table, { byBlock, updates });
  const { routeCount, off, exact, discard, change, withdraw } = figures;
  return {
    routes: routeCount,
    exact: (100 * exact.entryCount) / routeCount,
    discard: (100 * discard.entryCount) / routeCount,
    load: (exact.receiveMs + exact.passMs) / (off.receiveMs + off.passMs),
    pass: exact.passMs,
    change: change.meanMicroseconds,
    changeP99: change.p99Microseconds,
    writes: change.meanWrites,
    writesP99: change.p99Writes,
    withdraw: withdraw.meanMicroseconds,
    withdrawWrites: withdraw.meanWrites,
    bytes: exact.bytesPerRoute,
    foreignCores: foreign(),
  };
}
