// Small numbers chosen by the host (networks, peers, FIBs) → records. Grows; an unknown id is 0.
import { allocateRecord, free } from './arena';

const FIRST_CAPACITY: u32 = 16;
/** Ids are 16 bits wide in the records that hold them. */
const MAXIMUM_CAPACITY: u32 = 1 << 16;

// IdTable, 8 bytes
//   0             4           8
//   | records     | capacity  |
@unmanaged
export class IdTable {
  private recordsPtr: usize = 0;
  capacity: u32 = 0;

  get(id: u32): usize {
    if (id >= this.capacity) return 0;
    return load<u32>(this.recordsPtr + (id << 2));
  }

  /** Puts a record, or takes it out with 0. False when there is no memory or the id is too large. */
  set(id: u32, record: usize): bool {
    if (id >= this.capacity && !this.growFor(id)) return false;
    store<u32>(this.recordsPtr + (id << 2), <u32>record);
    return true;
  }

  private growFor(id: u32): bool {
    if (id >= MAXIMUM_CAPACITY) return false;
    let grown = max(this.capacity, FIRST_CAPACITY);
    while (grown <= id) grown <<= 1;
    const recordsPtr = allocateRecord(grown << 2);
    if (!recordsPtr) return false;
    if (this.recordsPtr) {
      memory.copy(recordsPtr, this.recordsPtr, this.capacity << 2);
      free(this.recordsPtr, this.capacity << 2);
    }
    this.recordsPtr = recordsPtr;
    this.capacity = grown;
    return true;
  }
}
