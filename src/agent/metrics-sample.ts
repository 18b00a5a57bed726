// What the metrics show, taken from the running parts.
import type { MetricsSample } from '../observe/metrics.ts';
import type { ControlParts } from './control-parts.ts';
import { importCounts } from './network-objects.ts';
import { prefixCounts } from './prefix-counts.ts';

export function takeSample(parts: ControlParts): MetricsSample {
  const { announcer, core, devices, eventLoop, networks, peers, sources, speaker } = parts;
  const recentWorstMs = eventLoop.takeWorstMs();
  const memory = core.memory();
  return {
    peers: speaker.peers().map((status) => {
      const { id, config, receiver } = peers.get(status.name)!;
      return {
        ...receiver.counters,
        peer: status.name,
        network: config.network,
        established: status.state === 'established',
        ...prefixCounts(core, id),
        advertisedPrefixes: status.advertisedCount,
      };
    }),
    networks: [...networks.values()].map(({ config }) => ({
      network: config.name,
      waiting: devices.whyWaiting(config) !== undefined,
      announcements: announcer.counts(config.name),
      overlapping: [...announcer.table.overlapsOf(config.name)].length,
    })),
    imports: parts.imports.lines.map((line) => ({
      network: line.network,
      ...importCounts(core, line),
    })),
    sources: [...sources.values()].map(({ id, config, state, counters, counts }) => ({
      ...counters,
      source: config.name,
      network: config.network,
      following: state === 'following',
      ...prefixCounts(core, id),
      skipped: {
        discard: counts.discard,
        onLink: counts.onLink,
        unresolved: counts.unresolved,
      },
    })),
    targets: [...networks.values()].flatMap(({ config, targets }) =>
      targets.map(({ fib, kind, plan, reconciler }) => {
        const verification = parts.verifier.of(config.name, kind);
        const counters = core.fibCounters(fib);
        const status = reconciler.status();
        return {
          network: config.name,
          target: kind,
          ready: status.state === 'ready',
          installed: counters.installedCount,
          pending: counters.pendingCount,
          refused: counters.refusedCount,
          held: counters.heldCount,
          written: status.writtenCount,
          failures: status.failureCount,
          refusedByCode: status.refusedByCode,
          lastBatchSeconds: status.lastBatchMs / 1000,
          aggregationEnded: plan.aggregation === 'ended',
          aggregationFaults: verification?.faultCount ?? 0,
          verifiedSeconds: (verification?.verifiedAt ?? 0) / 1000,
        };
      }),
    ),
    core: {
      linearBytes: memory.linearBytes,
      usedBytes: memory.usedBytes,
      routes: memory.routeCount,
      prefixes: memory.prefixCount,
    },
    eventLoopWorstSeconds: eventLoop.worstMs() / 1000,
    eventLoopRecentWorstSeconds: recentWorstMs / 1000,
    restlessPrefixes: core.restlessPrefixCount(),
  };
}
