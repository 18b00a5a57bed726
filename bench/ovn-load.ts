// A table gets into OVN: how long until every row is in Northbound, and until every flow is in Southbound with a real northd?
//
// The floors: the same rows from a client that does nothing else, in batches, and from `ovn-nbctl`, the tool at hand. What is used without
// Rutter, FRR and an importer that lists the kernel, goes the whole way as Rutter does.
import { execute } from '../src/lab/execute.ts';
import { FeedProcess } from './feed/process.ts';
import { processCost, watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Contestant, RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { BareRows } from './peers/bare-rows.ts';
import { type Central, FlowWatcher, needsNorthd, startCentral } from './peers/central.ts';
import { installedVersion } from './peers/installed.ts';
import { NorthboundClient, northboundVersion } from './peers/northbound.ts';
import { relist, UPSTREAM_DELAY_MS } from './peers/relist.ts';
import { rutter } from './peers/rutter.ts';
import { FEED_ADDRESS, Site } from './peers/site.ts';
import { prefixTexts } from './row-changes.ts';
import { sizeSweep } from './table-sizes.ts';

const DEADLINE_MS = 400_000;
const POLL_MS = 250;
/** Commands of one `ovn-nbctl`: more do not fit an argument list. */
const COMMANDS_PER_CALL = 1000;

/** Makes ready; resolves with what begins the load and resolves with its time. */
type Prepare = (site: Site, central: Central, routes: number) => Promise<() => Promise<number>>;

export const ovnLoad: Scenario = {
  name: 'ovn-load',
  question: 'how long until a table is in OVN Northbound, and its flows in Southbound?',
  routes: 50_000,
  smallRoutes: 500,
  repeats: 1,
  sweep: sizeSweep('routes', [2000, 10_000, 50_000], 500),
  warmUpShare: 0,
  obstacle: () => needsRoot() ?? needsNorthd(),
  input: () =>
    'IPv4 routes over one eBGP session, one next hop, unaggregated; the floors have the rows ready',
  metrics: [
    { key: 'northbound', title: 'all rows in Northbound', unit: 's' },
    { key: 'southbound', title: 'all flows in Southbound', unit: 's' },
    { key: 'centralCpu', title: 'CPU of OVN', unit: 's' },
  ],
  contestants: [
    contestant('Rutter', () => rutter.version(), viaRutter),
    contestant('bare transactions', async () => northboundVersion(), viaBareRows),
    contestant('ovn-nbctl', async () => installedVersion('ovn-nbctl', ['--version']), viaNbctl),
    contestant('re-list and diff', () => relist.version(), viaRelist),
  ],
  goals: [{ metric: 'southbound', against: 're-list and diff', atMost: 1 }],
};

function contestant(
  name: string,
  version: () => Promise<string | undefined>,
  prepare: Prepare,
): Contestant {
  return { name, version, run: (options) => measure(options, prepare) };
}

async function viaRutter(site: Site, central: Central, routes: number) {
  await rutter.start(site, { intoKernel: false, ovn: central });
  return viaFeed(site, routes);
}

async function viaRelist(site: Site, central: Central, routes: number) {
  await relist.start(site, central, UPSTREAM_DELAY_MS);
  return viaFeed(site, routes);
}

async function viaFeed(site: Site, routes: number) {
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  return () => feed.beginTable();
}

async function viaBareRows(_site: Site, central: Central, routes: number) {
  const prefixes = await prefixTexts(routes);
  const client = await NorthboundClient.open(central.socketPath);
  return async () => {
    const beganAt = monotonicNow();
    await BareRows.load(client, central, prefixes);
    client.close();
    return beganAt;
  };
}

async function viaNbctl(_site: Site, central: Central, routes: number) {
  const prefixes = await prefixTexts(routes);
  return async () => {
    const beganAt = monotonicNow();
    for (let first = 0; first < routes; first += COMMANDS_PER_CALL) {
      const commands = prefixes
        .slice(first, first + COMMANDS_PER_CALL)
        .flatMap((prefix) => [
          ...['--', 'lr-route-add', central.router],
          ...[prefix, FEED_ADDRESS, central.outputPort],
        ]);
      await execute('ovn-nbctl', [`--db=${central.northbound}`, ...commands.slice(1)]);
    }
    return beganAt;
  };
}

async function measure({ point }: RunOptions, prepare: Prepare): Promise<Sample> {
  const routes = point.value;
  await using site = await Site.open({ kernelRoutes: routes });
  const central = await startCentral(site);
  const watcher = await FlowWatcher.open(central.southboundSocket);
  const client = await NorthboundClient.open(central.socketPath);
  const begin = await prepare(site, central, routes);
  await untilAtRest(central.pids);
  const connected = watcher.count;
  const before = processCost(central.pids).cpuSeconds;
  const foreign = watchForeignCpu();
  let rows = 0;
  let lastRowAt = 0;
  await client.monitorRoutes(({ at }) => {
    rows++;
    lastRowAt = at;
  });
  let lastFlowAt = 0;
  watcher.onFlow = ({ at }) => {
    lastFlowAt = at;
  };
  const beganAt = await begin();
  const wait = { intervalMs: POLL_MS, deadlineMs: DEADLINE_MS };
  await untilCount(() => rows, { ...wait, what: 'rows in Northbound', target: routes });
  await untilCount(() => watcher.count, {
    ...wait,
    what: 'flows in Southbound',
    target: connected + routes,
  });
  const foreignCores = foreign();
  watcher.close();
  client.close();
  return {
    northbound: (lastRowAt - beganAt) / 1e9,
    southbound: (lastFlowAt - beganAt) / 1e9,
    centralCpu: processCost(central.pids).cpuSeconds - before,
    foreignCores,
  };
}
