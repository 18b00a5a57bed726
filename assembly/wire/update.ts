// UPDATE: withdrawn routes, path attributes, NLRI (RFC 4271 §4.3), read into the view of update-view.ts, errors answered as
// RFC 7606 says. parseUpdate() is the entry; nothing in here allocates, and no input byte is read before its place was compared
// with the end of what holds it.
//
// Order: the two lengths of the frame, then every attribute by its row (attributes.ts), then the three kinds of prefix list,
// then the set as a whole (validate.ts), then, when it will be used, the canonical form (canonical.ts).
//
// RFCs: 4271 §6.3, 4760, 7606, 1997, 4360, 4456, 5065, 6793, 7607, 7911, 8092, 8654, 8669, 8950, 9012, 9234, 9552.
// Not here: AFI/SAFI disable (RFC 7606 §2: a session reset instead), RFC 4271's check for NEXT_HOP on a shared subnet (next-hop
// resolution decides), optional parameters of BGPsec.
import { FAMILY_COUNT, FAMILY_IPV4_UNICAST, FAMILY_IPV6_UNICAST, FAMILY_L2VPN_EVPN } from '../abi';
import { readUint8, readUint16, readUint32 } from '../memory/byte-reader';
import { AS_TRANS, asPathFacts, walkAsPath } from './as-path';
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
  writeCanonical,
} from './canonical';
import { isNextHopSize, takeReachNextHop } from './next-hop';
import { checkEvpnRoutes, unsoundEvpnPtr } from './nlri-evpn';
import { findUnsoundPrefix } from './nlri-unicast';
import { isSoundInside } from './optional-attributes';
import {
  ACCEPT,
  ATTRIBUTE_FLAGS,
  ATTRIBUTE_LENGTH,
  beginMessage,
  DISCARD,
  INVALID_NETWORK_FIELD,
  INVALID_ORIGIN,
  MALFORMED_AS_PATH,
  MALFORMED_ATTRIBUTE_LIST,
  OPTIONAL_ATTRIBUTE,
  RESET,
  report,
  reportBadLength,
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
  HAS_MP_REACH,
  HAS_MP_UNREACH,
  HAS_NEXT_HOP,
  HAS_ORIGIN,
  HAS_ORIGINATOR_ID,
  update,
} from './update-view';
import { validateAttributeSet } from './validate';

const HEADER_SIZE: usize = 19;
const LENGTH_OFFSET: usize = 16;
/** Header and the two length fields: the shortest UPDATE, and the End-of-RIB of IPv4 unicast. */
const MINIMUM_SIZE: u32 = 23;

const seen = changetype<SeenTypes>(memory.data(offsetof<SeenTypes>(), 8));

/** Path attributes the message has, duplicates included: an End-of-RIB has at most one. */
let attributeCount: u32 = 0;
/** MP_REACH_NLRI of any family has prefixes. */
let hasReachNlri: bool = false;

/**
 * Reads one whole UPDATE, header included, of `messageSize` bytes into `update`. Never fails: `update.outcome` says what to do.
 * The message must stay in place while the view is used.
 */
export function parseUpdate(messagePtr: usize, messageSize: u32, context: ParseContext): void {
  beginMessage(messagePtr);
  beginView(messagePtr);
  const end = messagePtr + messageSize;
  if (messageSize < MINIMUM_SIZE) {
    reportBadLength(messagePtr + LENGTH_OFFSET);
    return;
  }
  const withdrawnPtr = messagePtr + HEADER_SIZE + 2;
  const withdrawnSize: usize = readUint16(messagePtr + HEADER_SIZE);
  // RFC 7606 §3 (a), §4: lengths of the frame that disagree leave nothing to rely on
  if (withdrawnSize > end - withdrawnPtr - 2) {
    report(RESET, MALFORMED_ATTRIBUTE_LIST, 0, messagePtr + HEADER_SIZE);
    return;
  }
  const withdrawnEnd = withdrawnPtr + withdrawnSize;
  const attributesPtr = withdrawnEnd + 2;
  const attributesSize: usize = readUint16(withdrawnEnd);
  if (attributesSize > end - attributesPtr) {
    report(RESET, MALFORMED_ATTRIBUTE_LIST, 0, withdrawnEnd);
    return;
  }
  const nlriPtr = attributesPtr + attributesSize;
  parseAttributes(attributesPtr, nlriPtr, context);
  parseBodyList(withdrawnPtr, withdrawnEnd, context, false);
  parseBodyList(nlriPtr, end, context, true);
  finish(attributesPtr, withdrawnSize == 0, nlriPtr < end, context);
}

function beginView(messagePtr: usize): void {
  update.withdrawnPtr = update.withdrawnEnd = messagePtr;
  update.nlriPtr = update.nlriEnd = messagePtr;
  update.reachFamily = FAMILY_COUNT;
  update.reachPtr = update.reachEnd = messagePtr;
  update.unreachFamily = FAMILY_COUNT;
  update.unreachPtr = update.unreachEnd = messagePtr;
  update.endOfRib = 0;
  update.ignoredFamilies = 0;
  update.present = 0;
  update.asPathLength = 0;
  update.neighborAs = 0;
  update.hasOwnAs = 0;
  update.clusterListCount = 0;
  update.attributesSize = 0;
  attributeCount = 0;
  hasReachNlri = false;
  seen.clear();
  beginCanonical();
}

function finish(
  attributesPtr: usize,
  nothingWithdrawn: bool,
  hasNlri: bool,
  context: ParseContext,
): void {
  if (nothingWithdrawn && !hasNlri) findEndOfRib(context);
  validateAttributeSet(hasNlri, hasReachNlri, attributesPtr);
  if (update.outcome <= DISCARD && (hasNlri || hasReachNlri))
    finishAttributes(attributesPtr, context);
  if (update.outcome == RESET) forgetLists();
}

/** What a reset leaves: nothing to act on. */
function forgetLists(): void {
  update.withdrawnEnd = update.withdrawnPtr;
  update.nlriEnd = update.nlriPtr;
  update.reachEnd = update.reachPtr;
  update.unreachEnd = update.unreachPtr;
  update.endOfRib = 0;
}

/** RFC 4724 §2: nothing at all, or nothing but an empty MP_UNREACH_NLRI. */
function findEndOfRib(context: ParseContext): void {
  if (attributeCount == 0) {
    if (isNegotiated(FAMILY_IPV4_UNICAST, context)) update.endOfRib = FAMILY_IPV4_UNICAST + 1;
    return;
  }
  if (attributeCount > 1 || update.unreachFamily == FAMILY_COUNT) return;
  if (update.unreachPtr == update.unreachEnd) update.endOfRib = update.unreachFamily + 1;
}

function isNegotiated(family: u32, context: ParseContext): bool {
  return ((context.familyMask >> family) & 1) != 0;
}

function hasPathId(family: u32, context: ParseContext): u32 {
  return (context.addPathMask >> family) & 1;
}

// ---- prefix lists ----

/** Withdrawn routes or NLRI of the message body: IPv4 unicast. */
function parseBodyList(ptr: usize, end: usize, context: ParseContext, isNlri: bool): void {
  if (ptr == end) return;
  const pathId = hasPathId(FAMILY_IPV4_UNICAST, context);
  const unsoundPtr = findUnsoundPrefix(ptr, end, 32, pathId);
  if (unsoundPtr != end) {
    report(RESET, INVALID_NETWORK_FIELD, 0, unsoundPtr); // RFC 7606 §3 (i), §5.3
    return;
  }
  if (!isNegotiated(FAMILY_IPV4_UNICAST, context)) {
    update.ignoredFamilies++;
  } else if (isNlri) {
    update.nlriPtr = ptr;
    update.nlriEnd = end;
  } else {
    update.withdrawnPtr = ptr;
    update.withdrawnEnd = end;
  }
}

/** Whether a list of a carried family is sound; reports it when not. */
function checkList(family: u32, ptr: usize, end: usize, type: u32, context: ParseContext): void {
  const pathId = hasPathId(family, context);
  if (family == FAMILY_L2VPN_EVPN) {
    const outcome = checkEvpnRoutes(ptr, end, pathId);
    if (outcome != ACCEPT) report(outcome, OPTIONAL_ATTRIBUTE, type, unsoundEvpnPtr);
    return;
  }
  const maxBits: u32 = family == FAMILY_IPV6_UNICAST ? 128 : 32;
  const unsoundPtr = findUnsoundPrefix(ptr, end, maxBits, pathId);
  if (unsoundPtr != end) report(RESET, OPTIONAL_ATTRIBUTE, type, unsoundPtr); // RFC 4760 §7
}

/** Index of a carried and negotiated family, or FAMILY_COUNT. */
function familyIndex(afi: u32, safi: u32, context: ParseContext): u32 {
  let family: u32 = FAMILY_COUNT;
  if (safi == 1 && afi == 1) family = FAMILY_IPV4_UNICAST;
  else if (safi == 1 && afi == 2) family = FAMILY_IPV6_UNICAST;
  else if (safi == 70 && afi == 25) family = FAMILY_L2VPN_EVPN;
  return family != FAMILY_COUNT && isNegotiated(family, context) ? family : FAMILY_COUNT;
}

// ---- attributes ----

function parseAttributes(ptr: usize, end: usize, context: ParseContext): void {
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

function takeAsPathFacts(): void {
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

/** RFC 4760 §3: AFI 2, SAFI 1, next hop length 1, next hop, reserved 1, NLRI. */
function takeMpReach(ptr: usize, end: usize, context: ParseContext): void {
  const family = familyIndex(readUint16(ptr), readUint8(ptr + 2), context);
  const nextHopSize = readUint8(ptr + 3);
  const nextHopPtr = ptr + 4;
  // RFC 7606 §7.11: without the next hop's end there is no telling where the prefixes begin
  const isUnknownSize = family != FAMILY_COUNT && !isNextHopSize(family, nextHopSize);
  if (end - nextHopPtr <= nextHopSize || isUnknownSize) {
    report(RESET, MALFORMED_ATTRIBUTE_LIST, MP_REACH_NLRI, ptr + 3);
    return;
  }
  const nlriPtr = nextHopPtr + nextHopSize + 1;
  if (nlriPtr < end) hasReachNlri = true;
  if (family == FAMILY_COUNT) {
    update.ignoredFamilies++;
    return;
  }
  checkList(family, nlriPtr, end, MP_REACH_NLRI, context);
  takeReachNextHop(nextHopPtr, nextHopSize);
  update.present |= HAS_MP_REACH;
  update.reachFamily = family;
  update.reachPtr = nlriPtr;
  update.reachEnd = end;
}

/** RFC 4760 §4: AFI 2, SAFI 1, withdrawn NLRI. */
function takeMpUnreach(ptr: usize, end: usize, context: ParseContext): void {
  const family = familyIndex(readUint16(ptr), readUint8(ptr + 2), context);
  if (family == FAMILY_COUNT) {
    update.ignoredFamilies++;
    return;
  }
  checkList(family, ptr + 3, end, MP_UNREACH_NLRI, context);
  update.present |= HAS_MP_UNREACH;
  update.unreachFamily = family;
  update.unreachPtr = ptr + 3;
  update.unreachEnd = end;
}

// ---- the set as it will be stored ----

function finishAttributes(attributesPtr: usize, context: ParseContext): void {
  if (!writeCanonical(context)) {
    report(WITHDRAW, MALFORMED_AS_PATH, AS_PATH, attributesPtr); // 4-octet form longer than an attribute can be
    return;
  }
  if (!context.fourOctetAs) takeAsPathFacts();
  if (context.isEbgp && context.enforceFirstAs && !beginsWithPeer(context)) {
    report(WITHDRAW, MALFORMED_AS_PATH, AS_PATH, attributesPtr); // RFC 4271 §6.3
  }
}

function beginsWithPeer(context: ParseContext): bool {
  if (update.neighborAs == context.peerAsn) return true;
  return !context.fourOctetAs && update.neighborAs == AS_TRANS && context.peerAsn > 65535;
}
