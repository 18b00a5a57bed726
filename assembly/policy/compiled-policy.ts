// A compiled policy: the bytes that src/policy made and verify.ts has checked, read where they lie. abi.ts draws them.
import { POLICY_CLAUSE_SIZE, POLICY_FIRST, POLICY_HEADER_SIZE, POLICY_STEP_SIZE } from '../abi';
import { free } from '../memory/arena';
import { IdTable } from '../memory/id-table';

const policies = changetype<IdTable>(memory.data(8, 4));

/** A condition or an action. */
@unmanaged
export class PolicyStep {
  kind: u8 = 0;
  isNegated: u8 = 0;
  zero: u16 = 0;
  data: u32 = 0;
  count: u32 = 0;
}

@unmanaged
export class PolicyClause {
  conditions: u32 = 0;
  actions: u32 = 0;
  attributeConditionCount: u16 = 0;
  prefixConditionCount: u16 = 0;
  actionCount: u16 = 0;
  verdict: u8 = 0;
  zero: u8 = 0;

  get conditionCount(): u32 {
    return <u32>this.attributeConditionCount + this.prefixConditionCount;
  }
}

@unmanaged
export class CompiledPolicy {
  version: u32 = 0;
  clauseCount: u32 = 0;
  /** Of the whole block. */
  size: u32 = 0;

  clause(index: u32): PolicyClause {
    return changetype<PolicyClause>(this.at(POLICY_HEADER_SIZE + index * POLICY_CLAUSE_SIZE));
  }

  condition(clause: PolicyClause, index: u32): PolicyStep {
    return changetype<PolicyStep>(this.at(clause.conditions + index * POLICY_STEP_SIZE));
  }

  action(clause: PolicyClause, index: u32): PolicyStep {
    return changetype<PolicyStep>(this.at(clause.actions + index * POLICY_STEP_SIZE));
  }

  at(offset: u32): usize {
    return changetype<usize>(this) + offset;
  }
}

export function policyById(id: u32): CompiledPolicy | null {
  return changetype<CompiledPolicy | null>(policies.get(id));
}

/** Puts a policy in the place of the one with this id, or takes that away with 0. False when there is no memory. */
export function putPolicy(id: u32, block: usize): bool {
  if (id < <u32>POLICY_FIRST) return false;
  const before = policyById(id);
  if (!policies.set(id, block)) return false;
  if (before != null) free(changetype<usize>(before), before.size);
  return true;
}
