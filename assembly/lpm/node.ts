// One node of the trie: an 8-bit stride. Holds the prefixes that end inside it and one child per octet that goes on.
//
// A child is a tagged pointer; blocks are 4-byte aligned, so two bits are free:
//
//   …00  a node: more than one prefix goes on below
//   …01  a leaf: exactly one prefix lies below, any number of strides deeper (path compression); the record holds its key
//   …10  a fringe: exactly one prefix lies below and it ends with this very octet, so its key need not be compared. This is
//        what a /8, /16 or /24 of IPv4 is, which makes a /24 cost four bytes of trie
import { allocateZeroed, free } from '../memory/arena';
import { NO_BIT } from './bitset256';
import { SparseArray } from './sparse-array';
import {
  CHILD_LEVEL,
  firstIndexFrom,
  firstOctetOf,
  levelOf,
  octetOf,
  positionOf,
  prefixIndex,
} from './stride';

export const TAG_MASK: u32 = 3;
export const TAG_NODE: u32 = 0;
export const TAG_LEAF: u32 = 1;
export const TAG_FRINGE: u32 = 2;

export const NO_POSITION: u32 = 0xffffffff;

/** Bytes of a node; a trie may ask for more behind them (trie.ts, nodeExtra). */
export const NODE_SIZE: u32 = 96;

/** For an index below 64: the bits of the index and of everything that covers it. Filled once; 512 bytes. */
const coveringMasks: usize = memory.data(512, 8);

export function initialiseNodes(): void {
  for (let index: u32 = 1; index < 64; index++) {
    let mask: u64 = 0;
    for (let covering = index; covering > 0; covering >>>= 1) mask |= (<u64>1) << covering;
    store<u64>(coveringMasks + (index << 3), mask);
  }
}

// Node, 96 bytes
//   0                       48                     96
//   | prefixes: SparseArray | children: SparseArray |
@unmanaged
export class Node {
  get prefixes(): SparseArray {
    return changetype<SparseArray>(changetype<usize>(this));
  }

  get children(): SparseArray {
    return changetype<SparseArray>(changetype<usize>(this) + 48);
  }

  /** Number of prefixes and children together. */
  get size(): u32 {
    return this.prefixes.count + this.children.count;
  }

  /** The longest prefix inside the stride that covers the first `length` (0–7) bits of an octet, or 0. */
  longestMatch(octet: u32, length: u32): u32 {
    const words = changetype<usize>(this);
    let index = prefixIndex(octet, length);
    // Lengths 7 and 6 lie in words of their own, one bit test each; the six shorter ones share word 0 and one mask.
    while (index >= 64) {
      if (this.prefixes.has(index)) return this.prefixes.get(index);
      index >>>= 1;
    }
    const covering = load<u64>(words) & load<u64>(coveringMasks + (index << 3));
    return covering ? this.prefixes.get(63 - <u32>clz(covering)) : 0;
  }

  /** The first position at or after `position` that is in use, or NO_POSITION. */
  nextPosition(position: u32): u32 {
    const octet = octetOf(position);
    const child = this.children.next(levelOf(position) <= CHILD_LEVEL ? octet : octet + 1);
    const best = child == NO_BIT ? NO_POSITION : positionOf(child, CHILD_LEVEL);
    return this.prefixes.count ? min(best, this.nextPrefixPosition(position)) : best;
  }

  /** The value at a position in use: a prefix's record, or a tagged child. */
  at(position: u32): u32 {
    const level = levelOf(position);
    return level == CHILD_LEVEL
      ? this.children.get(octetOf(position))
      : this.prefixes.get(prefixIndex(octetOf(position), level));
  }

  free(extra: u32): void {
    this.prefixes.freeValues();
    this.children.freeValues();
    free(changetype<usize>(this), NODE_SIZE + extra);
  }

  private nextPrefixPosition(position: u32): u32 {
    let best = NO_POSITION;
    for (let length: u32 = 0; length < CHILD_LEVEL; length++) {
      const index = this.prefixes.next(firstIndexFrom(position, length));
      if (index >= (<u32>2) << length) continue;
      best = min(best, positionOf(firstOctetOf(index, length), length));
    }
    return best;
  }
}

/** An empty node with `extra` zeroed bytes behind it, or null when there is no memory. */
export function newNode(extra: u32): Node | null {
  return changetype<Node | null>(allocateZeroed(NODE_SIZE + extra));
}
