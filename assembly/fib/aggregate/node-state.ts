// What the aggregation keeps behind each node of its trie (lpm/node.ts): a dozen words, whatever the node holds. What lies between the
// node's prefixes is worked out when it is needed (expansion.ts).
import { NODE_SIZE, Node } from '../../lpm/node';
import { SparseArray } from '../../lpm/sparse-array';
import { releaseSavings, retainSavings } from './savings';

/** The deepest node of an address: 128 bits, eight at a time. */
export const MAXIMUM_DEPTH: u32 = 16;

const IN_UP_LIST: u8 = 1;
const IN_DOWN_LIST: u8 = 2;

// NodeState, 132 bytes; there are about 37 IPv4 routes to a node
//   0         48       96         100         104         108      112      128     129     130    131
//   | rows at | rows at | savings | effective | inherited | parent | links  | octet | depth | lists | family |
//   | prefixes| octets  |
//
// rows       labels of the rows put out inside the stride, by prefix index and by octet (an octet that is a node has its row there)
// savings    of everything below the node's root, 0 before it was worked out
// effective  leaf savings of what covers the node from above: what its addresses forward by where nothing in it says otherwise
// inherited  label of the nearest row emitted above it, 0 when there is none or it is not ours
// octet      the parent's octet that leads here
@unmanaged
export class NodeState {
  get prefixRows(): SparseArray {
    return changetype<SparseArray>(changetype<usize>(this));
  }

  get octetRows(): SparseArray {
    return changetype<SparseArray>(changetype<usize>(this) + 48);
  }

  get hasNoRows(): bool {
    return (this.prefixRows.count | this.octetRows.count) == 0;
  }

  get savings(): u32 {
    return load<u32>(changetype<usize>(this), 96);
  }

  setSavings(id: u32): void {
    retainSavings(id);
    releaseSavings(this.savings);
    store<u32>(changetype<usize>(this), id, 96);
  }

  get effective(): u32 {
    return load<u32>(changetype<usize>(this), 100);
  }

  setEffective(id: u32): void {
    retainSavings(id);
    releaseSavings(this.effective);
    store<u32>(changetype<usize>(this), id, 100);
  }

  get inherited(): u32 {
    return load<u32>(changetype<usize>(this), 104);
  }

  set inherited(label: u32) {
    store<u32>(changetype<usize>(this), label, 104);
  }

  /** None when falsy. */
  get parent(): NodeState {
    return changetype<NodeState>(<usize>load<u32>(changetype<usize>(this), 108));
  }

  get octet(): u32 {
    return load<u8>(changetype<usize>(this), 128);
  }

  get depth(): u32 {
    return load<u8>(changetype<usize>(this), 129);
  }

  get family(): u32 {
    return load<u8>(changetype<usize>(this), 131);
  }

  /** A new node's place. */
  place(parent: NodeState, octet: u32, depth: u32, family: u32): void {
    store<u32>(changetype<usize>(this), <u32>changetype<usize>(parent), 108);
    store<u8>(changetype<usize>(this), <u8>octet, 128);
    store<u8>(changetype<usize>(this), <u8>depth, 129);
    store<u8>(changetype<usize>(this), <u8>family, 131);
  }

  get node(): Node {
    return changetype<Node>(changetype<usize>(this) - NODE_SIZE);
  }

  /** Writes the node's prefix, `depth` octets, to zeroed room for a key. */
  writeKey(toPtr: usize): void {
    for (let state: NodeState = this; state.depth; state = state.parent) {
      store<u8>(toPtr + state.depth - 1, <u8>state.octet);
    }
  }

  /** The node is going away. Its rows must have been taken back. */
  end(): void {
    this.prefixRows.freeValues();
    this.octetRows.freeValues();
    this.setSavings(0);
    this.setEffective(0);
  }

  isIn(list: NodeList): bool {
    return (load<u8>(changetype<usize>(this), 130) & list.flag) != 0;
  }

  setIn(list: NodeList, on: bool): void {
    const flags = load<u8>(changetype<usize>(this), 130);
    store<u8>(changetype<usize>(this), on ? flags | list.flag : flags & ~list.flag, 130);
  }

  next(list: NodeList): NodeState {
    return changetype<NodeState>(<usize>load<u32>(changetype<usize>(this) + list.linkOffset));
  }

  previous(list: NodeList): NodeState {
    return changetype<NodeState>(<usize>load<u32>(changetype<usize>(this) + list.linkOffset, 4));
  }

  setNext(list: NodeList, other: NodeState): void {
    store<u32>(changetype<usize>(this) + list.linkOffset, <u32>changetype<usize>(other));
  }

  setPrevious(list: NodeList, other: NodeState): void {
    store<u32>(changetype<usize>(this) + list.linkOffset, <u32>changetype<usize>(other), 4);
  }
}

export const NODE_STATE_SIZE: u32 = 132;

export function stateOfNode(node: Node): NodeState {
  return changetype<NodeState>(changetype<usize>(node) + NODE_SIZE);
}

// NodeList, 80 bytes: nodes to visit, by depth
//   0         4            8       12        16
//   | flag    | linkOffset | mask  | count   | heads, one per depth |
@unmanaged
export class NodeList {
  flag: u8 = 0;
  linkOffset: u32 = 0;
  /** Bit d: there is a node of depth d. */
  mask: u32 = 0;
  count: u32 = 0;

  initialise(isUp: bool): void {
    this.flag = isUp ? IN_UP_LIST : IN_DOWN_LIST;
    this.linkOffset = isUp ? 112 : 120;
  }

  add(state: NodeState): void {
    if (state.isIn(this)) return;
    const depth = state.depth;
    const head = this.head(depth);
    state.setIn(this, true);
    state.setNext(this, head);
    state.setPrevious(this, changetype<NodeState>(0));
    if (changetype<usize>(head)) head.setPrevious(this, state);
    this.setHead(depth, state);
    this.mask |= (<u32>1) << depth;
    this.count++;
  }

  remove(state: NodeState): void {
    if (!state.isIn(this)) return;
    state.setIn(this, false);
    const next = state.next(this);
    const previous = state.previous(this);
    if (changetype<usize>(next)) next.setPrevious(this, previous);
    if (changetype<usize>(previous)) previous.setNext(this, next);
    else this.setHead(state.depth, next);
    if (!changetype<usize>(this.head(state.depth))) this.mask &= ~((<u32>1) << state.depth);
    this.count--;
  }

  /** Takes a node of the greatest depth; there must be one. */
  takeDeepest(): NodeState {
    return this.takeAt(31 - <u32>clz(this.mask));
  }

  takeShallowest(): NodeState {
    return this.takeAt(<u32>ctz(this.mask));
  }

  private takeAt(depth: u32): NodeState {
    const state = this.head(depth);
    this.remove(state);
    return state;
  }

  private head(depth: u32): NodeState {
    const ptr = changetype<usize>(this) + offsetof<NodeList>() + (depth << 2);
    return changetype<NodeState>(<usize>load<u32>(ptr));
  }

  private setHead(depth: u32, state: NodeState): void {
    const ptr = changetype<usize>(this) + offsetof<NodeList>() + (depth << 2);
    store<u32>(ptr, <u32>changetype<usize>(state));
  }
}

export function nodeListSize(): u32 {
  return offsetof<NodeList>() + (MAXIMUM_DEPTH << 2);
}
