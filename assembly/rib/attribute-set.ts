// Attribute sets: the path attributes of an UPDATE, interned and counted. Stored once, shared by every route that has them.
//
// The identity of a set is its bytes (canonical attributes, see wire/canonical.ts), its next hop, what this session made of
// it (own AS seen, link-local companion, EVPN payload) and what a policy made of it (weight, the set as it was received). The
// facts the decision process reads are kept beside the bytes so that comparing two routes parses nothing.
//
// A set that a policy changed holds the one it was made of. So a route needs one pointer for both, Adj-RIB-In can be shown as it
// was received, and another policy is applied to what the peer said, not to what the last policy made of it. Such a set is found
// among the few that were made of the same one, not by its hash: on a full table that is half of what a policy costs.
import {
  ATTRIBUTE_SET_BYTES,
  ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL,
  ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR,
  ATTRIBUTE_SET_FLAG_HAS_OWN_AS,
  ATTRIBUTE_SET_FLAG_IS_DISCARD,
} from '../abi';
import { allocate, free } from '../memory/arena';
import { copyBytes } from '../memory/byte-writer';
import { finishHash, HashTable, hashBytes, mixHash, valueAt } from '../memory/hash-table';
import { NextHop } from '../nexthop/next-hop';
import { attributeSize, findAttribute } from '../wire/attribute-list';
import { AS_PATH } from '../wire/attributes';
import { HAS_LOCAL_PREF, HAS_MED, HAS_ORIGINATOR_ID, update } from '../wire/update-view';

const DEFAULT_LOCAL_PREF: u32 = 100;
const LINK_LOCAL_SIZE: u32 = 16;

const table = changetype<HashTable>(memory.data(12, 4));
/** Sets that policies made; they are not in the table. */
let derivedCount: u32 = 0;

// AttributeSet, 56 bytes + attributes (+ 16 link-local) (+ EVPN payload); as many as there are different paths.
// 125 000 paths of 4 hops with two communities: 56 + 40 + 8 in the table = 104 bytes each.
//
//   0      4      8         12          16    20           24             28          32       36       40       41        42            43
//   | hash | refs | nextHop | localPref | med | neighborAs | originatorId | pathHops  | size   | flags  | origin | clusters | payloadSize | share |
//   44         48       52        56
//   | received | weight | derived | attributes … | link-local address | payload |
//
// hash: of a set that a policy made, the next one that was made of the same set
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
  /** Weight among equals, less 1; of a route whose source gave it one. */
  share: u8 = 0;
  /** The set a policy made this one of, or 0. */
  receivedPtr: u32 = 0;
  weight: u32 = 0;
  /** The first of the sets that policies made of this one, or 0. */
  derivedPtr: u32 = 0;

  get attributesPtr(): usize {
    return changetype<usize>(this) + ATTRIBUTE_SET_BYTES;
  }

  /** Where the link-local companion would be. */
  get linkLocalPtr(): usize {
    return this.attributesPtr + this.size;
  }

  get payloadPtr(): usize {
    return this.linkLocalPtr + this.linkLocalSize;
  }

  get linkLocalSize(): u32 {
    return this.flags & ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL ? LINK_LOCAL_SIZE : 0;
  }

  get nextHop(): NextHop | null {
    return changetype<NextHop | null>(<usize>this.nextHopPtr);
  }

  /** The set as it came: what a policy makes another one of. */
  get received(): AttributeSet {
    return this.receivedPtr ? changetype<AttributeSet>(<usize>this.receivedPtr) : this;
  }

  get hasOwnAs(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_HAS_OWN_AS) != 0;
  }

  /** Packets are dropped on purpose: a discard route, which has no next hop. */
  get isDiscard(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_IS_DISCARD) != 0;
  }

  /** How much of the load it takes beside its equals. */
  get shareWeight(): u32 {
    return <u32>this.share + 1;
  }

  get hasOriginator(): bool {
    return (this.flags & ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR) != 0;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references) return;
    if (this.receivedPtr) {
      this.received.unlinkDerived(this);
      this.received.release();
    } else table.remove(this.hash, changetype<usize>(this));
    this.discard();
  }

  /** Gives the record of a set back that nobody finds any more, or yet. */
  discard(): void {
    const nextHop = this.nextHop;
    if (nextHop) nextHop.unuse();
    free(changetype<usize>(this), this.totalSize);
  }

  /** The set made of this one that the draft describes, or null. */
  findDerived(): AttributeSet | null {
    for (let ptr = this.derivedPtr; ptr; ) {
      const derived = changetype<AttributeSet>(<usize>ptr);
      if (equalsDraft(derived)) return derived;
      ptr = derived.hash;
    }
    return null;
  }

  linkDerived(derived: AttributeSet): void {
    this.retain();
    derivedCount++;
    derived.hash = this.derivedPtr;
    this.derivedPtr = <u32>changetype<usize>(derived);
  }

  private unlinkDerived(gone: AttributeSet): void {
    const gonePtr = <u32>changetype<usize>(gone);
    derivedCount--;
    if (this.derivedPtr == gonePtr) {
      this.derivedPtr = gone.hash;
      return;
    }
    let before = changetype<AttributeSet>(<usize>this.derivedPtr);
    while (before.hash != gonePtr) before = changetype<AttributeSet>(<usize>before.hash);
    before.hash = gone.hash;
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
    return ATTRIBUTE_SET_BYTES + this.size + this.linkLocalSize + this.payloadSize;
  }

  private asPathAttribute(): usize {
    return findAttribute(this.attributesPtr, this.attributesPtr + this.size, AS_PATH);
  }
}

/** What tells two sets of the same attributes apart, and comes with them. Filled before each internAttributeSet. */
@unmanaged
export class SetContext {
  nextHop: u32 = 0;
  /** The host resolves next hops of this network. */
  isTracked: bool = false;
  /** Weight the route comes with. Whoever sets it takes it back. */
  weight: u32 = 0;
  /** A route to nowhere, on purpose. Whoever sets it takes it back. */
  isDiscard: bool = false;
  /** Weight among equals, less 1. Whoever sets it takes it back. */
  share: u32 = 0;
  /** The link-local companion of a global next hop (RFC 2545 §3), or 0. */
  linkLocalPtr: usize = 0;
  payloadPtr: usize = 0;
  payloadSize: u32 = 0;
}

export const setContext = changetype<SetContext>(memory.data(offsetof<SetContext>(), 4));

/** The bytes of a set that is looked for. Its facts are in `draft`. */
@unmanaged
export class DraftBytes {
  attributesPtr: usize = 0;
  linkLocalPtr: usize = 0;
  payloadPtr: usize = 0;
  isTracked: bool = false;
}

/** The set that is looked for, as it will be stored when it is new: everything but its bytes. */
export const draft = changetype<AttributeSet>(memory.data(offsetof<AttributeSet>(), 4));
export const draftBytes = changetype<DraftBytes>(memory.data(offsetof<DraftBytes>(), 4));

/**
 * The set of the UPDATE in the view with the next hop and companions of `setContext`; null when there is no memory. It is
 * retained for the caller, who releases it when the UPDATE is done.
 */
export function internAttributeSet(): AttributeSet | null {
  draftUpdate();
  return internDraft();
}

/** The set of `draft` and `draftBytes`, made of `root` by a policy; retained for the caller, null when there is no memory. */
export function internDerived(root: AttributeSet): AttributeSet | null {
  draft.receivedPtr = <u32>changetype<usize>(root);
  const known = root.findDerived();
  if (known != null) {
    known.retain();
    return known;
  }
  const derived = storeDraft();
  if (derived != null) root.linkDerived(derived);
  return derived;
}

function internDraft(): AttributeSet | null {
  draft.hash = hashOfDraft();
  for (let slot = table.first(draft.hash); slot; slot = table.next(slot, draft.hash)) {
    const known = changetype<AttributeSet>(valueAt(slot));
    if (equalsDraft(known)) {
      known.retain();
      return known;
    }
  }
  const set = storeDraft();
  if (set == null || table.insert(draft.hash, changetype<usize>(set))) return set;
  set.discard();
  return null;
}

export function attributeSetCount(): u32 {
  return table.count + derivedCount;
}

function draftUpdate(): void {
  const present = update.present;
  draft.nextHopPtr = setContext.nextHop;
  draft.localPref = present & HAS_LOCAL_PREF ? update.localPref : DEFAULT_LOCAL_PREF;
  draft.med = present & HAS_MED ? update.med : 0;
  draft.neighborAs = update.neighborAs;
  draft.originatorId = present & HAS_ORIGINATOR_ID ? update.originatorId : 0;
  draft.asPathLength = update.asPathLength;
  draft.size = update.attributesSize;
  draft.flags = contextFlags();
  draft.origin = <u8>update.origin;
  draft.clusterListCount = <u8>min(update.clusterListCount, 255);
  draft.payloadSize = <u8>setContext.payloadSize;
  draft.share = <u8>min(setContext.share, 255);
  draft.receivedPtr = 0;
  draft.weight = setContext.weight;
  draftBytes.attributesPtr = update.attributesPtr;
  draftBytes.linkLocalPtr = setContext.linkLocalPtr;
  draftBytes.payloadPtr = setContext.payloadPtr;
  draftBytes.isTracked = setContext.isTracked;
}

function contextFlags(): u32 {
  let flags: u32 = 0;
  if (update.present & HAS_ORIGINATOR_ID) flags |= ATTRIBUTE_SET_FLAG_HAS_ORIGINATOR;
  if (update.hasOwnAs) flags |= ATTRIBUTE_SET_FLAG_HAS_OWN_AS;
  if (setContext.linkLocalPtr) flags |= ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL;
  if (setContext.isDiscard) flags |= ATTRIBUTE_SET_FLAG_IS_DISCARD;
  return flags;
}

function hashOfDraft(): u32 {
  let hash = mixHash(draft.nextHopPtr, draft.flags);
  hash = hashBytes(hash, draftBytes.attributesPtr, draft.size);
  if (draft.linkLocalSize) hash = hashBytes(hash, draftBytes.linkLocalPtr, LINK_LOCAL_SIZE);
  if (draft.payloadSize) hash = hashBytes(hash, draftBytes.payloadPtr, draft.payloadSize);
  if (draft.weight) hash = mixHash(hash, draft.weight);
  if (draft.share) hash = mixHash(hash, draft.share);
  return finishHash(hash);
}

function equalsDraft(known: AttributeSet): bool {
  if (known.nextHopPtr != draft.nextHopPtr || known.flags != draft.flags) return false;
  if (known.size != draft.size || known.payloadSize != draft.payloadSize) return false;
  if (known.weight != draft.weight || known.share != draft.share) return false;
  if (!equalBytes(known.attributesPtr, draftBytes.attributesPtr, known.size)) return false;
  if (!equalBytes(known.linkLocalPtr, draftBytes.linkLocalPtr, known.linkLocalSize)) return false;
  return equalBytes(known.payloadPtr, draftBytes.payloadPtr, known.payloadSize);
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

function storeDraft(): AttributeSet | null {
  const total = ATTRIBUTE_SET_BYTES + draft.size + draft.linkLocalSize + draft.payloadSize;
  const ptr = allocate(total);
  if (!ptr) return null;
  const set = changetype<AttributeSet>(ptr);
  copyBytes(ptr, changetype<usize>(draft), ATTRIBUTE_SET_BYTES);
  set.references = 1;
  set.derivedPtr = 0;
  const nextHop = set.nextHop;
  if (nextHop != null) nextHop.use(draftBytes.isTracked);
  copyBytes(set.attributesPtr, draftBytes.attributesPtr, set.size);
  if (set.linkLocalSize) copyBytes(set.linkLocalPtr, draftBytes.linkLocalPtr, LINK_LOCAL_SIZE);
  if (set.payloadSize) copyBytes(set.payloadPtr, draftBytes.payloadPtr, set.payloadSize);
  return set;
}
