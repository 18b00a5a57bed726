// Pages of what a Loc-RIB forwards to: per destination its label, in the layout of FIB rows, definitions of the sets behind them.
import {
  FIB_ROW_BITS,
  FIB_ROW_DESIRED,
  FIB_ROW_INSTALLED,
  FIB_ROW_SIZE,
  FIB_ROW_STATE,
  PAGE_CURSOR,
} from '../abi';
import { keySize } from '../lpm/key';
import { inputPtr, outputEnd, outputPtr } from '../memory/buffers';
import { beginPage, collectSet, defineSet } from '../nexthop/next-hop-set';
import { result } from '../result';
import { Table } from './table';

/** Room the definitions of one more row's set may need. */
const DEFINITIONS_SLACK: u32 = 2048;
const LARGEST_ROW: u32 = FIB_ROW_SIZE + 16;
/** Destinations looked at for one page: those that forward nothing must not hold the loop. */
const MOST_VISITS: u32 = 16384;

/** The cursor's key is in the input buffer; cursorBits is −1 at the start. */
export function readLabelPage(table: Table, cursorBits: i32, limit: u32): void {
  const cursorKey = inputPtr + PAGE_CURSOR;
  let toPtr = outputPtr;
  let rowCount: u32 = 0;
  let definitionsSize: u32 = 0;
  let visits: u32 = 0;
  beginPage();
  let destination = cursorBits < 0 ? table.first() : table.after(cursorKey, cursorBits);
  result.nextBits = -1;
  while (destination != null) {
    const room = toPtr + LARGEST_ROW + definitionsSize + DEFINITIONS_SLACK <= outputEnd;
    if (rowCount >= limit || !room || visits++ >= MOST_VISITS) break;
    if (destination.label) {
      store<u16>(toPtr, destination.bits, FIB_ROW_BITS);
      store<u16>(toPtr, 0, FIB_ROW_STATE);
      store<u32>(toPtr, destination.label, FIB_ROW_DESIRED);
      store<u32>(toPtr, 0, FIB_ROW_INSTALLED);
      memory.copy(toPtr + FIB_ROW_SIZE, destination.keyPtr, keySize(destination.bits));
      toPtr += FIB_ROW_SIZE + keySize(destination.bits);
      definitionsSize += collectSet(destination.label);
      rowCount++;
    }
    memory.copy(cursorKey, destination.keyPtr, keySize(destination.bits));
    result.nextBits = destination.bits;
    destination = table.after(destination.keyPtr, destination.bits);
  }
  if (destination == null) result.nextBits = -1;
  let rowPtr = outputPtr;
  for (let i: u32 = 0; i < rowCount; i++) {
    toPtr = defineSet(load<u32>(rowPtr, FIB_ROW_DESIRED), toPtr);
    rowPtr += FIB_ROW_SIZE + keySize(load<u16>(rowPtr, FIB_ROW_BITS));
  }
  result.outputCount = rowCount;
  result.outputSize = <u32>(toPtr - outputPtr);
}
