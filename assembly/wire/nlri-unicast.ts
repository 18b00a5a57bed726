// IPv4 and IPv6 prefixes: length in bits, then as few octets as hold them (RFC 4271 §4.3, RFC 4760 §5), with ADD-PATH (RFC 7911).
//
// Addresses go from the message to the key in memory order: a word's lowest byte is the address's first. Masks are made in that
// order, so that no byte is ever swapped.
import { readBytes4, readBytes8, readUint8, readUint32 } from '../memory/byte-reader';
import { writeBytes4, writeBytes8 } from '../memory/byte-writer';
import { endRoutes, routeKeyPtr, routes } from './route-cursor';

const PATH_ID_SIZE: usize = 4;

/** First byte that is wrong in a list, or its end (RFC 7606 §5.3): too many bits, or octets past the end. */
export function findUnsoundPrefix(ptr: usize, end: usize, maxBits: u32, hasPathId: u32): usize {
  while (ptr < end) {
    if (hasPathId) {
      if (end - ptr <= PATH_ID_SIZE) return ptr;
      ptr += PATH_ID_SIZE;
    }
    const bits = readUint8(ptr);
    const size: usize = (bits + 7) >> 3;
    if (bits > maxBits || end - ptr <= size) return ptr;
    ptr += 1 + size;
  }
  return end;
}

export function nextIpv4Prefix(): bool {
  const end = routes.end;
  let ptr = routes.ptr;
  while (ptr < end) {
    if (routes.hasPathId) {
      if (end - ptr <= PATH_ID_SIZE) return endRoutes();
      routes.pathId = readUint32(ptr);
      ptr += PATH_ID_SIZE;
    }
    const bits = readUint8(ptr++);
    const size: usize = (bits + 7) >> 3;
    if (bits > 32 || end - ptr < size) return endRoutes();
    const address = readIpv4(ptr, end, size) & ipv4Mask(bits);
    ptr += size;
    // 224.0.0.0/4: a unicast route to multicast addresses is ignored (RFC 4271 §6.3, "semantically incorrect")
    if ((address & 0xf0) == 0xe0 && bits >= 4) {
      routes.ignoredCount++;
      continue;
    }
    writeBytes4(routeKeyPtr, address);
    routes.bits = bits;
    routes.ptr = ptr;
    return true;
  }
  return endRoutes();
}

/** The first `size` octets; what lies behind them is for the mask to clear. */
function readIpv4(ptr: usize, end: usize, size: usize): u32 {
  if (end - ptr >= 4) return readBytes4(ptr);
  let address: u32 = 0;
  for (let i: usize = 0; i < size; i++) address |= readUint8(ptr + i) << ((<u32>i) << 3);
  return address;
}

/** The first `bits` bits of four bytes, in memory order. */
function ipv4Mask(bits: u32): u32 {
  return bits == 0 ? 0 : bswap<u32>(u32.MAX_VALUE << (32 - bits)); // a shift by 32 is a shift by 0
}

/** The first `bits` bits of up to eight bytes, in memory order: whole bytes, then the high bits of the next. */
function maskOf(bits: u32): u64 {
  if (bits >= 64) return u64.MAX_VALUE;
  const wholeBits: u64 = bits & 0x38;
  const rest: u64 = (0xff00 >> (bits & 7)) & 0xff;
  return (((<u64>1) << wholeBits) - 1) | (rest << wholeBits);
}

export function nextIpv6Prefix(): bool {
  const end = routes.end;
  let ptr = routes.ptr;
  while (ptr < end) {
    if (routes.hasPathId) {
      if (end - ptr <= PATH_ID_SIZE) return endRoutes();
      routes.pathId = readUint32(ptr);
      ptr += PATH_ID_SIZE;
    }
    const bits = readUint8(ptr++);
    const size: usize = (bits + 7) >> 3;
    if (bits > 128 || end - ptr < size) return endRoutes();
    const first = readIpv6Half(ptr, end, size) & maskOf(bits);
    const second = bits > 64 ? readIpv6Half(ptr + 8, end, size - 8) & maskOf(bits - 64) : <u64>0;
    ptr += size;
    // ff00::/8, as above
    if ((first & 0xff) == 0xff && bits >= 8) {
      routes.ignoredCount++;
      continue;
    }
    writeBytes8(routeKeyPtr, first);
    writeBytes8(routeKeyPtr + 8, second);
    routes.bits = bits;
    routes.ptr = ptr;
    return true;
  }
  return endRoutes();
}

/** Up to eight octets, like readIpv4. */
function readIpv6Half(ptr: usize, end: usize, size: usize): u64 {
  if (end - ptr >= 8) return readBytes8(ptr);
  let half: u64 = 0;
  for (let i: usize = 0; i < size && i < 8; i++)
    half |= (<u64>readUint8(ptr + i)) << ((<u64>i) << 3);
  return half;
}
