// One route changes while nothing else happens and a table is present: how long from the UPDATE on the wire to the commit in
// the Northbound database, as an OVSDB monitor of another client sees it?
//
// The floor is the same change sent straight to the database by a bare client: what the server alone takes.
import { FeedProcess } from './feed/process.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import { latencyMetrics } from './harness/latencies.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { BareRows } from './peers/bare-rows.ts';
import {
  NorthboundClient,
  needsNorthbound,
  northboundVersion,
  startNorthbound,
} from './peers/northbound.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';
import { type ChangeCounts, measureChanges, prefixTexts } from './row-changes.ts';
import { sizeSweep } from './table-sizes.ts';

const countsOf = (isSmall: boolean): ChangeCounts =>
  isSmall ? { changes: 20, warmUpChanges: 5 } : { changes: 250, warmUpChanges: 50 };
const LOAD_DEADLINE_MS = 120_000;

export const oneChange: Scenario = {
  name: 'one-change',
  question: 'how long from one UPDATE on the wire to the commit in OVN Northbound?',
  routes: 50_000,
  smallRoutes: 1000,
  repeats: 1,
  sweep: sizeSweep('routes in the table', [1000, 10_000, 50_000], 1000),
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthbound(),
  input: (_routes, isSmall) =>
    `a table over one eBGP session, all in OVN; then ${countsOf(isSmall).changes} changes of a next hop, one at a time, ` +
    `after ${countsOf(isSmall).warmUpChanges} not counted`,
  metrics: [...latencyMetrics, VERIFIED],
  contestants: [
    { name: 'Rutter', version: () => rutter.version(), run: measureAgent },
    {
      name: 'bare update',
      version: async () => northboundVersion(),
      run: (options) => measureBare(options, (rows, ...change) => rows.update(...change)),
    },
    {
      name: 'bare delete and insert',
      version: async () => northboundVersion(),
      run: (options) => measureBare(options, (rows, ...change) => rows.replace(...change)),
    },
  ],
  goals: [
    { metric: 'median', atMost: 5 },
    { metric: 'p99', atMost: 20 },
  ],
};

async function measureAgent({ point, isSmall }: RunOptions): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const agent = await rutter.start(site, { intoKernel: false, ovn: northbound });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await feed.beginTable();
  const client = await NorthboundClient.open(northbound.socketPath);
  await untilCount(() => client.countRoutes(), {
    what: 'rows in OVN',
    target: routes,
    intervalMs: 500,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  await untilAtRest([...agent.pids, northbound.pid]);
  const foreign = watchForeignCpu();
  const sample = await measureChanges(client, routes, countsOf(isSmall), (route, nextHop) =>
    feed.change(route, nextHop),
  );
  client.close();
  return { ...sample, foreignCores: foreign(), ...(await agent.verify()) };
}

type Change = (rows: BareRows, route: number, nextHop: string) => Promise<void>;

async function measureBare({ point, isSmall }: RunOptions, change: Change): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const writer = await NorthboundClient.open(northbound.socketPath);
  const prefixes = await prefixTexts(routes);
  const rows = await BareRows.load(writer, northbound, prefixes);
  await untilAtRest([northbound.pid]);
  const watcher = await NorthboundClient.open(northbound.socketPath);
  const foreign = watchForeignCpu();
  const sample = await measureChanges(
    watcher,
    routes,
    countsOf(isSmall),
    async (route, nextHop) => {
      const at = monotonicNow();
      await change(rows, route, nextHop);
      return { at, prefix: prefixes[route]! };
    },
  );
  writer.close();
  watcher.close();
  return { ...sample, foreignCores: foreign() };
}
