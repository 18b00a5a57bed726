// One route changes while nothing else happens and a table is present: how long from the UPDATE on the wire to the commit in
// the Northbound database, as an OVSDB monitor of another client sees it?
//
// The floor is the same change sent straight to the database by a bare client: what the server alone takes.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatPrefix } from '../src/net/prefix.ts';
import { FeedProcess } from './feed/process.ts';
import { loadPrefixTable, prefixAt } from './feed/table.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import { needsRoot } from './harness/obstacle.ts';
import type { Comparison, Sample } from './harness/scenario.ts';
import { percentile } from './harness/statistics.ts';
import { monotonicNow, untilAtRest, untilCount } from './harness/wait.ts';
import { describeFeed } from './ingest.ts';
import { BareRows } from './peers/bare-rows.ts';
import {
  NorthboundClient,
  northboundVersion,
  type RowChange,
  startNorthbound,
} from './peers/northbound.ts';
import { rutter } from './peers/rutter.ts';
import { OTHER_NEXT_HOPS, Site } from './peers/site.ts';

const CHANGES = 250;
const WARM_UP_CHANGES = 50;
/** Between two changes the system comes to rest: this is about one change, not about a rate. */
const PAUSE_MS = 15;
const CHANGE_DEADLINE_MS = 10_000;
const LOAD_DEADLINE_MS = 120_000;

export const oneChange: Comparison = {
  kind: 'comparison',
  name: 'one-change',
  question: 'how long from one UPDATE on the wire to the commit in OVN Northbound?',
  routes: 50_000,
  smallRoutes: 2000,
  repeats: 1,
  warmUpShare: 0,
  obstacle: () =>
    needsRoot() ?? (northboundVersion() ? undefined : 'ovsdb-server is not installed'),
  input: (routes) =>
    `${describeFeed(routes)}, all in OVN; then ${CHANGES} changes of a next hop, one at a time, ` +
    `after ${WARM_UP_CHANGES} not counted`,
  metrics: [
    { key: 'median', title: 'median', unit: 'ms' },
    { key: 'p90', title: 'p90', unit: 'ms' },
    { key: 'p99', title: 'p99', unit: 'ms' },
    { key: 'worst', title: 'worst', unit: 'ms' },
  ],
  contestants: [
    { name: 'Rutter', version: () => rutter.version(), run: ({ routes }) => measureAgent(routes) },
    {
      name: 'bare update',
      version: async () => northboundVersion(),
      run: ({ routes }) => measureBare(routes, (rows, ...change) => rows.update(...change)),
    },
    {
      name: 'bare delete and insert',
      version: async () => northboundVersion(),
      run: ({ routes }) => measureBare(routes, (rows, ...change) => rows.replace(...change)),
    },
  ],
  goals: [
    { metric: 'median', atMost: 5 },
    { metric: 'p99', atMost: 20 },
  ],
};

async function measureAgent(routes: number): Promise<Sample> {
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const agent = await rutter.start(site, { intoKernel: false, ovn: northbound });
  const feed = await FeedProcess.start(site, routes);
  await feed.established();
  await feed.beginTable();
  const client = await NorthboundClient.open(northbound.socketPath);
  await untilCount(() => client.countRoutes(), {
    what: 'rows in OVN',
    target: routes,
    intervalMs: 1000,
    deadlineMs: LOAD_DEADLINE_MS,
  });
  await untilAtRest([...agent.pids, northbound.pid]);
  const foreign = watchForeignCpu();
  const latencies = await measureChanges(client, routes, (route, nextHop) =>
    feed.change(route, nextHop),
  );
  client.close();
  return { ...summary(latencies), foreignCores: foreign() };
}

type Change = (rows: BareRows, route: number, nextHop: string) => Promise<void>;

async function measureBare(routes: number, change: Change): Promise<Sample> {
  await using site = await Site.open();
  const northbound = await startNorthbound(site);
  const writer = await NorthboundClient.open(northbound.socketPath);
  const prefixes = await prefixTexts(routes);
  const rows = await BareRows.load(writer, northbound, prefixes);
  await untilAtRest([northbound.pid]);
  const watcher = await NorthboundClient.open(northbound.socketPath);
  const foreign = watchForeignCpu();
  const latencies = await measureChanges(watcher, routes, async (route, nextHop) => {
    const at = monotonicNow();
    await change(rows, route, nextHop);
    return { at, prefix: prefixes[route]! };
  });
  writer.close();
  watcher.close();
  return { ...summary(latencies), foreignCores: foreign() };
}

/** Milliseconds from a change's time to its arrival at the monitor, in ascending order. */
async function measureChanges(
  watcher: NorthboundClient,
  routes: number,
  change: (route: number, nextHop: string) => Promise<{ at: number; prefix: string }>,
): Promise<number[]> {
  const arrivals = new RowArrivals();
  await watcher.monitorRoutes((seen) => arrivals.add(seen));
  const latencies: number[] = [];
  for (let turn = 0; turn < WARM_UP_CHANGES + CHANGES; turn++) {
    arrivals.clear();
    const route = Math.floor((turn * 0.618 * routes) % routes); // all over the table
    const nextHop = OTHER_NEXT_HOPS[turn % OTHER_NEXT_HOPS.length]!;
    const { at, prefix } = await change(route, nextHop);
    const arrived = await arrivals.of(prefix, nextHop);
    if (turn >= WARM_UP_CHANGES) latencies.push((arrived - at) / 1e6);
    await sleep(PAUSE_MS);
  }
  return latencies.sort((a, b) => a - b);
}

function summary(latencies: readonly number[]): Sample {
  return {
    median: percentile(latencies, 50),
    p90: percentile(latencies, 90),
    p99: percentile(latencies, 99),
    worst: latencies.at(-1) ?? 0,
  };
}

/** Rows the monitor has shown, and who waits for one. */
class RowArrivals {
  #seen: RowChange[] = [];
  #wake: () => void = () => undefined;

  add(change: RowChange): void {
    this.#seen.push(change);
    this.#wake();
  }

  clear(): void {
    this.#seen = [];
  }

  /** When the row with this prefix and next hop arrived. */
  async of(prefix: string, nextHop: string): Promise<number> {
    const deadline = sleep(CHANGE_DEADLINE_MS, 'late' as const, { ref: false });
    for (;;) {
      const found = this.#seen.find(
        ({ row }) => row?.ip_prefix === prefix && row.nexthop === nextHop,
      );
      if (found) return found.at;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if ((await Promise.race([woken, deadline])) === 'late') {
        throw new Error(`${prefix} via ${nextHop} not in OVN after ${CHANGE_DEADLINE_MS} ms`);
      }
    }
  }
}

async function prefixTexts(routes: number): Promise<string[]> {
  const table = await loadPrefixTable(routes);
  return Array.from({ length: routes }, (_, route) => formatPrefix(prefixAt(table, route)));
}
