// The aggregation behind flat exports, with labels of any cost and without anything around it: for test/assembly/fib.
import { aggregateFib, aggregateOf } from '../../../assembly/fib/aggregate/aggregate';
import { forgetExpansions } from '../../../assembly/fib/aggregate/expansion';
import { settle as settleWithin } from '../../../assembly/fib/aggregate/settle';
import { FibEntry } from '../../../assembly/fib/entry';
import { Fib, newFib, removeFibRecord } from '../../../assembly/fib/fib';
import { hasFibWork, workOnFibs } from '../../../assembly/fib/fib-walk';
import { initialiseNodes } from '../../../assembly/lpm/node';
import { arenaUsedBytes, initialiseArena } from '../../../assembly/memory/arena';
import { internNextHop } from '../../../assembly/nexthop/next-hop';
import {
  addMember,
  beginSet,
  internSet,
  nextHopSetCount,
  releaseSet,
  retainSet,
} from '../../../assembly/nexthop/next-hop-set';

let fib: Fib = changetype<Fib>(0);
let walkEntry: FibEntry | null = null;

const key: usize = memory.data(64, 4);
const address: usize = memory.data(16, 8);

export function initialise(maximumBytes: u32): void {
  initialiseArena(maximumBytes);
  initialiseNodes();
}

/** Another FIB; the one before is given back. */
export function newTable(costModel: u32, discards: bool): bool {
  if (changetype<usize>(fib)) endTable();
  const made = newFib(1, 0, false, false);
  if (made == null) return false;
  fib = made;
  return aggregateFib(fib, costModel, discards);
}

export function endTable(): void {
  removeFibRecord(fib);
  while (hasFibWork()) workOnFibs(1 << 30);
  fib = changetype<Fib>(0);
  forgetExpansions();
}

/** A label of `members` next hops that no other label has; held on to until dropLabel. */
export function makeLabel(number: u32, members: u32): u32 {
  beginSet();
  for (let i: u32 = 0; i < members; i++) {
    memory.fill(address, 0, 16);
    store<u32>(address, bswap((10 << 24) | (number << 4) | i));
    const nextHop = internNextHop(0, address, 4, 0);
    if (nextHop != null) addMember(nextHop, 1);
  }
  const label = internSet(0);
  retainSet(label);
  return label;
}

export function dropLabel(label: u32): void {
  releaseSet(label);
}

export function keyBuffer(): usize {
  return key;
}

export function setRoute(family: u32, bits: u32, label: u32): bool {
  return aggregateOf(fib).setRoute(family, key, bits, label);
}

export function setBarrier(family: u32, bits: u32, on: bool, yields: bool): bool {
  return aggregateOf(fib).setBarrier(family, key, bits, on, yields);
}

/** Settles within the budget; whether that was enough. */
export function settle(budget: i32): bool {
  settleWithin(aggregateOf(fib), budget);
  return !fib.isUnsettled;
}

export function markAll(): void {
  aggregateOf(fib).markAll();
}

export function rowCount(): u32 {
  return fib.desiredCount;
}

export function nodeCount(): u32 {
  return aggregateOf(fib).nodeCount;
}

export function routeCount(): u32 {
  return aggregateOf(fib).count;
}

export function visitCount(): u32 {
  return aggregateOf(fib).visitCount;
}

export function usedBytes(): u32 {
  return arenaUsedBytes();
}

export function labelCount(): u32 {
  return nextHopSetCount();
}

// ---- rows in order: walkFirst, walkNext until it is false; the entry's fields between ----

export function walkFirst(family: u32): bool {
  walkEntry = changetype<FibEntry | null>(<usize>fib.trie(family).first());
  return walkEntry != null;
}

export function walkNext(family: u32): bool {
  const entry = changetype<FibEntry>(changetype<usize>(walkEntry));
  walkEntry = changetype<FibEntry | null>(<usize>fib.trie(family).after(entry.keyPtr, entry.bits));
  return walkEntry != null;
}

export function rowBits(): u32 {
  return changetype<FibEntry>(changetype<usize>(walkEntry)).bits;
}

export function rowLabel(): u32 {
  return changetype<FibEntry>(changetype<usize>(walkEntry)).desired;
}

/** Copies the row's key to the key buffer. */
export function rowKey(): void {
  const entry = changetype<FibEntry>(changetype<usize>(walkEntry));
  memory.fill(key, 0, 16);
  memory.copy(key, entry.keyPtr, ((entry.bits + 31) >>> 5) << 2);
}

// Row, 24 bytes: | bits | label | key, 16 bytes |
const ROW_SIZE: u32 = 24;
const MOST_ROWS: u32 = 1024;
const rows: usize = memory.data(24 * 1024, 4);

export function rowBuffer(): usize {
  return rows;
}

/** Every row that should be in place goes to the row buffer; how many they are. Small tables only. */
export function readRows(family: u32): u32 {
  let count: u32 = 0;
  let record = fib.trie(family).first();
  while (record) {
    const entry = changetype<FibEntry>(<usize>record);
    record = fib.trie(family).after(entry.keyPtr, entry.bits);
    if (!entry.desired) continue;
    assert(count < MOST_ROWS);
    const row = rows + count++ * ROW_SIZE;
    store<u32>(row, entry.bits);
    store<u32>(row, entry.desired, 4);
    memory.fill(row + 8, 0, 16);
    memory.copy(row + 8, entry.keyPtr, ((entry.bits + 31) >>> 5) << 2);
  }
  return count;
}

/** The rows are said to be in place: what is desired from now on is compared with them. */
export function installAll(): void {
  for (let family: u32 = 0; family < 2; family++) {
    let record = fib.trie(family).first();
    while (record) {
      const entry = changetype<FibEntry>(<usize>record);
      record = fib.trie(family).after(entry.keyPtr, entry.bits);
      fib.setInstalled(entry, entry.desired);
      fib.settle(entry);
    }
  }
}

/** Entries that differ from what is in place: what a change costs in writes. */
export function pendingCount(): u32 {
  return fib.pendingCount;
}
