// Next-hop sets, interned and counted: the label of a route. Two routes forward alike exactly when they have the same set, so
// the FIB compares ids. Set 0 is "no route". Members are places (next-hop.ts): whose next hops they are makes no difference.
//
// A set is built in a scratch list (beginSet, addMember, internSet), which keeps members sorted and distinct. Its address is its
// id for as long as anything refers to it: a Loc-RIB destination, a FIB entry (desired, installed), a record in flight.
import {
  NEXT_HOP_INTERFACE,
  NEXT_HOP_SET_COUNT,
  NEXT_HOP_SET_HEADER_SIZE,
  NEXT_HOP_SET_ID,
  NEXT_HOP_SET_KIND,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
  SET_KIND_FORWARD,
} from '../abi';
import { allocateReserved, free } from '../memory/arena';
import { finishHash, HashTable, mixHash, valueAt } from '../memory/hash-table';
import { compareNextHops, NextHop } from './next-hop';

/** Most members of a set, chosen or observed. */
const MAXIMUM_MEMBERS: u32 = 64;

const MEMBER_SIZE: u32 = 8;
const table = changetype<HashTable>(memory.data(12, 4));

// Member, 8 bytes
//   0          4        8
//   | next hop | weight |
@unmanaged
class Member {
  nextHop: u32 = 0;
  weight: u32 = 0;
}

function nextHopOf(member: Member): NextHop {
  return changetype<NextHop>(<usize>member.nextHop);
}

// NextHopSet, 28 bytes + 8 per member
//   0       4       8       12      16      20             24               28
//   | hash  | refs  | count | kind  | stamp | leafPerEntry | leafPerNextHop | members … |
@unmanaged
export class NextHopSet {
  hash: u32 = 0;
  private references: u32 = 0;
  count: u32 = 0;
  /** SET_KIND_* of abi.ts. */
  kind: u32 = 0;
  /** Number of the last page this set was collected for (collectSet). */
  stamp: u32 = 0;
  /** Savings of space that forwards by this set as a whole, by what a row costs, or 0 (fib/aggregate/savings.ts). */
  leafPerEntry: u32 = 0;
  leafPerNextHop: u32 = 0;

  member(index: u32): Member {
    return changetype<Member>(
      changetype<usize>(this) + offsetof<NextHopSet>() + index * MEMBER_SIZE,
    );
  }

  has(nextHop: NextHop): bool {
    for (let i: u32 = 0; i < this.count; i++) {
      if (this.member(i).nextHop == <u32>changetype<usize>(nextHop)) return true;
    }
    return false;
  }

  /** Whether every member of `other` is one of ours: nothing that `other` uses is lost. */
  includes(other: NextHopSet): bool {
    for (let i: u32 = 0; i < other.count; i++) {
      if (!this.has(nextHopOf(other.member(i)))) return false;
    }
    return true;
  }

  private get size(): u32 {
    return offsetof<NextHopSet>() + this.count * MEMBER_SIZE;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references) return;
    table.remove(this.hash, changetype<usize>(this));
    for (let i: u32 = 0; i < this.count; i++) {
      const nextHop = nextHopOf(this.member(i));
      if (nextHop.single == <u32>changetype<usize>(this)) nextHop.single = 0;
      nextHop.release();
    }
    free(changetype<usize>(this), this.size);
  }

  get definitionSize(): u32 {
    return NEXT_HOP_SET_HEADER_SIZE + this.count * NEXT_HOP_SIZE;
  }

  /** Writes the definition of abi.ts; the address after it. */
  writeDefinition(toPtr: usize): usize {
    store<u32>(toPtr, <u32>changetype<usize>(this), NEXT_HOP_SET_ID);
    store<u16>(toPtr, <u16>this.count, NEXT_HOP_SET_COUNT);
    store<u16>(toPtr, <u16>this.kind, NEXT_HOP_SET_KIND);
    toPtr += NEXT_HOP_SET_HEADER_SIZE;
    for (let i: u32 = 0; i < this.count; i++) {
      writeMember(toPtr, this.member(i));
      toPtr += NEXT_HOP_SIZE;
    }
    return toPtr;
  }
}

function writeMember(toPtr: usize, member: Member): void {
  const nextHop = nextHopOf(member);
  memory.copy(toPtr, nextHop.addressPtr, 16);
  store<u16>(toPtr, <u16>nextHop.version, NEXT_HOP_VERSION);
  store<u16>(toPtr, <u16>member.weight, NEXT_HOP_WEIGHT);
  store<u32>(toPtr, nextHop.interfaceIndex, NEXT_HOP_INTERFACE);
}

// ---- ids: 0 is a set too, the one of "no route" ----

export function setById(id: u32): NextHopSet {
  return changetype<NextHopSet>(<usize>id);
}

export function retainSet(id: u32): void {
  if (id) setById(id).retain();
}

export function releaseSet(id: u32): void {
  if (id) setById(id).release();
}

/** Whether going from one set to another takes something away: bad news, which jumps every queue (P6). */
export function losesMembers(from: u32, to: u32): bool {
  if (!from) return false;
  return !to || !setById(to).includes(setById(from));
}

export function nextHopSetCount(): u32 {
  return table.count;
}

// ---- building a set ----

const scratch: usize = memory.data(64 * 8, 4);
let scratchCount: u32 = 0;

function scratchMember(index: u32): Member {
  return changetype<Member>(scratch + index * MEMBER_SIZE);
}

export function beginSet(): void {
  scratchCount = 0;
}

/** Adds a member in canonical order; one that is there already gains the weight. Past MAXIMUM_MEMBERS nothing is added. */
export function addMember(nextHop: NextHop, weight: u32): void {
  let index = scratchCount;
  while (index > 0) {
    const before = scratchMember(index - 1);
    const order = compareNextHops(nextHopOf(before), nextHop);
    if (order == 0) {
      before.weight += weight;
      return;
    }
    if (order < 0) break;
    index--;
  }
  nextHop.retain();
  if (scratchCount == MAXIMUM_MEMBERS) {
    nextHop.release();
    return;
  }
  const place = scratch + index * MEMBER_SIZE;
  memory.copy(place + MEMBER_SIZE, place, (scratchCount - index) * MEMBER_SIZE);
  scratchMember(index).nextHop = <u32>changetype<usize>(nextHop);
  scratchMember(index).weight = weight;
  scratchCount++;
}

/** The id of the set that was built; 0 when it is empty and forwards, or when there is no memory. Not retained. */
export function internSet(kind: u32): u32 {
  if (scratchCount == 0 && kind == SET_KIND_FORWARD) return 0;
  const id = findOrMakeSet(kind);
  // The scratch list held on to its members; a set of them does so itself.
  while (scratchCount) nextHopOf(scratchMember(--scratchCount)).release();
  return id;
}

function findOrMakeSet(kind: u32): u32 {
  const hash = hashScratch(kind);
  for (let slot = table.first(hash); slot; slot = table.next(slot, hash)) {
    const known = changetype<NextHopSet>(valueAt(slot));
    if (known.kind == kind && equalsScratch(known)) return <u32>valueAt(slot);
  }
  return newSet(hash, kind);
}

/** The id of the set of one next hop, or 0 when there is no memory. Not retained. */
export function singleSet(nextHop: NextHop): u32 {
  if (nextHop.single) return nextHop.single;
  beginSet();
  addMember(nextHop, 1);
  nextHop.single = internSet(SET_KIND_FORWARD);
  return nextHop.single;
}

/** Throws away sets that nothing refers to: what internSet made and nobody retained. */
export function dropIfUnused(id: u32): void {
  if (!id) return;
  setById(id).retain();
  setById(id).release();
}

function hashScratch(kind: u32): u32 {
  let hash = mixHash(kind, scratchCount);
  for (let i: u32 = 0; i < scratchCount; i++) {
    const member = scratchMember(i);
    hash = mixHash(hash, ((<u64>member.nextHop) << 32) | member.weight);
  }
  return finishHash(hash);
}

function equalsScratch(known: NextHopSet): bool {
  if (known.count != scratchCount) return false;
  for (let i: u32 = 0; i < scratchCount; i++) {
    const a = known.member(i);
    const b = scratchMember(i);
    if (a.nextHop != b.nextHop || a.weight != b.weight) return false;
  }
  return true;
}

function newSet(hash: u32, kind: u32): u32 {
  const size = <u32>offsetof<NextHopSet>() + scratchCount * MEMBER_SIZE;
  const ptr = allocateReserved(size);
  if (!ptr) return 0;
  if (!table.insert(hash, ptr)) {
    free(ptr, size);
    return 0;
  }
  const set = changetype<NextHopSet>(ptr);
  memory.fill(ptr, 0, offsetof<NextHopSet>());
  set.hash = hash;
  set.count = scratchCount;
  set.kind = kind;
  memory.copy(ptr + offsetof<NextHopSet>(), scratch, scratchCount * MEMBER_SIZE);
  for (let i: u32 = 0; i < scratchCount; i++) nextHopOf(set.member(i)).retain();
  return <u32>ptr;
}

// ---- pages: a set is defined once per page of records that name it ----

let pageStamp: u32 = 0;

export function beginPage(): void {
  pageStamp++;
}

/** Bytes the set adds to the page's definitions: 0 when the page has it already. */
export function collectSet(id: u32): u32 {
  if (!id || setById(id).stamp == pageStamp) return 0;
  setById(id).stamp = pageStamp;
  return setById(id).definitionSize;
}

/** Writes a collected set's definition the first time it is asked for; the address after it. */
export function defineSet(id: u32, toPtr: usize): usize {
  if (!id || setById(id).stamp != pageStamp) return toPtr;
  setById(id).stamp = 0;
  return setById(id).writeDefinition(toPtr);
}
