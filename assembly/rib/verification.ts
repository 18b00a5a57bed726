// Verification: whether an aggregated FIB's wishes forward every address as its network's routes do, others' routes included.
//
// One walk in address order over three tables: the Loc-RIB, the FIB's desired entries, the routes of others (barriers). On the way a
// stack holds the prefixes that cover the place where the walk is, each with the label that an address there has by the routes
// (expected) and by the entries (actual). Between two prefixes the top of the stack decides for a whole range at once. Labels are
// interned, so comparing two forwardings is comparing two numbers.
//
// It knows nothing of how the rows were found: neither the aggregation's routes nor its savings are looked at.
//
// Slices. The rows are those of the routes whenever the aggregation is at rest, so each slice holds by itself, whatever changes
// between two: it begins with the prefixes that cover the one where the last slice ended, as they are now. What that one ended with is judged
// again, so no address is left out.
//
// Others' routes. At such a prefix both tables have what is theirs, together with our own row there, if any (THEIRS); where ours wins by
// its metric (`yields`), ours alone. A patient FIB waits with restless prefixes: what it was told of them is what it is held to.
//
// Discard. Where entries that drop are allowed, no row and a row that drops are the same.
import {
  PAGE_CURSOR,
  RANGE_ACTUAL,
  RANGE_EXPECTED,
  RANGE_FIRST,
  RANGE_FLAG_ACTUAL_FOREIGN,
  RANGE_FLAG_EXPECTED_FOREIGN,
  RANGE_FLAGS,
  RANGE_LAST,
  RANGE_SIZE,
} from '../abi';
import { aggregateOf } from '../fib/aggregate/aggregate';
import { AggregateRoute } from '../fib/aggregate/aggregate-route';
import { FibEntry } from '../fib/entry';
import { Fib } from '../fib/fib';
import { compareKeys, keySize, writeKey } from '../lpm/key';
import { inputPtr, outputEnd, outputPtr } from '../memory/buffers';
import { beginPage, collectSet, defineSet } from '../nexthop/next-hop-set';
import { result } from '../result';
import { Destination } from './destination';
import { labelTold } from './restless';
import { isStarved } from './starvation';
import { Table } from './table';
import { hasTableWork } from './table-walk';

/** Ranges told per slice; the walk goes on behind them. */
const MOST_RANGES: u32 = 64;
/** Room that the definitions of one range's sets may need. */
const DEFINITIONS_SLACK: u32 = 2 * 2048;
/** With it, a label is that of a prefix of others, ours beside it. */
const THEIRS: u64 = 1 << 32;

// Cover, 32 bytes: a prefix around the place where the walk is
//   0                  16         24
//   | last address     | expected | actual |
@unmanaged
class Cover {
  lastHigh: u64 = 0;
  lastLow: u64 = 0;
  expected: u64 = 0;
  actual: u64 = 0;
}

/** Every length there is, and the space itself. */
const covers: usize = memory.data(130 * 32, 8);
let depth: u32 = 0;

/** The first address that is not judged yet; isOver when there is none. */
let nextHigh: u64 = 0;
let nextLow: u64 = 0;
let isOver: bool = false;

let fib: Fib = changetype<Fib>(0);
let table: Table = changetype<Table>(0);
let rangeCount: u32 = 0;

/** A key of a cover, padded. */
const coverKey: usize = memory.data(16, 8);

// The records the walk is at, one per table, or none.
let destination: Destination | null = null;
let entry: FibEntry | null = null;
let barrier: AggregateRoute | null = null;

/** Whether entries must forward like routes now: everything that came in has reached them. */
export function isVerifiable(fib: Fib): bool {
  if (!fib.aggregatePtr || fib.lacksBarriers || isStarved) return false;
  return !fib.isUnsettled && !hasTableWork();
}

/** The cursor's key is in the input buffer; cursorBits is −1 at the start. `budget`: prefixes looked at. */
export function verifyPart(ofFib: Fib, ofTable: Table, cursorBits: i32, budget: u32): void {
  fib = ofFib;
  table = ofTable;
  rangeCount = 0;
  result.nextBits = -1;
  begin(cursorBits);
  while (destination != null || entry != null || barrier != null) {
    if (budget-- == 0 || rangeCount >= MOST_RANGES) break;
    step();
  }
  if (destination == null && entry == null && barrier == null) {
    while (depth) leave();
    result.nextBits = -1;
  }
  writeDefinitions();
}

/** Puts the walk behind the cursor, or at the start. */
function begin(cursorBits: i32): void {
  const family = table.family;
  const cursorKey = inputPtr + PAGE_CURSOR;
  depth = 0;
  isOver = false;
  nextHigh = 0;
  nextLow = 0;
  enter(0, 0, 0, 0, 0);
  if (cursorBits < 0) {
    destination = table.first();
    entry = changetype<FibEntry | null>(<usize>fib.trie(family).first());
    barrier = changetype<AggregateRoute | null>(<usize>aggregateOf(fib).barriers(family).first());
    return;
  }
  const bits = <u32>cursorBits;
  for (let length: u32 = 0; length <= bits; length++) {
    writeKey(coverKey, cursorKey, keySize(bits), length);
    const route = table.find(coverKey, length);
    const row = fib.find(family, coverKey, length);
    const theirs = aggregateOf(fib).barriers(family).find(coverKey, length);
    if (route == null && row == null && !theirs) continue;
    enterPrefix(coverKey, length, route, row, changetype<AggregateRoute | null>(<usize>theirs));
  }
  nextHigh = highOf(cursorKey, bits);
  nextLow = lowOf(cursorKey, bits);
  result.nextBits = cursorBits;
  destination = table.after(cursorKey, bits);
  entry = changetype<FibEntry | null>(<usize>fib.trie(family).after(cursorKey, bits));
  const after = aggregateOf(fib).barriers(family).after(cursorKey, bits);
  barrier = changetype<AggregateRoute | null>(<usize>after);
}

/** Goes on to the next prefix of the three tables. */
function step(): void {
  let keyPtr: usize = 0;
  let bits: u32 = 0;
  if (destination != null) {
    keyPtr = destination!.keyPtr;
    bits = destination!.bits;
  }
  if (entry != null && (!keyPtr || compareKeys(entry!.keyPtr, entry!.bits, keyPtr, bits) < 0)) {
    keyPtr = entry!.keyPtr;
    bits = entry!.bits;
  }
  if (
    barrier != null &&
    (!keyPtr || compareKeys(barrier!.keyPtr, barrier!.bits, keyPtr, bits) < 0)
  ) {
    keyPtr = barrier!.keyPtr;
    bits = barrier!.bits;
  }
  let route: Destination | null = null;
  let row: FibEntry | null = null;
  let theirs: AggregateRoute | null = null;
  if (
    destination != null &&
    compareKeys(destination!.keyPtr, destination!.bits, keyPtr, bits) == 0
  ) {
    route = destination;
    destination = table.after(keyPtr, bits);
  }
  if (entry != null && compareKeys(entry!.keyPtr, entry!.bits, keyPtr, bits) == 0) {
    row = entry;
    const after = fib.trie(table.family).after(keyPtr, bits);
    entry = changetype<FibEntry | null>(<usize>after);
  }
  if (barrier != null && compareKeys(barrier!.keyPtr, barrier!.bits, keyPtr, bits) == 0) {
    theirs = barrier;
    const after = aggregateOf(fib).barriers(table.family).after(keyPtr, bits);
    barrier = changetype<AggregateRoute | null>(<usize>after);
  }
  passTo(highOf(keyPtr, bits), lowOf(keyPtr, bits));
  enterPrefix(keyPtr, bits, route, row, theirs);
  memory.copy(inputPtr + PAGE_CURSOR, keyPtr, keySize(bits));
  result.nextBits = bits;
}

function enterPrefix(
  keyPtr: usize,
  bits: u32,
  route: Destination | null,
  row: FibEntry | null,
  theirs: AggregateRoute | null,
): void {
  let wanted: u32 = route == null ? 0 : route.label;
  if (fib.isPatient) wanted = labelTold(table, keyPtr, bits, wanted);
  const there: u32 = row == null ? 0 : row.desired;
  const cover = top();
  const high = highOf(keyPtr, bits);
  const low = lowOf(keyPtr, bits);
  enter(
    high,
    low,
    bits,
    labelAt(wanted, theirs, cover.expected),
    labelAt(there, theirs, cover.actual),
  );
}

/** What addresses at a prefix forward by, of one table that has `label` for it. */
function labelAt(label: u32, theirs: AggregateRoute | null, inherited: u64): u64 {
  if (theirs != null && !(theirs.yields && label)) return THEIRS | <u64>label;
  return label ? label : inherited;
}

function top(): Cover {
  return changetype<Cover>(covers + (depth - 1) * offsetof<Cover>());
}

function enter(high: u64, low: u64, bits: u32, expected: u64, actual: u64): void {
  depth++;
  const cover = top();
  cover.lastHigh = bits >= 64 ? high : high | (~(<u64>0) >> bits);
  cover.lastLow = bits >= 128 ? low : bits > 64 ? low | (~(<u64>0) >> (bits - 64)) : ~(<u64>0);
  cover.expected = expected;
  cover.actual = actual;
}

/** Leaves the covers that end before an address, and judges what is left before it. */
function passTo(high: u64, low: u64): void {
  while (isBefore(top().lastHigh, top().lastLow, high, low)) leave();
  if (isOver || !isBefore(nextHigh, nextLow, high, low)) return;
  judge(low ? high : high - 1, low - 1);
  nextHigh = high;
  nextLow = low;
}

/** The innermost cover ends: what is not judged in it is its own. */
function leave(): void {
  const cover = top();
  const high = cover.lastHigh;
  const low = cover.lastLow;
  if (!isOver && !isBefore(high, low, nextHigh, nextLow)) {
    judge(high, low);
    nextLow = low + 1;
    nextHigh = nextLow ? high : high + 1;
    isOver = (nextHigh | nextLow) == 0;
  }
  depth--;
}

/** From the first address not judged up to this one, everything forwards by the innermost cover. */
function judge(lastHigh: u64, lastLow: u64): void {
  const cover = top();
  if (cover.expected == cover.actual || (drops(cover.expected) && drops(cover.actual))) return;
  const ptr = outputPtr + rangeCount * RANGE_SIZE;
  rangeCount++;
  store<u64>(ptr, bswap(nextHigh), RANGE_FIRST);
  store<u64>(ptr, bswap(nextLow), RANGE_FIRST + 8);
  store<u64>(ptr, bswap(lastHigh), RANGE_LAST);
  store<u64>(ptr, bswap(lastLow), RANGE_LAST + 8);
  store<u32>(ptr, <u32>cover.expected, RANGE_EXPECTED);
  store<u32>(ptr, <u32>cover.actual, RANGE_ACTUAL);
  const expected = (cover.expected & THEIRS) != 0 ? RANGE_FLAG_EXPECTED_FOREIGN : 0;
  const actual = (cover.actual & THEIRS) != 0 ? RANGE_FLAG_ACTUAL_FOREIGN : 0;
  store<u32>(ptr, expected | actual, RANGE_FLAGS);
}

/** Where entries that drop are allowed. */
function drops(label: u64): bool {
  const discard = aggregateOf(fib).discard;
  return discard != 0 && (label == 0 || label == <u64>discard);
}

function writeDefinitions(): void {
  beginPage();
  const end = outputPtr + rangeCount * RANGE_SIZE;
  for (let ptr = outputPtr; ptr < end; ptr += RANGE_SIZE) {
    collectSet(load<u32>(ptr, RANGE_EXPECTED));
    collectSet(load<u32>(ptr, RANGE_ACTUAL));
  }
  let toPtr = end;
  for (let ptr = outputPtr; ptr < end; ptr += RANGE_SIZE) {
    if (toPtr + DEFINITIONS_SLACK > outputEnd) break;
    toPtr = defineSet(load<u32>(ptr, RANGE_EXPECTED), toPtr);
    toPtr = defineSet(load<u32>(ptr, RANGE_ACTUAL), toPtr);
  }
  result.outputCount = rangeCount;
  result.outputSize = <u32>(toPtr - outputPtr);
}

function isBefore(high: u64, low: u64, otherHigh: u64, otherLow: u64): bool {
  return high == otherHigh ? low < otherLow : high < otherHigh;
}

// A key as a number of 128 bits, IPv4 in the highest 32: what a key does not store is 0.

function highOf(keyPtr: usize, bits: u32): u64 {
  if (bits == 0) return 0;
  const first = (<u64>bswap(load<u32>(keyPtr))) << 32;
  return bits <= 32 ? first : first | <u64>bswap(load<u32>(keyPtr, 4));
}

function lowOf(keyPtr: usize, bits: u32): u64 {
  if (bits <= 64) return 0;
  const first = (<u64>bswap(load<u32>(keyPtr, 8))) << 32;
  return bits <= 96 ? first : first | <u64>bswap(load<u32>(keyPtr, 12));
}
