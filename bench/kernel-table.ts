// How long from BGP to a complete kernel table, without aggregation? The floor is a bare `ip -batch` of the same routes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPrefix } from '../src/net/prefix.ts';
import { FeedProcess } from './feed/process.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';
import { mainThreadQueuedMs, processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Comparison, Contestant, Sample } from './harness/scenario.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { installedVersion } from './peers/installed.ts';
import { countKernelRoutes } from './peers/kernel-table.ts';
import type { Receiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { FEED_ADDRESS, ROUTER_DEVICE, Site } from './peers/site.ts';

const POLL_MS = 200;
const DEADLINE_MS = 300_000;

export const kernelTable: Comparison = {
  kind: 'comparison',
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

async function measureReceiver(receiver: Receiver, routes: number): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const running = await receiver.start(site, { intoKernel: true });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await untilAtRest(running.pids);
  const before = processCost(running.pids);
  const inside = running.pids[0]!;
  const queuedBefore = mainThreadQueuedMs(inside);
  const connected = countKernelRoutes(inside);
  const foreign = watchForeignCpu();
  const beganAt = await feed.beginTable();
  const doneAt = await untilCount(() => countKernelRoutes(inside), {
    what: `${receiver.name}: routes in the kernel`,
    target: connected + routes,
    intervalMs: POLL_MS,
    deadlineMs: DEADLINE_MS,
  });
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
  };
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
