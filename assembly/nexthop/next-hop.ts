// Next hops, interned: one record per (network, address, interface), with what the host found out about it.
//
// A next hop is *used* while an attribute set names it; only then does the host hear of it (added, removed) and resolve it. One
// that is merely in place somewhere (a next-hop set a sink observed) has a record and no events. Events are not a log: a next
// hop waits in one queue until it is taken, and what is told then is the difference to what was told last.
//
// What the host finds out is a matter of a network: 10.0.0.1 may be there in one and not in another. Where a packet goes is not: a
// route imported from another network forwards like one of the network's own to the same address, and a sink that sees a next hop in
// its place cannot say whose it is. So every next hop of a network leads to its *place*, the record of the same address and
// interface in no network, and next-hop sets are made of places.
import {
  NEXT_HOP_EVENT_ADDED,
  NEXT_HOP_EVENT_ADDRESS,
  NEXT_HOP_EVENT_ID,
  NEXT_HOP_EVENT_INTERFACE,
  NEXT_HOP_EVENT_KIND,
  NEXT_HOP_EVENT_NETWORK,
  NEXT_HOP_EVENT_SIZE,
  NEXT_HOP_EVENT_VERSION,
} from '../abi';
import { allocateReserved, free } from '../memory/arena';
import { finishHash, HashTable, mixHash, valueAt } from '../memory/hash-table';

const RESOLVED: u32 = 1; // the host says so
const TRACKED: u32 = 2; // the host is asked; untracked next hops count as resolved
const ANNOUNCED: u32 = 4; // the host was told "added"
const IN_QUEUE: u32 = 8; // has an event to take
const ANSWERED: u32 = 16; // the host has said whether it is resolved

/** The network of places. */
const NO_NETWORK: u32 = u32.MAX_VALUE;

const table = changetype<HashTable>(memory.data(12, 4));
let firstEvent: NextHop | null = null;
let lastEvent: NextHop | null = null;

// NextHop, 64 bytes; as many as there are next hops: tens, in odd tables tens of thousands
//   0      4      8      12       16          20     24       28        32        36          40      44      48        64
//   | hash | refs | uses | metric | interface | mark | single | network | version | nextEvent | flags | place | address |
@unmanaged
export class NextHop {
  hash: u32 = 0;
  /** Attribute sets, next-hop sets, the event queue, and next hops whose place it is. */
  private references: u32 = 0;
  /** Attribute sets alone. */
  private uses: u32 = 0;
  /** IGP cost, step 9 of the decision process. */
  metric: u32 = 0;
  interfaceIndex: u32 = 0;
  /** Generation of the last change of state (rib/table-walk.ts). */
  mark: u32 = 0;
  /** Of a place: the next-hop set of this one member, or 0; not counted as a reference. */
  single: u32 = 0;
  network: u32 = 0;
  /** 4 or 6. */
  version: u32 = 0;
  nextEvent: NextHop | null = null;
  private flags: u32 = 0;
  /** The record with the same address and interface that belongs to no network; a place is its own. */
  place: NextHop = changetype<NextHop>(0);
  address0: u64 = 0;
  address1: u64 = 0;

  get addressPtr(): usize {
    return changetype<usize>(this) + offsetof<NextHop>('address0');
  }

  get isResolved(): bool {
    return (this.flags & (RESOLVED | TRACKED)) != TRACKED;
  }

  /** The host is asked and has not answered yet. */
  get awaitsAnswer(): bool {
    return (this.flags & (TRACKED | ANSWERED)) == TRACKED;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references) return;
    table.remove(this.hash, changetype<usize>(this));
    if (this.network != NO_NETWORK) this.place.release();
    free(changetype<usize>(this), offsetof<NextHop>());
  }

  /** An attribute set names it. `tracked`: the host resolves next hops of this network. */
  use(tracked: bool): void {
    this.retain();
    if (this.uses++) return;
    this.setTracked(tracked);
    // Unused for a moment and not yet told: the host still has it and will not hear of it again, so its word stands.
    if ((this.flags & ANNOUNCED) == 0) {
      this.flags &= ~(RESOLVED | ANSWERED);
      this.metric = 0;
    }
    this.enqueue();
  }

  unuse(): void {
    if (!--this.uses) this.enqueue();
    this.release();
  }

  get isUsed(): bool {
    return this.uses != 0;
  }

  /** The host's answer. True when it is the first one, or another one than before. */
  setState(resolved: bool, metric: u32): bool {
    const isFirst = this.awaitsAnswer;
    const before = this.isResolved;
    const metricBefore = this.metric;
    this.flags = resolved ? this.flags | RESOLVED : this.flags & ~RESOLVED;
    this.flags |= ANSWERED;
    this.metric = metric;
    return isFirst || before != this.isResolved || metricBefore != metric;
  }

  setTracked(tracked: bool): void {
    this.flags = tracked ? this.flags | TRACKED : this.flags & ~TRACKED;
  }

  private enqueue(): void {
    if (this.flags & IN_QUEUE) return;
    this.flags |= IN_QUEUE;
    this.retain();
    this.nextEvent = null;
    if (lastEvent) lastEvent!.nextEvent = this;
    else firstEvent = this;
    lastEvent = this;
  }

  /** Takes the head of the queue off; true when it has something to tell, which is written to `toPtr`. */
  dequeue(toPtr: usize): bool {
    firstEvent = this.nextEvent;
    if (!firstEvent) lastEvent = null;
    this.flags &= ~IN_QUEUE;
    const wasAnnounced = (this.flags & ANNOUNCED) != 0;
    const tells = wasAnnounced != this.isUsed;
    if (tells) {
      this.flags ^= ANNOUNCED;
      this.writeEvent(toPtr);
    }
    this.release();
    return tells;
  }

  private writeEvent(toPtr: usize): void {
    memory.fill(toPtr, 0, NEXT_HOP_EVENT_SIZE);
    store<u32>(toPtr, <u32>changetype<usize>(this), NEXT_HOP_EVENT_ID);
    store<u16>(toPtr, <u16>this.network, NEXT_HOP_EVENT_NETWORK);
    store<u8>(toPtr, <u8>this.version, NEXT_HOP_EVENT_VERSION);
    store<u8>(toPtr, this.isUsed ? NEXT_HOP_EVENT_ADDED : 0, NEXT_HOP_EVENT_KIND);
    store<u32>(toPtr, this.interfaceIndex, NEXT_HOP_EVENT_INTERFACE);
    memory.copy(toPtr + NEXT_HOP_EVENT_ADDRESS, this.addressPtr, 16);
  }
}

/** Writes up to `limit` events; the number written. */
export function takeEvents(toPtr: usize, limit: u32): u32 {
  let count: u32 = 0;
  while (count < limit) {
    const head = firstEvent;
    if (!head) break;
    if (head.dequeue(toPtr + count * NEXT_HOP_EVENT_SIZE)) count++;
  }
  return count;
}

/** The record of a next hop, made when it is new; null when there is no memory. Not retained. `size` is 4 or 16. */
export function internNextHop(
  network: u32,
  addressPtr: usize,
  size: u32,
  interfaceIndex: u32,
): NextHop | null {
  let word0: u64 = load<u32>(addressPtr);
  let word1: u64 = 0;
  if (size == 16) {
    word0 = load<u64>(addressPtr);
    word1 = load<u64>(addressPtr, 8);
  }
  const version: u32 = size == 4 ? 4 : 6;
  const seed = mixHash(((<u64>network) << 32) | interfaceIndex, version);
  const hash = finishHash(mixHash(mixHash(seed, word0), word1));
  for (let slot = table.first(hash); slot; slot = table.next(slot, hash)) {
    const known = changetype<NextHop>(valueAt(slot));
    if (
      load<u64>(known.addressPtr) == word0 &&
      load<u64>(known.addressPtr, 8) == word1 &&
      known.version == version &&
      known.network == network &&
      known.interfaceIndex == interfaceIndex
    ) {
      return known;
    }
  }
  const ptr = allocateReserved(offsetof<NextHop>());
  if (!ptr) return null;
  if (!table.insert(hash, ptr)) {
    free(ptr, offsetof<NextHop>());
    return null;
  }
  memory.fill(ptr, 0, offsetof<NextHop>());
  const nextHop = changetype<NextHop>(ptr);
  nextHop.hash = hash;
  nextHop.place = nextHop;
  nextHop.version = version;
  nextHop.network = network;
  nextHop.interfaceIndex = interfaceIndex;
  store<u64>(nextHop.addressPtr, word0);
  store<u64>(nextHop.addressPtr, word1, 8);
  if (network == NO_NETWORK) return nextHop;
  const place = internPlace(addressPtr, size, interfaceIndex);
  if (place == null) {
    table.remove(hash, ptr);
    free(ptr, offsetof<NextHop>());
    return null;
  }
  place.retain();
  nextHop.place = place;
  return nextHop;
}

/** The record of a next hop outside any network: what next-hop sets are made of. Null when there is no memory. Not retained. */
export function internPlace(addressPtr: usize, size: u32, interfaceIndex: u32): NextHop | null {
  return internNextHop(NO_NETWORK, addressPtr, size, interfaceIndex);
}

/** The next hop the host means by an id it was given, or null when it is gone since. */
export function nextHopById(id: u32): NextHop | null {
  // An id is an address; only one that the table knows may be believed.
  if (
    id < <u32>__heap_base ||
    id & 3 ||
    <u64>id + offsetof<NextHop>() > (<u64>memory.size()) << 16
  ) {
    return null;
  }
  const nextHop = changetype<NextHop>(<usize>id);
  return table.has(nextHop.hash, id) ? nextHop : null;
}

/** Applies tracking to every next hop of a network and marks them for a new decision. */
export function trackNextHopsOf(network: u32, tracked: bool, mark: u32): void {
  for (let index: u32 = 0; index < table.capacity; index++) {
    const ptr = table.valueAtIndex(index);
    if (!ptr) continue;
    const nextHop = changetype<NextHop>(ptr);
    if (nextHop.network != network) continue;
    nextHop.setTracked(tracked);
    nextHop.mark = mark;
  }
}

/** Canonical order inside a set: IPv4 first, then by address, then by interface. */
export function compareNextHops(a: NextHop, b: NextHop): i32 {
  if (a.version != b.version) return a.version < b.version ? -1 : 1;
  for (let offset: usize = 0; offset < 16; offset += 8) {
    const x = bswap(load<u64>(a.addressPtr + offset));
    const y = bswap(load<u64>(b.addressPtr + offset));
    if (x != y) return x < y ? -1 : 1;
  }
  if (a.interfaceIndex != b.interfaceIndex) return a.interfaceIndex < b.interfaceIndex ? -1 : 1;
  return 0;
}
