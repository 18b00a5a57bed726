// Peers as the control API shows them: sessions, and sources beside them.
import { sessionObject } from '../control/session-object.ts';
import type { ControlParts } from './control-parts.ts';
import { type PrefixCounts, prefixCounts } from './prefix-counts.ts';
import type { SourceRuntime } from './runtime.ts';

export function peerObjects(parts: ControlParts): object[] {
  const { core, sources } = parts;
  return [
    ...sessionObjects(parts),
    ...[...sources.values()].map((source) => sourceObject(source, prefixCounts(core, source.id))),
  ];
}

function sessionObjects({ core, peers, speaker }: ControlParts): object[] {
  return speaker.peers().map((status) => {
    const { id, config, receiver } = peers.get(status.name)!;
    return {
      ...sessionObject(status),
      network: config.network,
      import: config.import,
      ...prefixCounts(core, id),
      received: receiver.counters,
    };
  });
}

/** A source among the peers: it has no session, and is told nothing. */
function sourceObject(source: SourceRuntime, prefixes: PrefixCounts): object {
  const { config, state, reason, stateSince, counts, counters } = source;
  return {
    name: config.name,
    network: config.network,
    import: config.import,
    state,
    ...(state === 'following' ? { uptimeMs: Date.now() - stateSince } : {}),
    ...(reason === '' ? {} : { reason }),
    ...prefixes,
    skipped: {
      discard: counts.discard,
      onLink: counts.onLink,
      unresolved: counts.unresolved,
    },
    received: counters,
  };
}
