// An observation in the input buffer: a prefix and the next hops it has somewhere, in the layout of abi.ts.
import {
  FAMILY_IPV4_UNICAST,
  FAMILY_IPV6_UNICAST,
  NEXT_HOP_INTERFACE,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
  OBSERVATION_ADDRESS,
  OBSERVATION_BITS,
  OBSERVATION_COUNT,
  OBSERVATION_FAMILY,
  OBSERVATION_HEADER_SIZE,
  OBSERVATION_KIND,
} from '../abi';
import { internNextHop, internPlace, NextHop } from './next-hop';

@unmanaged
export class Observation {
  get family(): u32 {
    return load<u8>(changetype<usize>(this), OBSERVATION_FAMILY);
  }

  get bits(): u32 {
    return load<u8>(changetype<usize>(this), OBSERVATION_BITS);
  }

  get count(): u32 {
    return load<u16>(changetype<usize>(this), OBSERVATION_COUNT);
  }

  /** SET_KIND_* of abi.ts. */
  get kind(): u32 {
    return load<u8>(changetype<usize>(this), OBSERVATION_KIND);
  }

  get addressPtr(): usize {
    return changetype<usize>(this) + OBSERVATION_ADDRESS;
  }

  /** Of a family with prefixes, and no longer than its addresses. */
  get hasPrefix(): bool {
    if (this.family == FAMILY_IPV4_UNICAST) return this.bits <= 32;
    return this.family == FAMILY_IPV6_UNICAST && this.bits <= 128;
  }

  member(index: u32): ObservedNextHop {
    return changetype<ObservedNextHop>(
      changetype<usize>(this) + OBSERVATION_HEADER_SIZE + index * NEXT_HOP_SIZE,
    );
  }
}

@unmanaged
class ObservedNextHop {
  get weight(): u32 {
    return load<u16>(changetype<usize>(this), NEXT_HOP_WEIGHT);
  }

  get interfaceIndex(): u32 {
    return load<u32>(changetype<usize>(this), NEXT_HOP_INTERFACE);
  }

  private get addressSize(): u32 {
    return load<u8>(changetype<usize>(this), NEXT_HOP_VERSION) == 4 ? 4 : 16;
  }

  /** Its record in a network, made when it is new; null when there is no memory. */
  intern(network: u32): NextHop | null {
    return internNextHop(network, changetype<usize>(this), this.addressSize, this.interfaceIndex);
  }

  internPlace(): NextHop | null {
    return internPlace(changetype<usize>(this), this.addressSize, this.interfaceIndex);
  }
}

export function observationAt(ptr: usize): Observation {
  return changetype<Observation>(ptr);
}

/** Where the record that begins at `ptr` ends, or 0 when it is not whole. */
export function endOfObservation(ptr: usize, end: usize): usize {
  if (ptr + OBSERVATION_HEADER_SIZE > end) return 0;
  const next = ptr + OBSERVATION_HEADER_SIZE + observationAt(ptr).count * NEXT_HOP_SIZE;
  return next > end ? 0 : next;
}
