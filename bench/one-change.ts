// One route changes while nothing else happens and a table is present: how long from the UPDATE on the wire to the commit in
// the Northbound database, as an OVSDB monitor of another client sees it?
//
// The floor is the same change sent straight to the database by a bare client: what the server alone takes.
import { FeedProcess } from './feed/process.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Comparison, Sample } from './harness/scenario.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { BareRows } from './peers/bare-rows.ts';
import { NorthboundClient, northboundVersion, startNorthbound } from './peers/northbound.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';
import { latencyMetrics, latencySample, measureChanges, prefixTexts } from './row-changes.ts';

const COUNTS = { changes: 250, warmUpChanges: 50 };
const LOAD_DEADLINE_MS = 120_000;

export const oneChange: Comparison = {
  kind: 'comparison',
  name: 'one-change',
  question: 'how long from one UPDATE on the wire to the commit in OVN Northbound?',
  routes: 50_000,
  smallRoutes: 2000,
  repeats: 1,
  warmUpShare: 0,
  obstacle: () =>
    needsRoot() ?? (northboundVersion() ? undefined : 'ovsdb-server is not installed'),
  input: (routes) =>
    `${describeFeed(routes)}, all in OVN; then ${COUNTS.changes} changes of a next hop, one at a time, ` +
    `after ${COUNTS.warmUpChanges} not counted`,
  metrics: latencyMetrics,
  contestants: [
    { name: 'Rutter', version: () => rutter.version(), run: ({ routes }) => measureAgent(routes) },
    {
      name: 'bare update',
      version: async () => northboundVersion(),
      run: ({ routes }) => measureBare(routes, (rows, ...change) => rows.update(...change)),
    },
    {
      name: 'bare delete and insert',
      version: async () => northboundVersion(),
      run: ({ routes }) => measureBare(routes, (rows, ...change) => rows.replace(...change)),
    },
  ],
  goals: [
    { metric: 'median', atMost: 5 },
    { metric: 'p99', atMost: 20 },
  ],
};

async function measureAgent(routes: number): Promise<Sample> {
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
    intervalMs: 1000,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  await untilAtRest([...agent.pids, northbound.pid]);
  const foreign = watchForeignCpu();
  const latencies = await measureChanges(client, routes, COUNTS, (route, nextHop) =>
    feed.change(route, nextHop),
  );
  client.close();
  return { ...latencySample(latencies), foreignCores: foreign() };
}

type Change = (rows: BareRows, route: number, nextHop: string) => Promise<void>;

async function measureBare(routes: number, change: Change): Promise<Sample> {
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const writer = await NorthboundClient.open(northbound.socketPath);
  const prefixes = await prefixTexts(routes);
  const rows = await BareRows.load(writer, northbound, prefixes);
  await untilAtRest([northbound.pid]);
  const watcher = await NorthboundClient.open(northbound.socketPath);
  const foreign = watchForeignCpu();
  const latencies = await measureChanges(watcher, routes, COUNTS, async (route, nextHop) => {
    const at = monotonicNow();
    await change(rows, route, nextHop);
    return { at, prefix: prefixes[route]! };
  });
  writer.close();
  watcher.close();
  return { ...latencySample(latencies), foreignCores: foreign() };
}
