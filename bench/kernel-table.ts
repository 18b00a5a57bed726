// How long from BGP to a complete kernel table, without aggregation? The floor is a bare `ip -batch` of the same routes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPrefix } from '../src/net/prefix.ts';
import { FeedProcess, type NextHopSets } from './feed/process.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';
import { mainThreadQueuedMs, processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { installedVersion } from './peers/installed.ts';
import { countKernelRoutes } from './peers/kernel-table.ts';
import type { Receiver, RunningReceiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { FEED_ADDRESS, labelAddresses, ROUTER_DEVICE, Site } from './peers/site.ts';

const POLL_MS = 200;
const DEADLINE_MS = 300_000;

export const kernelTable: Scenario = {
  name: 'kernel-table',
  question: 'how long from BGP to a complete kernel table, without aggregation?',
  routes: 1_000_000,
  smallRoutes: 2000,
  repeats: 2,
  warmUpShare: 0.02,
  obstacle: needsRoot,
  input: (routes) => `${describeFeed(routes)}; bare ip -batch: a file of the same routes`,
  metrics: [
    { key: 'wall', title: 'wall', unit: 's' },
    { key: 'rate', title: 'rate', unit: 'routes/s' },
    { key: 'cpu', title: 'CPU', unit: 's' },
    { key: 'rss', title: 'peak RSS', unit: 'MB' },
    { key: 'worstHold', title: 'loop held, worst', unit: 'ms' },
    { key: 'queued', title: 'waited for a core', unit: 'ms', isContext: true },
    VERIFIED,
  ],
  contestants: [
    programsKernel(rutter),
    bareBatch('ip -batch', () => [], `via ${FEED_ADDRESS} dev ${ROUTER_DEVICE}`),
    bareBatch(
      'ip -batch nhid',
      () => [`nexthop add id 1 via ${FEED_ADDRESS} dev ${ROUTER_DEVICE}`],
      'nhid 1',
    ),
    { ...programsKernel(bird), maxRepeats: 1 },
    { ...programsKernel(frr), maxRepeats: 1 },
  ],
  goals: [
    { metric: 'wall', against: 'ip -batch', atMost: 1.1 },
    { metric: 'wall', against: 'FRR', atMost: 1 },
    { metric: 'worstHold', atMost: 50 },
  ],
};

function programsKernel(receiver: Receiver): Contestant {
  return {
    name: receiver.name,
    version: () => receiver.version(),
    run: ({ routes }) => measureReceiver(receiver, routes),
  };
}

/** The same table with a few next hops: what Rutter aggregates, the others write as it is. */
export const kernelAggregated: Scenario = {
  ...kernelTable,
  name: 'kernel-aggregated',
  question: 'how long from BGP to a kernel that forwards the whole table, aggregated?',
  input: (routes) =>
    `${describeFeed(routes)}, ${LABELS} next hops by neighbourhood; Rutter with hostAggregation: exact`,
  contestants: [
    {
      name: rutter.name,
      version: () => rutter.version(),
      run: async ({ routes }) => measureReceiver(aggregating, routes, LABELS),
    },
    ...[bird, frr].map((receiver) => ({
      name: receiver.name,
      version: () => receiver.version(),
      run: ({ routes }: RunOptions) => measureReceiver(receiver, routes, LABELS),
      maxRepeats: 1,
    })),
  ],
  goals: [
    { metric: 'wall', against: 'BIRD', atMost: 0.5 },
    { metric: 'wall', against: 'FRR', atMost: 0.25 },
  ],
};

const LABELS = 4;

const aggregating: Receiver = {
  ...rutter,
  start: (site) => rutter.start(site, { intoKernel: true, hostAggregation: 'exact' }),
};

/** When the kernel held what it is to hold; an aggregated table has fewer routes, and only its owner knows how many. */
async function untilProgrammed(
  receiver: Receiver,
  running: RunningReceiver,
  routes: number,
): Promise<number> {
  const inside = running.pids[0]!;
  const wait = { intervalMs: POLL_MS, deadlineMs: DEADLINE_MS };
  const what = `${receiver.name}: routes in the kernel`;
  if (receiver !== aggregating) {
    return untilCount(() => countKernelRoutes(inside), { ...wait, what, target: routes });
  }
  await untilCount(() => running.routeCount(), { ...wait, what: 'routes learned', target: routes });
  let before = -1;
  const settled = async (): Promise<number> => {
    const { pending, installed = 0 } = (await running.figures?.()) ?? {};
    const isSettled = pending === 0 && installed > 0 && installed === before;
    before = installed;
    return Number(isSettled);
  };
  return untilCount(settled, { ...wait, what, target: 1 });
}

async function measureReceiver(receiver: Receiver, routes: number, labels = 1): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const running = await receiver.start(site, { intoKernel: true });
  const feed = await FeedProcess.start(site, routes, { labels: singles(labels) });
  await feed.established();
  await untilAtRest(running.pids);
  const before = processCost(running.pids);
  const inside = running.pids[0]!;
  const queuedBefore = mainThreadQueuedMs(inside);
  const connected = receiver === aggregating ? 0 : countKernelRoutes(inside);
  const foreign = watchForeignCpu();
  const beganAt = await feed.beginTable();
  const doneAt = await untilProgrammed(receiver, running, connected + routes);
  const foreignCores = foreign();
  await untilAtRest(running.pids);
  const after = processCost(running.pids);
  return {
    ...figures(routes, (doneAt - beganAt) / 1e9),
    cpu: after.cpuSeconds - before.cpuSeconds,
    rss: after.peakRssBytes / 1e6,
    foreignCores,
    queued: mainThreadQueuedMs(inside) - queuedBefore,
    ...(await running.figures?.()),
    ...(receiver === aggregating ? await running.verify?.() : {}),
  };
}

function singles(count: number): NextHopSets {
  return count > 1 ? labelAddresses(count).map((address) => [address]) : [];
}

function figures(routes: number, wallSeconds: number): Sample {
  return { wall: wallSeconds, rate: routes / wallSeconds };
}

function bareBatch(name: string, preamble: () => readonly string[], nextHop: string): Contestant {
  return {
    name,
    version: async () => installedVersion('ip', ['-V']),
    run: async ({ routes }) => {
      const table = await loadPrefixTable(routes);
      const lines = [...preamble(), ...routeLines(table, nextHop)];
      return measureBatch(`${lines.join('\n')}\n`, routes);
    },
  };
}

async function measureBatch(text: string, routes: number): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const file = join(site.directory, 'routes.batch');
  await writeFile(file, text);
  const foreign = watchForeignCpu();
  const beganAt = monotonicNow();
  const batch = await site.start({ name: 'ip-batch', command: 'ip', args: ['-batch', file] });
  const result = await batch.ended;
  if (result !== 0) throw new Error(`ip -batch ended with ${result}, expected 0`);
  return { ...figures(routes, (monotonicNow() - beganAt) / 1e9), foreignCores: foreign() };
}

function routeLines(table: PrefixTable, nextHop: string): string[] {
  return Array.from(
    table.lengths,
    (_, route) =>
      `route add ${formatPrefix(prefixAt(table, route))} ${nextHop} proto 114 metric 20`,
  );
}
