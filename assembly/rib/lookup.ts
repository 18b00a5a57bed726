// Longest-prefix match over a Loc-RIB, many addresses per call.
import { inputPtr, outputPtr } from '../memory/buffers';
import { Destination } from './destination';
import { Table } from './table';

/** For `count` addresses of `size` bytes in the input buffer: the matching prefix length, or −1, as i16 in the output buffer. */
export function lookUpAddresses(table: Table, size: u32, count: u32): void {
  const bits = size << 3;
  let addressPtr = inputPtr;
  for (let i: u32 = 0; i < count; i++, addressPtr += size) {
    const match = longestRoute(table, addressPtr, bits);
    store<i16>(outputPtr + (i << 1), match == null ? -1 : <i16>match.bits);
  }
}

/** The longest destination with a best path. */
function longestRoute(table: Table, addressPtr: usize, bits: u32): Destination | null {
  let match = table.longestMatch(addressPtr, bits);
  while (match != null && !match.label && match.best() == null) {
    if (match.bits == 0) return null;
    match = table.longestMatch(addressPtr, match.bits - 1);
  }
  return match;
}
