// The slow way through a policy, for people: every clause tried, every condition of it asked, written down step by step. A test
// holds it against the engine (apply.ts).
import { TRY_ROUTE_SIZE, TRY_STEP_SIZE, VERDICT_ACCEPT, VERDICT_REJECT } from '../abi';
import { AttributeSet } from '../rib/attribute-set';
import { CompiledPolicy, PolicyClause } from './compiled-policy';
import { meetsAttributeCondition, meetsPrefixCondition } from './conditions';
import { derive, forgetLack } from './derive';

/** The prefix a policy is tried on, and whose it is. */
@unmanaged
export class TriedRoute {
  family: u32 = 0;
  keyPtr: usize = 0;
  bits: u32 = 0;
  /** Name id. */
  peer: u32 = 0;
}

export const tried = changetype<TriedRoute>(memory.data(offsetof<TriedRoute>(), 4));

/** Steps of the last tracePolicy, and where they end. */
export let stepCount: u32 = 0;
export let stepsEnd: usize = 0;

/** The set that comes out, retained for the caller; null when the route is rejected or memory lacks (derive.ts). */
export function tracePolicy(
  policy: CompiledPolicy,
  root: AttributeSet,
  toPtr: usize,
): AttributeSet | null {
  stepCount = 0;
  stepsEnd = toPtr;
  forgetLack();
  root.retain();
  let set = root;
  for (let index: u32 = 0; index < policy.clauseCount; index++) {
    const clause = policy.clause(index);
    if (!writeStep(policy, clause, index, set)) continue;
    if (clause.verdict == VERDICT_REJECT) break;
    if (clause.actionCount) {
      const derived = derive(root, set, policy, clause, tried.family);
      if (derived == null) break;
      set.release();
      set = derived;
    }
    if (clause.verdict == VERDICT_ACCEPT) return set;
  }
  set.release();
  return null;
}

/** True when every condition of the clause holds. */
function writeStep(
  policy: CompiledPolicy,
  clause: PolicyClause,
  index: u32,
  set: AttributeSet,
): bool {
  const count = clause.conditionCount;
  store<u16>(stepsEnd, <u16>index);
  store<u16>(stepsEnd, <u16>count, 2);
  let holdsAll = true;
  for (let i: u32 = 0; i < count; i++) {
    const holds = asks(policy, clause, i, set);
    store<u8>(stepsEnd + TRY_STEP_SIZE + i, holds ? 1 : 0);
    if (!holds) holdsAll = false;
  }
  stepsEnd += TRY_STEP_SIZE + ((count + 3) & ~3);
  stepCount++;
  return holdsAll;
}

function asks(policy: CompiledPolicy, clause: PolicyClause, index: u32, set: AttributeSet): bool {
  const condition = policy.condition(clause, index);
  return index < clause.attributeConditionCount
    ? meetsAttributeCondition(policy, condition, set, tried.family, tried.peer)
    : meetsPrefixCondition(policy, condition, tried.family, tried.keyPtr, tried.bits);
}

/** Writes a route as it came out; where that ends. */
export function writeTriedRoute(toPtr: usize, set: AttributeSet): usize {
  const nextHop = set.nextHop;
  memory.fill(toPtr, 0, TRY_ROUTE_SIZE);
  store<u32>(toPtr, set.weight);
  store<u32>(toPtr, nextHop == null ? 0 : nextHop.version == 4 ? 4 : 16, 4);
  store<u32>(toPtr, set.size, 8);
  if (nextHop != null) memory.copy(toPtr + 12, nextHop.addressPtr, 16);
  memory.copy(toPtr + TRY_ROUTE_SIZE, set.attributesPtr, set.size);
  return toPtr + TRY_ROUTE_SIZE + set.size;
}
