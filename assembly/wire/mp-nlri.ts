// MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760): the family, the next hop and the list of prefixes; which lists are sound.
import { FAMILY_COUNT, FAMILY_IPV4_UNICAST, FAMILY_IPV6_UNICAST, FAMILY_L2VPN_EVPN } from '../abi';
import { readUint8, readUint16 } from '../memory/byte-reader';
import { MP_REACH_NLRI, MP_UNREACH_NLRI } from './attributes';
import { isNextHopSize, takeReachNextHop } from './next-hop';
import { checkEvpnRoutes, unsoundEvpnPtr } from './nlri-evpn';
import { findUnsoundPrefix } from './nlri-unicast';
import { ACCEPT, MALFORMED_ATTRIBUTE_LIST, OPTIONAL_ATTRIBUTE, RESET, report } from './outcome';
import { ParseContext } from './parse-context';
import { HAS_MP_REACH, HAS_MP_UNREACH, update } from './update-view';

/** MP_REACH_NLRI of any family, stepped over or not, has prefixes. */
export let hasReachNlri: bool = false;

export function beginMpNlri(): void {
  hasReachNlri = false;
}

export function isNegotiated(family: u32, context: ParseContext): bool {
  return ((context.familyMask >> family) & 1) != 0;
}

export function hasPathId(family: u32, context: ParseContext): u32 {
  return (context.addPathMask >> family) & 1;
}

/** RFC 4760 §3: AFI 2, SAFI 1, next hop length 1, next hop, reserved 1, NLRI. */
export function takeMpReach(ptr: usize, end: usize, context: ParseContext): void {
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
export function takeMpUnreach(ptr: usize, end: usize, context: ParseContext): void {
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
