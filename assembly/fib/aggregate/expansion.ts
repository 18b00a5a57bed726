// The expansion of a node: savings at all 511 points of its stride, in scratch memory, worked out from what the node holds.
//
// A point is an index as in lpm/stride.ts: 1 is the node's root, 2i and 2i + 1 are the halves of i, and 256–511 are the octets. There is
// one scratch per depth, so that working out a child does not disturb its parent; what is in it stays known until the node
// changes, so the way down after the way up of one update expands nothing twice.
import { Node } from '../../lpm/node';
import { firstOctetOf } from '../../lpm/stride';
import { routeOf } from './aggregate-route';
import { MAXIMUM_DEPTH, NodeState } from './node-state';
import { combine, leafOf, NOTHING } from './savings';

const POINTS_SIZE: u32 = 512 * 4;
const LEAVES_SIZE: u32 = 256 * 4;
const BARRIERS_SIZE: u32 = 256;
const SIZE: u32 = POINTS_SIZE + LEAVES_SIZE + BARRIERS_SIZE + 8;

const scratch: usize = memory.data(16 * (512 * 4 + 256 * 4 + 256 + 8), 8);

// Expansion, 3336 bytes
//   0        2048               3072       3328   3332
//   | points | above each octet | barriers | node | barrierCount |
@unmanaged
export class Expansion {
  /** Savings at a point. */
  at(point: u32): u32 {
    return load<u32>(changetype<usize>(this) + (point << 2));
  }

  set(point: u32, savings: u32): void {
    store<u32>(changetype<usize>(this) + (point << 2), savings);
  }

  /** Savings at four points, the first a multiple of four. */
  four(point: u32): v128 {
    return v128.load(changetype<usize>(this) + (point << 2));
  }

  /** Where the savings of the halves of a point lie side by side. */
  halvesPtr(point: u32): usize {
    return changetype<usize>(this) + (point << 3);
  }

  /** Leaf savings of what covers an octet; only of octets that hold a compressed leaf. */
  above(octet: u32): u32 {
    return load<u32>(changetype<usize>(this) + (octet << 2), POINTS_SIZE);
  }

  setAbove(octet: u32, leaf: u32): void {
    store<u32>(changetype<usize>(this) + (octet << 2), leaf, POINTS_SIZE);
  }

  /** The indexes of barriers inside the stride, rising. */
  barrier(index: u32): u32 {
    return load<u8>(changetype<usize>(this) + index, POINTS_SIZE + LEAVES_SIZE);
  }

  private setBarrier(index: u32, point: u32): void {
    store<u8>(changetype<usize>(this) + index, <u8>point, POINTS_SIZE + LEAVES_SIZE);
  }

  get barrierCount(): u32 {
    return load<u32>(changetype<usize>(this), POINTS_SIZE + LEAVES_SIZE + BARRIERS_SIZE + 4);
  }

  set barrierCount(count: u32) {
    store<u32>(changetype<usize>(this), count, POINTS_SIZE + LEAVES_SIZE + BARRIERS_SIZE + 4);
  }

  get owner(): u32 {
    return load<u32>(changetype<usize>(this), POINTS_SIZE + LEAVES_SIZE + BARRIERS_SIZE);
  }

  set owner(state: u32) {
    store<u32>(changetype<usize>(this), state, POINTS_SIZE + LEAVES_SIZE + BARRIERS_SIZE);
  }

  fillLeaves(first: u32, count: u32, savings: u32): void {
    let ptr = changetype<usize>(this) + ((256 + first) << 2);
    if (count < 4) {
      store<u64>(ptr, ((<u64>savings) << 32) | savings);
      return;
    }
    const end = ptr + (count << 2);
    const four = i32x4.splat(savings);
    for (; ptr < end; ptr += 16) v128.store(ptr, four);
  }

  /** What the prefixes inside the stride say of its octets: shorter ones first, so that longer ones win. */
  fillFromPrefixes(node: Node, costModel: u32): void {
    const prefixes = node.prefixes;
    let rank: u32 = 0;
    let barriers: u32 = 0;
    for (let word: u32 = 0; word < 4; word++) {
      for (let bits = prefixes.wordAt(word); bits; bits &= bits - 1) {
        const index = (word << 6) | <u32>ctz(bits);
        const route = routeOf(prefixes.member(rank++));
        if (route.isBarrier) this.setBarrier(barriers++, index);
        const length = 31 - <u32>clz(index);
        const count = <u32>256 >>> length;
        this.fillLeaves(firstOctetOf(index, length), count, leafOf(route.labelBelow, costModel));
      }
    }
    this.barrierCount = barriers;
  }

  /** Folds the octets into the node's root. A barrier lets nothing through, either way. */
  fold(costModel: u32): void {
    let rest = this.barrierCount;
    let barrier: u32 = rest ? this.barrier(--rest) : 0;
    for (let point: u32 = 252; point; point = point > 4 ? point - 4 : 0) {
      this.foldFour(point, costModel);
      while (barrier >= point) {
        this.set(barrier, NOTHING);
        barrier = rest ? this.barrier(--rest) : 0;
      }
    }
    for (let point: u32 = 3; point; point--) {
      this.foldOne(point, costModel);
      if (barrier != point) continue;
      this.set(point, NOTHING);
      barrier = rest ? this.barrier(--rest) : 0;
    }
  }

  /** Four points side by side: nearly always both halves of each are the same, and idempotent. */
  private foldFour(point: u32, costModel: u32): void {
    const ptr = this.halvesPtr(point);
    const low = v128.load(ptr);
    const high = v128.load(ptr, 16);
    const left = v128.shuffle<u32>(low, high, 0, 2, 4, 6);
    const right = v128.shuffle<u32>(low, high, 1, 3, 5, 7);
    v128.store(changetype<usize>(this) + (point << 2), left);
    // Bit 0 of an id: idempotent. Shifted to the sign, which is what the mask is made of.
    const alike = v128.and(i32x4.eq(left, right), i32x4.shl(left, 31));
    for (let rest = ~i32x4.bitmask(alike) & 15; rest; rest &= rest - 1) {
      this.foldOne(point + <u32>ctz(rest), costModel);
    }
  }

  private foldOne(point: u32, costModel: u32): void {
    const halves = load<u64>(this.halvesPtr(point));
    this.set(point, combine(<u32>halves, <u32>(halves >>> 32), costModel));
  }
}

/** The scratch of a depth. */
export function expansionAt(depth: u32): Expansion {
  return changetype<Expansion>(scratch + depth * SIZE);
}

/** Forgets every expansion: the tables they are of have changed. */
export function forgetExpansions(): void {
  for (let depth: u32 = 0; depth < MAXIMUM_DEPTH; depth++) expansionAt(depth).owner = 0;
}

/** The node has changed. */
export function forgetExpansionOf(state: NodeState): void {
  const expansion = expansionAt(state.depth);
  if (expansion.owner == <u32>changetype<usize>(state)) expansion.owner = 0;
}
