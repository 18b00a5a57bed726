// The order in which an aggregated FIB is drained: no address ever sees a third state between the old table and the new one.
//
// Rows of an aggregated table stand for each other, so a change is many rows, and half of it must not be wrong. Let E be what is
// in place and E' what should be. Sets first, the longest prefix first; then removals, the shortest first:
//
//   While setting, an address whose longest match is a row of E' has all longer rows of E' in place already, so that match is the
//   final one; any other address still has all of E, so its match is the old one. While removing, what a removal bares is a row of E',
//   for every shorter row that is only in E is gone already.
//
// It may stop anywhere: the order is that of what is pending now, batch after batch, whatever has changed meanwhile. Across the
// batches of one drain nothing else is assumed: a batch holds sets or removals, so a removal is never on its way before it is known that
// the sets it depends on are in place.
//
// Bad news (P6) jumps this queue where it stands alone (`standsAlone`): a set when no set under it is pending, a removal when nothing
// pending covers it and no set is pending under it. That is the usual case of one route that goes away; what does not stand alone
// takes its turn by length. The order of lengths is for correctness (P1), so it comes first.
//
// A refused set leaves a hole. What is in place under it stays: removals that it should cover wait until it is in, or no longer
// wanted (LIST_BLOCKED). A set that is refused at the prefix of somebody else's route leaves none. What must not be in place over a hole:
// holes.ts. A row that is withdrawn for that is one of the removals.
import { isCovered } from '../lpm/key';
import { aggregateOf } from './aggregate/aggregate';
import {
  FibEntry,
  LIST_BLOCKED,
  LIST_HELD,
  LIST_REFUSED,
  LIST_REMOVALS,
  LIST_SETS,
  LIST_URGENT,
  LIST_WITHHELD,
} from './entry';
import { Fib } from './fib';
import { coverOf, forgetHoles, isOfRoute, lookAtHoles, mustWait } from './holes';
import { LENGTHS, listByLength } from './length-lists';

/** More bad news than this is a change of the table, and takes its turn by length. */
const MOST_JUMPS: u32 = 1024;
/** Entries looked at under one before it is taken not to stand alone. */
const MOST_LOOKED_AT: u32 = 64;

/** Before a batch: removals that need no longer be held take their turn. */
export function beginDrain(fib: Fib): void {
  if (!fib.holdsRemovals) releaseHeld(fib);
  lookAtHoles(fib);
}

function releaseHeld(fib: Fib): void {
  const held = fib.list(LIST_HELD);
  for (let entry = held.first; entry != null; entry = held.first) {
    fib.moveTo(entry, LIST_REMOVALS);
  }
}

/** After the batch is made. */
export function endDrain(fib: Fib): void {
  forgetHoles(fib);
}

/** The next entry of a batch; null when it is complete. */
export function nextInOrder(fib: Fib): FibEntry | null {
  const urgent = nextUrgent(fib);
  if (urgent != null) return urgent;
  const set = longestSet(fib);
  if (set != null) return set;
  // Sets of this batch are not in place yet.
  return fib.batchHasSets ? null : shortestRemoval(fib);
}

function nextUrgent(fib: Fib): FibEntry | null {
  const urgents = fib.list(LIST_URGENT);
  const mayJump = urgents.count <= MOST_JUMPS;
  for (let entry = urgents.first; entry != null; entry = urgents.first) {
    if (mayJump && standsAlone(fib, entry)) return entry;
    fib.moveTo(entry, entry.desired ? LIST_SETS : LIST_REMOVALS);
  }
  return null;
}

function longestSet(fib: Fib): FibEntry | null {
  if (!fib.setCount) return null;
  for (let bits: i32 = LENGTHS - 1; bits >= 0; bits--) {
    const sets = listByLength(fib.orderPtr, LIST_SETS, bits);
    for (let entry = sets.first; entry != null; entry = sets.first) {
      if (!mustWait(fib, entry)) return entry;
      fib.moveTo(entry, entry.installed ? LIST_REMOVALS : LIST_WITHHELD);
    }
  }
  return null;
}

function shortestRemoval(fib: Fib): FibEntry | null {
  for (let bits: u32 = 0; bits < LENGTHS; bits++) {
    const removals = listByLength(fib.orderPtr, LIST_REMOVALS, bits);
    for (let entry = removals.first; entry != null; entry = removals.first) {
      if (!isBlocked(fib, entry)) return entry;
      fib.moveTo(entry, LIST_BLOCKED);
    }
  }
  return null;
}

/** Whether an entry is on its way or should be: what is in place for it is not what is desired. */
function isUnsettled(entry: FibEntry): bool {
  return entry.desired != entry.installed || entry.isWithdrawn;
}

function standsAlone(fib: Fib, entry: FibEntry): bool {
  if (!entry.desired && hasUnsettledCover(fib, entry)) return false;
  return !hasUnsettledSetUnder(fib, entry);
}

function hasUnsettledCover(fib: Fib, entry: FibEntry): bool {
  for (let bits = entry.bits; bits > 0; ) {
    const cover = coverOf(fib, entry, bits - 1);
    if (cover == null) return false;
    if (isUnsettled(cover)) return true;
    bits = cover.bits;
  }
  return false;
}

function hasUnsettledSetUnder(fib: Fib, entry: FibEntry): bool {
  const trie = fib.trie(entry.family);
  let record = trie.after(entry.keyPtr, entry.bits);
  for (let count: u32 = 0; record; count++) {
    const under = changetype<FibEntry>(<usize>record);
    if (!isCovered(under.keyPtr, entry.keyPtr, entry.bits) || under.bits <= entry.bits)
      return false;
    if (count == MOST_LOOKED_AT || (under.desired && isUnsettled(under))) return true;
    record = trie.after(under.keyPtr, under.bits);
  }
  return false;
}

/** Whether an entry that is refused or waits should cover what a removal would bare, and the row to remove is right until then. */
function isBlocked(fib: Fib, entry: FibEntry): bool {
  if (!fib.hasHoles || entry.desired || !isOfRoute(fib, entry, entry.installed)) return false;
  for (let bits = entry.bits; bits > 0; ) {
    const cover = coverOf(fib, entry, bits - 1);
    if (cover == null) return false;
    const isMissing = cover.list == LIST_REFUSED || cover.list == LIST_WITHHELD;
    if (isMissing && !isAtBarrier(fib, cover)) {
      cover.setBlocksRemovals(true);
      return true;
    }
    // What is in place here is what the removal bares.
    if (cover.desired && !isUnsettled(cover)) return false;
    bits = cover.bits;
  }
  return false;
}

function isAtBarrier(fib: Fib, entry: FibEntry): bool {
  const route = aggregateOf(fib).find(entry.family, entry.keyPtr, entry.bits);
  return route != null && route.isBarrier;
}
