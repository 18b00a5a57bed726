// Pages of a FIB dump: rows to the output buffer, the definitions of the sets they name behind them.
import {
  FIB_ROW_BITS,
  FIB_ROW_DESIRED,
  FIB_ROW_INSTALLED,
  FIB_ROW_MORE_ROUTES,
  FIB_ROW_ROUTE_COUNT,
  FIB_ROW_SIZE,
  FIB_ROW_STATE,
  MATCH_ALL,
  MATCH_COVERING,
  MATCH_EXACT,
  MATCH_LONGER,
  MATCH_LONGEST,
  PAGE_CURSOR,
  PAGE_MATCH,
} from '../abi';
import { isCovered, keySize } from '../lpm/key';
import { Trie } from '../lpm/trie';
import { inputPtr, outputEnd, outputPtr } from '../memory/buffers';
import { beginPage, collectSet, defineSet } from '../nexthop/next-hop-set';
import { result } from '../result';
import { countRoutes, firstRoute, isCutShort, nextRoute } from './aggregate/explanation';
import { FibEntry } from './entry';
import { Fib, stateOf } from './fib';

const DEFINITIONS_SLACK: u32 = 2 * 2048;
const LARGEST_ROW: u32 = FIB_ROW_SIZE + 16;

let toPtr: usize = 0;
let rowCount: u32 = 0;
let definitionsSize: u32 = 0;

/** The keys of match and cursor are in the input buffer; cursorBits is −1 at the start. */
export function readFibPage(
  fib: Fib,
  family: u32,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): void {
  toPtr = outputPtr;
  rowCount = 0;
  definitionsSize = 0;
  result.nextBits = -1;
  beginPage();
  const trie = fib.trie(family);
  const matchKey = inputPtr + PAGE_MATCH;
  if (match == MATCH_ALL || match == MATCH_LONGER) {
    readInOrder(fib, trie, match, matchBits, cursorBits, limit);
  } else if (match == MATCH_EXACT) writeMaybe(fib, trie.find(matchKey, matchBits));
  else if (match == MATCH_LONGEST) writeMaybe(fib, trie.longestMatch(matchKey, matchBits));
  else if (match == MATCH_COVERING) {
    for (let bits: u32 = 0; bits <= matchBits; bits++) writeMaybe(fib, trie.find(matchKey, bits));
  }
  writeDefinitions();
  result.outputCount = rowCount;
  result.outputSize = <u32>(toPtr - outputPtr);
}

function readInOrder(
  fib: Fib,
  trie: Trie,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): void {
  const matchKey = inputPtr + PAGE_MATCH;
  const cursorKey = inputPtr + PAGE_CURSOR;
  let record: u32 = 0;
  if (cursorBits >= 0) record = trie.after(cursorKey, cursorBits);
  else if (match == MATCH_ALL) record = trie.first();
  else {
    record = trie.find(matchKey, matchBits);
    if (!record) record = trie.after(matchKey, matchBits);
  }
  while (record) {
    const entry = changetype<FibEntry>(<usize>record);
    if (match == MATCH_LONGER) {
      if (entry.bits < matchBits || !isCovered(entry.keyPtr, matchKey, matchBits)) break;
    }
    if (rowCount >= limit || !writeRow(fib, entry)) return;
    result.nextBits = entry.bits;
    memory.copy(cursorKey, entry.keyPtr, keySize(entry.bits));
    record = trie.after(entry.keyPtr, entry.bits);
  }
  result.nextBits = -1;
}

function writeMaybe(fib: Fib, record: u32): void {
  if (record) writeRow(fib, changetype<FibEntry>(<usize>record));
}

function writeRow(fib: Fib, entry: FibEntry): bool {
  if (toPtr + LARGEST_ROW + definitionsSize + DEFINITIONS_SLACK > outputEnd) return false;
  store<u16>(toPtr, entry.bits, FIB_ROW_BITS);
  store<u16>(toPtr, <u16>stateOf(fib, entry), FIB_ROW_STATE);
  store<u32>(toPtr, entry.desired, FIB_ROW_DESIRED);
  store<u32>(toPtr, entry.installed, FIB_ROW_INSTALLED);
  store<u32>(toPtr, routeCountOf(fib, entry), FIB_ROW_ROUTE_COUNT);
  memory.copy(toPtr + FIB_ROW_SIZE, entry.keyPtr, keySize(entry.bits));
  toPtr += FIB_ROW_SIZE + keySize(entry.bits);
  definitionsSize += collectSet(entry.desired) + collectSet(entry.installed);
  rowCount++;
  return true;
}

function routeCountOf(fib: Fib, entry: FibEntry): u32 {
  if (!fib.aggregatePtr || !entry.desired) return 0;
  const count = countRoutes(fib, entry);
  return isCutShort ? count | FIB_ROW_MORE_ROUTES : count;
}

/**
 * The routes an entry stands for, the entry's key at PAGE_MATCH: outputCount keys in the output buffer, each behind its length (u32).
 */
export function readCarriedRoutes(fib: Fib, family: u32, bits: u32, limit: u32): void {
  result.outputCount = 0;
  result.outputSize = 0;
  const entry = fib.find(family, inputPtr + PAGE_MATCH, bits);
  if (entry == null || !entry.desired || !fib.aggregatePtr) return;
  let to = outputPtr;
  let count: u32 = 0;
  for (let route = firstRoute(fib, entry); route != null; route = nextRoute()) {
    if (count == limit || to + 4 + 16 > outputEnd) break;
    store<u32>(to, route.bits);
    memory.copy(to + 4, route.keyPtr, keySize(route.bits));
    to += 4 + keySize(route.bits);
    count++;
  }
  result.outputCount = count;
  result.outputSize = <u32>(to - outputPtr);
}

function writeDefinitions(): void {
  let rowPtr = outputPtr;
  for (let i: u32 = 0; i < rowCount; i++) {
    toPtr = defineSet(load<u32>(rowPtr, FIB_ROW_DESIRED), toPtr);
    toPtr = defineSet(load<u32>(rowPtr, FIB_ROW_INSTALLED), toPtr);
    rowPtr += FIB_ROW_SIZE + keySize(load<u16>(rowPtr, FIB_ROW_BITS));
  }
}
