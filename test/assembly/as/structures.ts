// The core's structures behind flat exports, for the tests of assembly/memory and assembly/lpm.
import { initialiseNodes } from '../../../assembly/lpm/node';
import { Trie } from '../../../assembly/lpm/trie';
import {
  allocate as allocateBlock,
  allocateReserved as allocateFromReserve,
  arenaUsedBytes,
  free as freeBlock,
  initialiseArena,
} from '../../../assembly/memory/arena';
import { HashTable, valueAt } from '../../../assembly/memory/hash-table';

export function initialise(maximumBytes: u32): void {
  initialiseArena(maximumBytes);
  initialiseNodes();
}

// ---- arena ----

export function allocate(size: u32): usize {
  return allocateBlock(size);
}

export function allocateReserved(size: u32): usize {
  return allocateFromReserve(size);
}

export function free(ptr: usize, size: u32): void {
  freeBlock(ptr, size);
}

export function usedBytes(): u32 {
  return arenaUsedBytes();
}

// ---- hash table ----

const table = changetype<HashTable>(memory.data(12, 4));

export function hashInsert(hash: u32, value: usize): bool {
  return table.insert(hash, value);
}

export function hashRemove(hash: u32, value: usize): void {
  table.remove(hash, value);
}

export function hashHas(hash: u32, value: usize): bool {
  return table.has(hash, value);
}

/** Number of values under a hash. */
export function hashCountOf(hash: u32): u32 {
  let count: u32 = 0;
  for (let slot = table.first(hash); slot; slot = table.next(slot, hash)) {
    if (valueAt(slot)) count++;
  }
  return count;
}

export function hashCount(): u32 {
  return table.count;
}

// ---- trie: records are u16 bits at 0, key at 4 ----

const trie = changetype<Trie>(memory.data(12, 4));
trie.keyOffset = 4;

/** Room for a key the host writes. */
const key: usize = memory.data(64, 4);

export function keyBuffer(): usize {
  return key;
}

/** Adds a record with the key in the buffer; 0 when there is no memory. */
export function trieInsert(bits: u32): usize {
  const size = ((bits + 31) >>> 5) << 2;
  const record = allocateBlock(4 + size);
  if (!record) return 0;
  store<u16>(record, <u16>bits);
  memory.copy(record + 4, key, size);
  if (trie.insert(<u32>record)) return record;
  freeBlock(record, 4 + size);
  return 0;
}

export function trieRemove(bits: u32): void {
  const record = trie.find(key, bits);
  trie.remove(key, bits);
  freeBlock(record, 4 + (((bits + 31) >>> 5) << 2));
}

export function trieFind(bits: u32): usize {
  return trie.find(key, bits);
}

export function trieLongestMatch(bits: u32): usize {
  return trie.longestMatch(key, bits);
}

export function trieFirst(): usize {
  return trie.first();
}

export function trieAfter(bits: u32): usize {
  return trie.after(key, bits);
}

export function trieCount(): u32 {
  return trie.count;
}
