// The way down: which rows a node puts out, given what it inherits, and the difference to those it has put out before.
import { Node, TAG_FRINGE, TAG_LEAF, TAG_NODE } from '../../lpm/node';
import { SparseArray } from '../../lpm/sparse-array';
import { firstOctetOf } from '../../lpm/stride';
import { tagOf, untagged } from '../../lpm/trie';
import { FibEntry } from '../entry';
import { Aggregate } from './aggregate';
import { AggregateRoute, routeOf } from './aggregate-route';
import { Expansion, expand } from './expansion';
import { NodeState, stateOfNode } from './node-state';
import { costOf, labelOfLeaf, lowestFullLabel, NOTHING, savingOf } from './savings';

/** Of the node under way: the label each point inherits, the label of the row at each point (0 for none). */
const inheritedAt: usize = memory.data(512 * 4, 8);
const rowAt: usize = memory.data(512 * 4, 8);
/** Bit per point: a row is wanted there. */
const wanted: usize = memory.data(64, 8);
/** The node's prefix, and room for a longer one. */
const key: usize = memory.data(24, 4);

function inherited(point: u32): u32 {
  return load<u32>(inheritedAt + (point << 2));
}

function setInherited(point: u32, label: u32): void {
  store<u32>(inheritedAt + (point << 2), label);
}

function setRow(point: u32, label: u32): void {
  store<u32>(rowAt + (point << 2), label);
  const word = wanted + ((point >>> 6) << 3);
  const bit = (<u64>1) << (point & 63);
  store<u64>(word, label ? load<u64>(word) | bit : load<u64>(word) & ~bit);
}

/** Puts out the rows of a node, and hands on what its children inherit. */
export function emit(aggregate: Aggregate, state: NodeState): void {
  const expansion = expand(aggregate, state);
  memory.fill(wanted, 0, 64);
  memory.fill(key, 0, 24);
  state.writeKey(key);
  setInherited(1, state.inherited);
  decidePrefixes(aggregate, state, expansion);
  decideOctets(expansion);
  decideChildren(aggregate, state, expansion);
  putOut(aggregate, state, state.prefixRows, 0);
  putOut(aggregate, state, state.octetRows, 256);
}

/** Goes through the points inside the stride, from its root. */
function decidePrefixes(aggregate: Aggregate, state: NodeState, expansion: Expansion): void {
  const barrierCount = expansion.barrierCount;
  let nextBarrier: u32 = 0;
  let barrier: u32 = barrierCount ? expansion.barrier(0) : 256;
  for (let point: u32 = 1; point < 256; point++) {
    let label = inherited(point);
    if (point == barrier) {
      const route = routeOf(state.node.prefixes.get(point));
      if (route.label) setRow(point, route.label);
      label = route.labelBelow;
      barrier = ++nextBarrier < barrierCount ? expansion.barrier(nextBarrier) : 256;
    } else {
      const savings = expansion.at(point);
      if (savings > NOTHING) {
        const row = rowFor(aggregate, state, expansion, point, label);
        if (row) {
          setRow(point, row);
          label = row;
        }
      }
    }
    const both = ((<u64>label) << 32) | label;
    store<u64>(inheritedAt + (point << 3), both);
  }
}

/** The label of the row to put at a point that inherits `label`, or 0 to keep what is inherited. */
function rowFor(
  aggregate: Aggregate,
  state: NodeState,
  expansion: Expansion,
  point: u32,
  label: u32,
): u32 {
  const savings = expansion.at(point);
  if (savingOf(savings, label)) return 0;
  const costModel = aggregate.costModel;
  const best = lowestFullLabel(savings, costModel);
  // No label is worth a row of its own here.
  if (!best) return 0;
  const left = expansion.at(point << 1);
  const right = expansion.at((point << 1) + 1);
  const gain = <i32>(savingOf(left, best) + savingOf(right, best)) - <i32>costOf(best, costModel);
  // A row here gains `gain` over keeping what saves nothing; what is inherited may save as much.
  if (<i32>(savingOf(left, label) + savingOf(right, label)) >= gain) return 0;
  return state.prefixRows.has(point) ? stable(aggregate, state, point, savings, best) : best;
}

/** Among labels that are equally good, the one in place stays. */
function stable(aggregate: Aggregate, state: NodeState, point: u32, savings: u32, best: u32): u32 {
  const entry = changetype<FibEntry>(<usize>state.prefixRows.get(point));
  const current = entry.desired;
  return savingOf(savings, current) == costOf(current, aggregate.costModel) ? current : best;
}

/** Octets as if nothing were below them: a row where the label is not the inherited one. */
function decideOctets(expansion: Expansion): void {
  for (let point: u32 = 256; point < 512; point++) {
    const leaf = expansion.at(point);
    if (leaf <= NOTHING) continue;
    const label = labelOfLeaf(leaf);
    if (label != inherited(point)) setRow(point, label);
  }
}

/** Octets that hold something. */
function decideChildren(aggregate: Aggregate, state: NodeState, expansion: Expansion): void {
  const children = state.node.children;
  for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
    const child = children.get(octet);
    const tag = tagOf(child);
    const label = inherited(256 + octet);
    if (tag == TAG_NODE) {
      setRow(256 + octet, 0);
      const below = stateOfNode(changetype<Node>(<usize>child));
      if (below.inherited == label) continue;
      below.inherited = label;
      aggregate.downList.add(below);
    } else if (tag == TAG_FRINGE) {
      const route = routeOf(untagged(child));
      if (route.isBarrier) setRow(256 + octet, route.label);
    } else if (tag == TAG_LEAF) {
      emitEdge(aggregate, state, expansion, octet, routeOf(untagged(child)));
    }
  }
}

/** The rows of a compressed edge: at its top, at its lower end, or at the siblings along it (savings.ts, edgeOf). */
function emitEdge(
  aggregate: Aggregate,
  state: NodeState,
  expansion: Expansion,
  octet: u32,
  route: AggregateRoute,
): void {
  const label = inherited(256 + octet);
  const above = labelOfLeaf(expansion.above(octet));
  let top: u32 = 0;
  let along: u32 = 0;
  let isOwn = route.label != above;
  if (above && label != above) {
    if (!route.isBarrier && route.label == label) {
      if (isCheaperAlong(aggregate, state, octet, route, above)) along = above;
    }
    if (along) isOwn = false;
    else top = above;
  }
  if (route.isBarrier) isOwn = route.label != 0;
  setRow(256 + octet, top);
  putOutRoute(aggregate, state, route, isOwn ? route.label : 0);
  putOutSiblings(aggregate, state, route, along);
}

/** The route inherits its own label: are the siblings' rows fewer than a row for all of them and one for the route? */
function isCheaperAlong(
  aggregate: Aggregate,
  state: NodeState,
  octet: u32,
  route: AggregateRoute,
  above: u32,
): bool {
  const siblings = route.bits - slotBits(state);
  const costAlong = siblings * costOf(above, aggregate.costModel);
  const costOnTop = costOf(above, aggregate.costModel) + costOf(route.label, aggregate.costModel);
  if (costAlong != costOnTop) return costAlong < costOnTop;
  return !state.octetRows.has(octet);
}

// ---- differences ----

/** Length of the prefixes of a node's octets. */
function slotBits(state: NodeState): u32 {
  return (state.depth << 3) + 8;
}

/** Brings the rows of one half of the points to what is wanted. */
function putOut(aggregate: Aggregate, state: NodeState, rows: SparseArray, first: u32): void {
  for (let word: u32 = 0; word < 4; word++) {
    const wantedBits = load<u64>(wanted + (first >>> 3) + (word << 3));
    let bits = wantedBits | load<u64>(changetype<usize>(rows) + (word << 3));
    while (bits) {
      const index = (word << 6) | <u32>ctz(bits);
      bits &= bits - 1;
      putOutAt(
        aggregate,
        state,
        rows,
        index,
        load<u32>(rowAt + ((first + index) << 2)),
        first,
        ((wantedBits >>> (index & 63)) & 1) != 0,
      );
    }
  }
}

function putOutAt(
  aggregate: Aggregate,
  state: NodeState,
  rows: SparseArray,
  index: u32,
  label: u32,
  first: u32,
  isWanted: bool,
): void {
  const fib = aggregate.fib;
  if (rows.has(index)) {
    const entry = changetype<FibEntry>(<usize>rows.get(index));
    if (!isWanted) rows.remove(index);
    fib.desire(entry, isWanted ? label : 0);
    return;
  }
  const depth = state.depth;
  let bits = (depth << 3) + 8;
  let octet = index;
  if (!first) {
    const length = 31 - <u32>clz(index);
    bits = (depth << 3) + length;
    octet = firstOctetOf(index, length);
  }
  store<u8>(key + depth, <u8>octet);
  const entry = fib.want(state.family, key, bits, label);
  store<u8>(key + depth, 0);
  if (entry == null) aggregate.isStarved = true;
  else if (!rows.insert(index, <u32>changetype<usize>(entry))) {
    fib.desire(entry, 0);
    aggregate.isStarved = true;
  }
}

function putOutRoute(
  aggregate: Aggregate,
  state: NodeState,
  route: AggregateRoute,
  label: u32,
): void {
  if (!label && !route.isEmitted) return;
  if (!aggregate.fib.setDesired(state.family, route.keyPtr, route.bits, label)) {
    aggregate.isStarved = true;
  }
  route.setEmitted(label != 0);
}

function putOutSiblings(
  aggregate: Aggregate,
  state: NodeState,
  route: AggregateRoute,
  label: u32,
): void {
  if (!label && !route.areSiblingsEmitted) return;
  for (let bits = slotBits(state) + 1; bits <= route.bits; bits++) {
    writeSiblingKey(route, bits);
    if (!aggregate.fib.setDesired(state.family, siblingKey, bits, label)) {
      aggregate.isStarved = true;
    }
  }
  route.setSiblingsEmitted(label != 0);
}

const siblingKey: usize = memory.data(24, 4);

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
export function takeBackNode(aggregate: Aggregate, state: NodeState): void {
  takeBackAll(aggregate, state.prefixRows);
  takeBackAll(aggregate, state.octetRows);
  const children = state.node.children;
  for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
    const child = children.get(octet);
    if (tagOf(child) == TAG_LEAF) takeBackLeaf(aggregate, state, routeOf(untagged(child)));
  }
}

function takeBackAll(aggregate: Aggregate, rows: SparseArray): void {
  for (let index = rows.next(0); index < 256; index = rows.next(0))
    takeBackRow(aggregate, rows, index);
}

function takeBackRow(aggregate: Aggregate, rows: SparseArray, index: u32): void {
  if (!rows.has(index)) return;
  const entry = changetype<FibEntry>(<usize>rows.get(index));
  rows.remove(index);
  aggregate.fib.desire(entry, 0);
}

/** Takes back the rows of an octet whose compressed route will be moved, if there is one. */
export function takeBackSlot(aggregate: Aggregate, state: NodeState, octet: u32): void {
  const child = state.node.children.get(octet);
  if (!child || tagOf(child) == TAG_NODE) return;
  takeBackRow(aggregate, state.octetRows, octet);
  if (tagOf(child) == TAG_LEAF) takeBackLeaf(aggregate, state, routeOf(untagged(child)));
}

/** Takes back what is out for a route at the lower end of a compressed edge; others have nothing of their own. */
export function takeBackRoute(aggregate: Aggregate, family: u32, route: AggregateRoute): void {
  if (!route.isEmitted && !route.areSiblingsEmitted) return;
  takeBackLeaf(aggregate, aggregate.deepest(family, route.keyPtr, route.bits), route);
}

function takeBackLeaf(aggregate: Aggregate, state: NodeState, route: AggregateRoute): void {
  putOutRoute(aggregate, state, route, 0);
  putOutSiblings(aggregate, state, route, 0);
}
