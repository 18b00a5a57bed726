// Walks the routes of one list of an UPDATE, whatever its family: openRoutes, then nextRoute until it says false.
//
//   openRoutes(family, ptr, end, hasPathId)      while (nextRoute()) { … routes.pathId, routes.bits, routeKeyPtr … }
//
// update.ts has checked the list as a whole before (RFC 7606 §5.3); the cursors compare every step with the end all the same.
import { FAMILY_IPV4_UNICAST, FAMILY_IPV6_UNICAST, FAMILY_L2VPN_EVPN } from '../abi';
import { nextEvpnRoute } from './nlri-evpn';
import { nextIpv4Prefix, nextIpv6Prefix } from './nlri-unicast';
import { clearRouteKey, routes } from './route-cursor';

export { routeKeyPtr, routePayloadPtr, routes } from './route-cursor';

/** Puts the cursor before the first route. One list is open at a time. */
export function openRoutes(family: u32, ptr: usize, end: usize, hasPathId: u32): void {
  routes.family = family;
  routes.ptr = ptr;
  routes.end = end;
  routes.hasPathId = hasPathId;
  routes.pathId = 0;
  routes.bits = 0;
  routes.payloadSize = 0;
  routes.ignoredCount = 0;
  clearRouteKey();
}

/** Moves to the next route; false at the end of the list. */
export function nextRoute(): bool {
  switch (routes.family) {
    case FAMILY_IPV4_UNICAST:
      return nextIpv4Prefix();
    case FAMILY_IPV6_UNICAST:
      return nextIpv6Prefix();
    case FAMILY_L2VPN_EVPN:
      return nextEvpnRoute();
    default:
      return false;
  }
}
