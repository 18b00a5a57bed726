// The better of two peers is gone: how long until the kernel sends everything to the other one?
//
// The session ends with its TCP connection, so nobody waits for a hold time. Looked at are the routes at ten places of the table: when the
// last of them has moved, all have, whatever the order.
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../src/lab/execute.ts';
import { formatIpAddress } from '../src/net/ip-address.ts';
import { FeedProcess } from './feed/process.ts';
import { loadPrefixTable, prefixAt } from './feed/table.ts';
import { processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { countKernelRoutes } from './peers/kernel-table.ts';
import type { Receiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { feedAt, Site } from './peers/site.ts';

const PLACES = 10;
const POLL_MS = 20;
const DEADLINE_MS = 240_000;

export const failover: Scenario = {
  name: 'failover',
  question:
    'the better of two peers is lost: how long until the whole kernel table goes by the other?',
  routes: 200_000,
  smallRoutes: 2000,
  repeats: 2,
  warmUpShare: 0,
  obstacle: needsRoot,
  input: (routes) =>
    `${describeFeed(routes)}, from each of two peers, all in the kernel; then the connection of the one in use is closed`,
  metrics: [
    { key: 'moved', title: 'all routes moved', unit: 's' },
    { key: 'cpu', title: 'CPU', unit: 's' },
    VERIFIED,
  ],
  contestants: [rutter, bird, frr].map((receiver) => ({
    name: receiver.name,
    version: () => receiver.version(),
    run: (options) => measure(receiver, options),
  })),
  goals: [{ metric: 'moved', against: 'BIRD', atMost: 1 }],
};

async function measure(receiver: Receiver, { routes }: RunOptions): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const running = await receiver.start(site, { intoKernel: true, feeds: 2 });
  const feeds = [
    await FeedProcess.start(site, routes, { index: 0 }),
    await FeedProcess.start(site, routes, { index: 1 }),
  ] as const;
  const inside = running.pids[0]!;
  const connected = countKernelRoutes(inside);
  for (const feed of feeds) {
    await feed.established();
    await feed.beginTable();
    await feed.acknowledged();
  }
  const learned = { intervalMs: 500, deadlineMs: DEADLINE_MS };
  await untilCount(() => running.routeCount(), {
    ...learned,
    what: 'routes learned',
    target: 2 * routes,
  });
  await untilCount(() => countKernelRoutes(inside), {
    ...learned,
    what: 'routes in the kernel',
    target: connected + routes,
  });
  await untilAtRest(running.pids);
  const probes = await probesOf(routes);
  const [from] = await gatewaysOf(site, probes.slice(0, 1));
  const inUse = from === feedAt(0).address ? 0 : 1;
  const other = feedAt(1 - inUse).address;
  const before = processCost(running.pids).cpuSeconds;
  const foreign = watchForeignCpu();
  const lostAt = monotonicNow();
  await feeds[inUse].stop();
  const movedAt = await untilMoved(site, probes, other);
  const foreignCores = foreign();
  await untilAtRest(running.pids);
  return {
    moved: (movedAt - lostAt) / 1e9,
    cpu: processCost(running.pids).cpuSeconds - before,
    foreignCores,
    ...(await running.verify?.()),
  };
}

async function untilMoved(site: Site, probes: readonly string[], gateway: string): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const at = monotonicNow();
    const gateways = await gatewaysOf(site, probes);
    if (gateways.every((each) => each === gateway)) return at;
    if (performance.now() > deadline) throw new Error(`routes by ${gateways}, expected ${gateway}`);
    await sleep(POLL_MS);
  }
}

/** Addresses evenly over the table, in its first and last prefix among them. */
async function probesOf(routes: number): Promise<string[]> {
  const table = await loadPrefixTable(routes);
  return Array.from({ length: PLACES }, (_, place) =>
    formatIpAddress(prefixAt(table, Math.floor((place * (routes - 1)) / (PLACES - 1))).address),
  );
}

/** Where the kernel sends packets to each address. */
function gatewaysOf(site: Site, addresses: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const args = ['route', 'get', address];
      const text = await execute('ip', args, { namespace: site.routerNamespace });
      return / via (\S+)/.exec(text)?.[1];
    }),
  );
}
