// AS_PATH: segments, length, neighbouring AS, loop (RFC 4271 §5.1.2, RFC 5065), and the 4-octet path of a 2-octet session
// (RFC 6793 §4.2.3). AS 0 has no place in a path (RFC 7607 §2).
import { readUint8, readUint16, readUint32 } from '../memory/byte-reader';
import { writeUint8, writeUint32 } from '../memory/byte-writer';

export const AS_SET: u32 = 1;
export const AS_SEQUENCE: u32 = 2;
export const AS_CONFED_SEQUENCE: u32 = 3;
const AS_CONFED_SET: u32 = 4;

const SEGMENT_HEADER_SIZE: usize = 2;
const MAX_SEGMENT_COUNT: u32 = 255;

/** Stands for an AS number that does not fit in two octets (RFC 6793 §9). */
export const AS_TRANS: u32 = 23456;

/** What one walk over a path found. */
@unmanaged
export class AsPathFacts {
  /** Hops of RFC 4271 §9.1.2.2 (a): a set is one, confederation segments none. */
  length: u32 = 0;
  /** AS numbers in all segments. */
  asnCount: u32 = 0;
  segmentCount: u32 = 0;
  /** First AS of the first segment that is not a confederation's, when that is a sequence; else 0. */
  neighborAs: u32 = 0;
  hasOwnAs: u32 = 0;
  hasConfederation: u32 = 0;
}

/** The facts of the last walkAsPath that returned true. */
export const asPathFacts = changetype<AsPathFacts>(memory.data(offsetof<AsPathFacts>(), 8));

/** RFC 7606 §7.2: false when a segment overruns, underruns, is empty or of an unknown type, or names AS 0. */
export function walkAsPath(ptr: usize, end: usize, asnSize: u32, localAsn: u32): bool {
  let length: u32 = 0;
  let asnCount: u32 = 0;
  let segmentCount: u32 = 0;
  let neighborAs: u32 = 0;
  let hasOwnAs: u32 = 0;
  let hasConfederation: u32 = 0;
  while (ptr < end) {
    if (end - ptr < SEGMENT_HEADER_SIZE) return false;
    const type = readUint8(ptr);
    const count = readUint8(ptr + 1);
    ptr += SEGMENT_HEADER_SIZE;
    if (type - AS_SET > AS_CONFED_SET - AS_SET || count == 0) return false;
    if (end - ptr < count * asnSize) return false;
    if (type == AS_SEQUENCE) {
      if (length == 0) neighborAs = readAsn(ptr, asnSize);
      length += count;
    } else if (type == AS_SET) length++;
    else hasConfederation = 1;
    const segmentEnd = ptr + count * asnSize;
    while (ptr < segmentEnd) {
      const asn = readAsn(ptr, asnSize);
      if (asn == 0) return false; // RFC 7607 §2
      if (asn == localAsn) hasOwnAs = 1;
      ptr += asnSize;
    }
    asnCount += count;
    segmentCount++;
  }
  asPathFacts.length = length;
  asPathFacts.asnCount = asnCount;
  asPathFacts.segmentCount = segmentCount;
  asPathFacts.neighborAs = neighborAs;
  asPathFacts.hasOwnAs = hasOwnAs;
  asPathFacts.hasConfederation = hasConfederation;
  return true;
}

function readAsn(ptr: usize, asnSize: u32): u32 {
  return asnSize == 4 ? readUint32(ptr) : readUint16(ptr);
}

// ---- a 4-octet path out of a 2-octet one ----

let writePtr: usize = 0;
let segmentPtr: usize = 0; // header of the segment being written, 0 before the first

/**
 * Writes the 4-octet form of a sound 2-octet path, with a sound AS4_PATH (as4Ptr 0 when there is none) in place of its tail, and
 * returns the size. At most `asnCount × 4 + segmentCount × 2` bytes of both paths together.
 */
export function writeMergedPath(
  toPtr: usize,
  ptr: usize,
  end: usize,
  pathLength: u32,
  as4Ptr: usize,
  as4End: usize,
  as4Length: u32,
): usize {
  writePtr = toPtr;
  segmentPtr = 0;
  if (as4Ptr == 0 || pathLength < as4Length) {
    writeLeading(ptr, end, u32.MAX_VALUE); // RFC 6793 §4.2.3: a longer AS4_PATH is ignored
  } else {
    writeLeading(ptr, end, pathLength - as4Length);
    writeAs4Path(as4Ptr, as4End);
  }
  return writePtr - toPtr;
}

/** The first `hops` hops of a 2-octet path. Confederation segments before and between them come along. */
function writeLeading(ptr: usize, end: usize, hops: u32): void {
  while (ptr < end) {
    const type = readUint8(ptr);
    const count = readUint8(ptr + 1);
    ptr += SEGMENT_HEADER_SIZE;
    const isConfederation = type == AS_CONFED_SEQUENCE || type == AS_CONFED_SET;
    if (!isConfederation && hops == 0) return;
    const taken: u32 = type == AS_SEQUENCE && hops < count ? hops : count;
    for (let i: u32 = 0; i < taken; i++) writeHop(type, i == 0, readUint16(ptr + i * 2));
    if (taken < count) return;
    if (type == AS_SEQUENCE) hops -= taken;
    else if (type == AS_SET) hops--;
    ptr += count * 2;
  }
}

function writeAs4Path(ptr: usize, end: usize): void {
  while (ptr < end) {
    const type = readUint8(ptr);
    const count = readUint8(ptr + 1);
    ptr += SEGMENT_HEADER_SIZE;
    // RFC 6793 §6: confederation segments in AS4_PATH are dropped
    if (type == AS_SEQUENCE || type == AS_SET) {
      for (let i: u32 = 0; i < count; i++) writeHop(type, i == 0, readUint32(ptr + i * 4));
    }
    ptr += count * 4;
  }
}

/** Appends one AS; neighbouring sequences become one, so that the path equals what a 4-octet speaker would have sent. */
function writeHop(type: u32, isFirst: bool, asn: u32): void {
  if (isFirst && !continuesSequence(type)) beginSegment(type);
  else if (readUint8(segmentPtr + 1) == MAX_SEGMENT_COUNT) beginSegment(type);
  writeUint8(segmentPtr + 1, readUint8(segmentPtr + 1) + 1);
  writeUint32(writePtr, asn);
  writePtr += 4;
}

function continuesSequence(type: u32): bool {
  return type == AS_SEQUENCE && segmentPtr != 0 && readUint8(segmentPtr) == AS_SEQUENCE;
}

function beginSegment(type: u32): void {
  segmentPtr = writePtr;
  writeUint8(segmentPtr, type);
  writeUint8(segmentPtr + 1, 0);
  writePtr += SEGMENT_HEADER_SIZE;
}
