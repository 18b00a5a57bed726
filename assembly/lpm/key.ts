// Keys: the bits a record is found by. A key is `bits` long and stored in whole 32-bit words, in network order, with every bit
// past its length clear. IPv4 prefixes, IPv6 prefixes and EVPN NLRI differ in nothing else.
import { MAXIMUM_KEY_BYTES } from '../abi';

/** Bytes a stored key of `bits` bits takes: 4 for IPv4, 8 for an IPv6 /48, 0 for a default route. */
export function keySize(bits: u32): u32 {
  return ((bits + 31) >>> 5) << 2;
}

export function keysEqual(a: usize, b: usize, bits: u32): bool {
  for (const end = a + keySize(bits); a < end; a += 4, b += 4) {
    if (load<u32>(a) != load<u32>(b)) return false;
  }
  return true;
}

/** Whether the first `bits` bits of a key or address are those of `prefix`. */
export function isCovered(keyPtr: usize, prefixPtr: usize, bits: u32): bool {
  const wholeEnd = keyPtr + ((bits >>> 5) << 2);
  for (; keyPtr < wholeEnd; keyPtr += 4, prefixPtr += 4) {
    if (load<u32>(keyPtr) != load<u32>(prefixPtr)) return false;
  }
  const rest = bits & 31;
  return rest == 0 || ((load<u32>(keyPtr) ^ load<u32>(prefixPtr)) & networkMask(rest)) == 0;
}

/** By address, then by length; the order of every walk. Negative when (a, aBits) comes first. */
export function compareKeys(a: usize, aBits: u32, b: usize, bBits: u32): i32 {
  const aEnd = keySize(aBits);
  const bEnd = keySize(bBits);
  for (let offset: u32 = 0; offset < max(aEnd, bEnd); offset += 4) {
    const x = offset < aEnd ? bswap(load<u32>(a + offset)) : 0;
    const y = offset < bEnd ? bswap(load<u32>(b + offset)) : 0;
    if (x != y) return x < y ? -1 : 1;
  }
  return <i32>aBits - <i32>bBits;
}

/** Mask of the first `bits` (1–31) bits of a word as it lies in memory. */
function networkMask(bits: u32): u32 {
  return bswap(~(<u32>0xffffffff >>> bits));
}

/** Copies `size` bytes as a key of `bits` bits: padded to whole words, everything past its length cleared. */
export function writeKey(toPtr: usize, fromPtr: usize, size: u32, bits: u32): void {
  const stored = keySize(bits);
  memory.fill(toPtr, 0, stored);
  memory.copy(toPtr, fromPtr, min(size, stored));
  const rest = bits & 31;
  if (rest) {
    const last = toPtr + stored - 4;
    store<u32>(last, load<u32>(last) & networkMask(rest));
  }
}

/** Room for one key, for the parser of NLRI and for arguments of the host. Slack for readers of whole words. */
export const scratchKey: usize = memory.data(MAXIMUM_KEY_BYTES + 20, 4);
