// One route changes: how long from the UPDATE on the wire to its flow in Southbound, with a real northd, against the size of the table?
//
// The table has nine ways out, by neighbourhood: one pair of next hops that share the load, learned from two peers, and eight single ones.
// Beside Rutter stands what is used without it: FRR writes the kernel, an importer lists the kernel's table again for each event and
// writes the difference to OVN (peers/relist-importer.ts), with upstream's delay of 500 ms and without any.
import { FeedProcess, type NextHopSets } from './feed/process.ts';
import { labelOfRoute } from './feed/stream.ts';
import { loadPrefixTable, type PrefixTable } from './feed/table.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import {
  Arrivals,
  latencyMetrics,
  measureLatencies,
  routeOfTurn,
  type Turns,
} from './harness/latencies.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { untilAtRest, untilCount } from './harness/wait.ts';
import {
  type Central,
  FlowWatcher,
  type NewFlow,
  needsNorthd,
  startCentral,
} from './peers/central.ts';
import { NorthboundClient } from './peers/northbound.ts';
import type { RunningReceiver } from './peers/receiver.ts';
import { relist, UPSTREAM_DELAY_MS } from './peers/relist.ts';
import { rutter } from './peers/rutter.ts';
import { labelAddresses, OTHER_NEXT_HOPS, Site } from './peers/site.ts';
import { sizeSweep, tableSize } from './table-sizes.ts';

const turnsOf = (isSmall: boolean): Turns =>
  isSmall ? { count: 4, warmUp: 1 } : { count: 20, warmUp: 4 };
const LOAD_DEADLINE_MS = 300_000;

const [first, second, third, ...others] = labelAddresses(10) as [
  string,
  string,
  string,
  ...string[],
];
/** Not the first, which a table of a thousand routes happens not to have. */
const pair = [second, third];
const labels: NextHopSets = [[first], pair, ...others.map((single) => [single])];

/** Brings up who writes to OVN; resolves with all its processes. */
type Start = (site: Site, central: Central) => Promise<Pick<RunningReceiver, 'pids' | 'verify'>>;

export const oneFlow: Scenario = {
  name: 'one-flow',
  question:
    'how long from one UPDATE on the wire to its flow in OVN Southbound, against the table size?',
  routes: 50_000,
  smallRoutes: 1000,
  repeats: 1,
  sweep: sizeSweep('routes in the table', [1000, 10_000, 50_000], 1000),
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthd(),
  input: (_routes, isSmall) =>
    'a stretch of a full table, its neighbourhoods by one pair of next hops (over two eBGP sessions) and 8 single ones, all in OVN with northd running; ' +
    `then ${turnsOf(isSmall).count} changes of a next hop, one at a time, after ${turnsOf(isSmall).warmUp} not counted`,
  metrics: [
    ...latencyMetrics,
    { key: 'rows', title: 'rows in Northbound', unit: 'count' },
    { key: 'flows', title: 'routing flows in Southbound', unit: 'count' },
    { key: 'load', title: 'table → all flows', unit: 's' },
    VERIFIED,
  ],
  contestants: [
    viaRutter('Rutter', 'exact'),
    viaRutter('Rutter unaggregated', 'off'),
    viaRelist('re-list and diff', 0),
    viaRelist('re-list after 500 ms', UPSTREAM_DELAY_MS),
  ],
  goals: [
    { metric: 'median', against: 're-list and diff', atMost: 0.3, at: tableSize(50_000).name },
  ],
};

const sessions = { feeds: 2, isMultipath: true };

function viaRutter(name: string, aggregation: 'off' | 'exact'): Contestant {
  const start: Start = (site, central) =>
    rutter.start(site, { ...sessions, intoKernel: false, ovn: central, aggregation });
  const isAggregated = aggregation !== 'off';
  return {
    name,
    version: () => rutter.version(),
    run: (options) => measure(options, start, isAggregated),
  };
}

function viaRelist(name: string, delayMs: number): Contestant {
  const start: Start = async (site, central) => {
    return { pids: await relist.start(site, central, delayMs, sessions) };
  };
  return {
    name,
    version: () => relist.version(),
    run: (options) => measure(options, start, false),
  };
}

async function measure(
  { point, isSmall }: RunOptions,
  start: Start,
  isAggregated: boolean,
): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open({ kernelRoutes: routes });
  const central = await startCentral(site);
  const watcher = await FlowWatcher.open(central.southboundSocket);
  const { pids, verify } = await start(site, central);
  const feed = await FeedProcess.start(site, routes, { labels, isStretch: true });
  const otherFeed = await FeedProcess.start(site, routes, { labels, isStretch: true, index: 1 });
  for (const each of [feed, otherFeed]) await each.established();
  let lastFlowAt = 0;
  watcher.onFlow = ({ at }) => {
    lastFlowAt = at;
  };
  const [beganAt] = await Promise.all([feed.beginTable(), otherFeed.beginTable()]);
  for (const each of [feed, otherFeed]) await each.acknowledged();
  await untilCount(() => watcher.count, {
    what: 'flows in Southbound',
    target: isAggregated ? 100 : flowCount(routes), // aggregation decides how many there will be
    intervalMs: 500,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  await untilAtRest([...pids, ...central.pids]);
  const flows = watcher.count;
  const rows = await countRows(central);
  const leaves = leavesOf(await loadPrefixTable(routes, { isStretch: true }));
  const arrivals = new Arrivals<NewFlow>();
  watcher.onFlow = (flow) => arrivals.add(flow);
  const foreign = watchForeignCpu();
  const sample = await measureLatencies(turnsOf(isSmall), async (turn) => {
    arrivals.clear();
    const nextHop = OTHER_NEXT_HOPS[turn % OTHER_NEXT_HOPS.length]!;
    const route = leaves[routeOfTurn(turn, leaves.length)]!;
    const { at: madeAt, prefix } = await feed.change(route, nextHop);
    // Aggregated, the row may be of a prefix around it: what counts is where it leads.
    const seenAt = await arrivals.of(`${prefix} via ${nextHop} in Southbound`, ({ actions }) =>
      actions.includes(nextHop),
    );
    return { madeAt, seenAt };
  });
  watcher.close();
  return {
    ...sample,
    rows,
    flows,
    load: (lastFlowAt - beganAt) / 1e9,
    foreignCores: foreign(),
    ...(await verify?.()),
  };
}

/** Unaggregated: one for a route of a single next hop; for one of several, one that selects and one for each. */
function flowCount(routes: number): number {
  let flows = 0;
  for (let route = 0; route < routes; route++) {
    const members = labels[labelOfRoute(route, labels.length)]!.length;
    flows += members > 1 ? 1 + members : 1;
  }
  return flows;
}

async function countRows({ socketPath }: Central): Promise<number> {
  const client = await NorthboundClient.open(socketPath);
  const count = await client.countRoutes();
  client.close();
  return count;
}

/** Routes with nothing more specific in the table: a change of theirs always shows. */
function leavesOf({ addresses, lengths }: PrefixTable): number[] {
  return [...addresses.keys()].filter((route) => {
    const next = addresses[route + 1];
    const size = 2 ** (32 - lengths[route]!);
    return next === undefined || next >= addresses[route]! + size;
  });
}
