// The route record: what one peer says about one destination (and, with ADD-PATH, under one path identifier).
import { allocate, free } from '../memory/arena';
import { AttributeSet } from './attribute-set';

/** Takes part in the decision process; a reason why not is worked out when somebody asks (best-path.ts). */
export const ROUTE_ELIGIBLE: u8 = 1;
export const ROUTE_BEST: u8 = 2;
/** Shares the load with the best path. */
export const ROUTE_MULTIPATH: u8 = 4;
/** Struck out by MED (best-path.ts). */
const ROUTE_BEATEN: u8 = 16;
/** A copy that its original still asks for; set only while an importer is being told (imports.ts). */
const ROUTE_WANTED: u8 = 64;
/** Chosen where imported routes are left out of account; said anew whenever importers are told (imports.ts). */
const ROUTE_FOR_OTHERS: u8 = 128;
/** The record is longer by its path identifier. */
const ROUTE_HAS_PATH_ID: u8 = 8;
/** The import policy does not take it: its attribute set is the one that was received. */
const ROUTE_REJECTED: u8 = 32;

/** Flags the decision process sets; the rest is the record's own. */
export const ROUTE_DECIDED: u8 = 7;

const SIZE: u32 = 16;
const PATH_ID_SIZE: u32 = 4;

// Route, 16 bytes, 20 with a path identifier; one per prefix and peer
//   0       4               8      10      11      12      16          20
//   | next  | attributeSet  | peer | flags | epoch | since | (path id) |
//
// flags  E eligible, B best, M multipath, P has a path identifier, X struck out by MED, R rejected by policy, W a copy that is
//        wanted, O chosen without regard to copies
// epoch  which announcement round of its peer it belongs to (peer.ts)
@unmanaged
export class Route {
  /** The next route to the same destination; none when falsy, like every link in the core's lists. */
  next: Route = changetype<Route>(0);
  attributeSetPtr: u32 = 0;
  peer: u16 = 0;
  flags: u8 = 0;
  epoch: u8 = 0;
  since: u32 = 0;

  get attributes(): AttributeSet {
    return changetype<AttributeSet>(<usize>this.attributeSetPtr);
  }

  /** Changes the attribute set; both are counted. */
  setAttributes(set: AttributeSet): void {
    set.retain();
    this.attributes.release();
    this.attributeSetPtr = <u32>changetype<usize>(set);
  }

  get pathId(): u32 {
    return this.flags & ROUTE_HAS_PATH_ID ? load<u32>(changetype<usize>(this), SIZE) : 0;
  }

  get isEligible(): bool {
    return (this.flags & ROUTE_ELIGIBLE) != 0;
  }

  get isBest(): bool {
    return (this.flags & ROUTE_BEST) != 0;
  }

  get isBeaten(): bool {
    return (this.flags & ROUTE_BEATEN) != 0;
  }

  setBeaten(isBeaten: bool): void {
    this.flags = isBeaten ? this.flags | ROUTE_BEATEN : this.flags & ~ROUTE_BEATEN;
  }

  get isRejected(): bool {
    return (this.flags & ROUTE_REJECTED) != 0;
  }

  setRejected(isRejected: bool): void {
    this.flags = isRejected ? this.flags | ROUTE_REJECTED : this.flags & ~ROUTE_REJECTED;
  }

  get isWanted(): bool {
    return (this.flags & ROUTE_WANTED) != 0;
  }

  setWanted(isWanted: bool): void {
    this.flags = isWanted ? this.flags | ROUTE_WANTED : this.flags & ~ROUTE_WANTED;
  }

  get isForOthers(): bool {
    return (this.flags & ROUTE_FOR_OTHERS) != 0;
  }

  setForOthers(isForOthers: bool): void {
    this.flags = isForOthers ? this.flags | ROUTE_FOR_OTHERS : this.flags & ~ROUTE_FOR_OTHERS;
  }

  /** Best path or member of its ECMP set. */
  get isChosen(): bool {
    return (this.flags & (ROUTE_BEST | ROUTE_MULTIPATH)) != 0;
  }

  free(): void {
    this.attributes.release();
    free(changetype<usize>(this), this.flags & ROUTE_HAS_PATH_ID ? SIZE + PATH_ID_SIZE : SIZE);
  }
}

/** A record that is in no list yet, or null when there is no memory. */
export function newRoute(peer: u32, pathId: u32, set: AttributeSet): Route | null {
  const ptr = allocate(pathId ? SIZE + PATH_ID_SIZE : SIZE);
  if (!ptr) return null;
  const route = changetype<Route>(ptr);
  set.retain();
  route.attributeSetPtr = <u32>changetype<usize>(set);
  route.next = changetype<Route>(0);
  route.peer = <u16>peer;
  route.flags = pathId ? ROUTE_HAS_PATH_ID : 0;
  route.epoch = 0;
  route.since = 0;
  if (pathId) store<u32>(ptr, pathId, SIZE);
  return route;
}
