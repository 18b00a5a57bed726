// Holes: entries that the target refused, and the rows of an aggregated table that must not be in place over them.
//
// Without aggregation an address whose route is refused goes by the next shorter route that covers it, or nowhere: what is in place is a
// part of the routes. An aggregated row may have a label that no route of its space has, because longer rows except what
// it would get wrong. So, of an aggregated table:
//
//   A row over a hole is in place only when its label is that of the route that covers it (`isOfRoute`). Otherwise it waits (LIST_WITHHELD) until
//   there is no hole under it, and goes when it is in place: as a removal (order.ts), though it is desired.
//
//   A removal that waits for a refused cover (LIST_BLOCKED) waits only while its row is right: while its label is that of the route that covers it.
//
// So whatever is refused, an address goes by what a route that covers it says, or nowhere; and by the very route that decides where
// no row that it needs is refused. Space that a withheld row stood for has no row until there is room: a target should have room for its table.
//
// Looked at before each batch (`lookAtHoles`), and only where something was refused: then each hole costs a look-up per row that
// covers it, about 0.1 µs each. A hole below a route of others is theirs, and nobody's concern above it.
import { aggregateOf } from './aggregate/aggregate';
import { routeOf } from './aggregate/aggregate-route';
import {
  FibEntry,
  LIST_BLOCKED,
  LIST_NONE,
  LIST_REFUSED,
  LIST_REMOVALS,
  LIST_WITHHELD,
} from './entry';
import { Fib } from './fib';
import { LENGTHS, listByLength } from './length-lists';

/** Before a batch: rows that lie over a hole are marked, and what that means for those in place or waiting is done. */
export function lookAtHoles(fib: Fib): void {
  if (fib.hasHoles && !fib.holdsRemovals) {
    markAll(fib, true);
    admitWithheld(fib);
    keepWithdrawn(fib);
    letWrongOnesGo(fib);
  }
  fib.holesChanged = false;
}

/** After a batch is made. */
export function forgetHoles(fib: Fib): void {
  if (fib.hasHoles && !fib.holdsRemovals) markAll(fib, false);
}

/** Of a desired row: whether it must not be in place now. */
export function mustWait(fib: Fib, entry: FibEntry): bool {
  return entry.isOverHole && !isOfRoute(fib, entry, entry.desired);
}

/** Whether a label is what the longest route that covers an entry's prefix says: then it is never wrong there. */
export function isOfRoute(fib: Fib, entry: FibEntry, label: u32): bool {
  const aggregate = aggregateOf(fib);
  // To drop is to have no route.
  if (label == aggregate.discard) return true;
  const record = aggregate.trie(entry.family).longestMatch(entry.keyPtr, entry.bits);
  if (!record) return false;
  const route = routeOf(record);
  if (route.bits == entry.bits && route.label) return route.label == label;
  return route.labelBelow == label;
}

/** The longest entry of at most `bits` bits that covers another. */
export function coverOf(fib: Fib, entry: FibEntry, bits: u32): FibEntry | null {
  return changetype<FibEntry | null>(
    <usize>fib.trie(entry.family).longestMatch(entry.keyPtr, bits),
  );
}

function markAll(fib: Fib, on: bool): void {
  let entry = fib.list(LIST_REFUSED).first;
  while (entry != null) {
    if (entry.desired && !entry.installed) markCovers(fib, entry, on);
    entry = entry.next;
  }
}

/** What has its mark already has those of its covers too. */
function markCovers(fib: Fib, hole: FibEntry, on: bool): void {
  const shortest = lengthOfBarrier(fib, hole);
  for (let bits = <i32>hole.bits - 1; bits >= shortest; ) {
    const cover = coverOf(fib, hole, bits);
    if (cover == null || <i32>cover.bits < shortest || cover.isOverHole == on) return;
    cover.setOverHole(on);
    if (on && isInPlace(cover) && mustWait(fib, cover)) fib.moveTo(cover, LIST_REMOVALS);
    bits = <i32>cover.bits - 1;
  }
}

/** Covers shorter than this are hidden by a route of others; longer than the hole itself where that is theirs. */
function lengthOfBarrier(fib: Fib, hole: FibEntry): i32 {
  const record = aggregateOf(fib).barriers(hole.family).longestMatch(hole.keyPtr, hole.bits);
  if (!record) return 0;
  const barrier = routeOf(record);
  const isShared = barrier.yields && barrier.bits < hole.bits;
  return isShared ? barrier.bits : <i32>barrier.bits + 1;
}

/** In place, and nothing else is on its way. */
function isInPlace(entry: FibEntry): bool {
  if (!entry.desired || !entry.installed) return false;
  return entry.list == LIST_NONE || entry.list == LIST_REFUSED;
}

function admitWithheld(fib: Fib): void {
  let entry = fib.list(LIST_WITHHELD).first;
  while (entry != null) {
    const next = entry.next;
    if (!mustWait(fib, entry)) fib.settle(entry);
    entry = next;
  }
}

/** Rows that were to be withdrawn, and need not be. */
function keepWithdrawn(fib: Fib): void {
  for (let bits: u32 = 0; bits < LENGTHS; bits++) {
    let entry = listByLength(fib.orderPtr, LIST_REMOVALS, bits).first;
    while (entry != null) {
      const next = entry.next;
      if (entry.desired && !mustWait(fib, entry)) fib.settle(entry);
      entry = next;
    }
  }
}

function letWrongOnesGo(fib: Fib): void {
  let entry = fib.list(LIST_BLOCKED).first;
  while (entry != null) {
    const next = entry.next;
    if (!isOfRoute(fib, entry, entry.installed)) fib.moveTo(entry, LIST_REMOVALS);
    entry = next;
  }
}
