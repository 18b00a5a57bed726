// A route as the aggregation sees it: prefix and label; or a barrier, a prefix that somebody else has a route for; or both.
import { keySize } from '../../lpm/key';
import { allocate, allocateReserved, free } from '../../memory/arena';

export const AGGREGATE_KEY_OFFSET: u32 = 8;

/** Somebody else's route has the prefix. */
const FLAG_BARRIER: u8 = 1;
/** Somebody else's route has the prefix, and ours wins where it is in place. */
const FLAG_YIELDS: u8 = 2;
/** Emitted at the lower end of a compressed edge: its own row; the rows of the edge's siblings. */
const FLAG_EMITTED: u8 = 4;
const FLAG_SIBLINGS_EMITTED: u8 = 8;
/** Named by the latest snapshot of others' routes (by parity). Only barriers.ts uses it. */
const FLAG_SEEN: u8 = 16;

// AggregateRoute, 8 bytes + key (IPv4 4); one per prefix
//   0       2       3        4       8
//   | bits  | flags | (zero) | label | key …
//
// label  the next-hop set, 0 when there is a barrier only
@unmanaged
export class AggregateRoute {
  bits: u16 = 0;
  private flags: u8 = 0;
  zero: u8 = 0;
  label: u32 = 0;

  get keyPtr(): usize {
    return changetype<usize>(this) + AGGREGATE_KEY_OFFSET;
  }

  get isBarrier(): bool {
    return (this.flags & FLAG_BARRIER) != 0;
  }

  /** Of a barrier: whether a row of ours at the same prefix decides alone. */
  get yields(): bool {
    return (this.flags & FLAG_YIELDS) != 0;
  }

  setBarrier(isBarrier: bool, yields: bool): void {
    this.flags &= ~(FLAG_BARRIER | FLAG_YIELDS);
    if (isBarrier) this.flags |= yields ? FLAG_BARRIER | FLAG_YIELDS : FLAG_BARRIER;
  }

  get isEmitted(): bool {
    return (this.flags & FLAG_EMITTED) != 0;
  }

  setEmitted(on: bool): void {
    this.flags = on ? this.flags | FLAG_EMITTED : this.flags & ~FLAG_EMITTED;
  }

  get areSiblingsEmitted(): bool {
    return (this.flags & FLAG_SIBLINGS_EMITTED) != 0;
  }

  setSiblingsEmitted(on: bool): void {
    this.flags = on ? this.flags | FLAG_SIBLINGS_EMITTED : this.flags & ~FLAG_SIBLINGS_EMITTED;
  }

  isSeen(parity: bool): bool {
    return ((this.flags & FLAG_SEEN) != 0) == parity;
  }

  setSeen(parity: bool): void {
    this.flags = parity ? this.flags | FLAG_SEEN : this.flags & ~FLAG_SEEN;
  }

  /** What addresses below it forward by, when nothing longer covers them: 0 is "not ours". */
  get labelBelow(): u32 {
    return this.isBarrier && !this.yields ? 0 : this.label;
  }

  free(): void {
    free(changetype<usize>(this), AGGREGATE_KEY_OFFSET + keySize(this.bits));
  }
}

/** A route with nothing to say yet, in no trie, or null when there is no memory. Barriers may use the reserve. */
export function newAggregateRoute(
  keyPtr: usize,
  bits: u32,
  isBarrier: bool,
): AggregateRoute | null {
  const size = keySize(bits);
  const total = AGGREGATE_KEY_OFFSET + size;
  const ptr = isBarrier ? allocateReserved(total) : allocate(total);
  if (!ptr) return null;
  memory.fill(ptr, 0, AGGREGATE_KEY_OFFSET);
  const route = changetype<AggregateRoute>(ptr);
  route.bits = <u16>bits;
  memory.copy(route.keyPtr, keyPtr, size);
  return route;
}

export function routeOf(record: u32): AggregateRoute {
  return changetype<AggregateRoute>(<usize>record);
}
