// The attributes of an UPDATE in the one form in which equal sets have equal bytes: ascending type, 4-octet AS numbers, AS4_PATH
// and AS4_AGGREGATOR merged away, unrecognised transitive ones marked Partial. Written once per UPDATE into a static buffer.
//
// Attributes that are kept are noted as they are parsed (keepAttribute); writeCanonical copies them, neighbours in one run.
// A set sent with two octets of length where one would do keeps them: it is another set of bytes, and only costs a second entry.
import { readUint8, readUint16, readUint32 } from '../memory/byte-reader';
import { copyBytes, writeUint8, writeUint16, writeUint32 } from '../memory/byte-writer';
import { AS_TRANS, asPathFacts, walkAsPath, writeMergedPath } from './as-path';
import { AGGREGATOR, AS_PATH, EXTENDED_LENGTH, OPTIONAL, PARTIAL, TRANSITIVE } from './attributes';
import { ParseContext } from './parse-context';
import { update } from './update-view';

/** Largest canonical form: the total path attribute length field has 16 bits. */
const CAPACITY: usize = 65535;
const canonicalPtr: usize = memory.data(65536, 8);

/** Copied as it is; copied with the Partial flag; written anew for a 2-octet session. */
export const AS_IS: u32 = 0;
export const AS_PARTIAL: u32 = 1;
export const REWRITTEN: u32 = 2;

@unmanaged
class KeptAttribute {
  /** The whole attribute, header included. */
  ptr: usize = 0;
  size: usize = 0;
  headerSize: u32 = 0;
  type: u32 = 0;
  form: u32 = 0;
}

// One place per type code: duplicates are never kept
const KEPT_SIZE: u32 = 20;
const keptPtr: usize = memory.data(256 * 20, 8);
let keptCount: u32 = 0;
let isAscending: bool = true;

function keptAt(index: u32): KeptAttribute {
  return changetype<KeptAttribute>(keptPtr + index * KEPT_SIZE);
}

// ---- what a 2-octet session adds ----
let as4PathPtr: usize = 0;
let as4PathEnd: usize = 0;
let as4PathLength: u32 = 0;
let as4PathBytes: usize = 0;
let as4AggregatorPtr: usize = 0;

export function beginCanonical(): void {
  keptCount = 0;
  isAscending = true;
  as4PathPtr = 0;
  as4AggregatorPtr = 0;
}

export function keepAttribute(
  type: u32,
  ptr: usize,
  headerSize: u32,
  size: usize,
  form: u32,
): void {
  if (keptCount > 0 && type < keptAt(keptCount - 1).type) isAscending = false;
  const kept = keptAt(keptCount++);
  kept.ptr = ptr;
  kept.size = size;
  kept.headerSize = headerSize;
  kept.type = type;
  kept.form = form;
}

/** A sound AS4_PATH; `walkAsPath` has just read it. */
export function keepAs4Path(ptr: usize, end: usize): void {
  as4PathPtr = ptr;
  as4PathEnd = end;
  as4PathLength = asPathFacts.length;
  as4PathBytes = end - ptr;
}

export function keepAs4Aggregator(ptr: usize): void {
  as4AggregatorPtr = ptr;
}

/** Fills attributesPtr and attributesSize of the view; false when the form would not fit 65535 bytes. */
export function writeCanonical(context: ParseContext): bool {
  if (!isAscending) sortKept();
  let toPtr = canonicalPtr;
  let runPtr: usize = 0;
  let runEnd: usize = 0;
  for (let i: u32 = 0; i < keptCount; i++) {
    const kept = keptAt(i);
    if (kept.form == AS_IS) {
      if (kept.ptr == runEnd) {
        runEnd += kept.size;
        continue;
      }
      toPtr = flush(toPtr, runPtr, runEnd);
      runPtr = kept.ptr;
      runEnd = runPtr + kept.size;
      continue;
    }
    toPtr = flush(toPtr, runPtr, runEnd);
    runPtr = runEnd = 0;
    toPtr = writeChanged(toPtr, kept, context);
    if (toPtr == 0) return false;
  }
  toPtr = flush(toPtr, runPtr, runEnd);
  if (toPtr == 0) return false;
  update.attributesPtr = canonicalPtr;
  update.attributesSize = <u32>(toPtr - canonicalPtr);
  return true;
}

/** Copies a run; 0 when there is no room. */
function flush(toPtr: usize, ptr: usize, end: usize): usize {
  const size = end - ptr;
  if (toPtr == 0 || room(toPtr) < size) return 0;
  if (size > 0) copyBytes(toPtr, ptr, size);
  return toPtr + size;
}

function room(toPtr: usize): usize {
  return CAPACITY - (toPtr - canonicalPtr);
}

/** An attribute that is not copied as it is; 0 when there is no room. */
function writeChanged(toPtr: usize, kept: KeptAttribute, context: ParseContext): usize {
  if (toPtr == 0) return 0;
  if (kept.form == AS_PARTIAL) {
    if (room(toPtr) < kept.size) return 0;
    copyBytes(toPtr, kept.ptr, kept.size);
    writeUint8(toPtr, readUint8(toPtr) | PARTIAL); // RFC 4271 §5
    return toPtr + kept.size;
  }
  return kept.type == AS_PATH ? writeAsPath(toPtr, kept, context) : writeAggregator(toPtr, kept);
}

/** RFC 6793 §4.2.3. Refreshes the path's facts, because the merged path is what the decision process sees. */
function writeAsPath(toPtr: usize, kept: KeptAttribute, context: ParseContext): usize {
  const ptr = kept.ptr + kept.headerSize;
  const end = kept.ptr + kept.size;
  if (!walkAsPath(ptr, end, 2, 0)) return 0;
  const pathLength = asPathFacts.length;
  const worstSize = as4PathBytesUsed() + asPathFacts.asnCount * 4 + asPathFacts.segmentCount * 2;
  if (room(toPtr) < 4 + worstSize) return 0;
  const as4Ptr: usize = isAs4Ignored() ? 0 : as4PathPtr;
  const valuePtr = toPtr + 4;
  const size = writeMergedPath(valuePtr, ptr, end, pathLength, as4Ptr, as4PathEnd, as4PathLength);
  walkAsPath(valuePtr, valuePtr + size, 4, context.localAsn);
  return writeHeader(toPtr, TRANSITIVE, AS_PATH, size);
}

function as4PathBytesUsed(): usize {
  return as4PathPtr == 0 ? 0 : as4PathBytes;
}

/** RFC 6793 §4.2.3: an AGGREGATOR with a real AS beside AS4_AGGREGATOR was rewritten by an old speaker; both AS4_* are stale. */
function isAs4Ignored(): bool {
  if (as4AggregatorPtr == 0) return false; // an aggregator with a 2-octet AS sends none
  for (let i: u32 = 0; i < keptCount; i++) {
    const kept = keptAt(i);
    if (kept.type == AGGREGATOR) return readUint16(kept.ptr + kept.headerSize) != AS_TRANS;
  }
  return false;
}

function writeAggregator(toPtr: usize, kept: KeptAttribute): usize {
  if (room(toPtr) < 4 + 8) return 0;
  const ptr = kept.ptr + kept.headerSize;
  const valuePtr = toPtr + 4;
  if (as4AggregatorPtr != 0 && !isAs4Ignored()) {
    copyBytes(valuePtr, as4AggregatorPtr, 8);
  } else {
    writeUint32(valuePtr, readUint16(ptr));
    writeUint32(valuePtr + 4, readUint32(ptr + 2));
  }
  return writeHeader(toPtr, OPTIONAL | TRANSITIVE | (readUint8(kept.ptr) & PARTIAL), AGGREGATOR, 8);
}

/** Puts the header before a value already written four bytes on, and closes the gap when one length octet will do. */
export function writeHeader(toPtr: usize, flags: u32, type: u32, size: usize): usize {
  writeUint8(toPtr + 1, type);
  if (size > 255) {
    writeUint8(toPtr, flags | EXTENDED_LENGTH);
    writeUint16(toPtr + 2, <u32>size);
    return toPtr + 4 + size;
  }
  writeUint8(toPtr, flags);
  writeUint8(toPtr + 2, <u32>size);
  memory.copy(toPtr + 3, toPtr + 4, size);
  return toPtr + 3 + size;
}

/** Insertion sort: at most 256 places, and senders that do not sort have few out of order. */
function sortKept(): void {
  for (let i: u32 = 1; i < keptCount; i++) {
    for (let j = i; j > 0 && keptAt(j).type < keptAt(j - 1).type; j--) swapKept(j, j - 1);
  }
}

const swapPtr: usize = memory.data(20, 8);

function swapKept(a: u32, b: u32): void {
  const aPtr = keptPtr + a * KEPT_SIZE;
  const bPtr = keptPtr + b * KEPT_SIZE;
  copyBytes(swapPtr, aPtr, KEPT_SIZE);
  copyBytes(aPtr, bPtr, KEPT_SIZE);
  copyBytes(bPtr, swapPtr, KEPT_SIZE);
}
