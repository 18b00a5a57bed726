// A destination: one key of a table with every route to it, the best first, and what it forwards to.

import { keySize } from '../lpm/key';
import { allocate, free } from '../memory/arena';
import { Route } from './route';

export const DESTINATION_KEY_OFFSET: u32 = 12;

/** Equal to or within a subnet of the network's own (own-subnets.ts). */
const IN_OWN_SUBNET: u16 = 1;
/** Its importers have not been told of the last decision yet (import-queue.ts). */
export const IN_IMPORT_QUEUE: u16 = 2;
export const IN_URGENT_IMPORT_QUEUE: u16 = 4;
export const IMPORTERS_AWAIT_WALK: u16 = 8;
/** Its importers decide anew, whether their routes changed or not. */
export const IMPORTERS_DECIDE: u16 = 16;
const IMPORTERS_AWAIT: u16 = IN_IMPORT_QUEUE | IN_URGENT_IMPORT_QUEUE | IMPORTERS_AWAIT_WALK;

// Destination, 12 bytes + key (IPv4 4, IPv6 /48 8); one per prefix
//   0       2        4       8       12
//   | bits  | flags  | head  | label | key …
//
// flags  what concerns every route to it
// head   the routes; the best path is the first of them when there is one
// label  the next-hop set of the best path and its equals; 0 when nothing is to be forwarded
@unmanaged
export class Destination {
  bits: u16 = 0;
  flags: u16 = 0;
  head: Route = changetype<Route>(0);
  label: u32 = 0;

  get keyPtr(): usize {
    return changetype<usize>(this) + DESTINATION_KEY_OFFSET;
  }

  get isInOwnSubnet(): bool {
    return (this.flags & IN_OWN_SUBNET) != 0;
  }

  setInOwnSubnet(isInside: bool): void {
    this.flags = isInside ? this.flags | IN_OWN_SUBNET : this.flags & ~IN_OWN_SUBNET;
  }

  /** Must stay, even without routes. */
  get isAwaited(): bool {
    return (this.flags & IMPORTERS_AWAIT) != 0;
  }

  /** The route of a peer under a path identifier. */
  find(peer: u32, pathId: u32): Route | null {
    for (let route = this.head; route; route = route.next) {
      if (route.peer == peer && route.pathId == pathId) return route;
    }
    return null;
  }

  countOf(peer: u32): u32 {
    let count: u32 = 0;
    for (let route = this.head; route; route = route.next) {
      if (route.peer == peer) count++;
    }
    return count;
  }

  best(): Route | null {
    if (!this.head) return null;
    return this.head.isBest ? this.head : null;
  }

  add(route: Route): void {
    route.next = this.head;
    this.head = route;
  }

  unlink(route: Route): void {
    if (this.head == route) {
      this.head = route.next;
      return;
    }
    for (let before = this.head; before; before = before.next) {
      if (before.next == route) {
        before.next = route.next;
        return;
      }
    }
  }

  moveToFront(route: Route): void {
    if (this.head == route) return;
    this.unlink(route);
    this.add(route);
  }

  free(): void {
    free(changetype<usize>(this), DESTINATION_KEY_OFFSET + keySize(this.bits));
  }
}

/** A destination without routes that is in no table yet, or null when there is no memory. */
export function newDestination(keyPtr: usize, bits: u32): Destination | null {
  const size = keySize(bits);
  const ptr = allocate(DESTINATION_KEY_OFFSET + size);
  if (!ptr) return null;
  const destination = changetype<Destination>(ptr);
  destination.bits = <u16>bits;
  destination.flags = 0;
  destination.head = changetype<Route>(0);
  destination.label = 0;
  memory.copy(destination.keyPtr, keyPtr, size);
  return destination;
}
