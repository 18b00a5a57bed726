// Aggregation: the fewest entries that forward every address as the routes do, kept at the optimum through every change.
//
// What. Routes come in (setRoute), rows go out (Fib.setDesired, row by row). For every address, the longest match among our rows and
// the routes of others forwards as the longest match among our routes and theirs would: "no match" included, ECMP sets
// included. Of all such tables the rows are the cheapest, where a row costs what its target pays for it.
//
// How. This is ORTC (Draves et al. 1999), made weighted, strict and incremental:
//
//   up     savings.ts   For each point of the prefix tree: which labels, inherited from above, save how many rows below. The savings of
//                       a point follow from those of its two halves (`combine`); a leaf saves the row of its own label.
//   down   emission.ts  From the root: keep what is inherited where that is as good as the best row right here, else put that row.
//
// The prefix tree is never built. Routes lie in a stride-8 trie (lpm/trie.ts); each of its nodes keeps the savings of its root, what
// covers it and what it inherits, and its inside is expanded when it is visited (expansion.ts, work-out.ts): about a microsecond.
//
// Barriers. Others' routes of the same router or table cannot be moved. Nothing is inherited through one: above it, it is as if
// nobody cared about its space (NOTHING); below it, what no route of ours covers must be left alone (STRICT). Un-routed space is
// the same thing with the root as the barrier, so "no route" and "theirs" are one label, 0. Our own route at a barrier's prefix
// is emitted as it is, for itself alone: the target decides what becomes of the two together. An OVN sink refuses it, or lets it
// share; the kernel has the better metric win, and then (`yields`) ours decides what is below.
//
// Discard. Where entries that drop are allowed, a table without a row and a row that drops are the same: the root is as if it
// inherited the drop label, which costs 1. Below a barrier nothing changes: dropping there would drop what is theirs.
//
// Change. A route that comes, goes or changes marks its node. `settle` then goes up, the deepest marked nodes first, and stops at each
// node whose savings are what they were; and down from there, into a child only when it was worked out anew or inherits something
// else. Rows are compared with those of the node's last visit, so only differences reach the FIB. One route or a whole table is
// the same procedure: a table's load marks every node, which makes it the full pass. So there is no drift and nothing to rebuild.
// A new node puts its rows out on the way up already, as if it inherited what it would like best; where that turns out wrong, and
// only there (a fifth of a real table's nodes), it is visited again on the way down.
//
// Ties. What is inherited is kept where it is as good; then what is in place at that point; then the lowest label. In place is what
// was put out there; after a snapshot it is what the snapshot named (`reconsider`): a restart rewrites nothing that is as good (P3).
//
// At rest. Between setRoute and the end of settle the FIB's wishes are half old, half new: it is not drained meanwhile (Fib.isUnsettled).
// settle.ts works in slices (fib-walk.ts); a load that goes on is waited for until it pauses (`isWorthSettling`).
//
// Shape. When a node of the trie is about to go away, or a compressed route is about to be moved into a new node, its rows are taken
// back first; settle puts them out again. The FIB's coalescing makes that nothing.
//
// Out of memory, rows may be missing: the FIB rests as it is until there is room, then everything is visited again.
import { SET_KIND_DISCARD } from '../../abi';
import { Node, TAG_NODE } from '../../lpm/node';
import { asNode, Trie, tagOf } from '../../lpm/trie';
import { allocateRecord, free } from '../../memory/arena';
import { beginSet, internSet, releaseSet, retainSet } from '../../nexthop/next-hop-set';
import { Fib, orderFib } from '../fib';
import {
  AGGREGATE_KEY_OFFSET,
  AggregateRoute,
  newAggregateRoute,
  routeOf,
} from './aggregate-route';
import { forgetExpansionOf, forgetExpansions } from './expansion';
import { NODE_STATE_SIZE, NodeList, NodeState, nodeListSize, stateOfNode } from './node-state';
import { takeBackNode, takeBackRoute, takeBackSlot } from './rows';
import { leafOf, sweepSavings } from './savings';

/** IPv4 and IPv6 unicast: nothing forwards by the keys of other families. */
export const FAMILIES: u32 = 2;
@unmanaged
export class Aggregate {
  private fibPtr: u32 = 0;
  /** COST_* of savings.ts. */
  costModel: u32 = 0;
  /** The label that drops, where such rows are allowed, else 0. Held on to. */
  discard: u32 = 0;
  /** Nodes of the tries. */
  nodeCount: u32 = 0;
  /** Changes since the last rest. */
  changeCount: u32 = 0;
  /** changeCount when settling was last put off. */
  seenCount: u32 = 0;
  /** A row could not be put out for want of memory. */
  isStarved: bool = false;
  /** Ties go to what the target has, whatever has been put out. */
  looksAtPlace: bool = false;
  /** Nodes whose rows were looked at since the start, for measurements. */
  visitCount: u32 = 0;

  get fib(): Fib {
    return changetype<Fib>(<usize>this.fibPtr);
  }

  trie(family: u32): Trie {
    return changetype<Trie>(
      changetype<usize>(this) + offsetof<Aggregate>() + family * offsetof<Trie>(),
    );
  }

  /** The barriers among the routes, by themselves (barriers.ts). */
  barriers(family: u32): Trie {
    return this.trie(FAMILIES + family);
  }

  /** Nodes whose savings must be worked out. */
  get upList(): NodeList {
    const lists = changetype<usize>(this) + offsetof<Aggregate>() + 2 * FAMILIES * offsetof<Trie>();
    return changetype<NodeList>(lists);
  }

  /** Nodes whose rows must be looked at. */
  get downList(): NodeList {
    return changetype<NodeList>(changetype<usize>(this.upList) + nodeListSize());
  }

  initialise(fib: Fib, costModel: u32, discard: u32): void {
    this.fibPtr = <u32>changetype<usize>(fib);
    this.costModel = costModel;
    this.discard = discard;
    retainSet(discard);
    for (let family: u32 = 0; family < FAMILIES; family++) {
      const trie = this.trie(family);
      trie.keyOffset = <u16>AGGREGATE_KEY_OFFSET;
      trie.nodeExtra = <u16>NODE_STATE_SIZE;
      this.barriers(family).keyOffset = <u16>AGGREGATE_KEY_OFFSET;
    }
    this.upList.initialise(true);
    this.downList.initialise(false);
  }

  /** Routes and barriers. */
  get count(): u32 {
    return this.trie(0).count + this.trie(1).count;
  }

  find(family: u32, keyPtr: usize, bits: u32): AggregateRoute | null {
    return changetype<AggregateRoute | null>(<usize>this.trie(family).find(keyPtr, bits));
  }

  // ---- what comes in ----

  /** Our route of a prefix: its label, 0 for none. False when there is no memory for it. */
  setRoute(family: u32, keyPtr: usize, bits: u32, label: u32): bool {
    if (family >= FAMILIES) return true;
    const route = this.find(family, keyPtr, bits);
    if (route == null) {
      if (!label) return true;
      const added = newAggregateRoute(keyPtr, bits, false);
      if (added == null) return false;
      retainSet(label);
      added.label = label;
      return this.add(family, added);
    }
    if (route.label == label) return true;
    this.takeBack(family, route);
    retainSet(label);
    releaseSet(route.label);
    route.label = label;
    this.settleShape(family, keyPtr, bits, route);
    return true;
  }

  /** Somebody else's route of a prefix comes or goes. `yields`: one of ours at the same prefix would win. */
  setBarrier(family: u32, keyPtr: usize, bits: u32, isBarrier: bool, yields: bool): bool {
    if (family >= FAMILIES) return true;
    const route = this.find(family, keyPtr, bits);
    if (route == null) {
      if (!isBarrier) return true;
      const added = newAggregateRoute(keyPtr, bits, true);
      if (added == null) return false;
      added.setBarrier(true, yields);
      return this.add(family, added);
    }
    if (route.isBarrier == isBarrier && (!isBarrier || route.yields == yields)) return true;
    this.takeBack(family, route);
    route.setBarrier(isBarrier, yields);
    this.settleShape(family, keyPtr, bits, route);
    return true;
  }

  /** False, and the route is given back, when there is no memory for its place. */
  private add(family: u32, route: AggregateRoute): bool {
    const trie = this.trie(family);
    const keyPtr = route.keyPtr;
    const bits: u32 = route.bits;
    this.changeCount++;
    let isShapeKept = false;
    if (trie.root) {
      const state = this.deepest(family, keyPtr, bits);
      isShapeKept = !this.clearWay(state, keyPtr, bits);
      if (isShapeKept) this.markNode(state);
    }
    const isIn = trie.insert(<u32>changetype<usize>(route));
    // Otherwise there are new nodes.
    if (!isShapeKept) this.mark(family, keyPtr, bits);
    if (isIn) return true;
    releaseSet(route.label);
    route.free();
    return false;
  }

  /** After a change of a route: it goes when it has nothing to say any more, and its node is marked. */
  private settleShape(family: u32, keyPtr: usize, bits: u32, route: AggregateRoute): void {
    if (!route.label && !route.isBarrier) this.drop(family, route);
    this.mark(family, keyPtr, bits);
    this.changeCount++;
  }

  /** Takes a route out of the trie; the nodes that may go with it are emptied before. */
  private drop(family: u32, route: AggregateRoute): void {
    let state = this.deepest(family, route.keyPtr, route.bits);
    while (state.node.size <= 2) {
      const parent = state.parent;
      this.empty(state);
      if (!changetype<usize>(parent)) break;
      state = parent;
    }
    this.trie(family).remove(route.keyPtr, route.bits);
    route.free();
  }

  /** Makes a node what it was when it was new. */
  private empty(state: NodeState): void {
    takeBackNode(this.fib, state);
    this.upList.remove(state);
    this.downList.remove(state);
    forgetExpansionOf(state);
    state.end();
    this.nodeCount--;
  }

  /** Takes back what is out for a route at the lower end of a compressed edge; others have nothing of their own. */
  private takeBack(family: u32, route: AggregateRoute): void {
    if (!route.isEmitted && !route.areSiblingsEmitted) return;
    takeBackRoute(this.fib, this.deepest(family, route.keyPtr, route.bits), route);
  }

  /** The node that holds a prefix, or would. There must be a root. */
  private deepest(family: u32, keyPtr: usize, bits: u32): NodeState {
    let node = asNode(this.trie(family).root);
    const last = bits >>> 3;
    for (let depth: u32 = 0; depth < last; depth++) {
      const child = node.children.get(load<u8>(keyPtr + depth));
      if (!child || tagOf(child) != TAG_NODE) break;
      node = asNode(child);
    }
    return stateOfNode(node);
  }

  /** A compressed route in the way of a new one will be moved into a new node: its rows are taken back. False when none is. */
  private clearWay(state: NodeState, keyPtr: usize, bits: u32): bool {
    if (state.depth == bits >>> 3) return false;
    const octet: u32 = load<u8>(keyPtr + state.depth);
    if (!state.node.children.has(octet)) return false;
    takeBackSlot(this.fib, state, octet);
    return true;
  }

  /** The node of a prefix has changed; nodes on the way to it that are new get their place. */
  private mark(family: u32, keyPtr: usize, bits: u32): void {
    this.fib.isUnsettled = true;
    const root = this.trie(family).root;
    if (!root) return;
    let state = stateOfNode(asNode(root));
    if (!state.effective) this.welcome(state, changetype<NodeState>(0), family, keyPtr);
    const last = bits >>> 3;
    for (let depth: u32 = 0; depth < last; depth++) {
      const child = state.node.children.get(load<u8>(keyPtr + depth));
      if (!child || tagOf(child) != TAG_NODE) break;
      const below = stateOfNode(asNode(child));
      if (!below.effective) this.welcome(below, state, family, keyPtr);
      state = below;
    }
    this.markNode(state);
  }

  private markNode(state: NodeState): void {
    this.fib.isUnsettled = true;
    forgetExpansionOf(state);
    this.upList.add(state);
  }

  private welcome(state: NodeState, parent: NodeState, family: u32, keyPtr: usize): void {
    this.nodeCount++;
    if (!changetype<usize>(parent)) {
      state.place(parent, 0, 0, family);
      state.setEffective(leafOf(this.discard, this.costModel));
      state.inherited = this.discard;
    } else {
      const depth = parent.depth + 1;
      state.place(parent, load<u8>(keyPtr + parent.depth), depth, family);
      // A first guess that is nearly always right: expand() puts it right where it is not.
      const above = this.trie(family).longestMatch(keyPtr, (depth << 3) - 1);
      const label = above ? routeOf(above).labelBelow : this.discard;
      state.setEffective(leafOf(label, this.costModel));
    }
    this.upList.add(state);
  }

  // ---- what must be looked at again ----

  /** A snapshot has told what is in place: ties are broken anew, and until every source has been heard. */
  reconsider(): void {
    this.looksAtPlace = true;
    this.markAll();
  }

  /** Every node is visited again: the full pass. */
  markAll(): void {
    this.fib.isUnsettled = true;
    for (let family: u32 = 0; family < FAMILIES; family++) {
      const root = this.trie(family).root;
      if (root) this.markBelow(asNode(root));
    }
  }

  private markBelow(node: Node): void {
    const state = stateOfNode(node);
    forgetExpansionOf(state);
    this.upList.add(state);
    const children = node.children;
    for (let octet = children.next(0); octet < 256; octet = children.next(octet + 1)) {
      const child = children.get(octet);
      if (tagOf(child) == TAG_NODE) this.markBelow(asNode(child));
    }
  }

  // ---- its end ----

  /** Gives back up to `budget` routes; what is left of the budget. */
  freeRoutes(budget: i32): i32 {
    for (let family: u32 = 0; family < FAMILIES; family++) {
      const trie = this.trie(family);
      while (trie.count) {
        if (budget-- <= 0) return 0;
        const route = routeOf(trie.first());
        this.takeBack(family, route);
        releaseSet(route.label);
        this.drop(family, route);
      }
      budget = freeBarriers(this.barriers(family), budget);
      if (budget <= 0) return 0;
    }
    return budget;
  }

  /** Every route is given back. */
  free(): void {
    releaseSet(this.discard);
    forgetExpansions();
    sweepSavings();
    free(changetype<usize>(this), aggregateSize());
  }
}

function freeBarriers(barriers: Trie, budget: i32): i32 {
  while (barriers.count && budget-- > 0) {
    const barrier = routeOf(barriers.first());
    barriers.remove(barrier.keyPtr, barrier.bits);
    barrier.free();
  }
  return budget;
}

function aggregateSize(): u32 {
  return offsetof<Aggregate>() + 2 * FAMILIES * offsetof<Trie>() + 2 * nodeListSize();
}

/** The aggregation of a FIB; none when falsy. */
export function aggregateOf(fib: Fib): Aggregate {
  return changetype<Aggregate>(<usize>fib.aggregatePtr);
}

/**
 * Puts an aggregation between the Loc-RIB and a FIB without entries; `discards`: rows that drop are allowed. False when there is no
 * memory.
 */
export function aggregateFib(fib: Fib, costModel: u32, discards: bool): bool {
  if (!orderFib(fib)) return false;
  const aggregate = newAggregate(fib, costModel, discards);
  if (aggregate == null) return false;
  fib.aggregatePtr = <u32>changetype<usize>(aggregate);
  return true;
}

function newAggregate(fib: Fib, costModel: u32, discards: bool): Aggregate | null {
  let discard: u32 = 0;
  if (discards) {
    beginSet();
    discard = internSet(SET_KIND_DISCARD);
    if (!discard) return null;
  }
  const ptr = allocateRecord(aggregateSize());
  if (!ptr) return null;
  const aggregate = changetype<Aggregate>(ptr);
  aggregate.initialise(fib, costModel, discard);
  return aggregate;
}
