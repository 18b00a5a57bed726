// Loc-RIB: carries out a decision. Flags the routes of a destination, gives it its label and tells the FIBs.
import { FAMILY_L2VPN_EVPN, SET_KIND_DISCARD, SET_KIND_FORWARD } from '../abi';
import { setRoute } from '../fib/fib-route';
import { NextHop } from '../nexthop/next-hop';
import {
  addMember,
  beginSet,
  dropIfUnused,
  internSet,
  releaseSet,
  retainSet,
  setById,
  singleSet,
} from '../nexthop/next-hop-set';
import { compareTieBreak, findBest, ineligibility, isEqualCost, strikeOutByMed } from './best-path';
import { Destination } from './destination';
import { noteForImporters } from './import-queue';
import { isImported } from './imported';
import { Network } from './network';
import { knownPeer } from './peer';
import { mustWait } from './restless';
import { ROUTE_BEST, ROUTE_DECIDED, ROUTE_ELIGIBLE, ROUTE_MULTIPATH, Route } from './route';
import { noteStarvation } from './starvation';
import { Table } from './table';

/** Upper bound of Network.maximumPaths. */
export const MAXIMUM_PATHS: u32 = 16;

/** Chosen routes with distinct next hops, best first. */
const shares: usize = memory.data(4 * 17, 4);
let shareCount: u32 = 0;

/** Chooses anew among the routes of a destination that has at least one; the importers of the network will be told. */
export function decideDestination(table: Table, destination: Destination): void {
  if (!destination.head) return;
  const label = choose(table, destination);
  if (table.network.firstImporter) noteForImporters(table, destination, label);
  setLabel(table, destination, label);
}

/** The same after a change of copies alone, which is nobody else's business. */
export function decideCopies(table: Table, destination: Destination): void {
  setLabel(table, destination, choose(table, destination));
}

/**
 * Flags the routes that importers copy: what would be chosen without the copies that the destination has itself. So nothing that
 * was imported decides what is imported from here, and networks that import from each other end in one state, whatever came first.
 */
export function chooseForOthers(table: Table, destination: Destination): void {
  const network = table.network;
  const best = decideAmongSeveral(table, destination, false);
  if (best != null) dropIfUnused(labelOf(table, destination, best, network));
  for (let route = destination.head; route; route = route.next) route.setForOthers(route.isChosen);
  decideCopies(table, destination);
}

/** The label of a destination with at least one route, which are flagged. */
function choose(table: Table, destination: Destination): u32 {
  const head = destination.head;
  let best: Route | null = null;
  if (!head.next) {
    // The usual case: one route, nothing to compare.
    const eligible = ineligibility(head, destination) == 0;
    setFlags(head, table.family, eligible ? ROUTE_ELIGIBLE | ROUTE_BEST : 0);
    if (eligible) best = head;
  } else {
    best = decideAmongSeveral(table, destination, true);
  }
  return best == null ? 0 : labelOf(table, destination, best, table.network);
}

/** Changes what a destination forwards to, here and in every FIB of the network. */
export function setLabel(table: Table, destination: Destination, label: u32): void {
  if (destination.label == label) return;
  retainSet(label);
  const before = destination.label;
  destination.label = label;
  const waits =
    table.network.hasPatientFib &&
    mustWait(table, destination.keyPtr, destination.bits, before, label);
  tellFibs(table, destination, 0, waits);
  releaseSet(before);
}

/** Hands a label to the FIBs whose mark is `since` or later (all of them with 0), but not to patient ones when it waits. */
export function tellFibs(
  table: Table,
  destination: Destination,
  since: u32,
  waits: bool = false,
): void {
  for (let fib = table.network.firstFib; fib; fib = fib.nextOfNetwork) {
    if (fib.mark < since || (waits && fib.isPatient)) continue;
    const keyPtr = destination.keyPtr;
    if (!setRoute(fib, table.family, keyPtr, destination.bits, destination.label)) noteStarvation();
  }
}

/** Sets the decision's flags of a route and keeps its peer's counters. */
export function setFlags(route: Route, family: u32, flags: u8): void {
  const before = route.flags & ROUTE_DECIDED;
  if (before == flags) return;
  const counters = knownPeer(route.peer).family(family);
  counters.accepted += isEligible(flags) - isEligible(before);
  counters.best += isChosen(flags) - isChosen(before);
  route.flags = (route.flags & ~ROUTE_DECIDED) | flags;
}

function isEligible(flags: u8): u32 {
  return (flags & ROUTE_ELIGIBLE) != 0 ? 1 : 0;
}

function isChosen(flags: u8): u32 {
  return (flags & (ROUTE_BEST | ROUTE_MULTIPATH)) != 0 ? 1 : 0;
}

function decideAmongSeveral(
  table: Table,
  destination: Destination,
  takesCopies: bool,
): Route | null {
  for (let route = destination.head; route; route = route.next) {
    const takesPart = (takesCopies || !isImported(route)) && ineligibility(route, destination) == 0;
    setFlags(route, table.family, takesPart ? ROUTE_ELIGIBLE : 0);
  }
  strikeOutByMed(destination, table.network);
  const best = findBest(destination, null, table.network);
  if (best == null) return null;
  setFlags(best, table.family, ROUTE_ELIGIBLE | ROUTE_BEST);
  destination.moveToFront(best);
  return best;
}

function labelOf(table: Table, destination: Destination, best: Route, network: Network): u32 {
  // EVPN routes are read by the networks that import them; nothing forwards by their keys.
  if (table.family == FAMILY_L2VPN_EVPN) return 0;
  const nextHop = best.attributes.nextHop;
  let label: u32 = 0;
  if (nextHop != null) {
    label =
      network.maximumPaths > 1 && best.next
        ? shareLoad(table, destination, best, network)
        : singleSet(nextHop.place);
  } else if (best.attributes.isDiscard) {
    beginSet();
    label = internSet(SET_KIND_DISCARD);
  } else {
    return 0;
  }
  if (!label) noteStarvation();
  return label;
}

/** The set of the best path and its equals; flags them. */
function shareLoad(table: Table, destination: Destination, best: Route, network: Network): u32 {
  shareCount = 0;
  for (let route = destination.head; route; route = route.next) {
    if (isEqualCost(route, best, network)) addShare(route, network.maximumPaths);
  }
  beginSet();
  const unit = unitOfWeights();
  for (let i: u32 = 0; i < shareCount; i++) {
    const share = shareAt(i);
    addMember(placeOf(share), share.attributes.shareWeight / unit);
  }
  const label = internSet(SET_KIND_FORWARD);
  if (!label) return 0;
  for (let route = best.next; route; route = route.next) {
    if (!isEqualCost(route, best, network)) continue;
    if (setById(label).has(placeOf(route))) {
      setFlags(route, table.family, ROUTE_ELIGIBLE | ROUTE_MULTIPATH);
    }
  }
  return label;
}

/** What divides the weights of all shares: 4 and 2 forward as 2 and 1 do, and one alone has no weight. */
function unitOfWeights(): u32 {
  let unit: u32 = 0;
  for (let i: u32 = 0; i < shareCount; i++) {
    let weight = shareAt(i).attributes.shareWeight;
    while (weight) {
      const rest = unit % weight;
      unit = weight;
      weight = rest;
    }
  }
  return unit;
}

/** Keeps the `limit` best shares with distinct next hops, by steps 10–13, whatever order they come in. */
function addShare(route: Route, limit: u32): void {
  for (let i: u32 = 0; i < shareCount; i++) {
    const share = shareAt(i);
    if (placeOf(share) != placeOf(route)) continue;
    if (compareTieBreak(share, route) > 0) return;
    memory.copy(shares + (i << 2), shares + (i << 2) + 4, (shareCount - i - 1) << 2);
    shareCount--;
    break;
  }
  let place = shareCount;
  while (place > 0 && compareTieBreak(route, shareAt(place - 1)) > 0) place--;
  if (place == limit) return;
  memory.copy(shares + (place << 2) + 4, shares + (place << 2), (shareCount - place) << 2);
  store<u32>(shares + (place << 2), <u32>changetype<usize>(route));
  shareCount = min(shareCount + 1, limit);
}

function shareAt(index: u32): Route {
  return changetype<Route>(<usize>load<u32>(shares + (index << 2)));
}

/** Of a route that has a next hop: local routes never share. */
function placeOf(route: Route): NextHop {
  return changetype<NextHop>(<usize>route.attributes.nextHopPtr).place;
}
