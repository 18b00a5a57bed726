// How long one change of a route takes to show in the Northbound database, as an OVSDB monitor of another client sees it.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatPrefix } from '../src/net/prefix.ts';
import { loadPrefixTable, prefixAt } from './feed/table.ts';
import type { Metric, Sample } from './harness/scenario.ts';
import { percentile } from './harness/statistics.ts';
import type { NorthboundClient, RowChange } from './peers/northbound.ts';
import { OTHER_NEXT_HOPS } from './peers/site.ts';

/** Between two changes the system comes to rest: this is about one change, not about a rate. */
const PAUSE_MS = 15;
const CHANGE_DEADLINE_MS = 10_000;

export interface ChangeCounts {
  readonly changes: number;
  readonly warmUpChanges: number;
}

export const latencyMetrics: readonly Metric[] = [
  { key: 'median', title: 'median', unit: 'ms' },
  { key: 'p90', title: 'p90', unit: 'ms' },
  { key: 'p99', title: 'p99', unit: 'ms' },
  { key: 'worst', title: 'worst', unit: 'ms' },
];

/** Milliseconds from a change's time to its arrival at the monitor, in ascending order. */
export async function measureChanges(
  watcher: NorthboundClient,
  routes: number,
  { changes, warmUpChanges }: ChangeCounts,
  change: (route: number, nextHop: string) => Promise<{ at: number; prefix: string }>,
): Promise<number[]> {
  const arrivals = new RowArrivals();
  await watcher.monitorRoutes((seen) => arrivals.add(seen));
  const latencies: number[] = [];
  for (let turn = 0; turn < warmUpChanges + changes; turn++) {
    arrivals.clear();
    const route = Math.floor((turn * 0.618 * routes) % routes); // all over the table
    const nextHop = OTHER_NEXT_HOPS[turn % OTHER_NEXT_HOPS.length]!;
    const { at, prefix } = await change(route, nextHop);
    const arrived = await arrivals.of(prefix, nextHop);
    if (turn >= warmUpChanges) latencies.push((arrived - at) / 1e6);
    await sleep(PAUSE_MS);
  }
  return latencies.sort((a, b) => a - b);
}

export function latencySample(latencies: readonly number[]): Sample {
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

/** The texts of a table's prefixes, by route. */
export async function prefixTexts(routes: number): Promise<string[]> {
  const table = await loadPrefixTable(routes);
  return Array.from({ length: routes }, (_, route) => formatPrefix(prefixAt(table, route)));
}
