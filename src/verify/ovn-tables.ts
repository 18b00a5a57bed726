// What a gateway router forwards, and what it should: its rows and the Loc-RIB as two tables to compare. Pure.
//
// Labels are what northd makes of a prefix: the next hops of all rows that form its ECMP group, ours and others', or the port whose network it
// is. What others have at a prefix is theirs: the Loc-RIB's route to it counts only where rows are shared.
import { type Prefix, parsePrefix } from '../net/prefix.ts';
import type { OvnSinkOptions } from '../sinks/ovn/options.ts';
import type { RouterRows } from '../sinks/ovn/router-rows.ts';
import { DISCARD, type RouteRow } from '../sinks/ovn/row.ts';
import type { LabelledPrefix } from './differences.ts';

/** A prefix with the `nexthop` texts that its rows must have. */
export interface WantedRows {
  readonly prefix: string;
  readonly nexthops: readonly string[];
}

export interface TablePair {
  readonly expected: readonly LabelledPrefix[];
  readonly actual: readonly LabelledPrefix[];
}

export function ovnTables(
  wanted: readonly WantedRows[],
  router: RouterRows,
  collision: OvnSinkOptions['collision'],
): TablePair {
  const expected = new Map<string, string>();
  for (const { prefix, nexthops } of wanted) {
    const foreign = router.foreign.at(prefix);
    const isShared = collision === 'share' && !isDiscarding([...nexthops, ...hopsOf(foreign)]);
    if (foreign.length === 0) expected.set(prefix, labelOf(nexthops));
    else if (isShared) expected.set(prefix, labelOf([...nexthops, ...hopsOf(foreign)]));
  }
  const actual = new Map<string, string>();
  for (const prefix of router.ownedPrefixes()) {
    const rows = [...router.owned(prefix), ...router.foreign.at(prefix)];
    actual.set(prefix, labelOf(rows.map(describeRow)));
  }
  for (const prefix of router.foreign.prefixes()) {
    const label = labelOf(hopsOf(router.foreign.at(prefix)));
    if (!expected.has(prefix)) expected.set(prefix, label);
    if (!actual.has(prefix)) actual.set(prefix, label);
  }
  for (const prefix of router.connected.prefixes()) {
    const label = `connected ${router.connected.port(prefix)}`;
    for (const table of [expected, actual]) table.set(prefix, label);
  }
  return { expected: toTable(expected), actual: toTable(actual) };
}

const hopsOf = (rows: readonly RouteRow[]): string[] => rows.map(({ nexthop }) => nexthop);

const isDiscarding = (nexthops: readonly string[]): boolean => nexthops.includes(DISCARD);

/** The same next hops in any order are one group. */
const labelOf = (nexthops: readonly string[]): string => nexthops.toSorted().join(' ');

/** A row of ours that somebody has edited may forward where it did and yet not the same packets. */
function describeRow({ nexthop, isOurs, isSound }: RouteRow): string {
  return isOurs && !isSound ? `${nexthop}(edited)` : nexthop;
}

function toTable(labels: ReadonlyMap<string, string>): LabelledPrefix[] {
  return [...labels].map(([text, label]) => ({ prefix: parsePrefix(text) as Prefix, label }));
}
