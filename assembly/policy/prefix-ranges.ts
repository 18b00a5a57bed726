// Is a prefix in a prefix list? A list was cut up into ranges of addresses, in order, each with the set of lengths that a prefix
// beginning in it may have (src/policy/prefix-ranges.ts says why that is all). One binary search, however long the list is.
import {
  FAMILY_IPV4_UNICAST,
  FAMILY_IPV6_UNICAST,
  LENGTH_SET_SIZE,
  RANGES_HEADER_SIZE,
} from '../abi';
import { keySize } from '../lpm/key';

@unmanaged
export class PrefixRanges {
  ipv4Count: u32 = 0;
  ipv6Count: u32 = 0;
  setCount: u32 = 0;
  /** The range that was found last: a peer announces neighbours one after the other. */
  ipv4Found: u32 = 0;
  ipv6Found: u32 = 0;

  get ipv4StartsPtr(): usize {
    return changetype<usize>(this) + RANGES_HEADER_SIZE;
  }

  get ipv4SetsPtr(): usize {
    return this.ipv4StartsPtr + (this.ipv4Count << 2);
  }

  get ipv6StartsPtr(): usize {
    return this.ipv4SetsPtr + (this.ipv4Count << 2);
  }

  get ipv6SetsPtr(): usize {
    return this.ipv6StartsPtr + (this.ipv6Count << 4);
  }

  get lengthSetsPtr(): usize {
    return this.ipv6SetsPtr + (this.ipv6Count << 2);
  }

  ipv4Start(index: u32): u32 {
    return load<u32>(this.ipv4StartsPtr + (index << 2));
  }

  /** Whether an IPv6 range begins at this address, its two halves, or before. */
  startsBefore(index: u32, first: u64, second: u64): bool {
    const startPtr = this.ipv6StartsPtr + (index << 4);
    const start = load<u64>(startPtr);
    return start < first || (start == first && load<u64>(startPtr, 8) <= second);
  }

  /** Which set of lengths a range has; `setsPtr` is that of its family. */
  setOf(setsPtr: usize, index: u32): u32 {
    return load<u32>(setsPtr + (index << 2));
  }

  hasLength(set: u32, length: u32): bool {
    const bytePtr = this.lengthSetsPtr + set * LENGTH_SET_SIZE + (length >>> 3);
    return ((load<u8>(bytePtr) >>> (length & 7)) & 1) != 0;
  }
}

/** The key is stored as in the tables: whole words, as many as its length needs. */
export function isInRanges(ranges: PrefixRanges, family: u32, keyPtr: usize, bits: u32): bool {
  if (family == FAMILY_IPV4_UNICAST) return isInIpv4Ranges(ranges, keyPtr, bits);
  return family == FAMILY_IPV6_UNICAST && isInIpv6Ranges(ranges, keyPtr, bits);
}

function isInIpv4Ranges(ranges: PrefixRanges, keyPtr: usize, bits: u32): bool {
  if (ranges.ipv4Count == 0) return false;
  const address = word(keyPtr, bits, 0);
  const found = ranges.ipv4Found;
  const next = found + 1;
  const isSame =
    ranges.ipv4Start(found) <= address &&
    (next == ranges.ipv4Count || address < ranges.ipv4Start(next));
  if (!isSame) ranges.ipv4Found = findIpv4Range(ranges, address);
  return ranges.hasLength(ranges.setOf(ranges.ipv4SetsPtr, ranges.ipv4Found), bits);
}

function findIpv4Range(ranges: PrefixRanges, address: u32): u32 {
  let low: u32 = 0; // begins at the address or before
  let high = ranges.ipv4Count; // begins after it
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (ranges.ipv4Start(middle) <= address) low = middle;
    else high = middle;
  }
  return low;
}

function isInIpv6Ranges(ranges: PrefixRanges, keyPtr: usize, bits: u32): bool {
  if (ranges.ipv6Count == 0) return false;
  const first = ((<u64>word(keyPtr, bits, 0)) << 32) | word(keyPtr, bits, 1);
  const second = ((<u64>word(keyPtr, bits, 2)) << 32) | word(keyPtr, bits, 3);
  const found = ranges.ipv6Found;
  const next = found + 1;
  const isSame =
    ranges.startsBefore(found, first, second) &&
    (next == ranges.ipv6Count || !ranges.startsBefore(next, first, second));
  if (!isSame) ranges.ipv6Found = findIpv6Range(ranges, first, second);
  return ranges.hasLength(ranges.setOf(ranges.ipv6SetsPtr, ranges.ipv6Found), bits);
}

function findIpv6Range(ranges: PrefixRanges, first: u64, second: u64): u32 {
  let low: u32 = 0;
  let high = ranges.ipv6Count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (ranges.startsBefore(middle, first, second)) low = middle;
    else high = middle;
  }
  return low;
}

/** A 32-bit word of the key as a number; those past its length are not stored, and 0. */
function word(keyPtr: usize, bits: u32, index: u32): u32 {
  return index << 2 < keySize(bits) ? bswap(load<u32>(keyPtr + (index << 2))) : 0;
}
