// Imported routes: what a copy in one network says of the route in another that it is a copy of.
//
// A copy belongs to the peer record of its import line. Its path identifier names the original by value: the peer that announced
// it, and which of that peer's copied routes it is. No copy points at a route that may be gone.
import { knownPeer, Peer } from './peer';
import { Route } from './route';

const ORDINAL_BITS: u32 = 16;

/** The path identifier of a copy: `ordinal` counts the copied routes of one peer to one destination, lowest path id first. */
export function copyId(peer: u32, ordinal: u32): u32 {
  return (peer << ORDINAL_BITS) | ordinal;
}

export function isImported(route: Route): bool {
  return knownPeer(route.peer).isImport;
}

/** Who announced a route: of an imported one, the peer in the network it comes from. */
export function announcerOf(route: Route): Peer {
  const peer = knownPeer(route.peer);
  return peer.isImport ? knownPeer(route.pathId >>> ORDINAL_BITS) : peer;
}

/** The path identifier as it was received, or the ordinal of a copy. */
export function visiblePathId(route: Route): u32 {
  return isImported(route) ? route.pathId & ((1 << ORDINAL_BITS) - 1) : route.pathId;
}
