// Work on whole tables, done in slices: sweeps of stale routes, decisions after a next hop or an option changed, filling a FIB.
//
// A table has one walk, whatever it is wanted for. Everything that can change for many routes at once (a next hop, a peer, a
// network, a FIB) carries the generation in which it last did, its mark; generations only rise. A pass of the walk goes over
// all destinations in order and acts on those that touch something whose mark is newer than `walkSince`. A change during a pass
// takes effect in the rest of it at once, and another pass follows for the part that was already behind.
//
// The walk keeps a key, not a pointer: the table may change in any way between two slices (lpm/trie.ts, `after`).
import { FAMILY_COUNT } from '../abi';
import { keySize } from '../lpm/key';
import { dropDestination, reapplyPolicy, removeDestination, removeRoute } from './adj-rib-in';
import { Destination, IMPORTERS_AWAIT_WALK, IMPORTERS_DECIDE } from './destination';
import { tellChangedImporters, tellImporters } from './imports';
import { decideDestination, tellFibs } from './loc-rib';
import { Network, networkById, networkIdLimit } from './network';
import { knownPeer, Peer, peerById, peerIdLimit } from './peer';
import { Route } from './route';
import { Table } from './table';

/** A destination that is only looked at costs a quarter of the unit of work; one that is decided, four of them. */
const COST_OF_LOOK: i32 = 1;
const COST_OF_DECISION: i32 = 16;
export const COST_PER_UNIT: i32 = 4;

let generation: u32 = 0;

/** A new generation, to mark what changed now. */
export function nextGeneration(): u32 {
  return ++generation;
}

/** Something marked with `mark` concerns this table. */
export function requestWalk(table: Table, mark: u32): void {
  if (table.isWalking) {
    table.walkAgain = true;
    return;
  }
  beginPass(table, mark - 1, mark);
}

export function requestWalks(network: Network, mark: u32): void {
  for (let family = 0; family < FAMILY_COUNT; family++) {
    requestWalk(network.table(family), mark);
  }
}

/** Removes what a peer has not announced in its current epoch. */
export function requestSweep(peer: Peer, table: Table): void {
  const counters = peer.family(table.family);
  const mark = nextGeneration();
  counters.requestSweep(mark);
  if (counters.received) requestWalk(table, mark);
  else counters.endSweep();
}

/** Goes on with walks for `budget` (in COST_*); what is left of it. */
export function workOnTables(budget: i32): i32 {
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network == null) continue;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      const table = network.table(family);
      while (table.isWalking && budget > 0) budget = walk(table, budget);
      if (budget <= 0) return 0;
    }
  }
  return budget;
}

export function hasTableWork(): bool {
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network == null) continue;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      if (network.table(family).isWalking) return true;
    }
  }
  return false;
}

function beginPass(table: Table, since: u32, start: u32): void {
  table.isWalking = true;
  table.walkAgain = false;
  table.walkSince = since;
  table.walkStart = start;
  table.walkBits = -1;
}

function walk(table: Table, budget: i32): i32 {
  while (budget > 0) {
    const destination =
      table.walkBits < 0 ? table.first() : table.after(table.walkKeyPtr, table.walkBits);
    if (destination == null) {
      endPass(table);
      return budget - COST_OF_LOOK;
    }
    table.walkBits = destination.bits;
    memory.copy(table.walkKeyPtr, destination.keyPtr, keySize(destination.bits));
    budget -= visit(table, destination) ? COST_OF_DECISION : COST_OF_LOOK;
  }
  return budget;
}

function endPass(table: Table): void {
  endSweeps(table);
  table.isWalking = false;
  if (table.walkAgain) beginPass(table, table.walkStart, generation);
}

function endSweeps(table: Table): void {
  for (let id: u32 = 0; id < peerIdLimit(); id++) {
    const peer = peerById(id);
    if (peer == null || peer.network != table.network.id) continue;
    const counters = peer.family(table.family);
    if (counters.sweepMark && counters.sweepMark <= table.walkStart) counters.endSweep();
  }
}

/** True when the destination was decided anew. */
function visit(table: Table, destination: Destination): bool {
  const network = table.network;
  const since = table.walkSince;
  let isTouched = network.mark > since;
  if (isTouched) destination.setInOwnSubnet(table.ownSubnets.has(destination));
  if (!destination.head) {
    // It waits for its importers to be told, by a queue or by this walk.
    if (destination.flags & IMPORTERS_AWAIT_WALK) tellImporters(table, destination);
    else dropDestination(table, destination);
    return true;
  }
  for (let route = destination.head; route; ) {
    const next: Route | null = route.next;
    const peer = knownPeer(route.peer);
    if (peer.family(table.family).isSwept(route.epoch)) {
      removeRoute(table, destination, route);
      isTouched = true;
    } else if (peer.mark > since || network.mark > since) {
      reapplyPolicy(route, table, destination);
      isTouched = true;
    } else if (hasChangedNextHop(network, route, since)) {
      isTouched = true;
    }
    route = next;
  }
  if (!destination.head) {
    removeDestination(table, destination);
    return true;
  }
  if (isTouched) decide(table, destination);
  tellFibs(table, destination, since + 1);
  tellChangedImporters(table, destination, since + 1);
  if (destination.flags & IMPORTERS_AWAIT_WALK) tellImporters(table, destination);
  return isTouched;
}

/** What the decision looks at changed: that is so for copies of the routes, too. */
function decide(table: Table, destination: Destination): void {
  if (table.network.firstImporter) destination.flags |= IMPORTERS_DECIDE;
  decideDestination(table, destination);
}

function hasChangedNextHop(network: Network, route: Route, since: u32): bool {
  if (network.nextHopMark <= since) return false;
  const nextHop = route.attributes.nextHop;
  return nextHop != null && nextHop.mark > since;
}
