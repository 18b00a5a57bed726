// The module itself: its buffers, its memory, its deferred work.
import { FAMILY_COUNT } from '../abi';
import { initialiseNodes } from '../lpm/node';
import { arenaUsedBytes, initialiseArena } from '../memory/arena';
import { initialiseBuffers, inputPtr, outputPtr } from '../memory/buffers';
import { nextHopSetCount } from '../nexthop/next-hop-set';
import { forgetMemos } from '../policy/memo';
import { result } from '../result';
import { attributeSetCount } from '../rib/attribute-set';
import { initialiseLocalPeer } from '../rib/local-routes';
import { networkById, networkIdLimit } from '../rib/network';
import { workFor } from '../work';

/** The first call of all. `maximumBytes`: ceiling of linear memory. False when it is too low. */
export function initialise(maximumBytes: u32): bool {
  initialiseArena(maximumBytes);
  initialiseNodes();
  return initialiseBuffers() && initialiseLocalPeer();
}

export function inputBuffer(): usize {
  return inputPtr;
}

export function outputBuffer(): usize {
  return outputPtr;
}

export function resultRecord(): usize {
  return changetype<usize>(result);
}

/** Counters 0–4: used bytes, routes, prefixes, attribute sets, next-hop sets. */
export function readMemory(): void {
  let routeCount: u32 = 0;
  let prefixCount: u32 = 0;
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network == null) continue;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      routeCount += network.table(family).routeCount;
      prefixCount += network.table(family).trie.count;
    }
  }
  result.setCounter(0, arenaUsedBytes());
  result.setCounter(1, routeCount);
  result.setCounter(2, prefixCount);
  result.setCounter(3, attributeSetCount());
  result.setCounter(4, nextHopSetCount());
}

/** Does about `units` microseconds of deferred work; true while there is more. */
export function work(units: i32): bool {
  const hasMore = workFor(units);
  forgetMemos();
  return hasMore;
}
