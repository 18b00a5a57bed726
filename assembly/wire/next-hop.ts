// Next hops: which lengths a family takes (RFC 4760 §3, RFC 2545 §3, RFC 8950 §3), and which addresses cannot be one.
import { FAMILY_IPV6_UNICAST, FAMILY_L2VPN_EVPN } from '../abi';
import { readUint8, readUint16, readUint32, readUint64 } from '../memory/byte-reader';
import { update } from './update-view';

/** RFC 7606 §7.11: lengths of MP_REACH_NLRI's next hop that its family knows. */
export function isNextHopSize(family: u32, size: u32): bool {
  if (size == 16) return true;
  if (size == 32) return family != FAMILY_L2VPN_EVPN; // global and link-local
  return size == 4 && family != FAMILY_IPV6_UNICAST;
}

/** Fills the next hop of MP_REACH_NLRI into the view. */
export function takeReachNextHop(ptr: usize, size: u32): void {
  update.reachNextHopPtr = ptr;
  update.reachNextHopSize = size == 4 ? 4 : 16;
  update.reachLinkLocalPtr = 0;
  if (size != 32) return;
  const linkLocalPtr = ptr + 16;
  if (!isLinkLocal(linkLocalPtr)) return;
  // Routers without a global address send "::" or the link-local address twice: then it is the next hop
  if (isLinkLocal(ptr) || isUnspecified(ptr)) update.reachNextHopPtr = linkLocalPtr;
  else update.reachLinkLocalPtr = linkLocalPtr;
}

/** RFC 4271 §6.3: a host address; not 0/8, 127/8, multicast or above. */
export function isIpv4Host(ptr: usize): bool {
  const firstOctet = readUint32(ptr) >> 24;
  return firstOctet != 0 && firstOctet != 127 && firstOctet < 224;
}

/** Not unspecified, loopback or multicast. */
export function isIpv6Host(ptr: usize): bool {
  if (readUint8(ptr) == 0xff) return false;
  return readUint64(ptr) != 0 || readUint64(ptr + 8) > 1;
}

function isUnspecified(ptr: usize): bool {
  return readUint64(ptr) == 0 && readUint64(ptr + 8) == 0;
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal(ptr: usize): bool {
  return (readUint16(ptr) & 0xffc0) == 0xfe80;
}
