// The policy engine: what a policy makes of one route.
//
// Clauses are tried in order. A clause whose conditions all hold changes the route's attributes and then accepts it, rejects it,
// or leaves it to the clauses that follow, which see the changed attributes. A route that no clause decides is rejected.
import { POLICY_ACCEPT, POLICY_REJECT, VERDICT_ACCEPT, VERDICT_REJECT } from '../abi';
import { AttributeSet } from '../rib/attribute-set';
import { knownPeer } from '../rib/peer';
import { CompiledPolicy, PolicyClause, policyById } from './compiled-policy';
import { meetsPrefixCondition } from './conditions';
import { forgetLack, lacksMemory } from './derive';
import { Memo, memoOf } from './memo';

/**
 * The attribute set that a policy gives a route, or null when it rejects it. The set is borrowed: who stores it retains it.
 * `keyPtr` and `bits` are the route's prefix, `peer` is who announced it.
 */
export function applyPolicy(
  policy: u32,
  family: u32,
  keyPtr: usize,
  bits: u32,
  set: AttributeSet,
  peer: u32,
): AttributeSet | null {
  if (policy == POLICY_ACCEPT) return set;
  forgetLack();
  if (policy == POLICY_REJECT) return null;
  const compiled = policyById(policy);
  if (compiled == null) return null;
  const memo = memoOf(compiled, family, set, knownPeer(peer).nameId);
  return runPolicy(compiled, memo, family, keyPtr, bits);
}

/** Whether the last null of applyPolicy means that there was no memory for what the policy makes of the route. */
export function policyLacksMemory(): bool {
  return lacksMemory;
}

function runPolicy(
  policy: CompiledPolicy,
  memo: Memo,
  family: u32,
  keyPtr: usize,
  bits: u32,
): AttributeSet | null {
  let node: u32 = 0;
  for (let index: u32 = 0; index < policy.clauseCount; index++) {
    const clause = policy.clause(index);
    if (!memo.meets(policy, clause, index, node)) continue;
    if (!meetsPrefixConditions(policy, clause, family, keyPtr, bits)) continue;
    if (clause.verdict == VERDICT_REJECT) return null;
    if (clause.actionCount) {
      node = memo.after(policy, clause, index, node);
      if (node == 0) return null;
    }
    if (clause.verdict == VERDICT_ACCEPT) return memo.setOf(node);
  }
  return null;
}

function meetsPrefixConditions(
  policy: CompiledPolicy,
  clause: PolicyClause,
  family: u32,
  keyPtr: usize,
  bits: u32,
): bool {
  const first: u32 = clause.attributeConditionCount;
  for (let i = first; i < clause.conditionCount; i++) {
    const condition = policy.condition(clause, i);
    if (!meetsPrefixCondition(policy, condition, family, keyPtr, bits)) return false;
  }
  return true;
}
