// A thousand routes flap ten times a second each while fifty thousand are in OVN: what of it reaches the database?
import { FeedProcess } from './feed/process.ts';
import { processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { VERIFIED } from './harness/verified.ts';
import { untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { needsNorthd, startCentral } from './peers/central.ts';
import { NorthboundClient } from './peers/northbound.ts';
import { rutter } from './peers/rutter.ts';
import { OTHER_NEXT_HOPS, Site } from './peers/site.ts';

const RATE = 10_000;
const secondsOf = (isSmall: boolean): number => (isSmall ? 2 : 30);
const FLAPPING = 1000;
const HOLD_TIME_SECONDS = 9;
const LOAD_DEADLINE_MS = 180_000;
const CATCH_UP_DEADLINE_MS = 30_000;

export const flapStorm: Scenario = {
  name: 'flap-storm',
  question: 'how much of a flap storm reaches OVN Northbound, and does anything suffer?',
  routes: 50_000,
  smallRoutes: 2000,
  repeats: 1,
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthd(),
  input: (routes, isSmall) =>
    `${describeFeed(routes)}, all in OVN with northd running; then ${RATE} flaps (withdrawals and announcements in turn) a second over ` +
    `${FLAPPING} prefixes for ${secondsOf(isSmall)} s; hold time ${HOLD_TIME_SECONDS} s`,
  metrics: [
    { key: 'updates', title: 'UPDATEs', unit: 'count', isContext: true },
    { key: 'rows', title: 'rows written', unit: 'count' },
    { key: 'share', title: 'rows per UPDATE', unit: '%' },
    { key: 'caughtUp', title: 'last row after the last UPDATE', unit: 's' },
    { key: 'silence', title: 'longest without a keepalive', unit: 's' },
    { key: 'cpu', title: 'CPU', unit: 's' },
    { key: 'centralCpu', title: 'CPU of OVN', unit: 's' },
    { key: 'worstHold', title: 'loop held, worst', unit: 'ms' },
    VERIFIED,
  ],
  contestants: [{ name: 'Rutter', version: () => rutter.version(), run: measure }],
  goals: [
    { metric: 'share', atMost: 1.5 },
    { metric: 'caughtUp', atMost: 1 },
    { metric: 'silence', atMost: HOLD_TIME_SECONDS / 3 + 1 },
  ],
};

async function measure({ routes, isSmall }: RunOptions): Promise<Sample> {
  await using site = await Site.open();
  const central = await startCentral(site);
  const agent = await rutter.start(site, {
    intoKernel: false,
    ovn: central,
    holdTime: `${HOLD_TIME_SECONDS}s`,
  });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await feed.beginTable();
  const client = await NorthboundClient.open(central.socketPath);
  const all = { target: routes, intervalMs: 1000, deadlineMs: LOAD_DEADLINE_MS };
  await untilCount(() => client.countRoutes(), { ...all, what: 'rows in OVN' });
  await untilAtRest([...agent.pids, ...central.pids]);

  let rows = 0;
  let lastRowAt = 0;
  await client.monitorRoutes(({ at }) => {
    rows++;
    lastRowAt = at;
  });
  const before = processCost(agent.pids).cpuSeconds;
  const centralBefore = processCost(central.pids).cpuSeconds;
  const foreign = watchForeignCpu();
  const { updates, endedAt, silenceMs } = await feed.churn({
    kind: 'withdraw', // gone for as long as all the others take: nothing cancels out before it can be read
    routes: Math.min(FLAPPING, routes),
    rate: RATE,
    seconds: secondsOf(isSmall),
    nextHop: OTHER_NEXT_HOPS[0],
  });
  await untilCount(() => client.countRoutes(), {
    ...all,
    what: 'rows in OVN after the storm',
    intervalMs: 100,
    deadlineMs: CATCH_UP_DEADLINE_MS,
  });
  await untilAtRest(agent.pids);
  const foreignCores = foreign();
  client.close();
  return {
    updates,
    rows,
    share: (100 * rows) / updates,
    caughtUp: Math.max(0, lastRowAt - endedAt) / 1e9,
    silence: silenceMs / 1000,
    cpu: processCost(agent.pids).cpuSeconds - before,
    centralCpu: processCost(central.pids).cpuSeconds - centralBefore,
    foreignCores,
    ...(await agent.figures()),
    ...(await agent.verify()),
  };
}
