// How much CPU and memory does a full table over TCP cost, to Loc-RIB, with nothing to program?
import { FeedProcess } from './feed/process.ts';
import { PREFIXES_PER_UPDATE } from './feed/stream.ts';
import { mainThreadQueuedMs, processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, Sample, Scenario } from './harness/scenario.ts';
import { untilAtRest, untilCount } from './harness/wait.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { gobgp } from './peers/gobgp.ts';
import type { Receiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';

const POLL_MS = 100;
const DEADLINE_MS = 240_000;

export const ingest: Scenario = {
  name: 'ingest',
  question: 'what does a full table over TCP cost, to Loc-RIB?',
  routes: 1_000_000,
  smallRoutes: 2000,
  repeats: 3,
  warmUpShare: 0.05,
  obstacle: needsRoot,
  input: describeFeed,
  metrics: [
    { key: 'cpu', title: 'CPU', unit: 's' },
    { key: 'wall', title: 'wall', unit: 's' },
    { key: 'rss', title: 'peak RSS', unit: 'MB' },
    { key: 'worstHold', title: 'loop held, worst', unit: 'ms' },
    { key: 'queued', title: 'waited for a core', unit: 'ms', isContext: true },
    { key: 'coreBytes', title: 'core memory', unit: 'MB' },
  ],
  contestants: [
    takesFeed(rutter, 1),
    takesFeed(bird, 1),
    { ...takesFeed(frr, 1), maxRepeats: 1 },
    { ...takesFeed(gobgp, 1), maxRepeats: 1 },
  ],
  goals: [
    { metric: 'cpu', against: 'BIRD', atMost: 1.5 },
    { metric: 'rss', atMost: 250 },
    { metric: 'worstHold', atMost: 50 },
  ],
};

const PEERS = 10;

export const ingestTen: Scenario = {
  ...ingest,
  name: 'ingest-10-peers',
  question: 'what does the same table from ten peers cost, to Loc-RIB?',
  routes: 100_000,
  smallRoutes: 1000,
  input: (routes) => `${describeFeed(routes)}, from each of ${PEERS} peers at once`,
  contestants: [
    takesFeed(rutter, PEERS),
    takesFeed(bird, PEERS),
    { ...takesFeed(frr, PEERS), maxRepeats: 1 },
    { ...takesFeed(gobgp, PEERS), maxRepeats: 1 },
  ],
  goals: [{ metric: 'cpu', against: 'BIRD', atMost: 1.5 }],
};

export function describeFeed(routes: number): string {
  const updates = Math.ceil(routes / PREFIXES_PER_UPDATE);
  return (
    `${routes} IPv4 routes in ${updates} UPDATEs over one eBGP session, an attribute set each ` +
    '(AS_PATH 3–6 hops, MED, 0–3 communities)'
  );
}

function takesFeed(receiver: Receiver, feeds: number): Contestant {
  return {
    name: receiver.name,
    version: () => receiver.version(),
    run: ({ routes }) => measure(receiver, routes, feeds),
  };
}

async function measure(receiver: Receiver, routes: number, count: number): Promise<Sample> {
  await using site = await Site.open();
  const running = await receiver.start(site, { intoKernel: false, feeds: count });
  const indices = Array.from({ length: count }, (_, index) => index);
  const feeds = await Promise.all(
    indices.map((index) => FeedProcess.start(site, routes, { index })),
  );
  for (const feed of feeds) await feed.established();
  await untilAtRest(running.pids);
  const before = processCost(running.pids);
  const queuedBefore = mainThreadQueuedMs(running.pids[0]!);
  const foreign = watchForeignCpu();
  const [beganAt = 0] = await Promise.all(feeds.map((feed) => feed.beginTable()));
  const doneAt = await untilCount(() => running.routeCount(), {
    what: `${receiver.name}: routes learned`,
    target: routes * count,
    intervalMs: running.pollMs ?? POLL_MS,
    deadlineMs: DEADLINE_MS,
  });
  const foreignCores = foreign();
  await untilAtRest(running.pids);
  const after = processCost(running.pids);
  return {
    cpu: after.cpuSeconds - before.cpuSeconds,
    wall: (doneAt - beganAt) / 1e9,
    rss: after.peakRssBytes / 1e6,
    foreignCores,
    queued: mainThreadQueuedMs(running.pids[0]!) - queuedBefore,
    ...(await running.figures?.()),
  };
}
