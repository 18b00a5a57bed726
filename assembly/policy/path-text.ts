// Conditions on an AS_PATH: which AS numbers are in it, where it began, and a regular expression on its text.
//
// The text is what people write, `65001 64999 {1,2}`, and is never made: its symbols go one by one through the automaton that
// src/policy/automaton.ts compiled. One step per symbol, so no expression and no path can take long.
import {
  AUTOMATON_DEAD,
  AUTOMATON_HEADER_SIZE,
  AUTOMATON_MATCHED,
  AUTOMATON_SYMBOLS,
} from '../abi';
import { readUint8, readUint32 } from '../memory/byte-reader';
import { AS_CONFED_SEQUENCE, AS_SEQUENCE, AS_SET } from '../wire/as-path';

const SPACE: u32 = 10;
const OPEN_SET: u32 = 11;
const OPEN_CONFED_SEQUENCE: u32 = 13;
const OPEN_CONFED_SET: u32 = 15;
const COMMA: u32 = 17;

const MOST_DIGITS: usize = 10;
const digits: usize = memory.data(10);

@unmanaged
export class Automaton {
  stateCount: u32 = 0;
  start: u32 = 0;

  next(state: u32, symbol: u32): u32 {
    return load<u16>(this.nextPtr + ((state * AUTOMATON_SYMBOLS + symbol) << 1));
  }

  accepts(state: u32): bool {
    return load<u8>(this.acceptingPtr + state) != 0;
  }

  get nextPtr(): usize {
    return changetype<usize>(this) + AUTOMATON_HEADER_SIZE;
  }

  get acceptingPtr(): usize {
    return this.nextPtr + ((this.stateCount * AUTOMATON_SYMBOLS) << 1);
  }
}

/** Whether one of `count` AS numbers is anywhere in the path. */
export function pathContains(ptr: usize, end: usize, asnsPtr: usize, count: u32): bool {
  while (ptr < end) {
    const segmentEnd = endOfSegment(ptr);
    for (ptr += 2; ptr < segmentEnd; ptr += 4) {
      if (isListed(readUint32(ptr), asnsPtr, count)) return true;
    }
  }
  return false;
}

/** Whether the path began in one of `count` ASes. A path that is empty or ends in a set began nowhere (RFC 6811 §2). */
export function pathOriginIs(ptr: usize, end: usize, asnsPtr: usize, count: u32): bool {
  let origin: u32 = 0;
  while (ptr < end) {
    const isSequence = readUint8(ptr) == AS_SEQUENCE;
    ptr = endOfSegment(ptr);
    origin = isSequence ? readUint32(ptr - 4) : 0;
  }
  return origin != 0 && isListed(origin, asnsPtr, count);
}

export function pathMatches(ptr: usize, end: usize, automaton: Automaton): bool {
  let state = automaton.start;
  let isFirst = true;
  while (ptr < end) {
    const open = openingOf(readUint8(ptr));
    const between = open == OPEN_SET || open == OPEN_CONFED_SET ? COMMA : SPACE;
    const segmentEnd = endOfSegment(ptr);
    if (open != 0) {
      if (!isFirst) state = automaton.next(state, SPACE);
      state = automaton.next(state, open);
      isFirst = true;
    }
    for (ptr += 2; ptr < segmentEnd; ptr += 4) {
      if (!isFirst) state = automaton.next(state, between);
      isFirst = false;
      state = afterNumber(automaton, state, readUint32(ptr));
    }
    if (open != 0) state = automaton.next(state, open + 1);
    if (state == AUTOMATON_DEAD || state == AUTOMATON_MATCHED) break;
  }
  return automaton.accepts(state);
}

function afterNumber(automaton: Automaton, state: u32, asn: u32): u32 {
  let digitPtr = digits + MOST_DIGITS;
  do {
    const rest = asn / 10;
    store<u8>(--digitPtr, <u8>(asn - rest * 10));
    asn = rest;
  } while (asn != 0);
  for (; digitPtr < digits + MOST_DIGITS; digitPtr++) {
    state = automaton.next(state, load<u8>(digitPtr));
  }
  return state;
}

/** The symbol that opens a segment, 0 for a plain sequence; the next symbol closes it. */
function openingOf(type: u32): u32 {
  if (type == AS_SEQUENCE) return 0;
  if (type == AS_SET) return OPEN_SET;
  return type == AS_CONFED_SEQUENCE ? OPEN_CONFED_SEQUENCE : OPEN_CONFED_SET;
}

function endOfSegment(ptr: usize): usize {
  return ptr + 2 + (readUint8(ptr + 1) << 2);
}

function isListed(asn: u32, asnsPtr: usize, count: u32): bool {
  for (const end = asnsPtr + (count << 2); asnsPtr < end; asnsPtr += 4) {
    if (load<u32>(asnsPtr) == asn) return true;
  }
  return false;
}
