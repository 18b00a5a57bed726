// The policy engine: what a policy makes of one route.
import { POLICY_REJECT } from '../abi';
import { AttributeSet } from '../rib/attribute-set';

/**
 * The attribute set that a policy gives a route, or null when it rejects it. The set is borrowed: who stores it retains it.
 * `keyPtr` and `bits` are the route's prefix, `peer` is who announced it.
 */
export function applyPolicy(
  policy: u32,
  _family: u32,
  _keyPtr: usize,
  _bits: u32,
  set: AttributeSet,
  _peer: u32,
): AttributeSet | null {
  return policy == POLICY_REJECT ? null : set;
}

/** Whether the last null of applyPolicy means that there was no memory for what the policy makes of the route. */
export function policyLacksMemory(): bool {
  return false;
}
