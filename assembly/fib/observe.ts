// What a sink says about its place: observations, refusals and releases, all in the observation layout of abi.ts.
import { ABOUT_FOREIGN, ABOUT_PLACE, ABOUT_REFUSAL, ABOUT_RETRY } from '../abi';
import { scratchKey, writeKey } from '../lpm/key';
import { addMember, beginSet, dropIfUnused, internSet } from '../nexthop/next-hop-set';
import { endOfObservation, Observation, observationAt } from '../nexthop/observation';
import { observeBarrier } from './aggregate/barriers';
import { LIST_REFUSED } from './entry';
import { Fib } from './fib';

/** Reads whole records; `about` says what they mean. Records that make no sense are stepped over. */
export function readObservations(fib: Fib, ptr: usize, end: usize, about: u32): void {
  for (let next = endOfObservation(ptr, end); next; next = endOfObservation(ptr, end)) {
    const observation = observationAt(ptr);
    if (observation.hasPrefix) readObservation(fib, observation, about);
    ptr = next;
  }
}

function readObservation(fib: Fib, observation: Observation, about: u32): void {
  fib.holesChanged = true;
  const family = <u32>observation.family;
  const bits = <u32>observation.bits;
  if (about == ABOUT_FOREIGN) {
    writeKey(scratchKey, observation.addressPtr, 16, bits);
    if (!observeBarrier(fib, family, bits, observation.kind)) fib.lacksBarriers = true;
    return;
  }
  const set = about == ABOUT_RETRY ? 0 : internObserved(observation);
  // The key's scratch is written last: nothing in between may use it.
  writeKey(scratchKey, observation.addressPtr, 16, bits);
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

function internObserved(observation: Observation): u32 {
  beginSet();
  for (let i: u32 = 0; i < observation.count; i++) {
    const member = observation.member(i);
    const place = member.internPlace();
    if (place != null) addMember(place, member.weight);
  }
  return internSet(observation.kind);
}
