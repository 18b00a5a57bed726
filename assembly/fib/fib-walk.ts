// Work of FIBs that is done in slices: after a snapshot, what it did not name; after a removal, the entries left over.
import { FAMILY_COUNT } from '../abi';
import { keySize } from '../lpm/key';
import { releaseSet } from '../nexthop/next-hop-set';
import { aggregateOf, FAMILIES } from './aggregate/aggregate';
import { pruneBarriers } from './aggregate/barriers';
import { canSettle, isWorthSettling, settle } from './aggregate/settle';
import { FibEntry, LIST_REFUSED } from './entry';
import { Fib, fibById, fibIdLimit, firstRemovedFib, freeFirstRemovedFib } from './fib';

export function beginSnapshotOf(fib: Fib): void {
  fib.parity = !fib.parity;
  fib.isInSnapshot = true;
  fib.lacksBarriers = false;
  fib.isPruning = false;
}

export function endSnapshotOf(fib: Fib): void {
  if (!fib.isInSnapshot) return;
  fib.isInSnapshot = false;
  fib.isPruning = true;
  fib.pruneFamily = 0;
  fib.pruneBits = -1;
}

/** Does up to `budget` entries of work; what is left of the budget. */
export function workOnFibs(budget: i32): i32 {
  for (let id: u32 = 0; id < fibIdLimit() && budget > 0; id++) {
    const fib = fibById(id);
    if (fib == null) continue;
    if (fib.isPruning) budget = prune(fib, budget);
    if (budget <= 0) return 0;
    const aggregate = aggregateOf(fib);
    if (hasUnsettled(fib) && isWorthSettling(aggregate)) budget = settle(aggregate, budget);
  }
  return freeRemoved(budget);
}

export function hasFibWork(): bool {
  if (firstRemovedFib) return true;
  for (let id: u32 = 0; id < fibIdLimit(); id++) {
    const fib = fibById(id);
    if (fib != null && (fib.isPruning || hasUnsettled(fib))) return true;
  }
  return false;
}

/** Routes have changed and rows have not followed yet; one that lacks memory waits without work. */
function hasUnsettled(fib: Fib): bool {
  return fib.isUnsettled && canSettle(aggregateOf(fib));
}

/** What the snapshot did not name is not there: entries of each family, then others' routes. */
function prune(fib: Fib, budget: i32): i32 {
  while (fib.isPruning && budget > 0) {
    const isOfOthers = fib.pruneFamily >= <u8>FAMILY_COUNT;
    budget = isOfOthers ? pruneBarriers(fib, budget) : pruneEntries(fib, budget);
    if (budget <= 0) break;
    fib.pruneFamily++;
    fib.pruneBits = -1;
    if (fib.pruneFamily < <u8>(FAMILY_COUNT + FAMILIES)) continue;
    fib.isPruning = false;
    fib.awaitsSnapshot = false;
    fib.holesChanged = true;
    if (fib.installedCount && fib.aggregatePtr) aggregateOf(fib).reconsider();
  }
  return budget;
}

/** A budget that is left says that the family is done. */
function pruneEntries(fib: Fib, budget: i32): i32 {
  for (; budget > 0; budget--) {
    const entry = nextToPrune(fib);
    if (entry == null) return budget;
    memory.copy(fib.pruneKeyPtr, entry.keyPtr, keySize(entry.bits));
    fib.pruneBits = <i16>entry.bits;
    if (entry.isSeen(fib.parity) || entry.isInFlight || !entry.installed) continue;
    fib.setInstalled(entry, 0);
    if (entry.list != LIST_REFUSED || !entry.desired) fib.settle(entry);
  }
  return budget;
}

function nextToPrune(fib: Fib): FibEntry | null {
  const trie = fib.trie(fib.pruneFamily);
  const next = fib.pruneBits < 0 ? trie.first() : trie.after(fib.pruneKeyPtr, fib.pruneBits);
  return changetype<FibEntry | null>(<usize>next);
}

function freeRemoved(budget: i32): i32 {
  while (budget > 0) {
    const fib = firstRemovedFib;
    if (!fib) break;
    budget = freeEntries(fib, budget);
    if (budget > 0) freeFirstRemovedFib();
  }
  return budget;
}

function freeEntries(fib: Fib, budget: i32): i32 {
  if (fib.aggregatePtr) {
    budget = aggregateOf(fib).freeRoutes(budget);
    if (budget <= 0) return 0;
    aggregateOf(fib).free();
    fib.aggregatePtr = 0;
  }
  for (let family = 0; family < FAMILY_COUNT; family++) {
    const trie = fib.trie(family);
    while (trie.count) {
      if (budget-- <= 0) return 0;
      const entry = changetype<FibEntry>(<usize>trie.first());
      trie.remove(entry.keyPtr, entry.bits);
      releaseSet(entry.desired);
      releaseSet(entry.installed);
      entry.free();
    }
  }
  return budget;
}
