// 256 bits in four words: test, set, clear, next, rank. The set lies at an address; nothing is copied.

/** Larger than any member: the answer of nextBit when there is none. */
export const NO_BIT: u32 = 256;

function wordOf(setPtr: usize, index: u32): usize {
  return setPtr + ((index >>> 6) << 3);
}

export function testBit(setPtr: usize, index: u32): bool {
  return ((load<u64>(wordOf(setPtr, index)) >>> (index & 63)) & 1) != 0;
}

export function setBit(setPtr: usize, index: u32): void {
  const word = wordOf(setPtr, index);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (index & 63)));
}

export function clearBit(setPtr: usize, index: u32): void {
  const word = wordOf(setPtr, index);
  store<u64>(word, load<u64>(word) & ~((<u64>1) << (index & 63)));
}

/** The smallest member ≥ index, or NO_BIT. */
export function nextBit(setPtr: usize, index: u32): u32 {
  if (index >= 256) return NO_BIT;
  let word = load<u64>(wordOf(setPtr, index)) & (~(<u64>0) << (index & 63));
  while (!word) {
    index = (index | 63) + 1;
    if (index >= 256) return NO_BIT;
    word = load<u64>(wordOf(setPtr, index));
  }
  return (index & ~63) | <u32>ctz(word);
}

/** Number of members below `index` within its own word; the words before it are the caller's (sparse-array.ts). */
export function rankInWord(setPtr: usize, index: u32): u32 {
  const below = ((<u64>1) << (index & 63)) - 1;
  return <u32>popcnt(load<u64>(wordOf(setPtr, index)) & below);
}
