// FRR owns the sessions and fills the kernel: how long from one changed kernel route to the commit in the Northbound database?
//
// Beside it the twin of OVN-Kubernetes' importer (peers/relist-importer.ts), which lists the whole table on every event, without and with its
// delay of 500 ms.
import { watchForeignCpu } from './harness/cpu.ts';
import { latencyMetrics } from './harness/latencies.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { KernelFeed } from './peers/kernel-feed.ts';
import {
  type Northbound,
  NorthboundClient,
  needsNorthbound,
  startNorthbound,
} from './peers/northbound.ts';
import type { RunningReceiver } from './peers/receiver.ts';
import { importerVersion, startImporter, UPSTREAM_DELAY_MS } from './peers/relist.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';
import { type ChangeCounts, measureChanges, prefixTexts } from './row-changes.ts';
import { sizeSweep } from './table-sizes.ts';

const SMALL_COUNTS = { changes: 5, warmUpChanges: 1 };
const followed = (isSmall: boolean): ChangeCounts =>
  isSmall ? SMALL_COUNTS : { changes: 250, warmUpChanges: 50 };
/** Fewer: a listing of a large table takes half a second. */
const relisted = (isSmall: boolean): ChangeCounts =>
  isSmall ? SMALL_COUNTS : { changes: 20, warmUpChanges: 2 };
const LOAD_DEADLINE_MS = 120_000;

export const followKernel: Scenario = {
  name: 'follow-kernel',
  question: 'how long from a route that FRR changed in the kernel to the commit in OVN Northbound?',
  routes: 100_000,
  smallRoutes: 2000,
  repeats: 1,
  sweep: sizeSweep('routes in the kernel', [1000, 10_000, 100_000], 2000),
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthbound(),
  input: (_routes, isSmall) =>
    'IPv4 routes of protocol bgp over next-hop objects in the main table, all in OVN; then ' +
    `${followed(isSmall).changes} changes of a next hop, one at a time (${relisted(isSmall).changes} for the others)`,
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
      run: (options) => measure(options, followed, follow),
    },
    relisting('re-list and diff', 0),
    relisting('re-list after 500 ms', UPSTREAM_DELAY_MS),
  ],
  goals: [
    { metric: 'p99', atMost: 20 },
    { metric: 'worstHold', atMost: 20 },
  ],
};

/** Brings up who writes to OVN what the kernel has. */
type Start = (
  site: Site,
  ovn: Northbound,
) => Promise<Pick<RunningReceiver, 'pids' | 'figures' | 'verify'>>;

const follow: Start = (site, ovn) =>
  rutter.start(site, { intoKernel: false, followsKernel: true, ovn });

function relisting(name: string, delayMs: number): Contestant {
  const start: Start = async (site, ovn) => ({ pids: [await startImporter(site, ovn, delayMs)] });
  return {
    name,
    version: importerVersion,
    run: (options) => measure(options, relisted, start),
  };
}

async function measure(
  { point, isSmall }: RunOptions,
  countsOf: (isSmall: boolean) => ChangeCounts,
  start: Start,
): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open({ kernelRoutes: routes });
  const northbound = await startNorthbound(site);
  const kernel = await KernelFeed.fill(site, await prefixTexts(routes));
  const client = await NorthboundClient.open(northbound.socketPath);
  const startedAt = monotonicNow();
  const running = await start(site, northbound);
  const loadedAt = await untilCount(() => client.countRoutes(), {
    what: 'rows in OVN',
    target: routes,
    intervalMs: 500,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  const { worstHold } = (await running.figures?.()) ?? {};
  await untilAtRest([...running.pids, northbound.pid]);
  const foreign = watchForeignCpu();
  const sample = await measureChanges(client, routes, countsOf(isSmall), (route, gateway) =>
    kernel.change(route, gateway),
  );
  client.close();
  return {
    ...sample,
    load: (loadedAt - startedAt) / 1e9,
    ...(worstHold === undefined ? {} : { worstHold }),
    foreignCores: foreign(),
    ...(await running.verify?.()),
  };
}
