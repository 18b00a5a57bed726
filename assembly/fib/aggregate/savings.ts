// Savings: what a subtree of the table saves when a label is inherited from above, as interned vectors.
//
// The fewest rows below a point, when the nearest row above it carries label x, are f(x) = M − s(x): M when nothing useful is
// inherited, less what x saves. Decisions need s alone, so M is not kept. s is sparse and 0 < s(x) ≤ c(x), the cost of a row of x.
// With all costs 1 it is a set, and this is textbook ORTC; with other costs nothing changes here.
//
// A vector is named by an id; two ids have no vector:
//
//   STRICT   "only what is not ours may be inherited": below it there is an address that no row of ours may cover. One id serves
//            un-routed space and the space of a foreign route alike: whichever it is, it is what lies above the nearest barrier
//   NOTHING  nothing saves anything: a barrier seen from above. It is neutral in `combine`
//
// Interning makes equality an id comparison ("climb until the state is what it was"), and lets `combine` be remembered: real tables
// need few distinct vectors. There is no limit to the number of labels; a vector is as long as it must be.
//
// Bit 0 of an id says that combining the vector with itself gives itself: most pairs of siblings are such, and cost no look-up.
//
// Counting. Trie nodes count (retain, release). A vector that nobody counts stays until `sweep`, so that what is computed in between
// may be named freely; a vector holds on to its labels.
import { COST_PER_ENTRY, SET_KIND_DISCARD } from '../../abi';
import { allocate, allocateReserved, free } from '../../memory/arena';
import { finishHash, HashTable, mixHash, valueAt } from '../../memory/hash-table';
import { releaseSet, retainSet, setById } from '../../nexthop/next-hop-set';

const STRICT: u32 = 1;
export const NOTHING: u32 = 5;

const IDEMPOTENT: u32 = 1;
const PAIR_SIZE: u32 = 8;
const SWEEP_AT: u32 = 4096;

const table = changetype<HashTable>(memory.data(12, 4));
/** Vectors nobody counts, at most: what a sweep may find. */
let looseCount: u32 = 0;

// Savings, 16 bytes + 8 per label, labels ascending
//   0       4       8            12      16
//   | hash  | refs  | costModel  | count | (label, saving) … |
@unmanaged
class Savings {
  hash: u32 = 0;
  references: u32 = 0;
  costModel: u32 = 0;
  count: u32 = 0;

  label(index: u32): u32 {
    return load<u32>(changetype<usize>(this) + (index << 3), offsetof<Savings>());
  }

  saving(index: u32): u32 {
    return load<u32>(changetype<usize>(this) + (index << 3), offsetof<Savings>() + 4);
  }

  get size(): u32 {
    return offsetof<Savings>() + this.count * PAIR_SIZE;
  }
}

function vectorOf(id: u32): Savings {
  return changetype<Savings>(<usize>(id & ~IDEMPOTENT));
}

function hasVector(id: u32): bool {
  return id > NOTHING;
}

function isIdempotent(id: u32): bool {
  return (id & IDEMPOTENT) != 0;
}

export function costOf(label: u32, costModel: u32): u32 {
  if (costModel == COST_PER_ENTRY) return 1;
  const set = setById(label);
  return set.kind == SET_KIND_DISCARD ? 1 : set.count;
}

/** s(label) of a vector. */
export function savingOf(id: u32, label: u32): u32 {
  if (!hasVector(id) || !label) return 0;
  const vector = vectorOf(id);
  let low: u32 = 0;
  let high = vector.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (vector.label(middle) < label) low = middle + 1;
    else high = middle;
  }
  return low < vector.count && vector.label(low) == label ? vector.saving(low) : 0;
}

/** The lowest label whose row the vector would save as a whole, or 0. */
export function lowestFullLabel(id: u32, costModel: u32): u32 {
  if (!hasVector(id)) return 0;
  const vector = vectorOf(id);
  for (let i: u32 = 0; i < vector.count; i++) {
    if (vector.saving(i) == costOf(vector.label(i), costModel)) return vector.label(i);
  }
  return 0;
}

/** The label of a leaf's vector; 0 for STRICT. */
export function labelOfLeaf(id: u32): u32 {
  return hasVector(id) ? vectorOf(id).label(0) : 0;
}

// ---- counting ----

export function retainSavings(id: u32): void {
  if (!hasVector(id)) return;
  const vector = vectorOf(id);
  if (vector.references++ == 0) looseCount--;
}

export function releaseSavings(id: u32): void {
  if (!hasVector(id)) return;
  const vector = vectorOf(id);
  if (--vector.references == 0) looseCount++;
}

/** Whether a sweep would find enough to be worth it. */
export function isSweepDue(): bool {
  return looseCount > SWEEP_AT + (table.count >>> 1);
}

/** Frees what nobody counts. Only where no id is held that is not counted: between two calls of settle. */
export function sweepSavings(): void {
  forgetCombinations();
  for (let index: u32 = 0; index < table.capacity; ) {
    const vector = changetype<Savings>(table.valueAtIndex(index));
    // A removal moves later members of the probe run back: the same slot is looked at again.
    if (changetype<usize>(vector) && vector.references == 0) freeVector(vector);
    else index++;
  }
  looseCount = 0;
}

function freeVector(vector: Savings): void {
  table.remove(vector.hash, changetype<usize>(vector));
  if (vector.count == 1) forgetLeaf(vector);
  for (let i: u32 = 0; i < vector.count; i++) releaseSet(vector.label(i));
  free(changetype<usize>(vector), vector.size);
}

// ---- leaves ----

/** The vector of space that forwards by `label` as a whole: inheriting it saves its row. STRICT for 0. */
export function leafOf(label: u32, costModel: u32): u32 {
  if (!label) return STRICT;
  const set = setById(label);
  const known = costModel == COST_PER_ENTRY ? set.leafPerEntry : set.leafPerNextHop;
  return known ? known : makeLeaf(label, costModel);
}

function makeLeaf(label: u32, costModel: u32): u32 {
  if (!reserve(1)) return NOTHING;
  setPair(0, label, costOf(label, costModel));
  pairCount = 1;
  const id = intern(costModel);
  const set = setById(label);
  if (!hasVector(id)) return NOTHING;
  if (costModel == COST_PER_ENTRY) set.leafPerEntry = id;
  else set.leafPerNextHop = id;
  return id;
}

function forgetLeaf(vector: Savings): void {
  const set = setById(vector.label(0));
  const ptr = <u32>changetype<usize>(vector);
  if ((set.leafPerEntry & ~IDEMPOTENT) == ptr) set.leafPerEntry = 0;
  if ((set.leafPerNextHop & ~IDEMPOTENT) == ptr) set.leafPerNextHop = 0;
}

/**
 * The vector of an edge along which nothing ends but `k` siblings that all forward as `above`, over one route with `label` at its lower
 * end (0: a barrier). Closed form of k combinations: either a row of `above` at the top and one of the label below, or, when
 * the label itself is inherited, k rows of `above` beside it.
 */
export function edgeOf(above: u32, k: u32, label: u32, costModel: u32): u32 {
  if (above == STRICT) return STRICT;
  const aboveLabel = labelOfLeaf(above);
  if (!label || label == aboveLabel) return above;
  const rest = <i32>costOf(label, costModel) - <i32>((k - 1) * costOf(aboveLabel, costModel));
  if (rest <= 0) return above;
  if (!reserve(2)) return above;
  const isFirst = label < aboveLabel ? 1 : 0;
  setPair(isFirst, aboveLabel, costOf(aboveLabel, costModel));
  setPair(1 - isFirst, label, rest);
  pairCount = 2;
  const id = intern(costModel);
  return hasVector(id) ? id : above;
}

// ---- combining two siblings ----

const MEMORY_BITS: u32 = 12;
/** Combination, 12 bytes: | a | b, bit 1 cost model | result |. Remembers the last of each slot. */
const combinations: usize = memory.data(12 << 12, 8);

function forgetCombinations(): void {
  memory.fill(combinations, 0, 12 << MEMORY_BITS);
}

/** The vector of a point over two halves. */
export function combine(a: u32, b: u32, costModel: u32): u32 {
  if (a == b && isIdempotent(a)) return a;
  if (a == STRICT || b == STRICT) return STRICT;
  if (a == NOTHING) return b;
  if (b == NOTHING) return a;
  if (a > b) {
    const lower = b;
    b = a;
    a = lower;
  }
  const slot =
    combinations +
    12 * ((((a >>> 2) * 0x9e3779b1) ^ ((b >>> 2) * 0x85ebca6b)) >>> (32 - MEMORY_BITS));
  const key = b | (costModel << 1);
  if (load<u32>(slot) == a && load<u32>(slot, 4) == key) return load<u32>(slot, 8);
  const result = combineAnew(vectorOf(a), vectorOf(b), costModel);
  store<u32>(slot, a);
  store<u32>(slot, key, 4);
  store<u32>(slot, result, 8);
  return result;
}

function combineAnew(a: Savings, b: Savings, costModel: u32): u32 {
  // Without memory nothing is said to save anything: the table is larger than it must be, and right.
  if (!reserve(a.count + b.count)) return NOTHING;
  const mu = addUp(a, b, costModel);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < pairCount; i++) {
    const saving = <i32>pairSaving(i) + mu;
    if (saving > 0) setPair(kept++, pairLabel(i), saving);
  }
  pairCount = kept;
  return intern(costModel);
}

/** Puts the sums of both vectors into the scratch pairs; µ = min(0, c(y) − sum(y)): what a row right here would save at best. */
function addUp(a: Savings, b: Savings, costModel: u32): i32 {
  let i: u32 = 0;
  let j: u32 = 0;
  let count: u32 = 0;
  let mu = 0;
  while (i < a.count || j < b.count) {
    const left = i < a.count ? a.label(i) : 0xffffffff;
    const right = j < b.count ? b.label(j) : 0xffffffff;
    const label = min(left, right);
    let sum: u32 = 0;
    if (left == label) sum += a.saving(i++);
    if (right == label) sum += b.saving(j++);
    setPair(count++, label, sum);
    mu = min(mu, <i32>costOf(label, costModel) - <i32>sum);
  }
  pairCount = count;
  return mu;
}

// ---- interning: the pairs of a vector are built in a scratch list ----

let pairs: usize = 0;
let pairCapacity: u32 = 0;
let pairCount: u32 = 0;

function reserve(count: u32): bool {
  if (count <= pairCapacity) return true;
  const capacity = max(<u32>64, (<u32>1) << (32 - clz(count - 1)));
  const ptr = allocate(capacity * PAIR_SIZE);
  if (!ptr) return false;
  if (pairs) free(pairs, pairCapacity * PAIR_SIZE);
  pairs = ptr;
  pairCapacity = capacity;
  return true;
}

function setPair(index: u32, label: u32, saving: u32): void {
  store<u32>(pairs + (index << 3), label);
  store<u32>(pairs + (index << 3), saving, 4);
}

function pairLabel(index: u32): u32 {
  return load<u32>(pairs + (index << 3));
}

function pairSaving(index: u32): u32 {
  return load<u32>(pairs + (index << 3), 4);
}

/** The id of the scratch list's vector; NOTHING when it is empty or there is no memory. */
function intern(costModel: u32): u32 {
  if (!pairCount) return NOTHING;
  let mixed = mixHash(costModel, pairCount);
  for (let i: u32 = 0; i < pairCount; i++) mixed = mixHash(mixed, load<u64>(pairs + (i << 3)));
  const hash = finishHash(mixed);
  for (let slot = table.first(hash); slot; slot = table.next(slot, hash)) {
    const known = changetype<Savings>(valueAt(slot));
    if (known.costModel == costModel && equalsScratch(known)) return idOf(known);
  }
  return newVector(hash, costModel);
}

function equalsScratch(known: Savings): bool {
  if (known.count != pairCount) return false;
  const ptr = changetype<usize>(known) + offsetof<Savings>();
  for (let i: u32 = 0; i < pairCount; i++) {
    if (load<u64>(ptr + (i << 3)) != load<u64>(pairs + (i << 3))) return false;
  }
  return true;
}

function newVector(hash: u32, costModel: u32): u32 {
  const size = <u32>offsetof<Savings>() + pairCount * PAIR_SIZE;
  const ptr = allocateReserved(size);
  if (!ptr) return NOTHING;
  if (!table.insert(hash, ptr)) {
    free(ptr, size);
    return NOTHING;
  }
  const vector = changetype<Savings>(ptr);
  vector.hash = hash;
  vector.references = 0;
  vector.costModel = costModel;
  vector.count = pairCount;
  memory.copy(ptr + offsetof<Savings>(), pairs, pairCount * PAIR_SIZE);
  for (let i: u32 = 0; i < pairCount; i++) retainSet(vector.label(i));
  looseCount++;
  return idOf(vector);
}

/** Combined with itself a vector is itself when every saving is whole and all of them cost the same. */
function idOf(vector: Savings): u32 {
  const first = costOf(vector.label(0), vector.costModel);
  for (let i: u32 = 0; i < vector.count; i++) {
    const cost = costOf(vector.label(i), vector.costModel);
    if (cost != first || vector.saving(i) != cost) return <u32>changetype<usize>(vector);
  }
  return <u32>changetype<usize>(vector) | IDEMPOTENT;
}
