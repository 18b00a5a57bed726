// UPDATE: withdrawn routes, path attributes, NLRI (RFC 4271 §4.3), read into the view of update-view.ts, errors answered as
// RFC 7606 says. parseUpdate() is the entry; nothing in here allocates, and no input byte is read before its place was compared
// with the end of what holds it.
//
// Order: the two lengths of the frame, then every attribute (path-attributes.ts) by its row (attributes.ts), MP_* with their
// lists (mp-nlri.ts), then the lists of the body, then the set as a whole (validate.ts), then, when it will be used, the
// canonical form (canonical.ts).
//
// RFCs: 4271 §6.3, 4760, 7606, 1997, 4360, 4456, 5065, 6793, 7607, 7911, 8092, 8654, 8669, 8950, 9012, 9234, 9552.
// Not here: AFI/SAFI disable (RFC 7606 §2: a session reset instead), RFC 4271's check for NEXT_HOP on a shared subnet (next-hop
// resolution decides).
import { FAMILY_COUNT, FAMILY_IPV4_UNICAST } from '../abi';
import { readUint16 } from '../memory/byte-reader';
import { AS_TRANS } from './as-path';
import { AS_PATH } from './attributes';
import { writeCanonical } from './canonical';
import { beginMpNlri, hasPathId, hasReachNlri, isNegotiated } from './mp-nlri';
import { findUnsoundPrefix } from './nlri-unicast';
import {
  beginMessage,
  DISCARD,
  INVALID_NETWORK_FIELD,
  MALFORMED_AS_PATH,
  MALFORMED_ATTRIBUTE_LIST,
  RESET,
  report,
  reportBadLength,
  WITHDRAW,
} from './outcome';
import { ParseContext } from './parse-context';
import { attributeCount, parseAttributes, takeAsPathFacts } from './path-attributes';
import { update } from './update-view';
import { validateAttributeSet } from './validate';

const HEADER_SIZE: usize = 19;
const LENGTH_OFFSET: usize = 16;
/** Header and the two length fields: the shortest UPDATE, and the End-of-RIB of IPv4 unicast. */
const MINIMUM_SIZE: u32 = 23;

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

/**
 * Reads path attributes without the rest of an UPDATE, as of an iBGP session: the view has their facts and the canonical form.
 * False when something is wrong with one of them.
 */
export function parseAttributeList(ptr: usize, end: usize, context: ParseContext): bool {
  beginMessage(ptr);
  beginView(ptr);
  parseAttributes(ptr, end, context);
  return update.outcome == 0 && writeCanonical(context);
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
  beginMpNlri();
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
