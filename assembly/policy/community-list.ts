// Communities of any kind as lists of values of 4, 8 or 12 bytes, and the patterns that match them: a value and a mask each.
import { copyBytes } from '../memory/byte-writer';

/** Whether one of `count` patterns matches a value. */
function matchesPattern(valuePtr: usize, size: u32, patternsPtr: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++, patternsPtr += size << 1) {
    if (isMatch(valuePtr, size, patternsPtr)) return true;
  }
  return false;
}

/** Whether a value of the list matches one of `count` patterns. */
export function listMatches(
  ptr: usize,
  end: usize,
  size: u32,
  patternsPtr: usize,
  count: u32,
): bool {
  for (; ptr < end; ptr += size) {
    if (matchesPattern(ptr, size, patternsPtr, count)) return true;
  }
  return false;
}

/** Copies the values that match none of `count` patterns; where the copy ends. */
export function copyUnmatched(
  toPtr: usize,
  ptr: usize,
  end: usize,
  size: u32,
  patternsPtr: usize,
  count: u32,
): usize {
  for (; ptr < end; ptr += size) {
    if (matchesPattern(ptr, size, patternsPtr, count)) continue;
    copyBytes(toPtr, ptr, size);
    toPtr += size;
  }
  return toPtr;
}

/** Appends those of `count` values that the list from `listPtr` to `toPtr` does not have; where it ends then. */
export function appendMissing(
  toPtr: usize,
  listPtr: usize,
  size: u32,
  valuesPtr: usize,
  count: u32,
): usize {
  for (let i: u32 = 0; i < count; i++, valuesPtr += size) {
    if (isIn(valuesPtr, size, listPtr, toPtr)) continue;
    copyBytes(toPtr, valuesPtr, size);
    toPtr += size;
  }
  return toPtr;
}

function isMatch(valuePtr: usize, size: u32, patternPtr: usize): bool {
  for (let offset: u32 = 0; offset < size; offset += 4) {
    const mask = load<u32>(patternPtr + size + offset);
    if ((load<u32>(valuePtr + offset) & mask) != load<u32>(patternPtr + offset)) return false;
  }
  return true;
}

function isIn(valuePtr: usize, size: u32, ptr: usize, end: usize): bool {
  for (; ptr < end; ptr += size) {
    if (memory.compare(ptr, valuePtr, size) == 0) return true;
  }
  return false;
}
