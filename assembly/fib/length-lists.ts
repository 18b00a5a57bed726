// What waits in an aggregated FIB, by the length of its prefix: 129 lists of sets, 129 of removals (order.ts says why).
import { allocateRecord, free } from '../memory/arena';
import { LIST_SETS } from './entry';
import { EntryList } from './entry-list';

export const LENGTHS: u32 = 129;
const SIZE: u32 = 2 * 129 * 12;

/** Empty lists, or 0 when there is no memory. */
export function newLengthLists(): usize {
  return allocateRecord(SIZE);
}

export function freeLengthLists(listsPtr: usize): void {
  free(listsPtr, SIZE);
}

export function listByLength(listsPtr: usize, list: u32, bits: u32): EntryList {
  const index = (list == LIST_SETS ? 0 : LENGTHS) + bits;
  return changetype<EntryList>(listsPtr + index * offsetof<EntryList>());
}
