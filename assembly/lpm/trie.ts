// The trie: exact match, longest match and ordered walks over records that hold their own keys. One code path for every family.
//
// Purpose. It is the only index of a table: there is no hash of prefixes beside it. Exact match costs about as much as a hash
// probe (the path of a /24 is three nodes, and the upper ones stay in the cache), and a hash would double the memory.
//
// Structure. A multibit trie with a stride of one octet, of the ART and BART family: node.ts holds what
// ends or goes on within one octet, sparse-array.ts packs it. A prefix lives in the node at depth (length / 8); above that node
// it is held compressed, as a leaf or a fringe of the deepest node that other prefixes share with it.
//
// Invariants.
// - A node other than the root has at least two of {prefixes, children}, or one child that is a node. (A refused insertion may
//   leave a node with a single prefix; the next removal below it joins it up again. Nothing depends on it.)
// - A record is referenced exactly once. Its key never changes while it is in the trie.
//
// Flow. `insert` and `remove` descend by the key's octets; `remove` climbs back to join nodes up. `longestMatch` descends as far as
// the address leads and looks for covering prefixes on the way back. Walks have no iterator: `after` finds the record that
// follows a key, whether that key is still there or not, so a walk may stop for other work at any record and the table may
// change meanwhile. It costs a descent per step, about 100 ns.
//
// Records are pointers to: u16 bit length at offset 0, key at `keyOffset` (lpm/key.ts).
import { MAXIMUM_KEY_BYTES } from '../abi';
import { compareKeys, isCovered, keysEqual } from './key';
import { NO_POSITION, Node, newNode, TAG_FRINGE, TAG_LEAF, TAG_MASK, TAG_NODE } from './node';
import { CHILD_LEVEL, levelOf, octetOf, positionOf, prefixIndex } from './stride';

/** The nodes from the root to where a descent is, and the octet taken in each. One descent at a time. */
const pathNodes: usize = memory.data(4 * (MAXIMUM_KEY_BYTES + 4), 4);
const pathOctets: usize = memory.data(MAXIMUM_KEY_BYTES + 4);

/** Addresses that are looked up side by side. */
export const LANES: u32 = 16;
const lanes: usize = memory.data(4 * 16, 4);

function laneAt(lane: u32): u32 {
  return load<u32>(lanes + (lane << 2));
}

function setLane(lane: u32, child: u32): void {
  store<u32>(lanes + (lane << 2), child);
}

function nodeAt(depth: u32): Node {
  return changetype<Node>(<usize>load<u32>(pathNodes + (depth << 2)));
}

function enter(depth: u32, node: Node): void {
  store<u32>(pathNodes + (depth << 2), <u32>changetype<usize>(node));
}

function takenAt(depth: u32): u32 {
  return load<u8>(pathOctets + depth);
}

function take(depth: u32, octet: u32): void {
  store<u8>(pathOctets + depth, <u8>octet);
}

export function tagOf(child: u32): u32 {
  return child & TAG_MASK;
}

export function asNode(child: u32): Node {
  return changetype<Node>(<usize>child);
}

export function untagged(child: u32): u32 {
  return child & ~TAG_MASK;
}

function bitsOf(record: u32): u32 {
  return load<u16>(record);
}

// Trie, 12 bytes
//   0       4        8           10          12
//   | root  | count  | keyOffset | nodeExtra |
@unmanaged
export class Trie {
  /** The root node, or 0. */
  root: u32 = 0;
  /** Number of records. */
  count: u32 = 0;
  /** Where the key lies in a record. */
  keyOffset: u16 = 0;
  /** Bytes behind each node that are the owner's: zero in a new node. */
  nodeExtra: u16 = 0;

  keyOf(record: u32): usize {
    return record + this.keyOffset;
  }

  /** The record with exactly this key, or 0. */
  find(keyPtr: usize, bits: u32): u32 {
    if (!this.root) return 0;
    let node = asNode(this.root);
    const last = bits >>> 3;
    for (let depth: u32 = 0; depth < last; depth++) {
      const child = node.children.get(load<u8>(keyPtr + depth));
      if (tagOf(child) != TAG_NODE) return this.matchExactly(child, keyPtr, bits, depth);
      if (!child) return 0;
      node = asNode(child);
    }
    return node.prefixes.get(prefixIndex(load<u8>(keyPtr + last), bits & 7));
  }

  /** Adds a record whose key is not there yet. False when there is no memory; nothing is added then. */
  insert(record: u32): bool {
    if (!this.root) this.root = <u32>changetype<usize>(newNode(this.nodeExtra));
    if (!this.root || !this.insertFrom(asNode(this.root), record)) return false;
    this.count++;
    return true;
  }

  /** Takes the record with this key out; it must be there. Never fails. */
  remove(keyPtr: usize, bits: u32): void {
    let node = asNode(this.root);
    const last = bits >>> 3;
    let depth: u32 = 0;
    enter(0, node);
    while (depth < last) {
      const octet = load<u8>(keyPtr + depth);
      take(depth, octet);
      const child = node.children.get(octet);
      if (tagOf(child) != TAG_NODE) break;
      node = asNode(child);
      enter(++depth, node);
    }
    if (depth == last) node.prefixes.remove(prefixIndex(load<u8>(keyPtr + last), bits & 7));
    else node.children.remove(takenAt(depth));
    this.count--;
    this.joinUp(depth);
  }

  /** The record with the longest key of at most `bits` bits that covers the address, or 0. */
  longestMatch(addressPtr: usize, bits: u32): u32 {
    if (!this.root) return 0;
    let node = asNode(this.root);
    const last = bits >>> 3;
    let depth: u32 = 0;
    enter(0, node);
    while (depth < last) {
      const child = node.children.get(load<u8>(addressPtr + depth));
      if (!child) break;
      if (tagOf(child) != TAG_NODE) {
        const record = untagged(child);
        if (tagOf(child) == TAG_FRINGE) return record;
        const length = bitsOf(record);
        if (length <= bits && isCovered(addressPtr, this.keyOf(record), length)) return record;
        break;
      }
      node = asNode(child);
      enter(++depth, node);
    }
    return this.longestOnPath(addressPtr, bits, depth);
  }

  /**
   * Begins the longest matches of up to LANES addresses that lie back to back: their descents go side by side, level by level,
   * so that their cache misses overlap. `matchOfLane` ends them one by one; nothing may change in between.
   */
  descendSideBySide(addressPtr: usize, addressSize: u32, count: u32): void {
    for (let lane: u32 = 0; lane < count; lane++) setLane(lane, this.root);
    let liveCount = count;
    for (let depth: u32 = 0; depth < addressSize && liveCount > 0; depth++) {
      liveCount = 0;
      for (let lane: u32 = 0; lane < count; lane++) {
        const child = laneAt(lane);
        if (!child || tagOf(child) != TAG_NODE) continue;
        const octet = load<u8>(addressPtr + lane * addressSize + depth);
        setLane(lane, asNode(child).children.get(octet));
        liveCount++;
      }
    }
  }

  /** What longestMatch says of the address of a lane. */
  matchOfLane(lane: u32, addressPtr: usize, bits: u32): u32 {
    const child = laneAt(lane);
    const record = untagged(child);
    if (tagOf(child) == TAG_FRINGE) return record;
    if (tagOf(child) == TAG_LEAF && isCovered(addressPtr, this.keyOf(record), bitsOf(record))) {
      return record;
    }
    return this.longestMatch(addressPtr, bits);
  }

  /** The first record of a walk, or 0. */
  first(): u32 {
    if (!this.root) return 0;
    enter(0, asNode(this.root));
    return this.walkFrom(0, 0);
  }

  /** The record that a walk meets next after this key, which need not be there; 0 at the end. */
  after(keyPtr: usize, bits: u32): u32 {
    if (!this.root) return 0;
    let node = asNode(this.root);
    enter(0, node);
    for (let depth: u32 = 0; ; depth++) {
      const octet = <u32>load<u8>(keyPtr + depth);
      const rest = bits - (depth << 3);
      if (rest < 8) {
        const first = octet & (0xff00 >>> rest);
        return this.walkFrom(depth, positionOf(first, rest + 1));
      }
      take(depth, octet);
      const child = node.children.get(octet);
      if (child && tagOf(child) == TAG_NODE) {
        node = asNode(child);
        enter(depth + 1, node);
        continue;
      }
      if (tagOf(child) == TAG_LEAF) {
        const record = untagged(child);
        if (compareKeys(this.keyOf(record), bitsOf(record), keyPtr, bits) > 0) return record;
      }
      return this.walkFrom(depth, positionOf(octet + 1, 0));
    }
  }

  /** Gives back the nodes, not the records. */
  freeNodes(): void {
    if (this.root) freeSubtree(asNode(this.root), this.nodeExtra);
    this.root = 0;
    this.count = 0;
  }

  /** The longest prefix inside the nodes of a descent, from `depth` back up. */
  private longestOnPath(addressPtr: usize, bits: u32, depth: u32): u32 {
    let length = depth == bits >>> 3 ? bits & 7 : 7;
    while (true) {
      const node = nodeAt(depth);
      if (node.prefixes.count) {
        const record = node.longestMatch(load<u8>(addressPtr + depth), length);
        if (record || depth == 0) return record;
      } else if (depth == 0) return 0;
      depth--;
      length = 7;
    }
  }

  private matchExactly(child: u32, keyPtr: usize, bits: u32, depth: u32): u32 {
    const record = untagged(child);
    if (tagOf(child) == TAG_FRINGE) return bits == (depth + 1) << 3 ? record : 0;
    return bitsOf(record) == bits && keysEqual(this.keyOf(record), keyPtr, bits) ? record : 0;
  }

  private insertFrom(node: Node, record: u32): bool {
    const bits = bitsOf(record);
    const keyPtr = this.keyOf(record);
    const last = bits >>> 3;
    for (let depth: u32 = 0; depth < last; depth++) {
      const octet = load<u8>(keyPtr + depth);
      const child = node.children.get(octet);
      if (!child) return node.children.insert(octet, compressed(record, depth));
      if (tagOf(child) == TAG_NODE) {
        node = asNode(child);
        continue;
      }
      const below = newNode(this.nodeExtra);
      if (!below) return false;
      if (!this.place(below, depth + 1, untagged(child))) {
        below.free(this.nodeExtra);
        return false;
      }
      node.children.replace(octet, <u32>changetype<usize>(below));
      node = below;
    }
    return node.prefixes.insert(prefixIndex(load<u8>(keyPtr + last), bits & 7), record);
  }

  /** Puts a record that was compressed above into the empty node at `depth`. */
  private place(node: Node, depth: u32, record: u32): bool {
    const bits = bitsOf(record);
    const octet = load<u8>(this.keyOf(record) + depth);
    return bits >>> 3 == depth
      ? node.prefixes.insert(prefixIndex(octet, bits & 7), record)
      : node.children.insert(octet, compressed(record, depth));
  }

  /** From a node that has just lost something upwards: nodes with one record become leaves of their parents. */
  private joinUp(depth: u32): void {
    for (; depth > 0; depth--) {
      const node = nodeAt(depth);
      if (node.size > 1) return;
      const siblings = nodeAt(depth - 1).children;
      if (node.size == 0) {
        siblings.remove(takenAt(depth - 1));
      } else {
        const only = node.at(node.nextPosition(0));
        if (tagOf(only) == TAG_NODE && node.children.count) return;
        siblings.replace(takenAt(depth - 1), compressed(untagged(only), depth - 1));
      }
      node.free(this.nodeExtra);
    }
    const root = asNode(this.root);
    if (root.size) return;
    root.free(this.nodeExtra);
    this.root = 0;
  }

  /** The first record at or after a position of the node entered at `depth`. */
  private walkFrom(depth: u32, position: u32): u32 {
    while (true) {
      const node = nodeAt(depth);
      const next = node.nextPosition(position);
      if (next == NO_POSITION) {
        if (depth == 0) return 0;
        depth--;
        position = positionOf(takenAt(depth) + 1, 0);
        continue;
      }
      const found = node.at(next);
      if (levelOf(next) < CHILD_LEVEL || tagOf(found) != TAG_NODE) return untagged(found);
      take(depth, octetOf(next));
      enter(++depth, asNode(found));
      position = 0;
    }
  }
}

/** A record as a child of the node at `depth`: a fringe when its key ends with the octet that leads to it, else a leaf. */
function compressed(record: u32, depth: u32): u32 {
  return record | (bitsOf(record) == (depth + 1) << 3 ? TAG_FRINGE : TAG_LEAF);
}

function freeSubtree(node: Node, extra: u32): void {
  const children = node.children;
  for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
    const child = children.get(octet);
    if (tagOf(child) == TAG_NODE) freeSubtree(asNode(child), extra);
  }
  node.free(extra);
}
