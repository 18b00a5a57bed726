// Adj-RIB-In: what a peer announces and withdraws, route by route.

import { AttributeSet } from './attribute-set';
import { Destination, newDestination } from './destination';
import { decideDestination, setFlags, setLabel } from './loc-rib';
import { knownPeer, Peer, PeerFamily } from './peer';
import { newRoute, Route } from './route';
import { Table } from './table';

const ANNOUNCED: u32 = 0;
export const OVER_LIMIT: u32 = 1;
export const OUT_OF_MEMORY: u32 = 2;

/**
 * Most paths one peer may have to one prefix. A decision looks at all of them, some steps at all pairs: this bounds what one
 * prefix can cost, whatever path identifiers a peer makes up.
 */
const MAXIMUM_PATHS_PER_PEER: u32 = 32;

/** Why insertRoute stored nothing: OVER_LIMIT or OUT_OF_MEMORY. */
export let refusal: u32 = 0;

/** A route of an UPDATE: new, changed or repeated. */
export function announce(
  peer: Peer,
  table: Table,
  keyPtr: usize,
  bits: u32,
  pathId: u32,
  set: AttributeSet,
  now: u32,
): u32 {
  const destination = table.find(keyPtr, bits);
  if (destination == null) return addRoute(peer, table, null, keyPtr, bits, pathId, set, now);
  const known = destination.find(peer.id, pathId);
  if (known == null) return addRoute(peer, table, destination, keyPtr, bits, pathId, set, now);
  if (renewRoute(known, peer.family(table.family), set, now)) decideDestination(table, destination);
  return ANNOUNCED;
}

/** A stored route is announced again; the caller decides anew when it has other attributes now (true). */
export function renewRoute(route: Route, counters: PeerFamily, set: AttributeSet, now: u32): bool {
  refresh(route, counters);
  if (route.attributes == set) return false;
  route.setAttributes(set);
  route.since = now;
  return true;
}

/** True when there was such a route. */
export function withdraw(peer: Peer, table: Table, keyPtr: usize, bits: u32, pathId: u32): bool {
  const destination = table.find(keyPtr, bits);
  if (destination == null) return false;
  const route = destination.find(peer.id, pathId);
  if (route == null) return false;
  removeRoute(table, destination, route);
  if (!destination.head) removeDestination(table, destination);
  else decideDestination(table, destination);
  return true;
}

/** Takes a route out; the caller decides anew, or removes the destination when it was the last one. */
export function removeRoute(table: Table, destination: Destination, route: Route): void {
  setFlags(route, table.family, 0);
  refresh(route, knownPeer(route.peer).family(table.family));
  peerFamilyCount(table, route, -1);
  destination.unlink(route);
  route.free();
}

/** Removes a destination that has no routes left. */
export function removeDestination(table: Table, destination: Destination): void {
  setLabel(table, destination, 0);
  table.remove(destination);
  destination.free();
}

/** Brings a route into the current epoch. */
function refresh(route: Route, counters: PeerFamily): void {
  if (route.epoch == counters.epoch) return;
  counters.noteStaleGone();
  route.epoch = counters.epoch;
}

function addRoute(
  peer: Peer,
  table: Table,
  known: Destination | null,
  keyPtr: usize,
  bits: u32,
  pathId: u32,
  set: AttributeSet,
  now: u32,
): u32 {
  const destination = insertRoute(peer, table, known, keyPtr, bits, pathId, set, now);
  if (destination == null) return refusal;
  decideDestination(table, destination);
  return ANNOUNCED;
}

/** Stores a route that is not there yet; the caller decides anew. Null, with `refusal`, when there is no room for it. */
export function insertRoute(
  peer: Peer,
  table: Table,
  known: Destination | null,
  keyPtr: usize,
  bits: u32,
  pathId: u32,
  set: AttributeSet,
  now: u32,
): Destination | null {
  const counters = peer.family(table.family);
  refusal = OVER_LIMIT;
  if (counters.isFull) return null;
  if (known != null && pathId != 0 && known.countOf(peer.id) >= MAXIMUM_PATHS_PER_PEER) {
    return null;
  }
  refusal = OUT_OF_MEMORY;
  const route = newRoute(peer.id, pathId, set);
  if (route == null) return null;
  const destination = known == null ? addDestination(table, keyPtr, bits) : known;
  if (destination == null) {
    route.free();
    return null;
  }
  route.epoch = counters.epoch;
  route.since = now;
  destination.add(route);
  peerFamilyCount(table, route, 1);
  return destination;
}

function addDestination(table: Table, keyPtr: usize, bits: u32): Destination | null {
  const destination = newDestination(keyPtr, bits);
  if (destination == null) return null;
  if (table.insert(destination)) return destination;
  destination.free();
  return null;
}

function peerFamilyCount(table: Table, route: Route, change: i32): void {
  knownPeer(route.peer).family(table.family).received += change;
  table.routeCount += change;
}
