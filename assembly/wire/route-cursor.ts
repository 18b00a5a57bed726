// The cursor over a list of routes and the key of the route it stands on. One of each, in static memory.

@unmanaged
export class RouteCursor {
  /** The next route, and the end of the list. */
  ptr: usize = 0;
  end: usize = 0;
  family: u32 = 0;
  /** 1: every route begins with a path identifier (RFC 7911). */
  hasPathId: u32 = 0;

  // ---- the route the cursor stands on ----
  /** 0 without ADD-PATH. */
  pathId: u32 = 0;
  /** Length of the key at routeKeyPtr, in bits: the prefix length; for EVPN 8 × its bytes. */
  bits: u32 = 0;
  /** Bytes at routePayloadPtr: what an EVPN route carries beside its key. */
  payloadSize: u32 = 0;

  /** Routes stepped over so far: multicast prefixes, EVPN types we do not know or whose inside is wrong. */
  ignoredCount: u32 = 0;
}

const ROUTE_KEY_SIZE: usize = 48;

export const routes = changetype<RouteCursor>(memory.data(offsetof<RouteCursor>(), 8));

/**
 * The key, left-aligned, network order. A prefix: 4 or 16 bytes with host bits clear, and zeros up to 16 bytes. EVPN: see
 * nlri-evpn.ts; bytes past `bits` are left from earlier routes.
 */
export const routeKeyPtr: usize = memory.data(48, 16);
export const routePayloadPtr: usize = memory.data(48, 16);

export function clearRouteKey(): void {
  memory.fill(routeKeyPtr, 0, ROUTE_KEY_SIZE);
}

/** For a list that goes wrong on the way: no more routes. */
export function endRoutes(): bool {
  routes.ptr = routes.end;
  return false;
}
