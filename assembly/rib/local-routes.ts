// Local routes: the prefixes originated here, as routes of peer 0. They win at step 3 and have no next hop, so no FIB sees them.

import { HAS_AS_PATH, HAS_ORIGIN, update } from '../wire/update-view';
import { announce, withdraw } from './adj-rib-in';
import { internAttributeSet, setContext } from './attribute-set';
import { Network } from './network';
import { ensurePeer, LOCAL_PEER } from './peer';

/** ORIGIN IGP and an empty AS_PATH: 40 01 01 00, 40 02 00. */
const attributes: usize = memory.data<u8>([0x40, 1, 1, 0, 0x40, 2, 0]);
const ATTRIBUTES_SIZE: u32 = 7;

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
  now: u32,
): bool {
  const peer = ensurePeer(LOCAL_PEER);
  if (peer == null) return false;
  fillView();
  const set = internAttributeSet();
  if (set == null) return false;
  const outcome = announce(peer, network.table(family), keyPtr, bits, 0, set, now);
  set.release();
  return outcome == 0;
}

export function withdrawLocalRoute(network: Network, family: u32, keyPtr: usize, bits: u32): void {
  const peer = ensurePeer(LOCAL_PEER);
  if (peer != null) withdraw(peer, network.table(family), keyPtr, bits, 0);
}

function fillView(): void {
  update.present = HAS_ORIGIN | HAS_AS_PATH;
  update.origin = 0;
  update.neighborAs = 0;
  update.asPathLength = 0;
  update.clusterListCount = 0;
  update.hasOwnAs = 0;
  update.attributesPtr = attributes;
  update.attributesSize = ATTRIBUTES_SIZE;
  setContext.nextHop = 0;
  setContext.linkLocalPtr = 0;
  setContext.payloadSize = 0;
}
