// Batches: the changes a FIB hands to its sink, and what becomes of them when the answer comes.
import {
  FIB_CHANGE_ADDRESS,
  FIB_CHANGE_BITS,
  FIB_CHANGE_FAMILY,
  FIB_CHANGE_FLAG_URGENT,
  FIB_CHANGE_FLAGS,
  FIB_CHANGE_NEW_SET,
  FIB_CHANGE_OLD_SET,
  FIB_CHANGE_SIZE,
} from '../abi';
import { keySize } from '../lpm/key';
import { allocateReserved, free } from '../memory/arena';
import { outputEnd, outputPtr } from '../memory/buffers';
import { beginPage, collectSet, defineSet, releaseSet, retainSet } from '../nexthop/next-hop-set';
import { FibEntry, LIST_HELD, LIST_NONE, LIST_NORMAL, LIST_REFUSED, LIST_URGENT } from './entry';
import { Fib } from './fib';
import { beginDrain, endDrain, nextInOrder } from './order';

/** Low bits of a batch record's set: sets are 4-byte aligned. */
const FAILED: u32 = 1;
const WITHDRAWN: u32 = 2;
/** Room two more set definitions may need: one batch record names at most two. */
const DEFINITIONS_SLACK: u32 = 2 * 2048;

// BatchRecord, 8 bytes: what was in flight for which entry
//   0       4              8
//   | entry | set, bit 0 F, bit 1 W |
//
// F failed, W a row that is desired and goes (holes.ts)
@unmanaged
class BatchRecord {
  entry: u32 = 0;
  set: u32 = 0;
}

function recordAt(fib: Fib, index: u32): BatchRecord {
  return changetype<BatchRecord>(fib.batchPtr + (index << 3));
}

/**
 * Takes up to `limit` changes: the records go to the output buffer, the definitions of the sets they name behind them. The
 * address after the last byte; fib.batchCount is the number of records.
 */
export function drainFib(fib: Fib, limit: u32): usize {
  if (!fib.isPending) return outputPtr;
  if (fib.orderPtr) beginDrain(fib);
  const toPtr = makeBatch(fib, limit);
  if (fib.orderPtr) endDrain(fib);
  return toPtr;
}

function makeBatch(fib: Fib, limit: u32): usize {
  if (!reserveBatch(fib, min(limit, fib.drainableCount))) return outputPtr;
  beginPage();
  let toPtr = outputPtr;
  let definitionsSize: u32 = 0;
  let entry = nextToDrain(fib);
  while (entry != null && fib.batchCount < fib.batchCapacity) {
    if (toPtr + FIB_CHANGE_SIZE + definitionsSize + DEFINITIONS_SLACK > outputEnd) break;
    writeChange(toPtr, entry);
    toPtr += FIB_CHANGE_SIZE;
    definitionsSize += collectSet(entry.installed) + collectSet(entry.desired);
    putInFlight(fib, entry);
    entry = nextToDrain(fib);
  }
  // Everything was blocked (order.ts).
  if (!fib.batchCount) endBatch(fib);
  return writeDefinitions(fib, toPtr);
}

/** The answer: the batch is in place, but for the records marked with failRecord. */
export function acknowledgeBatch(fib: Fib): void {
  for (let index: u32 = 0; index < fib.batchCount; index++) {
    const record = recordAt(fib, index);
    const entry = changetype<FibEntry>(<usize>record.entry);
    const isFailed = (record.set & FAILED) != 0 || entry.wasRefused;
    const set = setOf(record);
    if (!isFailed && !entry.wasObserved) {
      fib.setInstalled(entry, set);
      entry.setSeen(fib.parity);
    }
    entry.endFlight();
    if (isFailed && (record.set & WITHDRAWN) != 0) {
      failWithdrawal(fib, entry);
    } else if (isFailed && entry.desired == set && entry.desired != entry.installed) {
      fib.moveTo(entry, LIST_REFUSED);
    } else {
      fib.settle(entry);
    }
    releaseSet(set);
  }
  endBatch(fib);
}

/** It stays in place, and is tried again with the next batch or when the target says so: not at once. */
function failWithdrawal(fib: Fib, entry: FibEntry): void {
  const holesChanged = fib.holesChanged;
  if (entry.desired == entry.installed) fib.settle(entry);
  else fib.moveTo(entry, LIST_REFUSED);
  fib.holesChanged = holesChanged;
}

function setOf(record: BatchRecord): u32 {
  return record.set & ~(FAILED | WITHDRAWN);
}

/** Notes that a record of the batch in flight was refused. */
export function failRecord(fib: Fib, index: u32): void {
  if (index < fib.batchCount) recordAt(fib, index).set |= FAILED;
}

/** There will be no answer: a snapshot decides what of the batch is in place. */
export function forgetBatch(fib: Fib): void {
  for (let index: u32 = 0; index < fib.batchCount; index++) {
    const record = recordAt(fib, index);
    const entry = changetype<FibEntry>(<usize>record.entry);
    entry.endFlight();
    fib.settle(entry);
    releaseSet(setOf(record));
  }
  if (fib.batchCount) fib.awaitsSnapshot = true;
  endBatch(fib);
}

function nextToDrain(fib: Fib): FibEntry | null {
  if (fib.orderPtr) return nextInOrder(fib);
  const urgent = fib.list(LIST_URGENT).first;
  if (urgent != null) return urgent;
  const held = fib.list(LIST_HELD).first;
  if (held != null && !fib.holdsRemovals) return held;
  return fib.list(LIST_NORMAL).first;
}

function writeChange(toPtr: usize, entry: FibEntry): void {
  memory.fill(toPtr, 0, FIB_CHANGE_SIZE);
  const isUrgent = entry.list == LIST_URGENT || entry.list == LIST_HELD;
  store<u8>(toPtr, <u8>entry.family, FIB_CHANGE_FAMILY);
  store<u8>(toPtr, <u8>entry.bits, FIB_CHANGE_BITS);
  store<u8>(toPtr, isUrgent ? FIB_CHANGE_FLAG_URGENT : 0, FIB_CHANGE_FLAGS);
  store<u32>(toPtr, entry.installed, FIB_CHANGE_OLD_SET);
  store<u32>(toPtr, wantedSet(entry), FIB_CHANGE_NEW_SET);
  memory.copy(toPtr + FIB_CHANGE_ADDRESS, entry.keyPtr, keySize(entry.bits));
}

/** What the target is asked to have. */
function wantedSet(entry: FibEntry): u32 {
  return entry.isWithdrawn ? 0 : entry.desired;
}

function putInFlight(fib: Fib, entry: FibEntry): void {
  const set = wantedSet(entry);
  if (set) fib.batchHasSets = true;
  const record = recordAt(fib, fib.batchCount++);
  record.entry = <u32>changetype<usize>(entry);
  record.set = entry.isWithdrawn ? WITHDRAWN : set;
  retainSet(set);
  fib.moveTo(entry, LIST_NONE);
  entry.beginFlight();
}

function writeDefinitions(fib: Fib, toPtr: usize): usize {
  for (let index: u32 = 0; index < fib.batchCount; index++) {
    const record = recordAt(fib, index);
    toPtr = defineSet(changetype<FibEntry>(<usize>record.entry).installed, toPtr);
    toPtr = defineSet(setOf(record), toPtr);
  }
  return toPtr;
}

function reserveBatch(fib: Fib, count: u32): bool {
  if (!count) return false;
  const ptr = allocateReserved(count << 3);
  if (!ptr) return false;
  fib.batchPtr = <u32>ptr;
  fib.batchCapacity = count;
  return true;
}

function endBatch(fib: Fib): void {
  if (fib.batchPtr) free(fib.batchPtr, fib.batchCapacity << 3);
  fib.batchPtr = 0;
  fib.batchHasSets = false;
  fib.batchCapacity = 0;
  fib.batchCount = 0;
}
