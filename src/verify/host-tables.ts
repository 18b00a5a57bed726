// What a kernel table forwards, and what it should: its routes and the Loc-RIB as two tables to compare. Pure.
//
// Labels are where the kernel sends a packet: gateways with their devices and weights, or the kind of route that sends it nowhere. Of routes to one
// prefix the lowest metric decides, whosever it is; a route of others with our metric keeps ours out.
import type { KernelRoute } from '../iproute2/kernel-route.ts';
import { formatPrefix, parsePrefix } from '../net/prefix.ts';
import type { LabelledPrefix } from './differences.ts';
import type { TablePair } from './ovn-tables.ts';

export interface HostMark {
  readonly protocol: number;
  readonly metric: number;
}

/** A route of the table, and where it goes. */
export interface PrintedRoute {
  readonly route: KernelRoute;
  readonly label: string;
}

interface Candidate {
  readonly metric: number;
  readonly label: string;
}

export function hostTables(
  wanted: readonly LabelledPrefix[],
  printed: readonly PrintedRoute[],
  mark: HostMark,
): TablePair {
  const actual = new Map<string, Candidate>();
  const expected = new Map<string, Candidate>();
  for (const { route, label } of printed) {
    const candidate = { metric: route.metric, label };
    put(actual, route.prefix, candidate);
    if (!isOurs(route, mark)) put(expected, route.prefix, candidate);
  }
  for (const { prefix, label } of wanted) {
    put(expected, formatPrefix(prefix), { metric: mark.metric, label });
  }
  return { expected: toTable(expected), actual: toTable(actual) };
}

function isOurs({ protocol, metric }: KernelRoute, mark: HostMark): boolean {
  return protocol === mark.protocol && metric === mark.metric;
}

/** Of one metric the first stays: what others have goes in before ours. */
function put(table: Map<string, Candidate>, prefix: string, candidate: Candidate): void {
  const known = table.get(prefix);
  if (known === undefined || candidate.metric < known.metric) table.set(prefix, candidate);
}

function toTable(candidates: ReadonlyMap<string, Candidate>): LabelledPrefix[] {
  return [...candidates].flatMap(([text, { label }]) => {
    const prefix = parsePrefix(text);
    return prefix === undefined ? [] : [{ prefix, label }];
  });
}
