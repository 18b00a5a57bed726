// The agent is killed with a full table programmed and started again: what does it write that was right already? (P3: nothing)
import { readFileSync } from 'node:fs';
import { execute } from '../src/lab/execute.ts';
import { waitUntil } from '../src/lab/processes.ts';
import { FeedProcess } from './feed/process.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { BareRows } from './peers/bare-rows.ts';
import { countKernelRoutes } from './peers/kernel-table.ts';
import {
  type Northbound,
  NorthboundClient,
  needsNorthbound,
  startNorthbound,
} from './peers/northbound.ts';
import { type RunningAgent, rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';

const POLL_MS = 250;
const DEADLINE_MS = 180_000;
const TEST_PREFIX = '10.99.0.0/24'; // outside the feed

export const restart: Scenario = {
  name: 'restart',
  question: 'what does a restart after kill -9 write when everything is in place already?',
  routes: 50_000,
  smallRoutes: 2000,
  repeats: 1,
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthbound(),
  input: (routes) =>
    `${describeFeed(routes)}, in the kernel and in OVN; kill -9; a new agent and the same feed again`,
  metrics: [
    { key: 'kernelEvents', title: 'kernel route events', unit: 'count' },
    { key: 'ovnEvents', title: 'OVN row changes', unit: 'count' },
    { key: 'synced', title: 'start → in sync', unit: 's' },
    VERIFIED,
  ],
  contestants: [
    { name: 'Rutter', version: () => rutter.version(), run: ({ routes }) => measure(routes) },
  ],
  goals: [
    { metric: 'kernelEvents', atMost: 0 },
    { metric: 'ovnEvents', atMost: 0 },
  ],
};

async function measure(routes: number): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const northbound = await startNorthbound(site);
  const client = await NorthboundClient.open(northbound.socketPath);
  const first = await startWithFeed(site, northbound, routes);
  await untilProgrammed(first, client, routes);
  await first.kill();

  const witness = await watchTargets(site, client);
  const foreign = watchForeignCpu();
  const startedAt = monotonicNow();
  const second = await startWithFeed(site, northbound, routes);
  const syncedAt = await untilInSync(second, routes);
  await untilAtRest([...second.pids, northbound.pid]);
  const seen = { ...witness(), foreignCores: foreign(), ...(await second.verify()) };
  await second.kill(); // it would put the witness's test back
  await proveAwake(witness, site, northbound, client);
  client.close();
  return { ...seen, synced: (syncedAt - startedAt) / 1e9 };
}

interface Events {
  readonly kernelEvents: number;
  readonly ovnEvents: number;
}

/** Counts what changes in the kernel and in OVN from now on, whoever does it. */
async function watchTargets(site: Site, client: NorthboundClient): Promise<() => Events> {
  const { outputFile } = await site.start({
    name: 'ip-monitor',
    command: 'ip',
    args: ['-o', 'monitor', 'route'],
  });
  let ovnEvents = 0;
  await client.monitorRoutes(() => ovnEvents++);
  return () => ({
    kernelEvents: readFileSync(outputFile, 'utf8').split('\n').filter(Boolean).length,
    ovnEvents,
  });
}

/** A witness that saw nothing must be shown to see: one route by hand in each place. */
async function proveAwake(
  witness: () => Events,
  site: Site,
  northbound: Northbound,
  client: NorthboundClient,
): Promise<void> {
  const before = witness();
  const route = ['route', 'add', 'blackhole', TEST_PREFIX];
  await execute('ip', route, { namespace: site.routerNamespace });
  await BareRows.load(client, northbound, [TEST_PREFIX]);
  await waitUntil(
    () => {
      const { kernelEvents, ovnEvents } = witness();
      return kernelEvents > before.kernelEvents && ovnEvents > before.ovnEvents;
    },
    { what: 'the witness to see a route added by hand', timeoutMs: 5000 },
  );
}

async function startWithFeed(
  site: Site,
  northbound: Northbound,
  routes: number,
): Promise<RunningAgent> {
  const agent = await rutter.start(site, { intoKernel: true, ovn: northbound });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await feed.beginTable();
  return agent;
}

/** The two targets really hold everything: asked of them, not of the agent. */
async function untilProgrammed(
  agent: RunningAgent,
  client: NorthboundClient,
  routes: number,
): Promise<void> {
  const wait = { target: routes, intervalMs: POLL_MS, deadlineMs: DEADLINE_MS };
  await untilCount(() => countKernelRoutes(agent.pids[0]!), { ...wait, what: 'kernel routes' });
  await untilCount(() => client.countRoutes(), { ...wait, what: 'rows in OVN', intervalMs: 1000 });
  await untilAtRest(agent.pids);
}

/** Learned everything, and both targets say that every entry is in place. */
async function untilInSync(agent: RunningAgent, routes: number): Promise<number> {
  const wait = { intervalMs: POLL_MS, deadlineMs: DEADLINE_MS };
  await untilCount(() => agent.routeCount(), { ...wait, what: 'routes learned', target: routes });
  return untilCount(() => agent.metric('rutter_target_installed_entries'), {
    ...wait,
    what: 'entries in place',
    target: 2 * routes,
  });
}
