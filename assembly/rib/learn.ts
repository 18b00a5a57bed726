// Routes of sources that are not BGP sessions: what a kernel's table has, say. A record names a prefix and all its next hops; the
// source's routes to the prefix become these, one per next hop with its weight, whatever they were.
import { SET_KIND_DISCARD } from '../abi';
import { scratchKey, writeKey } from '../lpm/key';
import { NextHop } from '../nexthop/next-hop';
import { endOfObservation, Observation, observationAt } from '../nexthop/observation';
import { result } from '../result';
import {
  insertRoute,
  OVER_LIMIT,
  refusal,
  removeDestination,
  removeRoute,
  renewRoute,
} from './adj-rib-in';
import { Destination } from './destination';
import { decideDestination } from './loc-rib';
import { knownNetwork } from './network';
import { Peer } from './peer';
import { internPlainSet, ORIGIN_INCOMPLETE } from './plain-attributes';
import { Route } from './route';
import { Table } from './table';

/** Reads whole observation records; counts of what became of them are in the result record. */
export function learnRecords(peer: Peer, ptr: usize, end: usize, now: u32): void {
  for (let next = endOfObservation(ptr, end); next; next = endOfObservation(ptr, end)) {
    const observation = observationAt(ptr);
    if (observation.hasPrefix) learnRecord(peer, observation, now);
    ptr = next;
  }
}

function learnRecord(peer: Peer, observation: Observation, now: u32): void {
  const table = knownNetwork(peer.network).table(observation.family);
  writeKey(scratchKey, observation.addressPtr, 16, observation.bits);
  const isDiscard = observation.count == 0 && observation.kind == SET_KIND_DISCARD;
  const count: u32 = isDiscard ? 1 : observation.count;
  let destination = table.find(scratchKey, observation.bits);
  for (let pathId: u32 = 0; pathId < count; pathId++) {
    let nextHop: NextHop | null = null;
    let weight: u32 = 1;
    if (!isDiscard) {
      const member = observation.member(pathId);
      weight = max(member.weight, 1);
      nextHop = member.intern(peer.network);
      if (nextHop == null) {
        result.outOfMemoryCount++;
        continue;
      }
    }
    destination = putPath(peer, table, destination, observation.bits, pathId, nextHop, weight, now);
  }
  if (destination == null) return;
  removePathsFrom(peer, table, destination, count);
  if (destination.head) decideDestination(table, destination);
  else removeDestination(table, destination);
}

/** One path of the prefix in `scratchKey`, stored but not decided; the destination, when there is one. */
function putPath(
  peer: Peer,
  table: Table,
  known: Destination | null,
  bits: u32,
  pathId: u32,
  nextHop: NextHop | null,
  weight: u32,
  now: u32,
): Destination | null {
  const nextHopPtr = <u32>changetype<usize>(nextHop);
  const isTracked = table.network.tracksNextHops;
  if (nextHop != null) nextHop.retain();
  const set = internPlainSet(ORIGIN_INCOMPLETE, nextHopPtr, isTracked, nextHop == null, weight);
  if (nextHop != null) nextHop.release();
  if (set == null) {
    result.outOfMemoryCount++;
    return known;
  }
  let destination = known;
  let route: Route | null = null;
  if (known != null) route = known.find(peer.id, pathId);
  if (route != null && known != null) {
    renewRoute(route, peer, table, known, set, now);
    result.announcedCount++;
  } else {
    const inserted = insertRoute(peer, table, known, scratchKey, bits, pathId, set, now);
    if (inserted != null) {
      destination = inserted;
      result.announcedCount++;
    } else if (refusal == OVER_LIMIT) result.overLimitCount++;
    else result.outOfMemoryCount++;
  }
  set.release();
  return destination;
}

/** What the prefix had more of before. */
function removePathsFrom(peer: Peer, table: Table, destination: Destination, count: u32): void {
  for (let route = destination.head; route; ) {
    const next: Route | null = route.next;
    if (route.peer == peer.id && route.pathId >= count) {
      removeRoute(table, destination, route);
      result.withdrawnCount++;
    }
    route = next;
  }
}
