// EVPN routes, types 1 to 5 (RFC 7432 §7, RFC 9136 §3.1): lengths, and the key under which two of them are the same route.
//
// A route is type, length, value. The value, and what of it is the key (the rest is the route's payload):
//
//   1 Ethernet A-D           RD 8 · ESI 10 · tag 4 · label 3                            key  RD ESI tag
//   2 MAC/IP advertisement   RD 8 · ESI 10 · tag 4 · 48 · MAC 6 · n · IP 0|4|16 · label 3 [· label 3]
//                                                                                       key  RD tag MAC n IP
//   3 Inclusive multicast    RD 8 · tag 4 · n · IP 4|16                                 key  all
//   4 Ethernet segment       RD 8 · ESI 10 · n · IP 4|16                                key  all
//   5 IP prefix              RD 8 · ESI 10 · tag 4 · n · prefix 4|16 · gateway 4|16 · label 3
//                                                                                       key  RD tag n prefix
//
// Key bytes: the type, then the key fields in wire order, host bits of a prefix clear. Payload bytes: the other fields in wire
// order (ESI, gateway, labels).
import { readUint8, readUint32 } from '../memory/byte-reader';
import { clearBitsFrom, copyBytes, writeUint8 } from '../memory/byte-writer';
import { ACCEPT, RESET, WITHDRAW } from './outcome';
import { endRoutes, routeKeyPtr, routePayloadPtr, routes } from './route-cursor';

const ETHERNET_AUTO_DISCOVERY: u32 = 1;
const MAC_IP_ADVERTISEMENT: u32 = 2;
const INCLUSIVE_MULTICAST: u32 = 3;
const ETHERNET_SEGMENT: u32 = 4;
const IP_PREFIX: u32 = 5;

const PATH_ID_SIZE: usize = 4;
const HEADER_SIZE: usize = 2;
const RD_SIZE: usize = 8;
const ESI_SIZE: usize = 10;
const TAG_SIZE: usize = 4;
const MAC_SIZE: usize = 6;
const LABEL_SIZE: usize = 3;
/** RD, ESI, Ethernet tag: what types 1, 2 and 5 begin with. */
const PREAMBLE_SIZE: usize = RD_SIZE + ESI_SIZE + TAG_SIZE;

/** What the last checkEvpnRoutes found wrong, and where. */
export let unsoundEvpnPtr: usize = 0;

/**
 * ACCEPT; WITHDRAW when a route of a known type is wrong inside (its length still leads to the next one); RESET when the lengths
 * run past the end (RFC 7606 §5.3). Unknown types are no error (RFC 7606 §5.4).
 */
export function checkEvpnRoutes(ptr: usize, end: usize, hasPathId: u32): u32 {
  const skip = hasPathId ? PATH_ID_SIZE + HEADER_SIZE : HEADER_SIZE;
  let outcome = ACCEPT;
  while (ptr < end) {
    if (end - ptr < skip) return unsound(RESET, ptr);
    const valuePtr = ptr + skip;
    const size: usize = readUint8(valuePtr - 1);
    if (end - valuePtr < size) return unsound(RESET, ptr);
    const type = readUint8(valuePtr - HEADER_SIZE);
    if (outcome == ACCEPT && isKnown(type) && !isSoundInside(type, valuePtr, size)) {
      outcome = unsound(WITHDRAW, ptr);
    }
    ptr = valuePtr + size;
  }
  return outcome;
}

function unsound(outcome: u32, ptr: usize): u32 {
  unsoundEvpnPtr = ptr;
  return outcome;
}

function isKnown(type: u32): bool {
  return type >= ETHERNET_AUTO_DISCOVERY && type <= IP_PREFIX;
}

function isSoundInside(type: u32, ptr: usize, size: usize): bool {
  switch (type) {
    case ETHERNET_AUTO_DISCOVERY:
      return size == PREAMBLE_SIZE + LABEL_SIZE;
    case MAC_IP_ADVERTISEMENT:
      return isSoundMacIp(ptr, size);
    case INCLUSIVE_MULTICAST:
      return isSoundOriginator(ptr, size, RD_SIZE + TAG_SIZE);
    case ETHERNET_SEGMENT:
      return isSoundOriginator(ptr, size, RD_SIZE + ESI_SIZE);
    case IP_PREFIX:
      return isSoundIpPrefix(ptr, size);
    default:
      return false;
  }
}

/** RFC 7432 §7.2: 48 bits of MAC; no, an IPv4 or an IPv6 address; one or two labels. */
function isSoundMacIp(ptr: usize, size: usize): bool {
  const fixedSize = PREAMBLE_SIZE + 1 + MAC_SIZE + 1;
  if (size < fixedSize + LABEL_SIZE || readUint8(ptr + PREAMBLE_SIZE) != 48) return false;
  const ipBits = readUint8(ptr + fixedSize - 1);
  if (ipBits != 0 && !isHostLength(ipBits)) return false;
  const labelsSize = size - fixedSize - (ipBits >> 3);
  return labelsSize == LABEL_SIZE || labelsSize == 2 * LABEL_SIZE;
}

/** RFC 7432 §7.3, §7.4: the address of the originating router ends the route. */
function isSoundOriginator(ptr: usize, size: usize, offset: usize): bool {
  if (size <= offset) return false;
  const ipBits = readUint8(ptr + offset);
  return isHostLength(ipBits) && size == offset + 1 + (ipBits >> 3);
}

/** RFC 9136 §3.1: the whole length tells IPv4 (34) from IPv6 (58). */
function isSoundIpPrefix(ptr: usize, size: usize): bool {
  if (size != 34 && size != 58) return false;
  return readUint8(ptr + PREAMBLE_SIZE) <= (size == 34 ? 32 : 128);
}

function isHostLength(bits: u32): bool {
  return bits == 32 || bits == 128;
}

export function nextEvpnRoute(): bool {
  const end = routes.end;
  let ptr = routes.ptr;
  while (ptr < end) {
    if (routes.hasPathId) {
      if (end - ptr < PATH_ID_SIZE) return endRoutes();
      routes.pathId = readUint32(ptr);
      ptr += PATH_ID_SIZE;
    }
    if (end - ptr < HEADER_SIZE) return endRoutes();
    const type = readUint8(ptr);
    const size: usize = readUint8(ptr + 1);
    const valuePtr = ptr + HEADER_SIZE;
    if (end - valuePtr < size) return endRoutes();
    ptr = valuePtr + size;
    if (!isSoundInside(type, valuePtr, size)) {
      routes.ignoredCount++;
      continue;
    }
    routes.ptr = ptr;
    writeRoute(type, valuePtr, size);
    return true;
  }
  return endRoutes();
}

let keyEnd: usize = 0;
let payloadEnd: usize = 0;

function writeRoute(type: u32, ptr: usize, size: usize): void {
  writeUint8(routeKeyPtr, type);
  keyEnd = routeKeyPtr + 1;
  payloadEnd = routePayloadPtr;
  switch (type) {
    case ETHERNET_AUTO_DISCOVERY:
      addKey(ptr, PREAMBLE_SIZE);
      addPayload(ptr + PREAMBLE_SIZE, LABEL_SIZE);
      break;
    case MAC_IP_ADVERTISEMENT:
      writeMacIp(ptr, size);
      break;
    case IP_PREFIX:
      writeIpPrefix(ptr, size);
      break;
    default: // types 3 and 4 are all key
      addKey(ptr, size);
  }
  routes.bits = (<u32>(keyEnd - routeKeyPtr)) << 3;
  routes.payloadSize = <u32>(payloadEnd - routePayloadPtr);
}

function writeMacIp(ptr: usize, size: usize): void {
  const macPtr = ptr + PREAMBLE_SIZE + 1;
  const ipSize: usize = readUint8(macPtr + MAC_SIZE) >> 3;
  addKey(ptr, RD_SIZE);
  addKey(ptr + RD_SIZE + ESI_SIZE, TAG_SIZE);
  addKey(macPtr, MAC_SIZE + 1 + ipSize);
  addPayload(ptr + RD_SIZE, ESI_SIZE);
  const labelPtr = macPtr + MAC_SIZE + 1 + ipSize;
  addPayload(labelPtr, ptr + size - labelPtr);
}

function writeIpPrefix(ptr: usize, size: usize): void {
  const lengthPtr = ptr + PREAMBLE_SIZE;
  const ipSize: usize = size == 34 ? 4 : 16;
  addKey(ptr, RD_SIZE);
  addKey(ptr + RD_SIZE + ESI_SIZE, TAG_SIZE + 1 + ipSize);
  clearBitsFrom(keyEnd - ipSize, ipSize, readUint8(lengthPtr));
  addPayload(ptr + RD_SIZE, ESI_SIZE);
  addPayload(lengthPtr + 1 + ipSize, ipSize + LABEL_SIZE);
}

function addKey(ptr: usize, size: usize): void {
  copyBytes(keyEnd, ptr, size);
  keyEnd += size;
}

function addPayload(ptr: usize, size: usize): void {
  copyBytes(payloadEnd, ptr, size);
  payloadEnd += size;
}
