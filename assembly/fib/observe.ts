// What a sink says about its place: observations, refusals and releases, all in the observation layout of abi.ts.
import {
  ABOUT_PLACE,
  ABOUT_REFUSAL,
  ABOUT_RETRY,
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
import { scratchKey, writeKey } from '../lpm/key';
import { internNextHop } from '../nexthop/next-hop';
import { addMember, beginSet, dropIfUnused, internSet } from '../nexthop/next-hop-set';
import { LIST_REFUSED } from './entry';
import { Fib } from './fib';

/** Reads whole records; `about` says what they mean. Records that make no sense are stepped over. */
export function readObservations(fib: Fib, ptr: usize, end: usize, about: u32): void {
  while (ptr + OBSERVATION_HEADER_SIZE <= end) {
    const count = <u32>load<u16>(ptr, OBSERVATION_COUNT);
    const next = ptr + OBSERVATION_HEADER_SIZE + count * NEXT_HOP_SIZE;
    if (next > end) return;
    if (hasPrefix(ptr)) readObservation(fib, ptr, about);
    ptr = next;
  }
}

function hasPrefix(ptr: usize): bool {
  const family = load<u8>(ptr, OBSERVATION_FAMILY);
  const bits = load<u8>(ptr, OBSERVATION_BITS);
  if (family == FAMILY_IPV4_UNICAST) return bits <= 32;
  return family == FAMILY_IPV6_UNICAST && bits <= 128;
}

function readObservation(fib: Fib, ptr: usize, about: u32): void {
  const family = <u32>load<u8>(ptr, OBSERVATION_FAMILY);
  const bits = <u32>load<u8>(ptr, OBSERVATION_BITS);
  const set = about == ABOUT_RETRY ? 0 : internObserved(fib.network, ptr);
  // The key's scratch is written last: nothing in between may use it.
  writeKey(scratchKey, ptr + OBSERVATION_ADDRESS, 16, bits);
  if (about == ABOUT_PLACE) observe(fib, family, bits, set);
  else if (about == ABOUT_REFUSAL) refuse(fib, family, bits, set);
  else retry(fib, family, bits);
  dropIfUnused(set);
}

function observe(fib: Fib, family: u32, bits: u32, set: u32): void {
  let entry = fib.find(family, scratchKey, bits);
  if (entry == null) {
    if (!set) return;
    entry = fib.add(family, scratchKey, bits);
    if (entry == null) return;
  }
  entry.setSeen(fib.parity);
  entry.noteObserved();
  if (entry.installed == set) return;
  fib.setInstalled(entry, set);
  // A refusal stands until the sink lifts it, unless what is there is what should be.
  if (entry.list != LIST_REFUSED || entry.desired == set) fib.settle(entry);
}

function refuse(fib: Fib, family: u32, bits: u32, set: u32): void {
  const entry = fib.find(family, scratchKey, bits);
  if (entry == null) return;
  entry.noteObserved();
  fib.setInstalled(entry, set);
  if (entry.isInFlight) entry.noteRefused();
  else if (entry.desired == set || !entry.desired) fib.settle(entry);
  else fib.moveTo(entry, LIST_REFUSED);
}

function retry(fib: Fib, family: u32, bits: u32): void {
  const entry = fib.find(family, scratchKey, bits);
  if (entry != null && entry.list == LIST_REFUSED) fib.settle(entry);
}

function internObserved(network: u32, ptr: usize): u32 {
  const count = <u32>load<u16>(ptr, OBSERVATION_COUNT);
  const kind = <u32>load<u8>(ptr, OBSERVATION_KIND);
  beginSet();
  let memberPtr = ptr + OBSERVATION_HEADER_SIZE;
  for (let i: u32 = 0; i < count; i++, memberPtr += NEXT_HOP_SIZE) {
    const size = load<u8>(memberPtr, NEXT_HOP_VERSION) == 4 ? 4 : 16;
    const nextHop = internNextHop(
      network,
      memberPtr,
      size,
      load<u32>(memberPtr, NEXT_HOP_INTERFACE),
    );
    if (nextHop != null) addMember(nextHop, load<u16>(memberPtr, NEXT_HOP_WEIGHT));
  }
  return internSet(kind);
}
