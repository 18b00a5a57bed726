// What does aggregation add to the load of a table? In process, per table: CPU of the core until all is decided and every entry is there.
//
// Everybody loads once before it counts, and then in turns: the module's code is compiled to its fast form during the first load, and it is
// shared. The table comes in as few UPDATEs as there can be, and as a peer sends it, eight prefixes in one with a path of their own.
import { packageVersion } from '../src/cli/version.ts';
import type { Aggregation } from '../src/core/fibs.ts';
import type { RouteCore } from '../src/core/route-core.ts';
import {
  announcing,
  feeding,
  newAggregatingCore,
  readLabelled,
  receiveAll,
  tablePoints,
  tableSweep,
  workAll,
} from './aggregation-tables.ts';
import { FIB, receiveFeed } from './fed-core.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import type { Contestant, Point, Sample, Scenario } from './harness/scenario.ts';

const points = tablePoints();

export const aggregationLoad: Scenario = {
  name: 'aggregation-load',
  question: 'what does aggregation add to the load of a table?',
  routes: 0,
  smallRoutes: 0,
  repeats: 5,
  ...tableSweep(points),
  warmUpShare: 1,
  input: () => 'every table there is, as in `aggregation`; CPU time of the core',
  metrics: [
    { key: 'packed', title: 'load per route, packed UPDATEs', unit: 'ns' },
    { key: 'fed', title: 'load per route, 8 per UPDATE', unit: 'ns' },
    { key: 'pass', title: 'full pass of it', unit: 'ms' },
    { key: 'entries', title: 'entries', unit: '%' },
    { key: 'bytes', title: 'memory per route', unit: 'bytes' },
  ],
  contestants: [
    loading('Rutter', 'exact'),
    loading('Rutter unaggregated', 'off'),
    loading('Rutter with discards', 'discard'),
  ],
  goals: [
    { metric: 'packed', against: 'Rutter unaggregated', atMost: 1.6 },
    { metric: 'fed', against: 'Rutter unaggregated', atMost: 1.6 },
    { metric: 'pass', atMost: 300 },
  ],
};

function loading(name: string, aggregation: Aggregation): Contestant {
  return {
    name,
    version: async () => packageVersion(),
    run: ({ point }) => measure(point, aggregation),
  };
}

/** A table both ways, encoded. */
interface Input {
  readonly routeCount: number;
  readonly packed: readonly Uint8Array[];
  readonly fed: Uint8Array;
}

/** Made once per table: that takes longer than what is measured. */
const inputs = new Map<number, Promise<Input>>();

function inputOf({ value }: Point): Promise<Input> {
  const input = inputs.get(value) ?? makeInput(value);
  inputs.set(value, input);
  return input;
}

async function makeInput(value: number): Promise<Input> {
  const routes = await readLabelled(points[value]!);
  const fed = Buffer.concat(feeding(routes));
  return { routeCount: routes.length, packed: announcing(routes), fed };
}

async function measure(point: Point, aggregation: Aggregation): Promise<Sample> {
  const { routeCount, packed, fed } = await inputOf(point);
  const foreign = watchForeignCpu();
  const { nanoseconds: fedNs } = await load(aggregation, (core) => receiveFeed(core, fed));
  const { nanoseconds, passNs, core, emptyBytes } = await load(aggregation, (core) =>
    receiveAll(core, packed),
  );
  return {
    packed: nanoseconds / routeCount,
    fed: fedNs / routeCount,
    ...(aggregation === 'off' ? {} : { pass: passNs / 1e6 }),
    entries: (100 * core.fibCounters(FIB).entryCount) / routeCount,
    bytes: (core.memory().usedBytes - emptyBytes) / routeCount,
    foreignCores: foreign(),
  };
}

async function load(aggregation: Aggregation, receive: (core: RouteCore) => void) {
  const core = await newAggregatingCore(aggregation);
  const emptyBytes = core.memory().usedBytes;
  const start = process.cpuUsage();
  receive(core);
  const received = nanosecondsSince(start);
  workAll(core);
  const nanoseconds = nanosecondsSince(start);
  return { core, emptyBytes, nanoseconds, passNs: nanoseconds - received };
}

function nanosecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}
