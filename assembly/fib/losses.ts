// What would be lost if left-over entries went: those whose removal leaves addresses without a route that had one.
//
// An entry left over from an earlier life may stand for routes that are all still there, in other entries: of an aggregated table, or of one that
// was. It is no loss when a route is at its prefix or inside it, or when the route that covers it leads where the entry does.
import { PAGE_CURSOR } from '../abi';
import { isCovered, keySize } from '../lpm/key';
import { Trie } from '../lpm/trie';
import { inputPtr } from '../memory/buffers';
import { result } from '../result';
import { aggregateOf } from './aggregate/aggregate';
import { AggregateRoute } from './aggregate/aggregate-route';
import { FibEntry, LIST_HELD } from './entry';
import { Fib } from './fib';

/** Barriers and left-over entries looked past before something inside is taken to be a route. */
const MOST_LOOKED_AT: u32 = 64;

/** Losses among up to `budget` entries from the cursor on. */
export function countLosses(fib: Fib, family: u32, cursorBits: i32, budget: u32): u32 {
  const cursorKey = inputPtr + PAGE_CURSOR;
  const trie = fib.trie(family);
  let record = cursorBits < 0 ? trie.first() : trie.after(cursorKey, cursorBits);
  let count: u32 = 0;
  result.nextBits = -1;
  for (let seen: u32 = 0; record; seen++) {
    const entry = changetype<FibEntry>(<usize>record);
    if (entry.list == LIST_HELD && isLoss(fib, family, entry)) count++;
    record = trie.after(entry.keyPtr, entry.bits);
    if (seen + 1 < budget || !record) continue;
    memory.copy(cursorKey, entry.keyPtr, keySize(entry.bits));
    result.nextBits = entry.bits;
    break;
  }
  return count;
}

function isLoss(fib: Fib, family: u32, entry: FibEntry): bool {
  const routes = fib.aggregatePtr ? aggregateOf(fib).trie(family) : fib.trie(family);
  if (labelOf(fib, routes.find(entry.keyPtr, entry.bits))) return false;
  return (
    !hasRouteInside(fib, routes, entry) && coveringLabel(fib, routes, entry) != entry.installed
  );
}

function hasRouteInside(fib: Fib, routes: Trie, entry: FibEntry): bool {
  let record = routes.after(entry.keyPtr, entry.bits);
  for (
    let count: u32 = 0;
    record && isCovered(keyOf(fib, record), entry.keyPtr, entry.bits);
    count++
  ) {
    if (labelOf(fib, record) || count == MOST_LOOKED_AT) return true;
    record = routes.after(keyOf(fib, record), bitsOf(fib, record));
  }
  return false;
}

/** 0 for none. */
function coveringLabel(fib: Fib, routes: Trie, entry: FibEntry): u32 {
  for (let bits: u32 = entry.bits; bits > 0; ) {
    const record = routes.longestMatch(entry.keyPtr, bits - 1);
    if (!record) return 0;
    if (labelOf(fib, record)) return labelOf(fib, record);
    bits = bitsOf(fib, record);
  }
  return 0;
}

// Where the FIB is aggregated, the routes are the aggregation's; else its own entries are.

function labelOf(fib: Fib, record: u32): u32 {
  if (!record) return 0;
  return fib.aggregatePtr
    ? changetype<AggregateRoute>(<usize>record).label
    : changetype<FibEntry>(<usize>record).desired;
}

function keyOf(fib: Fib, record: u32): usize {
  return fib.aggregatePtr
    ? changetype<AggregateRoute>(<usize>record).keyPtr
    : changetype<FibEntry>(<usize>record).keyPtr;
}

function bitsOf(fib: Fib, record: u32): u32 {
  return fib.aggregatePtr
    ? changetype<AggregateRoute>(<usize>record).bits
    : changetype<FibEntry>(<usize>record).bits;
}
