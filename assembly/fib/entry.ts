// A FIB entry: what a target should hold for one prefix, and what it does hold.
import { FAMILY_IPV4_UNICAST, FAMILY_IPV6_UNICAST } from '../abi';
import { keySize } from '../lpm/key';
import { allocate, free } from '../memory/arena';

export const ENTRY_KEY_OFFSET: u32 = 20;

/** The list an entry is in; each FIB has one of each. An entry whose installed set is the desired one is in none. */
export const LIST_NONE: u32 = 0;
export const LIST_NORMAL: u32 = 1;
/** Bad news: something in place must go. */
export const LIST_URGENT: u32 = 2;
/** A removal that waits for the end of the first sync (P3). */
export const LIST_HELD: u32 = 3;
/** The target refused it; waits for a retry or for other news. */
export const LIST_REFUSED: u32 = 4;
/** A removal that would bare what a refused entry should cover (order.ts). */
export const LIST_BLOCKED: u32 = 5;
/** Desired, and must not be in place over a refused one (holes.ts). */
export const LIST_WITHHELD: u32 = 6;
export const LIST_COUNT: u32 = 7;
/** Of an aggregated FIB: lists by length instead of LIST_NORMAL (order.ts). */
export const LIST_SETS: u32 = 7;
export const LIST_REMOVALS: u32 = 8;

const FLAG_IN_FLIGHT: u8 = 1;
const FLAG_OBSERVED: u8 = 2;
const FLAG_SEEN: u8 = 4;
const FLAG_IPV6: u8 = 8;
const FLAG_REFUSED: u8 = 16;
const FLAG_BLOCKS: u8 = 32;
const FLAG_OVER_HOLE: u8 = 64;

// FibEntry, 20 bytes + key; one per prefix and FIB
//   0       2      3       4         8           12         16     20
//   | bits  | list | flags | desired | installed | previous | next | key …
//
// flags  I in flight, O observed while in flight, S named by the snapshot (by parity, see Fib), 6 IPv6, R refused while in flight, B removals wait for it,
//        H covers a hole (holes.ts)
@unmanaged
export class FibEntry {
  bits: u16 = 0;
  list: u8 = 0;
  flags: u8 = 0;
  desired: u32 = 0;
  installed: u32 = 0;
  previous: FibEntry | null = null;
  next: FibEntry | null = null;

  get keyPtr(): usize {
    return changetype<usize>(this) + ENTRY_KEY_OFFSET;
  }

  get family(): u32 {
    return this.flags & FLAG_IPV6 ? FAMILY_IPV6_UNICAST : FAMILY_IPV4_UNICAST;
  }

  get isInFlight(): bool {
    return (this.flags & FLAG_IN_FLIGHT) != 0;
  }

  /** A batch takes it: what is heard of it from now on is about the batch or newer. */
  beginFlight(): void {
    this.flags = (this.flags | FLAG_IN_FLIGHT) & ~(FLAG_OBSERVED | FLAG_REFUSED);
  }

  endFlight(): void {
    this.flags &= ~(FLAG_IN_FLIGHT | FLAG_OBSERVED | FLAG_REFUSED);
  }

  /** Its installed set was observed while a batch was on its way: the answer to the batch no longer says what is in place. */
  get wasObserved(): bool {
    return (this.flags & FLAG_OBSERVED) != 0;
  }

  noteObserved(): void {
    if (this.isInFlight) this.flags |= FLAG_OBSERVED;
  }

  get wasRefused(): bool {
    return (this.flags & FLAG_REFUSED) != 0;
  }

  noteRefused(): void {
    this.flags |= FLAG_REFUSED;
  }

  /** Removals wait until it is not refused any more. */
  get blocksRemovals(): bool {
    return (this.flags & FLAG_BLOCKS) != 0;
  }

  setBlocksRemovals(on: bool): void {
    this.flags = on ? this.flags | FLAG_BLOCKS : this.flags & ~FLAG_BLOCKS;
  }

  /** It covers a refused entry: only while a batch is made. */
  get isOverHole(): bool {
    return (this.flags & FLAG_OVER_HOLE) != 0;
  }

  setOverHole(on: bool): void {
    this.flags = on ? this.flags | FLAG_OVER_HOLE : this.flags & ~FLAG_OVER_HOLE;
  }

  /** It is to be taken out of its place although it is desired. */
  get isWithdrawn(): bool {
    return this.list == LIST_REMOVALS && this.desired != 0;
  }

  isSeen(parity: bool): bool {
    return ((this.flags & FLAG_SEEN) != 0) == parity;
  }

  setSeen(parity: bool): void {
    this.flags = parity ? this.flags | FLAG_SEEN : this.flags & ~FLAG_SEEN;
  }

  free(): void {
    free(changetype<usize>(this), ENTRY_KEY_OFFSET + keySize(this.bits));
  }
}

/** An entry with nothing desired and nothing installed that is in no table yet, or null when there is no memory. */
export function newEntry(family: u32, keyPtr: usize, bits: u32): FibEntry | null {
  const size = keySize(bits);
  const ptr = allocate(ENTRY_KEY_OFFSET + size);
  if (!ptr) return null;
  memory.fill(ptr, 0, ENTRY_KEY_OFFSET);
  const entry = changetype<FibEntry>(ptr);
  entry.bits = <u16>bits;
  if (family == FAMILY_IPV6_UNICAST) entry.flags = FLAG_IPV6;
  memory.copy(entry.keyPtr, keyPtr, size);
  return entry;
}
