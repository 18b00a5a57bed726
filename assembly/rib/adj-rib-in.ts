// Adj-RIB-In: what a peer announces and withdraws, route by route.

import { applyPolicy, policyLacksMemory } from '../policy/apply';
import { AttributeSet } from './attribute-set';
import { awaitsNextHop } from './best-path';
import { Destination, newDestination } from './destination';
import { noteForImporters } from './import-queue';
import { announcerOf, isImported } from './imported';
import { decideDestination, setFlags, setLabel } from './loc-rib';
import { knownPeer, Peer, PeerFamily } from './peer';
import { newRoute, Route } from './route';
import { noteStarvation } from './starvation';
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
/** OUT_OF_MEMORY when there was none for what the policy makes of the last route: it is rejected until there is. */
let judgement: u32 = 0;

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
  let destination = table.find(keyPtr, bits);
  let known: Route | null = null;
  if (destination != null) known = destination.find(peer.id, pathId);
  if (destination == null || known == null) {
    destination = insertRoute(peer, table, destination, keyPtr, bits, pathId, set, now);
    if (destination == null) return refusal;
  } else {
    const wasChosen = known.isChosen;
    if (!renewRoute(known, peer, table, destination, set, now)) return ANNOUNCED;
    // The peer has not taken the route back: what is in place stays until the host says where the new next hop is (table-walk.ts).
    if (wasChosen && awaitsNextHop(known, destination)) return judgement;
  }
  const outcome = judgement;
  decideDestination(table, destination);
  return outcome;
}

/** A stored route is announced again; the caller decides anew when it has other attributes now (true). */
export function renewRoute(
  route: Route,
  peer: Peer,
  table: Table,
  destination: Destination,
  set: AttributeSet,
  now: u32,
): bool {
  refresh(route, peer.family(table.family));
  if (route.attributes == set || route.attributes.received == set) return false;
  setReceived(route, peer, table, destination, set);
  route.since = now;
  return true;
}

/** A copy has the attributes that its original has, as they are; the caller decides anew when they are others (true). */
export function renewCopy(
  copy: Route,
  line: Peer,
  table: Table,
  set: AttributeSet,
  since: u32,
): bool {
  refresh(copy, line.family(table.family));
  if (copy.attributes == set) return false;
  copy.setAttributes(set);
  copy.since = since;
  return true;
}

/** Applies the peer's import policy, which may be another one by now, to what the peer said. */
export function reapplyPolicy(route: Route, table: Table, destination: Destination): void {
  const peer = knownPeer(route.peer);
  if (peer.isImport) return; // it has been through its peer's policy where it came in
  setReceived(route, peer, table, destination, route.attributes.received);
}

function setReceived(
  route: Route,
  peer: Peer,
  table: Table,
  destination: Destination,
  set: AttributeSet,
): void {
  const effective = judge(peer, table, destination.keyPtr, destination.bits, set);
  route.setAttributes(effective == null ? set : effective);
  route.setRejected(effective == null);
}

/** What the peer's import policy makes of a set. Null: the route is kept as it was received, and not eligible. */
function judge(
  peer: Peer,
  table: Table,
  keyPtr: usize,
  bits: u32,
  set: AttributeSet,
): AttributeSet | null {
  judgement = ANNOUNCED;
  if (peer.isImport) return set;
  const effective = applyPolicy(peer.importPolicy, table.family, keyPtr, bits, set, peer.id);
  if (effective == null && policyLacksMemory()) {
    judgement = OUT_OF_MEMORY;
    noteStarvation(); // judged again when there is room
  }
  return effective;
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
  if (isImported(route)) announcerOf(route).copyCount--;
  destination.unlink(route);
  route.free();
}

/** Removes a destination that has no routes left. */
export function removeDestination(table: Table, destination: Destination): void {
  if (table.network.firstImporter) noteForImporters(table, destination, 0);
  setLabel(table, destination, 0);
  dropDestination(table, destination);
}

/** Gives back a destination without routes, unless its importers must be told first. */
export function dropDestination(table: Table, destination: Destination): void {
  if (destination.isAwaited) return;
  table.remove(destination);
  destination.free();
}

/** Brings a route into the current epoch. */
function refresh(route: Route, counters: PeerFamily): void {
  if (route.epoch == counters.epoch) return;
  counters.noteStaleGone();
  route.epoch = counters.epoch;
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
  if (known != null && pathId != 0 && hasManyPaths(peer, known)) {
    return null;
  }
  refusal = OUT_OF_MEMORY;
  const effective = judge(peer, table, keyPtr, bits, set);
  const route = newRoute(peer.id, pathId, effective == null ? set : effective);
  if (route == null) return null;
  route.setRejected(effective == null);
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

/** Copies are as many as the chosen routes of another network, which has its bounds. */
function hasManyPaths(peer: Peer, destination: Destination): bool {
  return !peer.isImport && destination.countOf(peer.id) >= MAXIMUM_PATHS_PER_PEER;
}

function addDestination(table: Table, keyPtr: usize, bits: u32): Destination | null {
  const destination = newDestination(keyPtr, bits);
  if (destination == null) return null;
  if (!table.ownSubnets.isEmpty) destination.setInOwnSubnet(table.ownSubnets.has(destination));
  if (table.insert(destination)) return destination;
  destination.free();
  return null;
}

function peerFamilyCount(table: Table, route: Route, change: i32): void {
  knownPeer(route.peer).family(table.family).received += change;
  table.routeCount += change;
}
