// From TCP chunks to routes: cuts a peer's byte stream into messages and carries out its UPDATEs. RFC 4271 §4.1, §6.1; RFC 8654.
//
// A chunk lies in the input buffer. What the last one left of a message is put in front of it, into the headroom, so that every
// message is read in one piece where it lies. Several messages per chunk are the rule; one that ends in the next chunk is kept in
// a block of its size. Messages other than UPDATE and KEEPALIVE are the host's: reading stops behind one until it has been handled.
import {
  FAMILY_COUNT,
  FAMILY_IPV4_UNICAST,
  FAMILY_L2VPN_EVPN,
  OUTCOME_ATTRIBUTE_DISCARD,
  OUTCOME_SESSION_RESET,
  OUTCOME_TREAT_AS_WITHDRAW,
  RECEIVE_CONTROL,
  RECEIVE_RESET,
} from '../abi';
import { keySize, scratchKey, writeKey } from '../lpm/key';
import { allocateReserved } from '../memory/arena';
import { inputPtr } from '../memory/buffers';
import { readUint8, readUint16, readUint64 } from '../memory/byte-reader';
import { internNextHop, NextHop } from '../nexthop/next-hop';
import { result } from '../result';
import { nextRoute, openRoutes, routeKeyPtr, routePayloadPtr, routes } from '../wire/nlri';
import { parseUpdate } from '../wire/update';
import { update } from '../wire/update-view';
import { announce, OUT_OF_MEMORY, OVER_LIMIT, withdraw } from './adj-rib-in';
import { internAttributeSet, setContext } from './attribute-set';
import { knownNetwork } from './network';
import { Peer } from './peer';
import { Table } from './table';

const HEADER_SIZE: u32 = 19;
const LENGTH_OFFSET: usize = 16;
const TYPE_OFFSET: usize = 18;

const OPEN: u32 = 1;
const UPDATE: u32 = 2;
const NOTIFICATION: u32 = 3;
const KEEPALIVE: u32 = 4;
const ROUTE_REFRESH: u32 = 5;

/** RFC 8654 §4: OPEN and KEEPALIVE never grow. */
const CLASSIC_MAXIMUM: u32 = 4096;

const MESSAGE_HEADER_ERROR: u32 = 1;
const CONNECTION_NOT_SYNCHRONIZED: u32 = 1;
const BAD_MESSAGE_LENGTH: u32 = 2;
const BAD_MESSAGE_TYPE: u32 = 3;
const CEASE: u32 = 6;
const OUT_OF_RESOURCES: u32 = 8;

/** Reads `size` bytes of the input buffer. The answer is in the result record. */
export function receiveChunk(peer: Peer, size: u32, now: u32): void {
  const end = inputPtr + size;
  let ptr = inputPtr - peer.partialSize;
  memory.copy(ptr, peer.partialPtr, peer.partialSize);
  peer.dropPartial();
  while (end - ptr >= HEADER_SIZE) {
    if (!hasSoundHeader(peer, ptr)) return;
    const messageSize = readUint16(ptr + LENGTH_OFFSET);
    if (end - ptr < messageSize) break;
    result.messageCount++;
    const type = readUint8(ptr + TYPE_OFFSET);
    if (type == UPDATE) {
      if (!receiveUpdate(peer, ptr, messageSize, now)) return;
    } else if (type != KEEPALIVE) {
      result.status = RECEIVE_CONTROL;
      result.messagePtr = ptr;
      result.messageSize = messageSize;
      result.consumedSize = <u32>(ptr + messageSize - inputPtr);
      return;
    }
    ptr += messageSize;
  }
  keepPartial(peer, ptr, <u32>(end - ptr));
  result.consumedSize = size;
}

function keepPartial(peer: Peer, ptr: usize, size: u32): void {
  if (size == 0) return;
  const partialPtr = allocateReserved(size);
  if (!partialPtr) {
    reset(CEASE, OUT_OF_RESOURCES, ptr, 0);
    return;
  }
  memory.copy(partialPtr, ptr, size);
  peer.partialPtr = <u32>partialPtr;
  peer.partialSize = size;
}

/** RFC 4271 §6.1. */
function hasSoundHeader(peer: Peer, ptr: usize): bool {
  if ((readUint64(ptr) & readUint64(ptr + 8)) != u64.MAX_VALUE) {
    return reset(MESSAGE_HEADER_ERROR, CONNECTION_NOT_SYNCHRONIZED, ptr, 0);
  }
  const size = readUint16(ptr + LENGTH_OFFSET);
  const type = readUint8(ptr + TYPE_OFFSET);
  if (size < HEADER_SIZE || size > peer.maxMessageSize) return resetForLength(ptr);
  switch (type) {
    case OPEN:
      return (size >= 29 && size <= CLASSIC_MAXIMUM) || resetForLength(ptr);
    case UPDATE:
      return size >= 23 || resetForLength(ptr);
    case NOTIFICATION:
      return size >= 21 || resetForLength(ptr);
    case KEEPALIVE:
      return size == HEADER_SIZE || resetForLength(ptr);
    case ROUTE_REFRESH: // its length is judged with its content (RFC 7313 §5)
      return true;
    default:
      return reset(MESSAGE_HEADER_ERROR, BAD_MESSAGE_TYPE, ptr + TYPE_OFFSET, 1);
  }
}

function resetForLength(ptr: usize): bool {
  return reset(MESSAGE_HEADER_ERROR, BAD_MESSAGE_LENGTH, ptr + LENGTH_OFFSET, 2);
}

function reset(code: u32, subcode: u32, dataPtr: usize, dataSize: u32): bool {
  result.status = RECEIVE_RESET;
  result.errorCode = code;
  result.errorSubcode = subcode;
  result.errorDataPtr = dataPtr;
  result.errorDataSize = dataSize;
  return false;
}

/** False when the session must be reset. */
function receiveUpdate(peer: Peer, ptr: usize, size: u32, now: u32): bool {
  result.updateCount++;
  parseUpdate(ptr, size, peer.context);
  if (update.outcome != 0) {
    result.malformedAttribute = update.errorAttribute;
    if (update.outcome == OUTCOME_SESSION_RESET) {
      const dataPtr = update.errorDataPtr;
      return reset(update.errorCode, update.errorSubcode, dataPtr, update.errorDataSize);
    }
    if (update.outcome == OUTCOME_ATTRIBUTE_DISCARD) result.attributeDiscardCount++;
    if (update.outcome == OUTCOME_TREAT_AS_WITHDRAW) result.treatedAsWithdrawCount++;
  }
  result.ignoredFamilyCount += update.ignoredFamilies;
  if (update.endOfRib) result.endOfRibMask |= 1 << (update.endOfRib - 1);
  withdrawLists(peer);
  if (update.outcome == OUTCOME_TREAT_AS_WITHDRAW) withdrawAnnounced(peer);
  else announceLists(peer, now);
  return true;
}

function withdrawLists(peer: Peer): void {
  withdrawList(peer, FAMILY_IPV4_UNICAST, update.withdrawnPtr, update.withdrawnEnd);
  withdrawList(peer, update.unreachFamily, update.unreachPtr, update.unreachEnd);
}

/** RFC 7606 §2: treat-as-withdraw. */
function withdrawAnnounced(peer: Peer): void {
  withdrawList(peer, FAMILY_IPV4_UNICAST, update.nlriPtr, update.nlriEnd);
  withdrawList(peer, update.reachFamily, update.reachPtr, update.reachEnd);
}

function withdrawList(peer: Peer, family: u32, ptr: usize, end: usize): void {
  if (ptr == end || family == FAMILY_COUNT) return;
  const table = knownNetwork(peer.network).table(family);
  openRoutes(family, ptr, end, hasPathId(peer, family));
  while (nextRoute()) {
    result.withdrawnCount++;
    withdraw(peer, table, routeKey(family), routes.bits, routes.pathId);
  }
  result.ignoredFamilyCount += routes.ignoredCount;
}

function announceLists(peer: Peer, now: u32): void {
  if (update.nlriPtr != update.nlriEnd) {
    takeNextHop(peer, update.nextHopPtr, 4, 0);
    announceList(peer, FAMILY_IPV4_UNICAST, update.nlriPtr, update.nlriEnd, now);
  }
  if (update.reachFamily != FAMILY_COUNT && update.reachPtr != update.reachEnd) {
    takeNextHop(peer, update.reachNextHopPtr, update.reachNextHopSize, update.reachLinkLocalPtr);
    announceList(peer, update.reachFamily, update.reachPtr, update.reachEnd, now);
  }
}

/** Fills setContext with the next hop of a list; a null next hop means that there is no memory. */
function takeNextHop(peer: Peer, ptr: usize, size: u32, linkLocalPtr: usize): void {
  // A link-local address means nothing without the interface of the session.
  const interfaceIndex = size == 16 && isLinkLocal(ptr) ? peer.interfaceIndex : 0;
  const nextHop = internNextHop(peer.network, ptr, size, interfaceIndex);
  setContext.nextHop = <u32>changetype<usize>(nextHop);
  setContext.isTracked = knownNetwork(peer.network).tracksNextHops;
  setContext.linkLocalPtr = linkLocalPtr;
  setContext.payloadPtr = routePayloadPtr;
  setContext.payloadSize = 0;
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal(ptr: usize): bool {
  return (readUint16(ptr) & 0xffc0) == 0xfe80;
}

function announceList(peer: Peer, family: u32, ptr: usize, end: usize, now: u32): void {
  if (!setContext.nextHop) {
    refuseList(peer, family, ptr, end);
    return;
  }
  const nextHop = changetype<NextHop>(<usize>setContext.nextHop);
  nextHop.retain();
  if (family == FAMILY_L2VPN_EVPN) announceEvpnList(peer, ptr, end, now);
  else announcePrefixList(peer, family, ptr, end, now);
  nextHop.release();
}

/** One attribute set for the whole list. */
function announcePrefixList(peer: Peer, family: u32, ptr: usize, end: usize, now: u32): void {
  const set = internAttributeSet();
  if (set == null) {
    refuseList(peer, family, ptr, end);
    return;
  }
  const table = knownNetwork(peer.network).table(family);
  openRoutes(family, ptr, end, hasPathId(peer, family));
  while (nextRoute()) {
    count(peer, announce(peer, table, routeKeyPtr, routes.bits, routes.pathId, set, now), family);
  }
  result.ignoredFamilyCount += routes.ignoredCount;
  set.release();
}

/** An EVPN route carries more than its key (labels, gateway, ESI): that is part of its own attribute set. */
function announceEvpnList(peer: Peer, ptr: usize, end: usize, now: u32): void {
  const family: u32 = FAMILY_L2VPN_EVPN;
  const table = knownNetwork(peer.network).table(family);
  openRoutes(family, ptr, end, hasPathId(peer, family));
  while (nextRoute()) {
    setContext.payloadSize = routes.payloadSize;
    count(peer, announceEvpnRoute(peer, table, now), family);
  }
  result.ignoredFamilyCount += routes.ignoredCount;
}

function announceEvpnRoute(peer: Peer, table: Table, now: u32): u32 {
  const keyPtr = routeKey(FAMILY_L2VPN_EVPN);
  const set = internAttributeSet();
  if (set == null) {
    withdraw(peer, table, keyPtr, routes.bits, routes.pathId);
    return OUT_OF_MEMORY;
  }
  const outcome = announce(peer, table, keyPtr, routes.bits, routes.pathId, set, now);
  set.release();
  return outcome;
}

/** There is no memory for the attributes: what these prefixes had before is no longer true. */
function refuseList(peer: Peer, family: u32, ptr: usize, end: usize): void {
  const before = result.withdrawnCount;
  withdrawList(peer, family, ptr, end);
  result.outOfMemoryCount += result.withdrawnCount - before;
  result.withdrawnCount = before;
}

function count(peer: Peer, outcome: u32, family: u32): void {
  if (outcome == OVER_LIMIT) {
    result.overLimitCount++;
    // Too many paths to one prefix are refused too; only the peer's own limit ends sessions.
    if (peer.family(family).isFull) result.limitHitMask |= 1 << family;
  } else if (outcome == OUT_OF_MEMORY) result.outOfMemoryCount++;
  else result.announcedCount++;
}

/** The key of the route the cursor stands on. Prefixes have theirs ready; an EVPN key is padded to whole words. */
function routeKey(family: u32): usize {
  if (family != FAMILY_L2VPN_EVPN) return routeKeyPtr;
  writeKey(scratchKey, routeKeyPtr, keySize(routes.bits), routes.bits);
  return scratchKey;
}

function hasPathId(peer: Peer, family: u32): u32 {
  return (peer.context.addPathMask >>> family) & 1;
}
