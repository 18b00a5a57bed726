// Local routes: the prefixes originated here, as routes of peer 0. They win at step 4 and have no next hop, so no FIB sees them
// but for discard routes: what stands behind a summary, so that what it covers and nobody has goes nowhere.

import { announce, withdraw } from './adj-rib-in';
import { Network } from './network';
import { ensurePeer, LOCAL_PEER } from './peer';
import { internPlainSet, ORIGIN_IGP } from './plain-attributes';

/** Makes peer 0; false when there is no memory. */
export function initialiseLocalPeer(): bool {
  return ensurePeer(LOCAL_PEER) != null;
}

/** ANNOUNCED or OUT_OF_MEMORY. */
export function originateRoute(
  network: Network,
  family: u32,
  keyPtr: usize,
  bits: u32,
  isDiscard: bool,
  now: u32,
): bool {
  const peer = ensurePeer(LOCAL_PEER);
  if (peer == null) return false;
  const set = internPlainSet(ORIGIN_IGP, 0, false, isDiscard, 1);
  if (set == null) return false;
  const outcome = announce(peer, network.table(family), keyPtr, bits, 0, set, now);
  set.release();
  return outcome == 0;
}

export function withdrawLocalRoute(network: Network, family: u32, keyPtr: usize, bits: u32): void {
  const peer = ensurePeer(LOCAL_PEER);
  if (peer != null) withdraw(peer, network.table(family), keyPtr, bits, 0);
}
