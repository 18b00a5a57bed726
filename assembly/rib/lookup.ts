// Longest-prefix match over a Loc-RIB, many addresses per call.
import { LANES } from '../lpm/trie';
import { inputPtr, outputPtr } from '../memory/buffers';
import { Destination } from './destination';
import { Table } from './table';

/** For `count` addresses of `size` bytes in the input buffer: the matching prefix length, or −1, as i16 in the output buffer. */
export function lookUpAddresses(table: Table, size: u32, count: u32): void {
  for (let first: u32 = 0; first < count; first += LANES) {
    const addressesPtr = inputPtr + first * size;
    const laneCount = min(LANES, count - first);
    table.trie.descendSideBySide(addressesPtr, size, laneCount);
    for (let lane: u32 = 0; lane < laneCount; lane++) {
      const addressPtr = addressesPtr + lane * size;
      const match = table.trie.matchOfLane(lane, addressPtr, size << 3);
      const route = longestRoute(table, match, addressPtr);
      store<i16>(outputPtr + ((first + lane) << 1), route == null ? -1 : <i16>route.bits);
    }
  }
}

/** The longest destination with a best path, from the longest one of all on. */
function longestRoute(table: Table, longest: u32, addressPtr: usize): Destination | null {
  let match = changetype<Destination | null>(<usize>longest);
  while (match != null && !match.label && match.best() == null) {
    if (match.bits == 0) return null;
    match = table.longestMatch(addressPtr, match.bits - 1);
  }
  return match;
}
