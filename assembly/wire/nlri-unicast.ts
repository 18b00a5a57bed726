// IPv4 and IPv6 prefixes: length in bits, then as few octets as hold them (RFC 4271 §4.3, RFC 4760 §5), with ADD-PATH (RFC 7911).
import { readUint8, readUint32, readUint64 } from '../memory/byte-reader';
import { writeUint32, writeUint64 } from '../memory/byte-writer';
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

/** 224.0.0.0/4: a unicast route to a multicast address is ignored (RFC 4271 §6.3, "semantically incorrect"). */
const IPV4_MULTICAST: u32 = 0xe0000000;

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
    if (bits >= 4 && (address & 0xf0000000) == IPV4_MULTICAST) {
      routes.ignoredCount++;
      continue;
    }
    writeUint32(routeKeyPtr, address);
    routes.bits = bits;
    routes.ptr = ptr;
    return true;
  }
  return endRoutes();
}

/** The first `size` octets as the high end of a word; what lies behind them is for the mask to clear. */
function readIpv4(ptr: usize, end: usize, size: usize): u32 {
  if (end - ptr >= 4) return readUint32(ptr);
  let address: u32 = 0;
  for (let i: usize = 0; i < size; i++) address |= readUint8(ptr + i) << (24 - ((<u32>i) << 3));
  return address;
}

function ipv4Mask(bits: u32): u32 {
  return bits == 0 ? 0 : u32.MAX_VALUE << (32 - bits); // a shift by 32 is a shift by 0
}

/** ff00::/8. */
const IPV6_MULTICAST: u64 = 0xff;

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
    const high = readIpv6Half(ptr, end, size) & ipv6Mask(bits);
    const low = bits > 64 ? readIpv6Half(ptr + 8, end, size - 8) & ipv6Mask(bits - 64) : <u64>0;
    ptr += size;
    if (bits >= 8 && high >> 56 == IPV6_MULTICAST) {
      routes.ignoredCount++;
      continue;
    }
    writeUint64(routeKeyPtr, high);
    writeUint64(routeKeyPtr + 8, low);
    routes.bits = bits;
    routes.ptr = ptr;
    return true;
  }
  return endRoutes();
}

/** Up to eight octets as the high end of a word, like readIpv4. */
function readIpv6Half(ptr: usize, end: usize, size: usize): u64 {
  if (end - ptr >= 8) return readUint64(ptr);
  let half: u64 = 0;
  for (let i: usize = 0; i < size && i < 8; i++) {
    half |= (<u64>readUint8(ptr + i)) << (56 - ((<u64>i) << 3));
  }
  return half;
}

/** The mask of one half: `bits` may go past it. */
function ipv6Mask(bits: u32): u64 {
  if (bits >= 64) return u64.MAX_VALUE;
  return bits == 0 ? 0 : u64.MAX_VALUE << (64 - bits);
}
