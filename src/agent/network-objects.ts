// Networks as the control API shows them: what they announce, where their routes come from, what their targets hold.
import { formatTimeMs } from '../control/route-object.ts';
import type { OverlapReport } from '../networks/announcements/announcement-table.ts';
import type { ControlParts } from './control-parts.ts';
import type { ImportRuntime } from './import-table.ts';
import { prefixCounts } from './prefix-counts.ts';
import type { NetworkRuntime, TargetRuntime } from './runtime.ts';

/** Overlaps of a network that are named one by one; `overlapping` counts them all. */
const SHOWN_OVERLAPS = 100;

export function networkObjects(parts: ControlParts): object[] {
  const { devices, imports, networks } = parts;
  return [...networks.values()].map((network) => ({
    network: network.config.name,
    vrf: network.config.vrf,
    waiting: devices.whyWaiting(network.config),
    firstSync: network.initialSync.isFinished ? 'finished' : 'waiting',
    waitingFor: network.initialSync.waitingFor,
    ...announcements(parts, network.config.name),
    sources: sourceObjects(parts, network),
    imports: importObjects(parts, network.config.name),
    importedBy: imports.lines
      .filter(({ from }) => from === network.config.name)
      .map((line) => line.network),
    targets: network.targets.map((target) => targetObject(parts, network.config.name, target)),
  }));
}

/** How many prefixes the network has to announce, and what is wrong with the others. */
function announcements({ announcer }: ControlParts, network: string): object {
  const counts = announcer.counts(network);
  const overlaps = [...announcer.table.overlapsOf(network)];
  const [first] = overlaps;
  const problems = announcer.problems(network);
  if (first !== undefined) problems.push(overlapText(first, overlaps.length));
  return {
    advertised: counts.ready,
    notReady: counts.waiting,
    suppressed: counts.suppressed,
    overlapping: overlaps.length,
    ...(overlaps.length > 0 ? { overlaps: overlaps.slice(0, SHOWN_OVERLAPS) } : {}),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

function sourceObjects({ sources }: ControlParts, network: NetworkRuntime): object[] {
  return [...sources.values()]
    .filter((source) => source.network === network)
    .map(({ config, state, reason, counts }) => ({
      source: config.name,
      state,
      ...(reason === '' ? {} : { reason }),
      ...counts,
    }));
}

function importObjects({ core, imports }: ControlParts, network: string): object[] {
  const lines = imports.lines.filter((line) => line.network === network);
  return lines.map((line) => ({ policy: line.policy, ...importCounts(core, line) }));
}

export function importCounts(
  core: ControlParts['core'],
  { id, from }: ImportRuntime,
): { from: string; routes: number; accepted: number; best: number } {
  const { receivedPrefixes, acceptedPrefixes, bestPrefixes } = prefixCounts(core, id);
  return { from, routes: receivedPrefixes, accepted: acceptedPrefixes, best: bestPrefixes };
}

function targetObject(
  { core, verifier }: ControlParts,
  network: string,
  { fib, kind, plan, reconciler }: TargetRuntime,
): object {
  const { verifiedAt, faultCount, worstSliceMs } = verifier.of(network, kind) ?? {};
  const status = reconciler.status();
  return {
    target: kind,
    ...status,
    stateSince: formatTimeMs(status.stateSince),
    ...core.fibCounters(fib),
    aggregation: plan.aggregation,
    ...(verifiedAt === undefined ? {} : { verifiedAt: new Date(verifiedAt).toISOString() }),
    ...(faultCount === undefined ? {} : { aggregationFaults: faultCount }),
    ...(worstSliceMs === undefined ? {} : { verifierWorstMs: Math.round(worstSliceMs * 10) / 10 }),
  };
}

function overlapText(overlap: OverlapReport, count: number): string {
  const { prefix, otherPrefix, otherNetwork, place } = overlap;
  const more = count === 1 ? '' : ` and ${count - 1} more`;
  return `${prefix} overlaps ${otherPrefix} of network ${otherNetwork} in ${place}${more}`;
}
