// The rows that a node has put out, and how one is put out, changed or taken back.
//
// A row lies at a point of a node's stride, and the node keeps its label by the point (node-state.ts); or at the lower end of a compressed
// edge or beside it, and then the edge's route keeps that it is there.
import { TAG_LEAF, TAG_NODE } from '../../lpm/node';
import { SparseArray } from '../../lpm/sparse-array';
import { firstOctetOf } from '../../lpm/stride';
import { tagOf, untagged } from '../../lpm/trie';
import { Fib } from '../fib';
import { AggregateRoute, routeOf } from './aggregate-route';
import { NodeState } from './node-state';

/** The prefix of the point that writePoint was asked for last. */
export const pointKey: usize = memory.data(24, 4);
const siblingKey: usize = memory.data(24, 4);

/** Length of the prefixes of a node's octets. */
export function slotBits(state: NodeState): u32 {
  return (state.depth << 3) + 8;
}

/** Writes the prefix of a point to `pointKey`; its length. */
export function writePoint(state: NodeState, point: u32): u32 {
  memory.fill(pointKey, 0, 24);
  state.writeKey(pointKey);
  if (point >= 256) {
    store<u8>(pointKey + state.depth, <u8>(point - 256));
    return slotBits(state);
  }
  const length = 31 - <u32>clz(point);
  store<u8>(pointKey + state.depth, <u8>firstOctetOf(point, length));
  return (state.depth << 3) + length;
}

/** Puts a row out at the point `first + index`, 0 to take it back; `rows` keeps its label. False when there is no memory. */
export function putRow(
  fib: Fib,
  state: NodeState,
  rows: SparseArray,
  first: u32,
  index: u32,
  label: u32,
): bool {
  const bits = writePoint(state, first + index);
  if (!fib.setDesired(state.family, pointKey, bits, label)) return false;
  if (note(rows, index, label)) return true;
  fib.setDesired(state.family, pointKey, bits, 0);
  return false;
}

/** Remembers the label of a row, 0 for none. False when there is no memory. */
function note(rows: SparseArray, index: u32, label: u32): bool {
  if (!rows.has(index)) return rows.insert(index, label);
  if (label) rows.replace(index, label);
  else rows.remove(index);
  return true;
}

/** The row of a route at the lower end of a compressed edge. False when there is no memory. */
export function putRowOfRoute(fib: Fib, family: u32, route: AggregateRoute, label: u32): bool {
  if (!label && !route.isEmitted) return true;
  if (!fib.setDesired(family, route.keyPtr, route.bits, label)) return false;
  route.setEmitted(label != 0);
  return true;
}

/** The rows of the siblings along the compressed edge of a route. False when there is no memory for all of them. */
export function putRowsOfSiblings(
  fib: Fib,
  state: NodeState,
  route: AggregateRoute,
  label: u32,
): bool {
  if (!label && !route.areSiblingsEmitted) return true;
  let areOut = true;
  for (let bits = slotBits(state) + 1; bits <= route.bits; bits++) {
    writeSiblingKey(route, bits);
    if (!fib.setDesired(state.family, siblingKey, bits, label)) areOut = false;
  }
  route.setSiblingsEmitted(label != 0);
  return areOut;
}

/** The first `bits` bits of a route's key with the last of them turned over. */
function writeSiblingKey(route: AggregateRoute, bits: u32): void {
  memory.fill(siblingKey, 0, 24);
  const last = (bits - 1) >>> 3;
  memory.copy(siblingKey, route.keyPtr, last + 1);
  const bit = <u32>0x80 >>> ((bits - 1) & 7);
  const kept = load<u8>(siblingKey + last) & ~(bit - 1);
  store<u8>(siblingKey + last, <u8>(kept ^ bit));
}

// ---- taking back ----

/** Takes back every row of a node, compressed routes included. */
export function takeBackNode(fib: Fib, state: NodeState): void {
  takeBackAll(fib, state, state.prefixRows, 0);
  takeBackAll(fib, state, state.octetRows, 256);
  const children = state.node.children;
  for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
    const child = children.get(octet);
    if (tagOf(child) == TAG_LEAF) takeBackRoute(fib, state, routeOf(untagged(child)));
  }
}

function takeBackAll(fib: Fib, state: NodeState, rows: SparseArray, first: u32): void {
  for (let index = rows.next(0); index < 256; index = rows.next(index + 1)) {
    putRow(fib, state, rows, first, index, 0);
  }
}

/** Takes back the rows of an octet whose compressed route will be moved, if there is one. */
export function takeBackSlot(fib: Fib, state: NodeState, octet: u32): void {
  const child = state.node.children.get(octet);
  if (!child || tagOf(child) == TAG_NODE) return;
  if (state.octetRows.has(octet)) putRow(fib, state, state.octetRows, 256, octet, 0);
  if (tagOf(child) == TAG_LEAF) takeBackRoute(fib, state, routeOf(untagged(child)));
}

/** Takes back what is out for a route at the lower end of a compressed edge of a node. */
export function takeBackRoute(fib: Fib, state: NodeState, route: AggregateRoute): void {
  putRowOfRoute(fib, state.family, route, 0);
  putRowsOfSiblings(fib, state, route, 0);
}
