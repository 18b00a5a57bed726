// The path attributes of one UPDATE, in the order they came: each judged by its row (attributes.ts), its value taken into the
// view, its bytes noted for the canonical form.
import { readUint8, readUint16, readUint32 } from '../memory/byte-reader';
import { asPathFacts, walkAsPath } from './as-path';
import {
  AGGREGATOR,
  AS_PATH,
  AS4_AGGREGATOR,
  AS4_PATH,
  attributeRow,
  CLUSTER_LIST,
  COMMUNITIES,
  EXTENDED_LENGTH,
  flagsRemedy,
  hasLegalFlags,
  hasLegalLength,
  isInternalOnly,
  LOCAL_PREF,
  MP_REACH_NLRI,
  MP_UNREACH_NLRI,
  MULTI_EXIT_DISC,
  NEXT_HOP,
  OPTIONAL,
  ORIGIN,
  ORIGINATOR_ID,
  TRANSITIVE,
  valueRemedy,
} from './attributes';
import {
  AS_IS,
  AS_PARTIAL,
  beginCanonical,
  keepAs4Aggregator,
  keepAs4Path,
  keepAttribute,
  REWRITTEN,
} from './canonical';
import { takeMpReach, takeMpUnreach } from './mp-nlri';
import { isSoundInside } from './optional-attributes';
import {
  ATTRIBUTE_FLAGS,
  ATTRIBUTE_LENGTH,
  DISCARD,
  INVALID_ORIGIN,
  MALFORMED_AS_PATH,
  MALFORMED_ATTRIBUTE_LIST,
  OPTIONAL_ATTRIBUTE,
  RESET,
  report,
  reportWithData,
  UNRECOGNIZED_WELL_KNOWN,
  UNSPECIFIC,
  WITHDRAW,
} from './outcome';
import { ParseContext } from './parse-context';
import { SeenTypes } from './seen-types';
import {
  HAS_AS_PATH,
  HAS_CLUSTER_LIST,
  HAS_COMMUNITIES,
  HAS_LOCAL_PREF,
  HAS_MED,
  HAS_NEXT_HOP,
  HAS_ORIGIN,
  HAS_ORIGINATOR_ID,
  update,
} from './update-view';
/** Attributes of the last list, duplicates included. */
export let attributeCount: u32 = 0;

const seen = changetype<SeenTypes>(memory.data(offsetof<SeenTypes>(), 8));

/** Reads the list up to `end`. What is wrong is reported; what is not goes on. */
export function parseAttributes(ptr: usize, end: usize, context: ParseContext): void {
  attributeCount = 0;
  seen.clear();
  beginCanonical();
  while (ptr < end) {
    attributeCount++;
    const left = <u32>(end - ptr);
    if (left < 3) {
      report(WITHDRAW, MALFORMED_ATTRIBUTE_LIST, 0, ptr); // RFC 7606 §4: underrun
      return;
    }
    const flags = readUint8(ptr);
    const type = readUint8(ptr + 1);
    const headerSize: u32 = (flags & EXTENDED_LENGTH) != 0 ? 4 : 3;
    if (left < headerSize) {
      reportCut(type, ptr);
      return;
    }
    const length = headerSize == 4 ? readUint16(ptr + 2) : readUint8(ptr + 2);
    if (length > left - headerSize) {
      reportCut(type, ptr);
      return;
    }
    takeAttribute(flags, type, ptr, headerSize, length, context);
    ptr += headerSize + length;
  }
}

/** RFC 7606 §4: an attribute that overruns the list. A cut MP_* leaves prefixes nobody can name (§3 j). */
function reportCut(type: u32, ptr: usize): void {
  const isMp = type == MP_REACH_NLRI || type == MP_UNREACH_NLRI;
  report(isMp ? RESET : WITHDRAW, MALFORMED_ATTRIBUTE_LIST, type, ptr);
}

function takeAttribute(
  flags: u32,
  type: u32,
  ptr: usize,
  headerSize: u32,
  length: u32,
  context: ParseContext,
): void {
  const size = headerSize + length;
  if (seen.add(type)) {
    takeDuplicate(type, ptr);
    return;
  }
  const row = attributeRow(type);
  if (row == 0) {
    takeUnrecognised(flags, type, ptr, headerSize, size);
    return;
  }
  if (!hasLegalFlags(row, flags)) {
    reportWithData(flagsRemedy(row), ATTRIBUTE_FLAGS, type, ptr, size); // RFC 7606 §3 (c)
    return;
  }
  if (context.isEbgp && isInternalOnly(row)) {
    report(DISCARD, UNSPECIFIC, type, ptr); // RFC 7606 §7.5, §7.9, §7.10
    return;
  }
  if (!hasLegalLength(row, length)) {
    reportWrongLength(row, type, ptr, size);
    return;
  }
  const valuePtr = ptr + headerSize;
  switch (type) {
    case ORIGIN:
      if (!takeOrigin(valuePtr, ptr, size)) return;
      break;
    case AS_PATH:
      takeAsPath(ptr, headerSize, size, context);
      return;
    case NEXT_HOP:
      update.nextHopPtr = valuePtr;
      update.present |= HAS_NEXT_HOP;
      return;
    case MULTI_EXIT_DISC:
      update.med = readUint32(valuePtr);
      update.present |= HAS_MED;
      break;
    case LOCAL_PREF:
      update.localPref = readUint32(valuePtr);
      update.present |= HAS_LOCAL_PREF;
      break;
    case AGGREGATOR:
      takeAggregator(ptr, headerSize, length, context);
      return;
    case COMMUNITIES:
      update.present |= HAS_COMMUNITIES;
      break;
    case ORIGINATOR_ID:
      update.originatorId = readUint32(valuePtr);
      update.present |= HAS_ORIGINATOR_ID;
      break;
    case CLUSTER_LIST:
      update.clusterListCount = length >> 2;
      update.present |= HAS_CLUSTER_LIST;
      break;
    case MP_REACH_NLRI:
      takeMpReach(valuePtr, valuePtr + length, context);
      return;
    case MP_UNREACH_NLRI:
      takeMpUnreach(valuePtr, valuePtr + length, context);
      return;
    case AS4_PATH:
      takeAs4Path(ptr, valuePtr, valuePtr + length, context);
      return;
    case AS4_AGGREGATOR:
      takeAs4Aggregator(ptr, valuePtr, context);
      return;
    default:
      if (!isSoundInside(type, valuePtr, valuePtr + length)) {
        reportWithData(valueRemedy(row), OPTIONAL_ATTRIBUTE, type, ptr, size);
        return;
      }
  }
  keepAttribute(type, ptr, headerSize, size, AS_IS);
}

/** RFC 7606 §3 (g): the first counts; two MP_* of a kind leave it open which prefixes are meant. */
function takeDuplicate(type: u32, ptr: usize): void {
  if (type == MP_REACH_NLRI || type == MP_UNREACH_NLRI) {
    report(RESET, MALFORMED_ATTRIBUTE_LIST, type, ptr);
  } else {
    report(DISCARD, MALFORMED_ATTRIBUTE_LIST, type, ptr);
  }
}

/** RFC 4271 §5, §6.3: well-known ones must be known; optional ones are kept as bytes when transitive, else ignored. */
function takeUnrecognised(flags: u32, type: u32, ptr: usize, headerSize: u32, size: usize): void {
  if ((flags & OPTIONAL) == 0) {
    reportWithData(RESET, UNRECOGNIZED_WELL_KNOWN, type, ptr, size);
  } else if ((flags & TRANSITIVE) != 0) {
    keepAttribute(type, ptr, headerSize, size, AS_PARTIAL);
  }
}

function reportWrongLength(row: u32, type: u32, ptr: usize, size: usize): void {
  const remedy = valueRemedy(row);
  // A cut MP_* is no longer an attribute of wrong length but a list that cannot be read on
  const subcode = remedy == RESET ? MALFORMED_ATTRIBUTE_LIST : ATTRIBUTE_LENGTH;
  reportWithData(remedy, subcode, type, ptr, size);
}

function takeOrigin(valuePtr: usize, ptr: usize, size: usize): bool {
  update.origin = readUint8(valuePtr);
  if (update.origin > 2) {
    reportWithData(WITHDRAW, INVALID_ORIGIN, ORIGIN, ptr, size); // RFC 7606 §7.1
    return false;
  }
  update.present |= HAS_ORIGIN;
  return true;
}

function takeAsPath(ptr: usize, headerSize: u32, size: usize, context: ParseContext): void {
  const asnSize: u32 = context.fourOctetAs ? 4 : 2;
  update.present |= HAS_AS_PATH;
  if (!walkAsPath(ptr + headerSize, ptr + size, asnSize, context.localAsn)) {
    report(WITHDRAW, MALFORMED_AS_PATH, AS_PATH, ptr); // RFC 7606 §7.2, RFC 7607 §2
    return;
  }
  if (context.isEbgp && asPathFacts.hasConfederation) {
    report(WITHDRAW, MALFORMED_AS_PATH, AS_PATH, ptr); // RFC 5065 §5
  }
  takeAsPathFacts();
  keepAttribute(AS_PATH, ptr, headerSize, size, context.fourOctetAs ? AS_IS : REWRITTEN);
}

export function takeAsPathFacts(): void {
  update.asPathLength = asPathFacts.length;
  update.neighborAs = asPathFacts.neighborAs;
  update.hasOwnAs = asPathFacts.hasOwnAs;
}

/** RFC 7606 §7.7: 8 bytes, or 6 on a 2-octet session. AS 0 makes it malformed (RFC 7607 §2). */
function takeAggregator(ptr: usize, headerSize: u32, length: u32, context: ParseContext): void {
  const valuePtr = ptr + headerSize;
  const size = headerSize + length;
  if (length != (context.fourOctetAs ? 8 : 6)) {
    reportWithData(DISCARD, ATTRIBUTE_LENGTH, AGGREGATOR, ptr, size);
    return;
  }
  const asn = context.fourOctetAs ? readUint32(valuePtr) : readUint16(valuePtr);
  if (asn == 0) reportWithData(DISCARD, OPTIONAL_ATTRIBUTE, AGGREGATOR, ptr, size);
  else keepAttribute(AGGREGATOR, ptr, headerSize, size, context.fourOctetAs ? AS_IS : REWRITTEN);
}

/** RFC 6793 §4.1: not between 4-octet speakers. §6: malformed, it is discarded. */
function takeAs4Path(ptr: usize, valuePtr: usize, end: usize, context: ParseContext): void {
  if (context.fourOctetAs || !walkAs4Path(valuePtr, end, context.localAsn)) {
    report(DISCARD, OPTIONAL_ATTRIBUTE, AS4_PATH, ptr);
  } else keepAs4Path(valuePtr, end);
}

/** Like walkAsPath, but leaves the facts of AS_PATH in the view alone. */
function walkAs4Path(ptr: usize, end: usize, localAsn: u32): bool {
  return walkAsPath(ptr, end, 4, localAsn);
}

function takeAs4Aggregator(ptr: usize, valuePtr: usize, context: ParseContext): void {
  if (context.fourOctetAs || readUint32(valuePtr) == 0) {
    report(DISCARD, OPTIONAL_ATTRIBUTE, AS4_AGGREGATOR, ptr);
  } else keepAs4Aggregator(valuePtr);
}
