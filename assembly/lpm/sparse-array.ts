// An array of 256 values that stores only those that are there: a bit set, and the values in order, packed.
//
// Worked example: values at 3, 70 and 71. words = {bit 3, bits 6 and 7, –, –}; values = [v3, v70, v71];
// ranks = bytes {0, 1, 3, 3}: members before each word. Index 71 is found at ranks[1] + popcnt(word1 & 0x7f) = 1 + 1 = 2.
//
// The capacity is the count rounded up to a power of two; it needs no field. When an array shrinks and there is no memory for
// the smaller block, the block is split where it lies: a removal never fails.
import { allocate, free, freeSecondHalf } from '../memory/arena';
import { clearBit, nextBit, rankInWord, setBit, testBit } from './bitset256';

// SparseArray, 48 bytes
//   0                     32        36               40       44     48
//   | words: 256 bits     | values  | ranks, 4 × u8  | count  | zero |
@unmanaged
export class SparseArray {
  word0: u64 = 0;
  word1: u64 = 0;
  word2: u64 = 0;
  word3: u64 = 0;
  private valuesPtr: u32 = 0;
  private ranks: u32 = 0;
  count: u32 = 0;
  zero: u32 = 0;

  /** The value at `index`, or 0. */
  get(index: u32): u32 {
    return testBit(changetype<usize>(this), index) ? load<u32>(this.placeOf(index)) : 0;
  }

  has(index: u32): bool {
    return testBit(changetype<usize>(this), index);
  }

  /** 64 bits of the bit set. */
  wordAt(word: u32): u64 {
    return load<u64>(changetype<usize>(this) + (word << 3));
  }

  /** The smallest used index ≥ `index`, or 256. */
  next(index: u32): u32 {
    return nextBit(changetype<usize>(this), index);
  }

  /** The value of the member that has `rank` members before it: for a loop over the words, which counts as it goes. */
  member(rank: u32): u32 {
    return load<u32>(this.valuesPtr + (rank << 2));
  }

  /** Changes the value at a used index. */
  replace(index: u32, value: u32): void {
    store<u32>(this.placeOf(index), value);
  }

  /** Puts a value at an unused index; false when there is no memory. */
  insert(index: u32, value: u32): bool {
    const rank = this.rankOf(index);
    if ((this.count & (this.count - 1)) == 0) {
      if (!this.grow(rank)) return false;
    } else {
      const place = this.valuesPtr + (rank << 2);
      memory.copy(place + 4, place, (this.count - rank) << 2);
    }
    store<u32>(this.valuesPtr + (rank << 2), value);
    setBit(changetype<usize>(this), index);
    // One more member before each word after this one: the byte lanes above it.
    this.ranks += 0x01010100 << ((index >>> 6) << 3);
    this.count++;
    return true;
  }

  /** Takes the value at a used index out. */
  remove(index: u32): void {
    const place = this.placeOf(index);
    const end: usize = this.valuesPtr + (this.count << 2);
    memory.copy(place, place + 4, end - place - 4);
    clearBit(changetype<usize>(this), index);
    this.ranks -= 0x01010100 << ((index >>> 6) << 3);
    this.count--;
    if ((this.count & (this.count - 1)) == 0) this.shrink();
  }

  /** Gives the values' block back; the array must not be used again. */
  freeValues(): void {
    if (this.count) free(this.valuesPtr, capacityFor(this.count) << 2);
  }

  private rankOf(index: u32): u32 {
    return (
      ((this.ranks >>> ((index >>> 6) << 3)) & 0xff) + rankInWord(changetype<usize>(this), index)
    );
  }

  private placeOf(index: u32): usize {
    return this.valuesPtr + (this.rankOf(index) << 2);
  }

  /** Doubles the block and leaves a hole at `rank`. */
  private grow(rank: u32): bool {
    const count = this.count;
    const grownPtr = allocate(count ? count << 3 : 4);
    if (!grownPtr) return false;
    if (count) {
      memory.copy(grownPtr, this.valuesPtr, rank << 2);
      memory.copy(grownPtr + (rank << 2) + 4, this.valuesPtr + (rank << 2), (count - rank) << 2);
      free(this.valuesPtr, count << 2);
    }
    this.valuesPtr = <u32>grownPtr;
    return true;
  }

  /** The count has just become a power of two (or 0): the block is twice as large as it must be. */
  private shrink(): void {
    const size = this.count << 2;
    const oldPtr = this.valuesPtr;
    if (size == 0) {
      free(oldPtr, 4);
      this.valuesPtr = 0;
      return;
    }
    const smallerPtr = allocate(size);
    if (smallerPtr) {
      memory.copy(smallerPtr, oldPtr, size);
      free(oldPtr, size << 1);
      this.valuesPtr = <u32>smallerPtr;
    } else {
      freeSecondHalf(oldPtr, size);
    }
  }
}

function capacityFor(count: u32): u32 {
  return count <= 1 ? 1 : 1 << (32 - clz(count - 1));
}
