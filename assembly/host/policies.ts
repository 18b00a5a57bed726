// Policies, as the host compiles, replaces and tries them.
import {
  FAMILY_IPV4_UNICAST,
  FAMILY_IPV6_UNICAST,
  INPUT_SIZE,
  PAGE_MATCH,
  POLICY_ACCEPT,
  POLICY_REJECT,
  TRY_ACCEPTED,
  TRY_ATTRIBUTES,
  TRY_BAD_ATTRIBUTES,
  TRY_NEXT_HOP,
  TRY_OUT_OF_MEMORY,
  TRY_REJECTED,
  TRY_UNKNOWN_POLICY,
} from '../abi';
import { allocateReserved, free } from '../memory/arena';
import { inputPtr, outputPtr } from '../memory/buffers';
import { internNextHop, NextHop } from '../nexthop/next-hop';
import { CompiledPolicy, policyById, putPolicy } from '../policy/compiled-policy';
import { lacksMemory } from '../policy/derive';
import { stepCount, stepsEnd, tracePolicy, tried, writeTriedRoute } from '../policy/trace';
import { isSoundPolicy } from '../policy/verify';
import { result } from '../result';
import { AttributeSet, internAttributeSet, setContext } from '../rib/attribute-set';
import { knownNetwork } from '../rib/network';
import { peerById, peerIdLimit } from '../rib/peer';
import { ParseContext } from '../wire/parse-context';
import { parseAttributeList } from '../wire/update';
import { decidePeer, tellLine } from './peers';

/** Next hops of routes that are only tried belong to no network. */
const NO_NETWORK: u32 = 0xffff;

/** The total path attribute length field has 16 bits. */
const MOST_ATTRIBUTE_BYTES: u32 = 65535;

const context = changetype<ParseContext>(memory.data(offsetof<ParseContext>(), 4));

// ---- a policy on its way in: it may be longer than the input buffer ----
let incomingPtr: usize = 0;
let incomingSize: u32 = 0;

/** Room for a policy of `size` bytes; false when there is none. What came in before and was not put is dropped. */
export function beginPolicy(size: u32): bool {
  if (incomingPtr) free(incomingPtr, incomingSize);
  incomingPtr = allocateReserved(size);
  incomingSize = size;
  return incomingPtr != 0;
}

/** `size` bytes of the input buffer are the policy's from `offset` on. */
export function takePolicy(offset: u32, size: u32): bool {
  if (!incomingPtr || <u64>offset + size > <u64>incomingSize || size > <u32>INPUT_SIZE)
    return false;
  memory.copy(incomingPtr + offset, inputPtr, size);
  return true;
}

/** The policy that came in is number `id` from now on; what another one of that number decided is decided anew by work(). */
export function putIncomingPolicy(id: u32): bool {
  if (!incomingPtr) return false;
  const ptr = incomingPtr;
  incomingPtr = 0;
  const isPut = isSoundPolicy(changetype<CompiledPolicy>(ptr), incomingSize) && putPolicy(id, ptr);
  if (!isPut) free(ptr, incomingSize);
  else reapply(id);
  return isPut;
}

/** Routes that it decided are rejected from now on. False when there was none. */
export function removePolicy(id: u32): bool {
  if (policyById(id) == null || !putPolicy(id, 0)) return false;
  reapply(id);
  return true;
}

function reapply(policy: u32): void {
  for (let id: u32 = 0; id < peerIdLimit(); id++) {
    const peer = peerById(id);
    if (peer == null) continue;
    if (peer.isImport) {
      if (peer.isOpen && peer.linePolicy == policy) tellLine(peer);
    } else if (peer.importPolicy == policy) decidePeer(knownNetwork(peer.network), peer);
  }
}

/**
 * What a policy makes of a route that is in no table: its key, next hop (`nextHopSize` bytes, or 0) and canonical attributes are
 * in the input buffer, the answer in the output buffer. `peer` is a name id.
 */
export function tryPolicy(
  policy: u32,
  family: u32,
  bits: u32,
  nextHopSize: u32,
  attributesSize: u32,
  weight: u32,
  peer: u32,
): void {
  result.clear();
  result.status = TRY_BAD_ATTRIBUTES;
  if (
    family > <u32>FAMILY_IPV6_UNICAST ||
    bits > mostBits(family) ||
    attributesSize > MOST_ATTRIBUTE_BYTES
  )
    return;
  context.fourOctetAs = 1;
  const attributesPtr = inputPtr + TRY_ATTRIBUTES;
  if (!parseAttributeList(attributesPtr, attributesPtr + attributesSize, context)) return;
  tried.family = family;
  tried.keyPtr = inputPtr + PAGE_MATCH;
  tried.bits = bits;
  tried.peer = peer;
  const set = internTried(nextHopSize, weight);
  if (set == null) {
    result.status = TRY_OUT_OF_MEMORY;
    return;
  }
  result.status = runTrial(policy, set);
  set.release();
}

/** No table has a longer prefix. */
function mostBits(family: u32): u32 {
  return family == FAMILY_IPV4_UNICAST ? 32 : 128;
}

function internTried(nextHopSize: u32, weight: u32): AttributeSet | null {
  setContext.nextHop = 0;
  setContext.isTracked = false;
  setContext.linkLocalPtr = 0;
  setContext.payloadSize = 0;
  setContext.weight = weight;
  const hasNextHop = nextHopSize == 4 || nextHopSize == 16;
  let nextHop: NextHop | null = null;
  if (hasNextHop) {
    nextHop = internNextHop(NO_NETWORK, inputPtr + TRY_NEXT_HOP, nextHopSize, 0);
    if (nextHop == null) return null;
    nextHop.retain();
    setContext.nextHop = <u32>changetype<usize>(nextHop);
  }
  const set = internAttributeSet();
  setContext.weight = 0;
  if (nextHop != null) nextHop.release();
  return set;
}

function runTrial(policy: u32, set: AttributeSet): u32 {
  if (policy == POLICY_REJECT) return TRY_REJECTED;
  if (policy == POLICY_ACCEPT) return answer(outputPtr, set);
  const compiled = policyById(policy);
  if (compiled == null) return TRY_UNKNOWN_POLICY;
  const outcome = tracePolicy(compiled, set, outputPtr);
  result.outputCount = stepCount;
  result.outputSize = <u32>(stepsEnd - outputPtr);
  if (outcome == null) return lacksMemory ? TRY_OUT_OF_MEMORY : TRY_REJECTED;
  const status = answer(stepsEnd, outcome);
  outcome.release();
  return status;
}

function answer(ptr: usize, set: AttributeSet): u32 {
  result.outputSize = <u32>(writeTriedRoute(ptr, set) - outputPtr);
  return TRY_ACCEPTED;
}
