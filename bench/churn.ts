// Restless routes while a table is held: what does an UPDATE cost, and when is a receiver no longer keeping up? One scenario per kind.
//
// To Loc-RIB, with nothing to program, and once more for Rutter with aggregated OVN and kernel tables, which are verified at the end. What a receiver does not take is not sent, so the rate that was reached shows where it ends.
import { type ChurnKind, churnKinds } from './feed/churn.ts';
import { FeedProcess } from './feed/process.ts';
import { processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, Point, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { gobgp } from './peers/gobgp.ts';
import { startNorthbound } from './peers/northbound.ts';
import type { Receiver, RunningReceiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { OTHER_NEXT_HOPS, Site } from './peers/site.ts';

const CHURNING = 1000;
const secondsOf = (isSmall: boolean): number => (isSmall ? 1 : 5);
const LOAD_DEADLINE_MS = 240_000;

const questions: Readonly<Record<ChurnKind, string>> = {
  announce: 'new attributes, the same way',
  withdraw: 'all are withdrawn, then all come back',
  'next-hop': 'all go to another next hop, then all back',
  flap: 'each is withdrawn and back with the next UPDATE',
  hunt: 'longer and longer paths, then none, then the first again',
};

function rate(value: number): Point {
  return { name: value === 0 ? 'as fast as taken' : `${value / 1000} 000/s`, value };
}

export const churns: readonly Scenario[] = churnKinds.map((kind) => ({
  name: `churn-${kind}`,
  question: `what does an UPDATE cost, and how many are taken? ${questions[kind]}`,
  routes: 100_000,
  smallRoutes: 2000,
  repeats: 1,
  sweep: {
    title: 'UPDATEs offered',
    scale: 'names',
    points: [1000, 10_000, 50_000, 0].map(rate),
    smallPoints: [rate(10_000)],
  },
  warmUpShare: 0,
  obstacle: needsRoot,
  input: (routes, isSmall) =>
    `${describeFeed(routes)}; then ${CHURNING} of them for ${secondsOf(isSmall)} s, one prefix per UPDATE`,
  metrics: [
    { key: 'taken', title: 'UPDATEs taken', unit: 'updates/s', isMoreBetter: true },
    { key: 'each', title: 'CPU per UPDATE', unit: 'µs' },
    { key: 'behind', title: 'last byte behind', unit: 'ms' },
    VERIFIED,
  ],
  contestants: [
    takesChurn(rutter, kind),
    { ...takesChurn(rutter, kind, programming), name: 'Rutter programming' },
    ...[bird, frr, gobgp].map((receiver) => takesChurn(receiver, kind)),
  ],
  goals: [],
}));

type Start = (site: Site) => Promise<RunningReceiver>;

function takesChurn(
  receiver: Receiver,
  kind: ChurnKind,
  start: Start = (site) => receiver.start(site, { intoKernel: false }),
): Contestant {
  return {
    name: receiver.name,
    version: () => receiver.version(),
    run: (options) => measure(start, kind, options),
  };
}

/** The fewest entries in OVN and in the kernel, in place before the churn begins. */
async function programming(site: Site): Promise<RunningReceiver> {
  const ovn = await startNorthbound(site);
  const aggregated = { aggregation: 'exact', hostAggregation: 'exact' } as const;
  return rutter.start(site, { intoKernel: true, ovn, ...aggregated });
}

async function measure(
  start: Start,
  kind: ChurnKind,
  { routes, point, isSmall }: RunOptions,
): Promise<Sample> {
  await using site = await Site.open({ kernelRoutes: routes });
  const running = await start(site);
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await feed.beginTable();
  await feed.acknowledged();
  await untilCount(() => running.routeCount(), {
    what: 'routes learned',
    target: routes,
    intervalMs: running.pollMs ?? 200,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  await untilAtRest(running.pids);
  const before = processCost(running.pids).cpuSeconds;
  const foreign = watchForeignCpu();
  const { updates, seconds, endedAt, at } = await feed.churn({
    kind,
    routes: Math.min(CHURNING, routes),
    rate: point.value,
    seconds: secondsOf(isSmall),
    nextHop: OTHER_NEXT_HOPS[0],
  });
  const foreignCores = foreign();
  await untilAtRest(running.pids);
  return {
    taken: updates / seconds,
    each: ((processCost(running.pids).cpuSeconds - before) * 1e6) / updates,
    behind: (at - endedAt) / 1e6,
    foreignCores,
    ...(await running.verify?.()),
  };
}
