// The way down: which rows a node puts out, given what it inherits, and the difference to those it has put out before.
import { Node, TAG_FRINGE, TAG_LEAF, TAG_NODE } from '../../lpm/node';
import { SparseArray } from '../../lpm/sparse-array';
import { tagOf, untagged } from '../../lpm/trie';
import { Aggregate } from './aggregate';
import { AggregateRoute, routeOf } from './aggregate-route';
import { Expansion } from './expansion';
import { NodeState, stateOfNode } from './node-state';
import { pointKey, putRow, putRowOfRoute, putRowsOfSiblings, slotBits, writePoint } from './rows';
import { costOf, labelOfLeaf, leafOf, lowestFullLabel, NOTHING, savingOf } from './savings';
import { expand } from './work-out';

/** Of the node under way: leaf savings of the label each point inherits; the label of the row at each point. */
const inheritedAt: usize = memory.data(512 * 4, 8);
const rowAt: usize = memory.data(512 * 4, 8);
/** Bit per point: a row is wanted there. */
const wanted: usize = memory.data(64, 8);

/** Leaf savings of the label a point inherits: one comparison tells that nothing is to be done there. */
function inherited(point: u32): u32 {
  return load<u32>(inheritedAt + (point << 2));
}

function wantRow(point: u32, label: u32): void {
  store<u32>(rowAt + (point << 2), label);
  const word = wanted + ((point >>> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (point & 63)));
}

function wantNoRow(point: u32): void {
  const word = wanted + ((point >>> 6) << 3);
  store<u64>(word, load<u64>(word) & ~((<u64>1) << (point & 63)));
}

/** Puts out the rows of a node, and hands on what its children inherit. */
export function emit(aggregate: Aggregate, state: NodeState): void {
  const expansion = expand(aggregate, state);
  memory.fill(wanted, 0, 64);
  store<u32>(inheritedAt, leafOf(state.inherited, aggregate.costModel), 4);
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
  for (let point: u32 = 1; point < 256; ) {
    if (barrier >= point + 4 && (point & 3) == 0 && handOnFour(expansion, point)) {
      point += 4;
      continue;
    }
    const isBarrier = point == barrier;
    const leaf = isBarrier
      ? passBarrier(aggregate, state, point)
      : decidePoint(aggregate, state, expansion, point);
    if (isBarrier) barrier = ++nextBarrier < barrierCount ? expansion.barrier(nextBarrier) : 256;
    store<u64>(inheritedAt + (point << 3), ((<u64>leaf) << 32) | leaf);
    point++;
  }
}

/** Four points side by side, where none of them wants a row: what they inherit goes on to their halves. */
function handOnFour(expansion: Expansion, point: u32): bool {
  const leaves = v128.load(inheritedAt + (point << 2));
  if (wantsRow(leaves, expansion.four(point))) return false;
  const halves = inheritedAt + (point << 3);
  v128.store(halves, v128.shuffle<u32>(leaves, leaves, 0, 0, 1, 1));
  v128.store(halves, v128.shuffle<u32>(leaves, leaves, 2, 2, 3, 3), 16);
  return true;
}

/** Whether a row may be better than what is inherited at one of four points. */
function wantsRow(leaves: v128, savings: v128): bool {
  const isOpen = i32x4.gt_u(savings, i32x4.splat(NOTHING));
  return v128.any_true(v128.andnot(isOpen, i32x4.eq(savings, leaves)));
}

/** A barrier lets nothing through: our own route there is a row for itself. Leaf savings of what is below. */
function passBarrier(aggregate: Aggregate, state: NodeState, point: u32): u32 {
  const route = routeOf(state.node.prefixes.get(point));
  if (route.label) wantRow(point, route.label);
  return leafOf(route.labelBelow, aggregate.costModel);
}

/** Leaf savings of what the halves of a point inherit. */
function decidePoint(
  aggregate: Aggregate,
  state: NodeState,
  expansion: Expansion,
  point: u32,
): u32 {
  const leaf = inherited(point);
  const savings = expansion.at(point);
  if (savings == leaf || savings <= NOTHING) return leaf;
  const row = rowFor(aggregate, state, expansion, point, labelOfLeaf(leaf));
  if (!row) return leaf;
  wantRow(point, row);
  return leafOf(row, aggregate.costModel);
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
  // Among labels that are equally good, the one in place stays.
  if (aggregate.looksAtPlace) {
    const installed = installedAt(aggregate, state, point);
    if (isFull(savings, installed, costModel)) return installed;
  }
  const current = state.prefixRows.get(point);
  return isFull(savings, current, costModel) ? current : best;
}

function isFull(savings: u32, label: u32, costModel: u32): bool {
  return label != 0 && savingOf(savings, label) == costOf(label, costModel);
}

/** The label that the target has at a point, 0 for none. */
function installedAt(aggregate: Aggregate, state: NodeState, point: u32): u32 {
  const bits = writePoint(state, point);
  const entry = aggregate.fib.find(state.family, pointKey, bits);
  return entry == null ? 0 : entry.installed;
}

/** Octets as if nothing were below them: a row where the label is not the inherited one. */
function decideOctets(expansion: Expansion): void {
  for (let four: u32 = 256; four < 512; four += 4) {
    if (!wantsRow(v128.load(inheritedAt + (four << 2)), expansion.four(four))) continue;
    for (let point = four; point < four + 4; point++) {
      const leaf = expansion.at(point);
      if (leaf != inherited(point) && leaf > NOTHING) wantRow(point, labelOfLeaf(leaf));
    }
  }
}

/** Octets that hold something. */
function decideChildren(aggregate: Aggregate, state: NodeState, expansion: Expansion): void {
  const children = state.node.children;
  for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
    const child = children.get(octet);
    const tag = tagOf(child);
    if (tag == TAG_NODE) {
      wantNoRow(256 + octet);
      const label = labelOfLeaf(inherited(256 + octet));
      const below = stateOfNode(changetype<Node>(<usize>child));
      if (below.inherited == label) continue;
      below.inherited = label;
      aggregate.downList.add(below);
    } else if (tag == TAG_FRINGE) {
      const route = routeOf(untagged(child));
      if (route.isBarrier && route.label) wantRow(256 + octet, route.label);
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
  const label = labelOfLeaf(inherited(256 + octet));
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
  if (top) wantRow(256 + octet, top);
  else wantNoRow(256 + octet);
  const fib = aggregate.fib;
  const isOut = putRowOfRoute(fib, state.family, route, isOwn ? route.label : 0);
  if (!putRowsOfSiblings(fib, state, route, along) || !isOut) aggregate.isStarved = true;
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
  if (aggregate.looksAtPlace) return installedAt(aggregate, state, 256 + octet) != above;
  return !state.octetRows.has(octet);
}

/** Brings the rows of one half of the points to what is wanted. */
function putOut(aggregate: Aggregate, state: NodeState, rows: SparseArray, first: u32): void {
  for (let word: u32 = 0; word < 4; word++) {
    const wantedBits = load<u64>(wanted + (first >>> 3) + (word << 3));
    let bits = wantedBits | rows.wordAt(word);
    while (bits) {
      const index = (word << 6) | <u32>ctz(bits);
      bits &= bits - 1;
      const isWanted = ((wantedBits >>> (index & 63)) & 1) != 0;
      const label = isWanted ? load<u32>(rowAt + ((first + index) << 2)) : 0;
      if (rows.get(index) == label) continue;
      if (!putRow(aggregate.fib, state, rows, first, index, label)) aggregate.isStarved = true;
    }
  }
}
