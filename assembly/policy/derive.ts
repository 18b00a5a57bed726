// What the actions of a clause make of an attribute set: another set, interned like any other.
//
// The changed attributes are written in ascending order of type between runs of those that stay, so that the result is canonical
// and equal results are one set.
import {
  ACTION_ADD_COMMUNITIES,
  ACTION_LOCAL_PREF,
  ACTION_MED,
  ACTION_NEXT_HOP,
  ACTION_PREPEND,
  ACTION_REMOVE_COMMUNITIES,
  ACTION_WEIGHT,
  ATTRIBUTE_SET_BYTES,
  ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL,
  FAMILY_IPV4_UNICAST,
} from '../abi';
import { readUint8 } from '../memory/byte-reader';
import { copyBytes, writeUint8, writeUint32 } from '../memory/byte-writer';
import { internNextHop, NextHop } from '../nexthop/next-hop';
import { AttributeSet, draft, draftBytes, internDerived } from '../rib/attribute-set';
import { networkById } from '../rib/network';
import { AS_SEQUENCE } from '../wire/as-path';
import { attributeSize, attributeType, attributeValue } from '../wire/attribute-list';
import {
  AS_PATH,
  COMMUNITIES,
  EXTENDED_COMMUNITIES,
  EXTENDED_LENGTH,
  LARGE_COMMUNITIES,
  LOCAL_PREF,
  MULTI_EXIT_DISC,
  OPTIONAL,
  TRANSITIVE,
} from '../wire/attributes';
import { writeHeader } from '../wire/canonical';
import { appendMissing, copyUnmatched } from './community-list';
import { CompiledPolicy, PolicyClause, PolicyStep } from './compiled-policy';
import { COMMUNITY_SIZE, EXTENDED_COMMUNITY_SIZE, LARGE_COMMUNITY_SIZE } from './conditions';

/** The total path attribute length field has 16 bits. */
const MOST_BYTES: u32 = 65535;
/** The longest set, and what one clause can add to it: 3 × POLICY_MAXIMUM_ADDED, a prepended segment, MED and LOCAL_PREF. */
const buffer: usize = memory.data(65536 + 3 * 4096 + 2048, 8);
const MOST_SEGMENT_ASNS: u32 = 255;
/** Of a route without a next hop (a local one): whoever gives it one only asks what would be. */
const NO_NETWORK: u32 = 0xffff;

const KIND_COUNT: u32 = 3;

// ---- what the clause does, by action ----
let localPref: PolicyStep | null = null;
let med: PolicyStep | null = null;
let prepend: PolicyStep | null = null;
let nextHopAction: PolicyStep | null = null;
/** Removals and additions per kind of community: PolicyStep, or 0. */
const removals: usize = memory.data(4 * 3, 4);
const additions: usize = memory.data(4 * 3, 4);

// ---- between which attributes of the old set the writing is ----
let fromPtr: usize = 0;
let fromEnd: usize = 0;
let toPtr: usize = 0;

/** The last null of derive was a lack of memory, not a set too long to be one. */
export let lacksMemory: bool = false;

export function forgetLack(): void {
  lacksMemory = false;
}

/**
 * `base` after the clause's actions, made of `root`; retained for the caller. Null when there is no memory, or when it would be
 * longer than attributes can be.
 */
export function derive(
  root: AttributeSet,
  base: AttributeSet,
  policy: CompiledPolicy,
  clause: PolicyClause,
  family: u32,
): AttributeSet | null {
  copyBytes(changetype<usize>(draft), changetype<usize>(base), ATTRIBUTE_SET_BYTES);
  draftBytes.linkLocalPtr = base.linkLocalPtr;
  draftBytes.payloadPtr = base.payloadPtr;
  draftBytes.isTracked = false;
  takeActions(policy, clause);
  writeAttributes(policy, base);
  if (draft.size > MOST_BYTES) return null;
  const nextHop = takeNextHop(policy, family);
  if (lacksMemory) return null;
  const derived = takeDraft(root);
  if (nextHop != null) nextHop.release();
  return derived;
}

function takeDraft(root: AttributeSet): AttributeSet | null {
  if (isDraftOf(root)) {
    root.retain();
    return root;
  }
  const derived = internDerived(root);
  lacksMemory = derived == null;
  return derived;
}

/** Whether the actions changed nothing. */
function isDraftOf(root: AttributeSet): bool {
  if (draft.size != root.size || draft.weight != root.weight) return false;
  if (draft.nextHopPtr != root.nextHopPtr || draft.flags != root.flags) return false;
  return memory.compare(draftBytes.attributesPtr, root.attributesPtr, root.size) == 0;
}

function takeActions(policy: CompiledPolicy, clause: PolicyClause): void {
  localPref = null;
  med = null;
  prepend = null;
  nextHopAction = null;
  for (let kind: u32 = 0; kind < KIND_COUNT; kind++) {
    store<u32>(removals + (kind << 2), 0);
    store<u32>(additions + (kind << 2), 0);
  }
  for (let i: u32 = 0; i < clause.actionCount; i++) {
    const action = policy.action(clause, i);
    const kind: u32 = action.kind;
    if (kind == ACTION_LOCAL_PREF) localPref = action;
    else if (kind == ACTION_MED) med = action;
    else if (kind == ACTION_WEIGHT) draft.weight = action.data;
    else if (kind == ACTION_PREPEND) prepend = action;
    else if (kind == ACTION_NEXT_HOP) nextHopAction = action;
    else if (kind < <u32>ACTION_ADD_COMMUNITIES)
      put(removals, kind - ACTION_REMOVE_COMMUNITIES, action);
    else put(additions, kind - ACTION_ADD_COMMUNITIES, action);
  }
}

function put(steps: usize, index: u32, step: PolicyStep): void {
  store<u32>(steps + (index << 2), <u32>changetype<usize>(step));
}

function at(steps: usize, index: u32): PolicyStep | null {
  return changetype<PolicyStep | null>(<usize>load<u32>(steps + (index << 2)));
}

function writeAttributes(policy: CompiledPolicy, base: AttributeSet): void {
  fromPtr = base.attributesPtr;
  fromEnd = fromPtr + base.size;
  toPtr = buffer;
  const prepended = prepend;
  if (prepended != null) writePath(prepended.data, prepended.count);
  const newMed = med;
  if (newMed != null) {
    draft.med = newMed.data;
    writeNumber(OPTIONAL, MULTI_EXIT_DISC, newMed.data);
  }
  const newLocalPref = localPref;
  if (newLocalPref != null) {
    draft.localPref = newLocalPref.data;
    writeNumber(TRANSITIVE, LOCAL_PREF, newLocalPref.data);
  }
  writeCommunities(policy, 0, COMMUNITIES, COMMUNITY_SIZE);
  writeCommunities(policy, 1, EXTENDED_COMMUNITIES, EXTENDED_COMMUNITY_SIZE);
  writeCommunities(policy, 2, LARGE_COMMUNITIES, LARGE_COMMUNITY_SIZE);
  copyRun(fromEnd);
  draftBytes.attributesPtr = buffer;
  draft.size = <u32>(toPtr - buffer);
}

/** Copies what comes before a type, and steps over the attribute of that type: where it is in the old set, or 0. */
function openType(type: u32): usize {
  let ptr = fromPtr;
  while (ptr < fromEnd && attributeType(ptr) < type) ptr += attributeSize(ptr);
  copyRun(ptr);
  if (ptr == fromEnd || attributeType(ptr) != type) return 0;
  fromPtr = ptr + attributeSize(ptr);
  return ptr;
}

function copyRun(end: usize): void {
  copyBytes(toPtr, fromPtr, end - fromPtr);
  toPtr += end - fromPtr;
  fromPtr = end;
}

function writeNumber(flags: u32, type: u32, value: u32): void {
  openType(type);
  writeUint32(toPtr + 4, value);
  toPtr = writeHeader(toPtr, flags, type, 4);
}

/** RFC 4271 §5.1.2: into the leading AS_SEQUENCE while it has room, else a segment of its own before the path. */
function writePath(asn: u32, count: u32): void {
  const ptr = openType(AS_PATH);
  let pathPtr: usize = ptr == 0 ? 0 : attributeValue(ptr);
  const pathEnd: usize = ptr == 0 ? 0 : ptr + attributeSize(ptr);
  let asnCount = count;
  if (pathPtr < pathEnd && readUint8(pathPtr) == AS_SEQUENCE) {
    const together = readUint8(pathPtr + 1) + count;
    if (together <= MOST_SEGMENT_ASNS) {
      asnCount = together;
      pathPtr += 2;
    }
  }
  const valuePtr = toPtr + 4;
  writeUint8(valuePtr, AS_SEQUENCE);
  writeUint8(valuePtr + 1, asnCount);
  let end = valuePtr + 2;
  for (let i: u32 = 0; i < count; i++, end += 4) writeUint32(end, asn);
  copyBytes(end, pathPtr, pathEnd - pathPtr);
  end += pathEnd - pathPtr;
  toPtr = writeHeader(toPtr, TRANSITIVE, AS_PATH, end - valuePtr);
  draft.asPathLength += count;
  draft.neighborAs = asn;
}

function writeCommunities(policy: CompiledPolicy, kind: u32, type: u32, size: u32): void {
  const removal = at(removals, kind);
  const addition = at(additions, kind);
  if (removal == null && addition == null) return;
  const ptr = openType(type);
  const valuePtr = toPtr + 4;
  let end = valuePtr;
  if (ptr != 0) {
    const patternsPtr: usize = removal == null ? 0 : policy.at(removal.data);
    const patternCount: u32 = removal == null ? 0 : removal.count;
    const listEnd = ptr + attributeSize(ptr);
    end = copyUnmatched(end, attributeValue(ptr), listEnd, size, patternsPtr, patternCount);
  }
  if (addition != null) {
    end = appendMissing(end, valuePtr, size, policy.at(addition.data), addition.count);
  }
  if (end == valuePtr) return; // RFC 7606 §7.8: an empty list is no attribute
  const flags = ptr == 0 ? OPTIONAL | TRANSITIVE : readUint8(ptr) & ~EXTENDED_LENGTH;
  toPtr = writeHeader(toPtr, flags, type, end - valuePtr);
}

/** Gives the draft its next hop, which is retained for the caller; null when it keeps the one it has. */
function takeNextHop(policy: CompiledPolicy, family: u32): NextHop | null {
  const action = nextHopAction;
  if (action == null || draft.isDiscard) return null;
  if ((action.count == 4) != (family == FAMILY_IPV4_UNICAST)) return null;
  const before = draft.nextHop;
  const networkId = before == null ? NO_NETWORK : before.network;
  const nextHop = internNextHop(networkId, policy.at(action.data), action.count, 0);
  if (nextHop == null) {
    lacksMemory = true;
    return null;
  }
  nextHop.retain();
  const network = networkById(networkId);
  draftBytes.isTracked = network != null && network.tracksNextHops;
  draft.nextHopPtr = <u32>changetype<usize>(nextHop);
  draft.flags &= ~ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL;
  return nextHop;
}
