// How many prefixes a peer, a source or an import line has given, all families together.
import type { RouteCore } from '../core/route-core.ts';

export interface PrefixCounts {
  readonly receivedPrefixes: number;
  readonly acceptedPrefixes: number;
  readonly bestPrefixes: number;
}

export function prefixCounts(core: Pick<RouteCore, 'peerCounters'>, peer: number): PrefixCounts {
  const { received, accepted, best } = core.peerCounters(peer);
  return {
    receivedPrefixes: sum(received),
    acceptedPrefixes: sum(accepted),
    bestPrefixes: sum(best),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
