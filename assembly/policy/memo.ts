// What was found out about one attribute set while a policy is applied to route after route with it: the 8 or 800 prefixes of an
// UPDATE ask the same of its attributes and get the same sets from it.
//
// A memo is a tree. Its root is the set as it came in; a clause that changes attributes leads to a child, whose set it derived.
// Each node knows which of the first 64 clauses its set meets, as far as that was asked. Prefixes may take different ways through
// the tree. The last node is scratch: what does not fit is derived there again and again.
//
// Memos hold their sets, so an address cannot become another set's while it is one's key; and they are emptied before the core
// answers its host (forgetMemos), so nothing lives on because of them.
import { AttributeSet } from '../rib/attribute-set';
import { CompiledPolicy, PolicyClause } from './compiled-policy';
import { meetsAttributeCondition } from './conditions';
import { derive } from './derive';

const MEMO_COUNT: u32 = 8;
const NODE_COUNT: u32 = 32;
const SCRATCH: u32 = NODE_COUNT - 1;
const NO_PARENT: u16 = 0xffff;
const KNOWN_CLAUSES: u32 = 64;

@unmanaged
class MemoNode {
  setPtr: u32 = 0;
  parent: u16 = 0;
  clause: u16 = 0;
  /** Bit per clause: it was asked, and it is met as far as attributes go. */
  asked: u64 = 0;
  met: u64 = 0;
}

@unmanaged
export class Memo {
  private policyPtr: u32 = 0;
  private peer: u32 = 0;
  private family: u32 = 0;
  private nodeCount: u32 = 0;

  isOf(policy: CompiledPolicy, family: u32, set: AttributeSet, peer: u32): bool {
    return (
      this.nodeCount != 0 &&
      this.policyPtr == <u32>changetype<usize>(policy) &&
      this.setOf(0) == set &&
      this.peer == peer &&
      this.family == family
    );
  }

  begin(policy: CompiledPolicy, family: u32, set: AttributeSet, peer: u32): void {
    this.policyPtr = <u32>changetype<usize>(policy);
    this.peer = peer;
    this.family = family;
    set.retain();
    this.fill(0, set, NO_PARENT, 0);
    this.nodeCount = 1;
  }

  forget(): void {
    for (let index: u32 = 0; index < this.nodeCount; index++) this.setOf(index).release();
    this.nodeCount = 0;
  }

  setOf(node: u32): AttributeSet {
    return changetype<AttributeSet>(<usize>this.node(node).setPtr);
  }

  /** Whether the node's set meets every attribute condition of a clause. */
  meets(policy: CompiledPolicy, clause: PolicyClause, index: u32, node: u32): bool {
    if (index >= KNOWN_CLAUSES) return this.ask(policy, clause, node);
    const record = this.node(node);
    const bit = (<u64>1) << index;
    if ((record.asked & bit) == 0) {
      record.asked |= bit;
      if (this.ask(policy, clause, node)) record.met |= bit;
    }
    return (record.met & bit) != 0;
  }

  /** The node that a clause's actions lead to, or 0 (which is nobody's child) when there is none. */
  after(policy: CompiledPolicy, clause: PolicyClause, index: u32, node: u32): u32 {
    for (let child: u32 = 1; child < min(this.nodeCount, SCRATCH); child++) {
      const record = this.node(child);
      if (record.parent == node && record.clause == index) return child;
    }
    const derived = derive(this.setOf(0), this.setOf(node), policy, clause, this.family);
    if (derived == null) return 0;
    if (this.nodeCount == NODE_COUNT) {
      // The scratch node may be the very one the set was derived of.
      this.setOf(SCRATCH).release();
      this.nodeCount = SCRATCH;
    }
    const child = this.nodeCount++;
    this.fill(child, derived, child == SCRATCH ? NO_PARENT : <u16>node, <u16>index);
    return child;
  }

  private ask(policy: CompiledPolicy, clause: PolicyClause, node: u32): bool {
    const set = this.setOf(node);
    for (let i: u32 = 0; i < clause.attributeConditionCount; i++) {
      const condition = policy.condition(clause, i);
      if (!meetsAttributeCondition(policy, condition, set, this.family, this.peer)) return false;
    }
    return true;
  }

  private fill(index: u32, set: AttributeSet, parent: u16, clause: u16): void {
    const record = this.node(index);
    record.setPtr = <u32>changetype<usize>(set);
    record.parent = parent;
    record.clause = clause;
    record.asked = 0;
    record.met = 0;
  }

  private node(index: u32): MemoNode {
    const first = changetype<usize>(this) + offsetof<Memo>();
    return changetype<MemoNode>(first + index * offsetof<MemoNode>());
  }
}

// Memo, 16 bytes + 32 nodes of 24; one per policy that a route goes through on its way, as far as they fall apart
const memos: usize = memory.data(8 * (16 + 32 * 24), 8);
let isAnyInUse: bool = false;

/** The memo of a set under a policy, for a peer's name id: the one there is, or a new one. */
export function memoOf(policy: CompiledPolicy, family: u32, set: AttributeSet, peer: u32): Memo {
  const memo = memoAt((<u32>changetype<usize>(policy) >>> 4) % MEMO_COUNT);
  if (memo.isOf(policy, family, set, peer)) return memo;
  memo.forget();
  memo.begin(policy, family, set, peer);
  isAnyInUse = true;
  return memo;
}

export function forgetMemos(): void {
  if (!isAnyInUse) return;
  for (let index: u32 = 0; index < MEMO_COUNT; index++) memoAt(index).forget();
  isAnyInUse = false;
}

function memoAt(index: u32): Memo {
  return changetype<Memo>(memos + index * (offsetof<Memo>() + NODE_COUNT * offsetof<MemoNode>()));
}
