// How much memory does a route take, with nothing to program? Resident memory at rest, against the number of routes.
import { FeedProcess } from './feed/process.ts';
import { residentBytes, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { untilAtRest, untilCount } from './harness/wait.ts';
import { bird } from './peers/bird.ts';
import { frr } from './peers/frr.ts';
import { gobgp } from './peers/gobgp.ts';
import type { Receiver } from './peers/receiver.ts';
import { rutter } from './peers/rutter.ts';
import { Site } from './peers/site.ts';
import { sizeSweep } from './table-sizes.ts';

const DEADLINE_MS = 240_000;

export const memory: Scenario = {
  name: 'memory',
  question: 'how much memory does a table take, and a route of it?',
  routes: 1_000_000,
  smallRoutes: 2000,
  repeats: 1,
  sweep: sizeSweep('routes in the table', [100_000, 500_000, 1_000_000], 2000, 'linear'),
  warmUpShare: 0,
  obstacle: needsRoot,
  input: () => 'a table over one eBGP session, an attribute set per eight routes',
  metrics: [
    { key: 'resident', title: 'resident at rest', unit: 'MB' },
    { key: 'perRoute', title: 'more than when empty, per route', unit: 'bytes' },
    { key: 'coreBytes', title: 'core memory', unit: 'MB' },
  ],
  contestants: [rutter, bird, frr, gobgp].map((receiver) => ({
    name: receiver.name,
    version: () => receiver.version(),
    run: (options) => measure(receiver, options),
  })),
  goals: [],
};

async function measure(receiver: Receiver, { point }: RunOptions): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open();
  const running = await receiver.start(site, { intoKernel: false });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await untilAtRest(running.pids);
  const empty = residentBytes(running.pids);
  const foreign = watchForeignCpu();
  await feed.beginTable();
  await untilCount(() => running.routeCount(), {
    what: `${receiver.name}: routes learned`,
    target: routes,
    intervalMs: running.pollMs ?? 200,
    deadlineMs: DEADLINE_MS,
  });
  const foreignCores = foreign();
  await untilAtRest(running.pids);
  const full = residentBytes(running.pids);
  const { coreBytes } = (await running.figures?.()) ?? {};
  return {
    resident: full / 1e6,
    perRoute: (full - empty) / routes,
    ...(coreBytes === undefined ? {} : { coreBytes }),
    foreignCores,
  };
}
