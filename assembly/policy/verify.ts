// Is a compiled policy sound? Asked once, when it comes in: the engine follows its offsets without looking.
import {
  ACTION_ADD_COMMUNITIES,
  ACTION_ADD_EXTENDED_COMMUNITIES,
  ACTION_ADD_LARGE_COMMUNITIES,
  ACTION_LOCAL_PREF,
  ACTION_MED,
  ACTION_NEXT_HOP,
  ACTION_PREPEND,
  ACTION_REMOVE_COMMUNITIES,
  ACTION_REMOVE_EXTENDED_COMMUNITIES,
  ACTION_REMOVE_LARGE_COMMUNITIES,
  ACTION_WEIGHT,
  AUTOMATON_HEADER_SIZE,
  AUTOMATON_MATCHED,
  AUTOMATON_MAXIMUM_STATES,
  AUTOMATON_SYMBOLS,
  CONDITION_AS_PATH_CONTAINS,
  CONDITION_AS_PATH_LENGTH,
  CONDITION_AS_PATH_ORIGIN,
  CONDITION_AS_PATH_REGEX,
  CONDITION_COMMUNITIES,
  CONDITION_EXTENDED_COMMUNITIES,
  CONDITION_FAMILY,
  CONDITION_LARGE_COMMUNITIES,
  CONDITION_NEXT_HOP,
  CONDITION_PEER,
  CONDITION_PREFIXES,
  LENGTH_SET_SIZE,
  POLICY_CLAUSE_SIZE,
  POLICY_HEADER_SIZE,
  POLICY_MAXIMUM_ADDED,
  POLICY_MAXIMUM_CLAUSES,
  POLICY_MAXIMUM_STEPS,
  POLICY_STEP_SIZE,
  POLICY_VERSION,
  RANGES_HEADER_SIZE,
  VERDICT_NEXT,
} from '../abi';
import { CompiledPolicy, PolicyClause, PolicyStep } from './compiled-policy';
import { COMMUNITY_SIZE, EXTENDED_COMMUNITY_SIZE, LARGE_COMMUNITY_SIZE } from './conditions';
import { Automaton } from './path-text';
import { PrefixRanges } from './prefix-ranges';

/** AS_PATH segments count in one octet. */
const MOST_PREPENDED: u32 = 255;

export function isSoundPolicy(policy: CompiledPolicy, size: u32): bool {
  if (size < <u32>POLICY_HEADER_SIZE || policy.size != size) return false;
  if (policy.version != POLICY_VERSION || policy.clauseCount > <u32>POLICY_MAXIMUM_CLAUSES)
    return false;
  if (!holds(policy, POLICY_HEADER_SIZE, policy.clauseCount, POLICY_CLAUSE_SIZE)) return false;
  for (let index: u32 = 0; index < policy.clauseCount; index++) {
    if (!isSoundClause(policy, policy.clause(index))) return false;
  }
  return true;
}

/** Whether `count` records of `size` bytes lie inside the policy from `offset` on. */
function holds(policy: CompiledPolicy, offset: u32, count: u32, size: u32): bool {
  return (offset & 3) == 0 && <u64>offset + <u64>count * size <= <u64>policy.size;
}

function isSoundClause(policy: CompiledPolicy, clause: PolicyClause): bool {
  const conditionCount = clause.conditionCount;
  if (clause.verdict > <u8>VERDICT_NEXT) return false;
  if (
    conditionCount > <u32>POLICY_MAXIMUM_STEPS ||
    <u32>clause.actionCount > <u32>POLICY_MAXIMUM_STEPS
  ) {
    return false;
  }
  if (!holds(policy, clause.conditions, conditionCount, POLICY_STEP_SIZE)) return false;
  if (!holds(policy, clause.actions, clause.actionCount, POLICY_STEP_SIZE)) return false;
  for (let i: u32 = 0; i < conditionCount; i++) {
    const condition = policy.condition(clause, i);
    const isOnPrefix = i >= clause.attributeConditionCount;
    if ((condition.kind == CONDITION_PREFIXES) != isOnPrefix) return false;
    if (!isSoundCondition(policy, condition)) return false;
  }
  for (let i: u32 = 0; i < clause.actionCount; i++) {
    if (!isSoundAction(policy, policy.action(clause, i))) return false;
  }
  return true;
}

function isSoundCondition(policy: CompiledPolicy, condition: PolicyStep): bool {
  const data = condition.data;
  const count = condition.count;
  switch (<u32>condition.kind) {
    case CONDITION_FAMILY:
    case CONDITION_AS_PATH_LENGTH:
      return true;
    case CONDITION_PEER:
    case CONDITION_AS_PATH_CONTAINS:
    case CONDITION_AS_PATH_ORIGIN:
      return holds(policy, data, count, 4);
    case CONDITION_NEXT_HOP:
    case CONDITION_PREFIXES:
      return areSoundRanges(policy, data);
    case CONDITION_AS_PATH_REGEX:
      return isSoundAutomaton(policy, data);
    case CONDITION_COMMUNITIES:
      return holds(policy, data, count, 2 * COMMUNITY_SIZE);
    case CONDITION_EXTENDED_COMMUNITIES:
      return holds(policy, data, count, 2 * EXTENDED_COMMUNITY_SIZE);
    case CONDITION_LARGE_COMMUNITIES:
      return holds(policy, data, count, 2 * LARGE_COMMUNITY_SIZE);
    default:
      return false;
  }
}

function isSoundAction(policy: CompiledPolicy, action: PolicyStep): bool {
  const data = action.data;
  const count = action.count;
  switch (<u32>action.kind) {
    case ACTION_LOCAL_PREF:
    case ACTION_MED:
    case ACTION_WEIGHT:
      return true;
    case ACTION_PREPEND:
      return data != 0 && count > 0 && count <= MOST_PREPENDED; // RFC 7607 §2: no AS 0
    case ACTION_NEXT_HOP:
      return (count == 4 || count == 16) && holds(policy, data, 1, 16);
    case ACTION_REMOVE_COMMUNITIES:
      return holds(policy, data, count, 2 * COMMUNITY_SIZE);
    case ACTION_REMOVE_EXTENDED_COMMUNITIES:
      return holds(policy, data, count, 2 * EXTENDED_COMMUNITY_SIZE);
    case ACTION_REMOVE_LARGE_COMMUNITIES:
      return holds(policy, data, count, 2 * LARGE_COMMUNITY_SIZE);
    case ACTION_ADD_COMMUNITIES:
      return isSoundAddition(policy, action, COMMUNITY_SIZE);
    case ACTION_ADD_EXTENDED_COMMUNITIES:
      return isSoundAddition(policy, action, EXTENDED_COMMUNITY_SIZE);
    case ACTION_ADD_LARGE_COMMUNITIES:
      return isSoundAddition(policy, action, LARGE_COMMUNITY_SIZE);
    default:
      return false;
  }
}

function isSoundAddition(policy: CompiledPolicy, action: PolicyStep, size: u32): bool {
  if (action.count > <u32>POLICY_MAXIMUM_ADDED / size) return false;
  return holds(policy, action.data, action.count, size);
}

/** Order is not checked: ranges out of order match something else, and nothing worse. */
function areSoundRanges(policy: CompiledPolicy, offset: u32): bool {
  if (!holds(policy, offset, 1, RANGES_HEADER_SIZE)) return false;
  const ranges = changetype<PrefixRanges>(policy.at(offset));
  const size =
    <u64>ranges.ipv4Count * 8 + <u64>ranges.ipv6Count * 20 + <u64>ranges.setCount * LENGTH_SET_SIZE;
  if (<u64>offset + RANGES_HEADER_SIZE + size > <u64>policy.size) return false;
  ranges.ipv4Found = 0;
  ranges.ipv6Found = 0;
  return (
    areSoundSets(ranges, ranges.ipv4SetsPtr, ranges.ipv4Count) &&
    areSoundSets(ranges, ranges.ipv6SetsPtr, ranges.ipv6Count)
  );
}

function areSoundSets(ranges: PrefixRanges, setsPtr: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (ranges.setOf(setsPtr, i) >= ranges.setCount) return false;
  }
  return true;
}

function isSoundAutomaton(policy: CompiledPolicy, offset: u32): bool {
  if (!holds(policy, offset, 1, AUTOMATON_HEADER_SIZE)) return false;
  const automaton = changetype<Automaton>(policy.at(offset));
  const stateCount = automaton.stateCount;
  if (stateCount <= <u32>AUTOMATON_MATCHED || stateCount > <u32>AUTOMATON_MAXIMUM_STATES)
    return false;
  if (automaton.start >= stateCount) return false;
  const size = stateCount * (2 * AUTOMATON_SYMBOLS + 1);
  if (<u64>offset + AUTOMATON_HEADER_SIZE + size > <u64>policy.size) return false;
  for (let state: u32 = 0; state < stateCount; state++) {
    for (let symbol: u32 = 0; symbol < <u32>AUTOMATON_SYMBOLS; symbol++) {
      if (automaton.next(state, symbol) >= stateCount) return false;
    }
  }
  return true;
}
