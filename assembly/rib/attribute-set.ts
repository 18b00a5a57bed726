// Attribute sets: the path attributes of an UPDATE, interned and counted. Stored once, shared by every route that has them.
//
// The identity of a set is its bytes (canonical attributes, see wire/canonical.ts), its next hop and what this session made of
// it (own AS seen, link-local companion, EVPN payload). The facts the decision process reads are kept beside the bytes so
// that comparing two routes parses nothing.
import {
  ATTRIBUTE_SET_BYTES,
  ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL,
  ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR,
  ATTRIBUTE_SET_FLAG_HAS_OWN_AS,
  ATTRIBUTE_SET_FLAG_IS_DISCARD,
} from '../abi';
import { allocate, free } from '../memory/arena';
import { finishHash, HashTable, hashBytes, mixHash, valueAt } from '../memory/hash-table';
import { NextHop } from '../nexthop/next-hop';
import { HAS_LOCAL_PREF, HAS_MED, HAS_ORIGINATOR_ID, update } from '../wire/update-view';

const DEFAULT_LOCAL_PREF: u32 = 100;
const LINK_LOCAL_SIZE: u32 = 16;
const AS_PATH_TYPE: u32 = 2;
const EXTENDED_LENGTH: u32 = 0x10;

const table = changetype<HashTable>(memory.data(12, 4));

// AttributeSet, 44 bytes + attributes (+ 16 link-local) (+ EVPN payload); as many as there are different paths.
// 125 000 paths of 4 hops with two communities: 44 + 40 + 8 in the table = 92 bytes each.
//
//   0      4      8         12          16    20           24             28          32       36       40       41        42            43
//   | hash | refs | nextHop | localPref | med | neighborAs | originatorId | pathHops  | size   | flags  | origin | clusters | payloadSize | – |
//   44
//   | attributes … | link-local address | payload |
@unmanaged
export class AttributeSet {
  hash: u32 = 0;
  references: u32 = 0;
  /** NextHop, or 0 for local routes and EVPN without one. */
  nextHopPtr: u32 = 0;
  localPref: u32 = 0;
  /** A missing MED is the best, 0 (RFC 4271 §9.1.2.2 c). */
  med: u32 = 0;
  neighborAs: u32 = 0;
  /** 0 unless HAS_ORIGINATOR. */
  originatorId: u32 = 0;
  asPathLength: u32 = 0;
  /** Bytes of attributes. */
  size: u32 = 0;
  flags: u32 = 0;
  origin: u8 = 0;
  clusterListCount: u8 = 0;
  payloadSize: u8 = 0;
  zero: u8 = 0;

  get attributesPtr(): usize {
    return changetype<usize>(this) + ATTRIBUTE_SET_BYTES;
  }

  get nextHop(): NextHop | null {
    return changetype<NextHop | null>(<usize>this.nextHopPtr);
  }

  get hasOwnAs(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_HAS_OWN_AS) != 0;
  }

  /** Packets are dropped on purpose: a discard route, which has no next hop. */
  get isDiscard(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_IS_DISCARD) != 0;
  }

  get hasOriginator(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR) != 0;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references) return;
    table.remove(this.hash, changetype<usize>(this));
    const nextHop = this.nextHop;
    if (nextHop) nextHop.unuse();
    free(changetype<usize>(this), this.totalSize);
  }

  /** Whether two sets have the same AS_PATH, not only one of the same length. */
  hasSameAsPath(other: AttributeSet): bool {
    const a = this.asPathAttribute();
    const b = other.asPathAttribute();
    if (a == 0 || b == 0) return a == b;
    const size = attributeSize(a);
    return size == attributeSize(b) && memory.compare(a, b, size) == 0;
  }

  private get totalSize(): u32 {
    const linkLocal = this.flags & ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL ? LINK_LOCAL_SIZE : 0;
    return ATTRIBUTE_SET_BYTES + this.size + linkLocal + this.payloadSize;
  }

  /** Where AS_PATH begins, or 0. Attributes are in ascending order of type, so it is the first or the second. */
  private asPathAttribute(): usize {
    const end = this.attributesPtr + this.size;
    for (let ptr = this.attributesPtr; ptr < end; ptr += attributeSize(ptr)) {
      const type = load<u8>(ptr, 1);
      if (type == AS_PATH_TYPE) return ptr;
      if (type > AS_PATH_TYPE) break;
    }
    return 0;
  }
}

function attributeSize(ptr: usize): u32 {
  return (load<u8>(ptr) & EXTENDED_LENGTH) != 0
    ? 4 + <u32>bswap(load<u16>(ptr, 2))
    : 3 + <u32>load<u8>(ptr, 2);
}

/** What tells two sets of the same attributes apart, and comes with them. Filled before each internAttributeSet. */
@unmanaged
export class SetContext {
  nextHop: u32 = 0;
  /** The host resolves next hops of this network. */
  isTracked: bool = false;
  /** A route to nowhere, on purpose. Whoever sets it takes it back. */
  isDiscard: bool = false;
  /** The link-local companion of a global next hop (RFC 2545 §3), or 0. */
  linkLocalPtr: usize = 0;
  payloadPtr: usize = 0;
  payloadSize: u32 = 0;
}

export const setContext = changetype<SetContext>(memory.data(offsetof<SetContext>(), 4));

/**
 * The set of the UPDATE in the view with the next hop and companions of `setContext`; null when there is no memory. It is
 * retained for the caller, who releases it when the UPDATE is done.
 */
export function internAttributeSet(): AttributeSet | null {
  const flags = contextFlags();
  const hash = contextHash(flags);
  for (let slot = table.first(hash); slot; slot = table.next(slot, hash)) {
    const known = changetype<AttributeSet>(valueAt(slot));
    if (equalsContext(known, flags)) {
      known.retain();
      return known;
    }
  }
  return newAttributeSet(hash, flags);
}

export function attributeSetCount(): u32 {
  return table.count;
}

function contextFlags(): u32 {
  let flags: u32 = 0;
  if (update.present & HAS_ORIGINATOR_ID) flags |= ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR;
  if (update.hasOwnAs) flags |= ATTRIBUTE_SET_FLAG_HAS_OWN_AS;
  if (setContext.linkLocalPtr) flags |= ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL;
  if (setContext.isDiscard) flags |= ATTRIBUTE_SET_FLAG_IS_DISCARD;
  return flags;
}

function contextHash(flags: u32): u32 {
  let hash = mixHash(setContext.nextHop, flags);
  hash = hashBytes(hash, update.attributesPtr, update.attributesSize);
  if (setContext.linkLocalPtr) hash = hashBytes(hash, setContext.linkLocalPtr, LINK_LOCAL_SIZE);
  if (setContext.payloadSize) {
    hash = hashBytes(hash, setContext.payloadPtr, setContext.payloadSize);
  }
  return finishHash(hash);
}

function equalsContext(known: AttributeSet, flags: u32): bool {
  const nextHop = known.nextHop;
  if (changetype<usize>(nextHop) != setContext.nextHop || known.flags != flags) return false;
  if (known.size != update.attributesSize || known.payloadSize != setContext.payloadSize) {
    return false;
  }
  let ptr = known.attributesPtr;
  if (!equalBytes(ptr, update.attributesPtr, known.size)) return false;
  ptr += known.size;
  if (setContext.linkLocalPtr) {
    if (!equalBytes(ptr, setContext.linkLocalPtr, LINK_LOCAL_SIZE)) return false;
    ptr += LINK_LOCAL_SIZE;
  }
  return equalBytes(ptr, setContext.payloadPtr, known.payloadSize);
}

function equalBytes(a: usize, b: usize, size: u32): bool {
  const end = a + size;
  for (; a + 8 <= end; a += 8, b += 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
  }
  for (; a < end; a++, b++) {
    if (load<u8>(a) != load<u8>(b)) return false;
  }
  return true;
}

function newAttributeSet(hash: u32, flags: u32): AttributeSet | null {
  const linkLocalSize = setContext.linkLocalPtr ? LINK_LOCAL_SIZE : 0;
  const total =
    ATTRIBUTE_SET_BYTES + update.attributesSize + linkLocalSize + setContext.payloadSize;
  const ptr = allocate(total);
  if (!ptr) return null;
  if (!table.insert(hash, ptr)) {
    free(ptr, total);
    return null;
  }
  const set = changetype<AttributeSet>(ptr);
  set.hash = hash;
  set.references = 1;
  set.nextHopPtr = setContext.nextHop;
  set.flags = flags;
  fillFacts(set);
  const nextHop = set.nextHop;
  if (nextHop != null) nextHop.use(setContext.isTracked);
  let toPtr = set.attributesPtr;
  memory.copy(toPtr, update.attributesPtr, update.attributesSize);
  toPtr += update.attributesSize;
  if (linkLocalSize) memory.copy(toPtr, setContext.linkLocalPtr, LINK_LOCAL_SIZE);
  toPtr += linkLocalSize;
  if (setContext.payloadSize) memory.copy(toPtr, setContext.payloadPtr, setContext.payloadSize);
  return set;
}

function fillFacts(set: AttributeSet): void {
  const present = update.present;
  set.localPref = present & HAS_LOCAL_PREF ? update.localPref : DEFAULT_LOCAL_PREF;
  set.med = present & HAS_MED ? update.med : 0;
  set.neighborAs = update.neighborAs;
  set.originatorId = present & HAS_ORIGINATOR_ID ? update.originatorId : 0;
  set.asPathLength = update.asPathLength;
  set.size = update.attributesSize;
  set.origin = <u8>update.origin;
  set.clusterListCount = <u8>min(update.clusterListCount, 255);
  set.payloadSize = <u8>setContext.payloadSize;
  set.zero = 0;
}
