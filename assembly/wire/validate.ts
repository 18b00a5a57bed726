// Is the attribute set legal as a whole? Asked once per UPDATE, after each attribute was judged by itself.
import { FAMILY_COUNT } from '../abi';
import { AS_PATH, MP_REACH_NLRI, NEXT_HOP, ORIGIN } from './attributes';
import { isIpv4Host, isIpv6Host } from './next-hop';
import {
  escalateWithdrawToReset,
  INVALID_NEXT_HOP,
  MISSING_WELL_KNOWN,
  report,
  WITHDRAW,
} from './outcome';
import { HAS_AS_PATH, HAS_NEXT_HOP, HAS_ORIGIN, update } from './update-view';

/** The NOTIFICATION's data for a missing attribute: its type code. */
const missingTypePtr: usize = memory.data(4);

/**
 * `hasBodyNlri`, `hasReachNlri`: prefixes are announced in the body, in MP_REACH_NLRI (of any family, stepped over or not).
 * `attributesPtr`: where an error without a place of its own is reported.
 */
export function validateAttributeSet(
  hasBodyNlri: bool,
  hasReachNlri: bool,
  attributesPtr: usize,
): void {
  if (!hasBodyNlri && !hasReachNlri) {
    escalateWithdrawToReset(); // RFC 7606 §5.2: no prefix is known to be complete
    return;
  }
  // RFC 7606 §3 (d); RFC 4760 §3 makes NEXT_HOP the body's business alone
  if ((update.present & HAS_ORIGIN) == 0) reportMissing(ORIGIN, attributesPtr);
  if ((update.present & HAS_AS_PATH) == 0) reportMissing(AS_PATH, attributesPtr);
  if (hasBodyNlri) validateNextHop(attributesPtr);
  if (update.reachFamily != FAMILY_COUNT) validateReachNextHop();
}

function validateNextHop(attributesPtr: usize): void {
  if ((update.present & HAS_NEXT_HOP) == 0) reportMissing(NEXT_HOP, attributesPtr);
  else if (!isIpv4Host(update.nextHopPtr)) {
    report(WITHDRAW, INVALID_NEXT_HOP, NEXT_HOP, update.nextHopPtr); // RFC 7606 §3 (e)
  }
}

function validateReachNextHop(): void {
  const ptr = update.reachNextHopPtr;
  const isHost = update.reachNextHopSize == 4 ? isIpv4Host(ptr) : isIpv6Host(ptr);
  if (!isHost) report(WITHDRAW, INVALID_NEXT_HOP, MP_REACH_NLRI, ptr);
}

function reportMissing(type: u32, ptr: usize): void {
  if (update.outcome >= WITHDRAW) return;
  store<u8>(missingTypePtr, <u8>type);
  report(WITHDRAW, MISSING_WELL_KNOWN, type, ptr);
  update.errorDataPtr = missingTypePtr;
  update.errorDataSize = 1;
}
