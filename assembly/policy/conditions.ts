// The conditions of a clause, one function each. A condition on attributes has one answer for a whole UPDATE, one on the prefix
// an answer for every route.
import {
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
  FAMILY_IPV4_UNICAST,
  FAMILY_IPV6_UNICAST,
} from '../abi';
import { AttributeSet } from '../rib/attribute-set';
import { attributeSize, attributeValue, findAttribute } from '../wire/attribute-list';
import { AS_PATH, COMMUNITIES, EXTENDED_COMMUNITIES, LARGE_COMMUNITIES } from '../wire/attributes';
import { listMatches } from './community-list';
import { CompiledPolicy, PolicyStep } from './compiled-policy';
import { Automaton, pathContains, pathMatches, pathOriginIs } from './path-text';
import { isInRanges, PrefixRanges } from './prefix-ranges';

/** Bytes of a value: standard, extended and large communities. */
export const COMMUNITY_SIZE: u32 = 4;
export const EXTENDED_COMMUNITY_SIZE: u32 = 8;
export const LARGE_COMMUNITY_SIZE: u32 = 12;

let valuePtr: usize = 0;
let valueEnd: usize = 0;

/** `peer` is the name id of who announced the route. */
export function meetsAttributeCondition(
  policy: CompiledPolicy,
  condition: PolicyStep,
  set: AttributeSet,
  family: u32,
  peer: u32,
): bool {
  return holds(policy, condition, set, family, peer) != (condition.isNegated != 0);
}

export function meetsPrefixCondition(
  policy: CompiledPolicy,
  condition: PolicyStep,
  family: u32,
  keyPtr: usize,
  bits: u32,
): bool {
  const ranges = changetype<PrefixRanges>(policy.at(condition.data));
  return isInRanges(ranges, family, keyPtr, bits) != (condition.isNegated != 0);
}

function holds(
  policy: CompiledPolicy,
  condition: PolicyStep,
  set: AttributeSet,
  family: u32,
  peer: u32,
): bool {
  const count = condition.count;
  switch (<u32>condition.kind) {
    case CONDITION_FAMILY:
      return ((count >>> family) & 1) != 0;
    case CONDITION_PEER:
      return isNumberListed(peer, policy.at(condition.data), count);
    case CONDITION_NEXT_HOP:
      return isNextHopIn(set, changetype<PrefixRanges>(policy.at(condition.data)));
    case CONDITION_AS_PATH_CONTAINS:
      findValue(set, AS_PATH);
      return pathContains(valuePtr, valueEnd, policy.at(condition.data), count);
    case CONDITION_AS_PATH_ORIGIN:
      findValue(set, AS_PATH);
      return pathOriginIs(valuePtr, valueEnd, policy.at(condition.data), count);
    case CONDITION_AS_PATH_LENGTH:
      return set.asPathLength >= condition.data && set.asPathLength <= count;
    case CONDITION_AS_PATH_REGEX:
      findValue(set, AS_PATH);
      return pathMatches(valuePtr, valueEnd, changetype<Automaton>(policy.at(condition.data)));
    case CONDITION_COMMUNITIES:
      return hasCommunity(set, COMMUNITIES, COMMUNITY_SIZE, policy.at(condition.data), count);
    case CONDITION_EXTENDED_COMMUNITIES:
      return hasCommunity(
        set,
        EXTENDED_COMMUNITIES,
        EXTENDED_COMMUNITY_SIZE,
        policy.at(condition.data),
        count,
      );
    case CONDITION_LARGE_COMMUNITIES:
      return hasCommunity(
        set,
        LARGE_COMMUNITIES,
        LARGE_COMMUNITY_SIZE,
        policy.at(condition.data),
        count,
      );
    default:
      return false;
  }
}

function hasCommunity(
  set: AttributeSet,
  type: u32,
  size: u32,
  patternsPtr: usize,
  count: u32,
): bool {
  findValue(set, type);
  return listMatches(valuePtr, valueEnd, size, patternsPtr, count);
}

/** Leaves the value of an attribute in valuePtr and valueEnd; an absent one has none. */
function findValue(set: AttributeSet, type: u32): void {
  const ptr = findAttribute(set.attributesPtr, set.attributesPtr + set.size, type);
  valuePtr = ptr == 0 ? 0 : attributeValue(ptr);
  valueEnd = ptr == 0 ? 0 : ptr + attributeSize(ptr);
}

/** A next hop counts as a host prefix. */
function isNextHopIn(set: AttributeSet, ranges: PrefixRanges): bool {
  const nextHop = set.nextHop;
  if (nextHop == null) return false;
  const isIpv4 = nextHop.version == 4;
  const family: u32 = isIpv4 ? FAMILY_IPV4_UNICAST : FAMILY_IPV6_UNICAST;
  return isInRanges(ranges, family, nextHop.addressPtr, isIpv4 ? 32 : 128);
}

function isNumberListed(number: u32, ptr: usize, count: u32): bool {
  for (const end = ptr + (count << 2); ptr < end; ptr += 4) {
    if (load<u32>(ptr) == number) return true;
  }
  return false;
}
