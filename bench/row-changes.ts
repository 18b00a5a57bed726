// How long one change of a route takes to show in the Northbound database, as an OVSDB monitor of another client sees it.
import { formatPrefix } from '../src/net/prefix.ts';
import { loadPrefixTable, prefixAt } from './feed/table.ts';
import { Arrivals, measureLatencies, routeOfTurn } from './harness/latencies.ts';
import type { Sample } from './harness/scenario.ts';
import type { NorthboundClient, RowChange } from './peers/northbound.ts';
import { OTHER_NEXT_HOPS } from './peers/site.ts';

export interface ChangeCounts {
  readonly changes: number;
  readonly warmUpChanges: number;
}

/** Changes next hops all over the table, one at a time; from a change's time to its arrival at the monitor. */
export async function measureChanges(
  watcher: NorthboundClient,
  routes: number,
  { changes, warmUpChanges }: ChangeCounts,
  change: (route: number, nextHop: string) => Promise<{ at: number; prefix: string }>,
): Promise<Sample> {
  const arrivals = new Arrivals<RowChange>();
  await watcher.monitorRoutes((seen) => arrivals.add(seen));
  return measureLatencies({ count: changes, warmUp: warmUpChanges }, async (turn) => {
    arrivals.clear();
    const nextHop = OTHER_NEXT_HOPS[turn % OTHER_NEXT_HOPS.length]!;
    const { at: madeAt, prefix } = await change(routeOfTurn(turn, routes), nextHop);
    const seenAt = await arrivals.of(
      `${prefix} via ${nextHop} in OVN`,
      ({ row }) => row?.ip_prefix === prefix && row.nexthop === nextHop,
    );
    return { madeAt, seenAt };
  });
}

/** The texts of a table's prefixes, by route. */
export async function prefixTexts(routes: number): Promise<string[]> {
  const table = await loadPrefixTable(routes);
  return Array.from({ length: routes }, (_, route) => formatPrefix(prefixAt(table, route)));
}
