// Which row carries a route, and which routes a row stands for: for people, worked out when they ask.
//
// A route is carried by the longest row that covers it, when that has its label. When it has another one, or there is none, the
// route's space is put together of longer rows: it is carried in parts.
import {
  FIB_CARRIER_NONE,
  FIB_CARRIER_PARTS,
  FIB_STATE_ABSENT,
  FIB_STATE_INSTALLED,
} from '../../abi';
import { isCovered } from '../../lpm/key';
import { FibEntry } from '../entry';
import { Fib, stateOf } from '../fib';
import { aggregateOf } from './aggregate';
import { AggregateRoute, routeOf } from './aggregate-route';

/** Entries looked at to find the parts of a route. */
const MOST_PARTS: u32 = 64;
/** Routes looked at for one row: about 10 ms. */
const MOST_ROUTES: u32 = 65536;

/** The state of what carries a route, as FIB_STATE_* of abi.ts. */
export let carrierState: u32 = 0;

/** Length of the prefix of the entry that carries a route, or FIB_CARRIER_*. */
export function carrierOf(fib: Fib, family: u32, keyPtr: usize, bits: u32): u32 {
  carrierState = FIB_STATE_ABSENT;
  if (fib.aggregatePtr) {
    const route = aggregateOf(fib).find(family, keyPtr, bits);
    return route == null ? FIB_CARRIER_NONE : carrierOfLabel(fib, family, route);
  }
  const entry = fib.find(family, keyPtr, bits);
  if (entry == null) return FIB_CARRIER_NONE;
  carrierState = stateOf(fib, entry);
  return entry.desired ? bits : FIB_CARRIER_NONE;
}

function carrierOfLabel(fib: Fib, family: u32, route: AggregateRoute): u32 {
  if (!route.label) return FIB_CARRIER_NONE;
  const row = rowOver(fib, family, route.keyPtr, route.bits);
  if (row == null || row.desired != route.label) return partsOf(fib, family, route);
  carrierState = stateOf(fib, row);
  return row.bits;
}

/** The longest entry that should be in place and covers a prefix. */
function rowOver(fib: Fib, family: u32, keyPtr: usize, bits: u32): FibEntry | null {
  const trie = fib.trie(family);
  for (let record = trie.longestMatch(keyPtr, bits); record; ) {
    const entry = changetype<FibEntry>(<usize>record);
    if (entry.desired) return entry;
    if (!entry.bits) return null;
    record = trie.longestMatch(keyPtr, entry.bits - 1);
  }
  return null;
}

function partsOf(fib: Fib, family: u32, route: AggregateRoute): u32 {
  const trie = fib.trie(family);
  let record = trie.after(route.keyPtr, route.bits);
  let carrier: u32 = FIB_CARRIER_NONE;
  for (let count: u32 = 0; record && count < MOST_PARTS; count++) {
    const part = changetype<FibEntry>(<usize>record);
    if (part.bits <= route.bits || !isCovered(part.keyPtr, route.keyPtr, route.bits)) break;
    if (part.desired == route.label) {
      carrier = FIB_CARRIER_PARTS;
      // Of several the first that is not in place speaks for all.
      if (carrierState <= <u32>FIB_STATE_INSTALLED) carrierState = stateOf(fib, part);
    }
    record = trie.after(part.keyPtr, part.bits);
  }
  return carrier;
}

// ---- the routes of a row: firstRoute, nextRoute until null ----

let walkFib: Fib = changetype<Fib>(0);
let walkRow: FibEntry = changetype<FibEntry>(0);
let walkRecord: u32 = 0;
let lookCount: u32 = 0;

/** Whether there were too many routes to look at all of them. */
export let isCutShort: bool = false;

/** The first route that a row stands for; a covering one of which the row is a part comes before those inside. */
export function firstRoute(fib: Fib, row: FibEntry): AggregateRoute | null {
  walkFib = fib;
  walkRow = row;
  lookCount = 0;
  isCutShort = false;
  const trie = aggregateOf(fib).trie(row.family);
  walkRecord = trie.find(row.keyPtr, row.bits);
  if (walkRecord) return isCarriedByRow(routeOf(walkRecord)) ? routeOf(walkRecord) : nextRoute();
  walkRecord = trie.after(row.keyPtr, row.bits);
  const over = row.bits ? trie.longestMatch(row.keyPtr, row.bits - 1) : 0;
  if (over && routeOf(over).labelBelow == row.desired) {
    isBefore = true;
    return routeOf(over);
  }
  return seek();
}

/** walkRecord has not been looked at yet. */
let isBefore: bool = false;

export function nextRoute(): AggregateRoute | null {
  if (!isBefore) {
    const route = routeOf(walkRecord);
    walkRecord = aggregateOf(walkFib).trie(walkRow.family).after(route.keyPtr, route.bits);
  }
  isBefore = false;
  return seek();
}

/** From walkRecord on. */
function seek(): AggregateRoute | null {
  const trie = aggregateOf(walkFib).trie(walkRow.family);
  while (walkRecord) {
    const route = routeOf(walkRecord);
    if (route.bits < walkRow.bits || !isCovered(route.keyPtr, walkRow.keyPtr, walkRow.bits)) break;
    if (++lookCount > MOST_ROUTES) {
      isCutShort = true;
      break;
    }
    if (isCarriedByRow(route)) return route;
    walkRecord = trie.after(route.keyPtr, route.bits);
  }
  return null;
}

function isCarriedByRow(route: AggregateRoute): bool {
  if (!route.label || route.label != walkRow.desired) return false;
  return rowOver(walkFib, walkRow.family, route.keyPtr, route.bits) == walkRow;
}

/** Number of routes a row stands for; `isCutShort` says that there may be more. */
export function countRoutes(fib: Fib, row: FibEntry): u32 {
  let count: u32 = 0;
  for (let route = firstRoute(fib, row); route != null; route = nextRoute()) count++;
  return count;
}
