// A FIB: per prefix what one target should hold (desired), what it holds as far as we know (installed), and the difference.
//
// Purpose. The Loc-RIB says what is desired; the target's sink says what is in place. The FIB knows nothing of peers: it compares next-hop
// set ids. Where it is aggregated, a stage in between makes rows of routes (aggregate/aggregate.ts), else each route is a row.
//
// Coalescing. An entry is in at most one list, and a change of mind moves it: a prefix that changes a hundred times while a
// batch is on its way becomes one record, or none when it ended where it began (P9). Bad news has a list of its own that is
// drained first (P6). Within a list the oldest goes first. An aggregated FIB is drained by length (order.ts).
//
// In flight. One batch at a time (batch.ts). Its entries are in no list until the answer comes; then the installed set is known and
// the entry is settled again. An observation that arrives meanwhile is newer than what we know and wins over the answer: at
// worst a record is written twice, which is harmless (P4).
//
// Snapshots. The sink names everything of ours that is in place between beginSnapshot and endSnapshot. An entry carries one bit
// that says whether it was named; its meaning flips with each snapshot, so nothing must be cleared first. endSnapshot starts a
// walk that takes what was not named as not installed (fib-walk.ts), and nothing is drained before that is done.
import {
  FAMILY_COUNT,
  FIB_STATE_HELD,
  FIB_STATE_INSTALLED,
  FIB_STATE_PENDING,
  FIB_STATE_REFUSED,
} from '../abi';
import { Trie } from '../lpm/trie';
import { allocateRecord, free } from '../memory/arena';
import { IdTable } from '../memory/id-table';
import { losesMembers, releaseSet, retainSet } from '../nexthop/next-hop-set';
import {
  ENTRY_KEY_OFFSET,
  FibEntry,
  LIST_BLOCKED,
  LIST_COUNT,
  LIST_HELD,
  LIST_NONE,
  LIST_NORMAL,
  LIST_REFUSED,
  LIST_REMOVALS,
  LIST_SETS,
  LIST_URGENT,
  LIST_WITHHELD,
  newEntry,
} from './entry';
import { EntryList } from './entry-list';
import { freeLengthLists, listByLength, newLengthLists } from './length-lists';

const fibs = changetype<IdTable>(memory.data(8, 4));

/** FIBs that were removed and still have entries to give back (fib-walk.ts). */
export let firstRemovedFib: Fib = changetype<Fib>(0);

@unmanaged
export class Fib {
  id: u32 = 0;
  network: u32 = 0;
  nextOfNetwork: Fib = changetype<Fib>(0);
  /** Generation in which the Loc-RIB must be handed over as a whole (rib/table-walk.ts). */
  mark: u32 = 0;
  desiredCount: u32 = 0;
  installedCount: u32 = 0;
  holdsRemovals: bool = false;
  /** Is told of restless prefixes when they have come to rest (rib/restless.ts). */
  isPatient: bool = false;
  /** It is not known what is in place; nothing is drained until a snapshot has told. */
  awaitsSnapshot: bool = false;
  /** There was no memory for a route of others: nothing is drained until a snapshot has told them all again. */
  lacksBarriers: bool = false;
  isInSnapshot: bool = false;
  /** What the seen bit of an entry named by the latest snapshot is. */
  parity: bool = false;
  /** The walk after a snapshot: whether it goes on, in which family, after which key. */
  isPruning: bool = false;
  pruneFamily: u8 = 0;
  pruneBits: i16 = 0;
  pruneKey0: u64 = 0;
  pruneKey1: u64 = 0;
  /** Stands between the Loc-RIB and the entries when the FIB is aggregated, else 0 (aggregate/aggregate.ts, aggregateOf). */
  aggregatePtr: u32 = 0;
  /** Its entries are not yet what the routes ask for: nothing is drained meanwhile. */
  isUnsettled: bool = false;
  /** Lists by length of an aggregated FIB, or 0 (length-lists.ts), and how many entries are in them. */
  orderPtr: u32 = 0;
  setCount: u32 = 0;
  private removalCount: u32 = 0;
  /** What was refused, or what that means, has changed since the last batch (holes.ts). */
  holesChanged: bool = false;
  /** Something in the batch in flight is to be put in place. */
  batchHasSets: bool = false;
  /** Records of the batch in flight (batch.ts). */
  batchPtr: u32 = 0;
  batchCapacity: u32 = 0;
  batchCount: u32 = 0;

  trie(family: u32): Trie {
    return changetype<Trie>(changetype<usize>(this) + offsetof<Fib>() + family * offsetof<Trie>());
  }

  list(index: u32): EntryList {
    const lists = changetype<usize>(this) + offsetof<Fib>() + FAMILY_COUNT * offsetof<Trie>();
    return changetype<EntryList>(lists + index * offsetof<EntryList>());
  }

  get pruneKeyPtr(): usize {
    return changetype<usize>(this) + offsetof<Fib>('pruneKey0');
  }

  find(family: u32, keyPtr: usize, bits: u32): FibEntry | null {
    return changetype<FibEntry | null>(<usize>this.trie(family).find(keyPtr, bits));
  }

  /** What should be in place, 0 for nothing. False when there is no memory for the entry. */
  setDesired(family: u32, keyPtr: usize, bits: u32, set: u32): bool {
    if (set) return this.want(family, keyPtr, bits, set) != null;
    const entry = this.find(family, keyPtr, bits);
    if (entry != null) this.desire(entry, 0);
    return true;
  }

  /** The entry of a prefix that should be in place, made when it is new; null when there is no memory. */
  want(family: u32, keyPtr: usize, bits: u32, set: u32): FibEntry | null {
    let entry = this.find(family, keyPtr, bits);
    if (entry == null) entry = this.add(family, keyPtr, bits);
    if (entry != null) this.desire(entry, set);
    return entry;
  }

  /** Changes what an entry should be; with 0 it may be gone afterwards. */
  desire(entry: FibEntry, set: u32): void {
    if (entry.desired == set) return;
    retainSet(set);
    releaseSet(entry.desired);
    this.desiredCount += one(set) - one(entry.desired);
    entry.desired = set;
    this.settle(entry);
  }

  /** What is in place now. */
  setInstalled(entry: FibEntry, set: u32): void {
    retainSet(set);
    releaseSet(entry.installed);
    this.installedCount += one(set) - one(entry.installed);
    entry.installed = set;
  }

  /** Puts an entry into the list it belongs to; one with nothing to say is removed. */
  settle(entry: FibEntry): void {
    if (entry.isInFlight) return;
    if (entry.desired != entry.installed) {
      this.moveTo(entry, this.listFor(entry));
      return;
    }
    this.moveTo(entry, LIST_NONE);
    if (!entry.desired) this.remove(entry);
  }

  moveTo(entry: FibEntry, list: u32): void {
    const before: u32 = entry.list;
    if (before == list) return;
    if (before != LIST_NONE) this.listOf(entry).remove(entry);
    entry.list = <u8>list;
    if (list != LIST_NONE) this.listOf(entry).append(entry);
    this.setCount += isOne(list, LIST_SETS) - isOne(before, LIST_SETS);
    this.removalCount += isOne(list, LIST_REMOVALS) - isOne(before, LIST_REMOVALS);
    if (list == LIST_REFUSED || before == LIST_REFUSED) this.holesChanged = true;
    const isFree = before == LIST_REFUSED || before == LIST_WITHHELD;
    if (isFree && entry.blocksRemovals) {
      entry.setBlocksRemovals(false);
      this.unblockRemovals();
    }
  }

  /** An entry that removals waited for is not refused any more. */
  private unblockRemovals(): void {
    const blocked = this.list(LIST_BLOCKED);
    for (let entry = blocked.first; entry != null; entry = blocked.first) {
      this.moveTo(entry, LIST_REMOVALS);
    }
  }

  /** The list an entry is in. */
  private listOf(entry: FibEntry): EntryList {
    if (entry.list < LIST_COUNT) return this.list(entry.list);
    return listByLength(this.orderPtr, entry.list, entry.bits);
  }

  /** The entry of a prefix, made when it is new; null when there is no memory. */
  add(family: u32, keyPtr: usize, bits: u32): FibEntry | null {
    const entry = newEntry(family, keyPtr, bits);
    if (entry == null) return null;
    if (!this.trie(family).insert(<u32>changetype<usize>(entry))) {
      entry.free();
      return null;
    }
    return entry;
  }

  /** Entries that wait to be drained or for the answer to their batch. */
  get pendingCount(): u32 {
    return this.drainableCount + this.batchCount;
  }

  get heldCount(): u32 {
    return this.holdsRemovals ? this.list(LIST_HELD).count : 0;
  }

  get drainableCount(): u32 {
    return this.list(LIST_NORMAL).count + this.setCount + this.removalCount + this.urgentCount;
  }

  /** Bad news among them. */
  get urgentCount(): u32 {
    const released = this.holdsRemovals ? 0 : this.list(LIST_HELD).count;
    return this.list(LIST_URGENT).count + released;
  }

  /** Of an aggregated FIB: something was refused, or waits for something that was (holes.ts). */
  get hasHoles(): bool {
    if (!this.aggregatePtr) return false;
    const waitingCount = this.list(LIST_WITHHELD).count + this.list(LIST_BLOCKED).count;
    return (this.list(LIST_REFUSED).count | waitingCount) != 0;
  }

  /** Whether a batch can be drained now. */
  get isPending(): bool {
    if (this.batchCount || this.awaitsSnapshot || this.isInSnapshot || this.isPruning) return false;
    if (this.lacksBarriers || this.isUnsettled) return false;
    return this.drainableCount != 0 || (this.holesChanged && this.hasHoles);
  }

  private listFor(entry: FibEntry): u32 {
    if (!entry.desired && this.holdsRemovals) return LIST_HELD;
    if (losesMembers(entry.installed, entry.desired)) return LIST_URGENT;
    return this.orderPtr ? LIST_SETS : LIST_NORMAL;
  }

  private remove(entry: FibEntry): void {
    this.trie(entry.family).remove(entry.keyPtr, entry.bits);
    entry.free();
  }
}

/** 1 for a set, 0 for "no route": for counting. */
function one(set: u32): u32 {
  return set ? 1 : 0;
}

function isOne(list: u32, wanted: u32): u32 {
  return list == wanted ? 1 : 0;
}

/** State of a prefix in a FIB, as FIB_STATE_* of abi.ts. */
export function stateOf(fib: Fib, entry: FibEntry): u32 {
  if (entry.isInFlight) return FIB_STATE_PENDING;
  switch (<u32>entry.list) {
    case LIST_NONE:
      return FIB_STATE_INSTALLED;
    case LIST_HELD:
      return fib.holdsRemovals ? FIB_STATE_HELD : FIB_STATE_PENDING;
    case LIST_BLOCKED:
    case LIST_WITHHELD:
      return FIB_STATE_HELD;
    case LIST_REFUSED:
      return FIB_STATE_REFUSED;
    default:
      return FIB_STATE_PENDING;
  }
}

export function fibById(id: u32): Fib | null {
  return changetype<Fib | null>(fibs.get(id));
}

/** A new FIB without entries, or null when there is no memory or the id is taken. */
export function newFib(id: u32, network: u32, holdsRemovals: bool, isPatient: bool): Fib | null {
  if (fibs.get(id)) return null;
  const ptr = allocateRecord(fibSize());
  if (!ptr) return null;
  if (!fibs.set(id, ptr)) {
    free(ptr, fibSize());
    return null;
  }
  const fib = changetype<Fib>(ptr);
  fib.id = id;
  fib.network = network;
  fib.holdsRemovals = holdsRemovals;
  fib.isPatient = isPatient;
  for (let family = 0; family < FAMILY_COUNT; family++) {
    fib.trie(family).keyOffset = <u16>ENTRY_KEY_OFFSET;
  }
  return fib;
}

/** An empty FIB is drained by length from now on (order.ts). False when there is no memory. */
export function orderFib(fib: Fib): bool {
  fib.orderPtr = <u32>newLengthLists();
  return fib.orderPtr != 0;
}

/** Forgets the id at once; the entries are given back by and by. */
export function removeFibRecord(fib: Fib): void {
  fibs.set(fib.id, 0);
  fib.nextOfNetwork = firstRemovedFib;
  firstRemovedFib = fib;
}

/** The last step of a removal: every trie is empty. */
export function freeFirstRemovedFib(): void {
  const fib = firstRemovedFib;
  if (!fib) return;
  firstRemovedFib = fib.nextOfNetwork;
  if (fib.batchPtr) free(fib.batchPtr, fib.batchCapacity << 3);
  if (fib.orderPtr) freeLengthLists(fib.orderPtr);
  free(changetype<usize>(fib), fibSize());
}

/** One more than the largest id that may be in use, for a loop over all FIBs. */
export function fibIdLimit(): u32 {
  return fibs.capacity;
}

function fibSize(): u32 {
  return offsetof<Fib>() + FAMILY_COUNT * offsetof<Trie>() + LIST_COUNT * offsetof<EntryList>();
}
