// FRR owns the sessions and fills the kernel: how long from one changed kernel route to the commit in the Northbound database?
//
// Beside it an importer that lists the whole table on every event, as OVN-Kubernetes' does, without and with its delay of 500 ms.
import { watchForeignCpu } from './harness/cpu.ts';
import { latencyMetrics } from './harness/latencies.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { BareRows } from './peers/bare-rows.ts';
import { KernelFeed } from './peers/kernel-feed.ts';
import { NorthboundClient, northboundVersion, startNorthbound } from './peers/northbound.ts';
import { RelistingImporter } from './peers/relisting-importer.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';
import { measureChanges, prefixTexts } from './row-changes.ts';

const FOLLOWED = { changes: 250, warmUpChanges: 50 };
/** A listing of a large table takes half a second. */
const RELISTED = { changes: 20, warmUpChanges: 2 };
const LOAD_DEADLINE_MS = 120_000;
/** `reconcileDelay` of OVN-Kubernetes' importer. */
const IMPORTER_DELAY_MS = 500;

export const followKernel: Scenario = {
  name: 'follow-kernel',
  question: 'how long from a route that FRR changed in the kernel to the commit in OVN Northbound?',
  routes: 100_000,
  smallRoutes: 2000,
  repeats: 1,
  sweep: {
    title: 'routes in the kernel',
    scale: 'log',
    points: [
      { name: '1 000', value: 1000 },
      { name: '10 000', value: 10_000 },
      { name: '100 000', value: 100_000 },
    ],
    smallPoints: [{ name: '2 000', value: 2000 }],
  },
  warmUpShare: 0,
  obstacle: () =>
    needsRoot() ?? (northboundVersion() ? undefined : 'ovsdb-server is not installed'),
  input: () =>
    'IPv4 routes of protocol bgp over next-hop objects in the main table, all in OVN; then ' +
    `${FOLLOWED.changes} changes of a next hop, one at a time (${RELISTED.changes} for the twins)`,
  metrics: [
    ...latencyMetrics,
    { key: 'load', title: 'first list to OVN', unit: 's' },
    { key: 'worstHold', title: 'loop held', unit: 'ms' },
    VERIFIED,
  ],
  contestants: [
    {
      name: 'Rutter',
      version: () => rutter.version(),
      run: ({ point }) => measureAgent(point.value),
    },
    relisting('relist on each event', 0),
    relisting('relist after 500 ms', IMPORTER_DELAY_MS),
  ],
  goals: [
    { metric: 'p99', atMost: 20 },
    { metric: 'worstHold', atMost: 20 },
  ],
};

function relisting(name: string, delayMs: number): Contestant {
  return {
    name,
    version: async () => northboundVersion(),
    run: ({ point }) => measureRelisting(point.value, delayMs),
  };
}

async function measureAgent(routes: number): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const northbound = await startNorthbound(site);
  const kernel = await KernelFeed.fill(site, await prefixTexts(routes));
  const client = await NorthboundClient.open(northbound.socketPath);
  const startedAt = monotonicNow();
  const agent = await rutter.start(site, {
    intoKernel: false,
    followsKernel: true,
    ovn: northbound,
  });
  const loadedAt = await untilCount(() => client.countRoutes(), {
    what: 'rows in OVN',
    target: routes,
    intervalMs: 500,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  const { worstHold = 0 } = await agent.figures();
  await untilAtRest([...agent.pids, northbound.pid]);
  const foreign = watchForeignCpu();
  const sample = await measureChanges(client, routes, FOLLOWED, (route, gateway) =>
    kernel.change(route, gateway),
  );
  client.close();
  return {
    ...sample,
    load: (loadedAt - startedAt) / 1e9,
    worstHold,
    foreignCores: foreign(),
    ...(await agent.verify()),
  };
}

async function measureRelisting(routes: number, delayMs: number): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const northbound = await startNorthbound(site);
  const prefixes = await prefixTexts(routes);
  const kernel = await KernelFeed.fill(site, prefixes);
  const writer = await NorthboundClient.open(northbound.socketPath);
  const rows = await BareRows.load(writer, northbound, prefixes);
  await RelistingImporter.start({ site, rows, prefixes, delayMs });
  await untilAtRest([northbound.pid]);
  const watcher = await NorthboundClient.open(northbound.socketPath);
  const foreign = watchForeignCpu();
  const sample = await measureChanges(watcher, routes, RELISTED, (route, gateway) =>
    kernel.change(route, gateway),
  );
  writer.close();
  watcher.close();
  return { ...sample, foreignCores: foreign() };
}
