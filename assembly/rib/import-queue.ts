// The destinations whose importers must hear that something was decided anew, in the order it happened; bad news has a queue of its
// own that goes first (P6).
//
// A destination is in a queue at most once (its flags say so) and is not given back before its importers were told, even when it has
// no routes left: they have copies to drop. A queue grows by blocks. When there is no memory for one, the destination is flagged
// instead and a walk of its table tells its importers (`takeOverflow`, table-walk.ts).
import { FAMILY_L2VPN_EVPN } from '../abi';
import { allocateReserved, free } from '../memory/arena';
import { losesMembers } from '../nexthop/next-hop-set';
import {
  Destination,
  IMPORTERS_AWAIT_WALK,
  IN_IMPORT_QUEUE,
  IN_URGENT_IMPORT_QUEUE,
} from './destination';
import { Table } from './table';

const ENTRY_SIZE: u32 = 8;
const BLOCK_SIZE: u32 = 2048;
const BLOCK_HEADER_SIZE: u32 = 8;
const ENTRIES_PER_BLOCK: u32 = (BLOCK_SIZE - BLOCK_HEADER_SIZE) / ENTRY_SIZE;

// Block, 2048 bytes
//   0       4    8             12
//   | next  | –  | destination | table | … 255 entries
@unmanaged
class Block {
  next: Block = changetype<Block>(0);
  zero: u32 = 0;

  entry(index: u32): Entry {
    return changetype<Entry>(changetype<usize>(this) + BLOCK_HEADER_SIZE + index * ENTRY_SIZE);
  }
}

@unmanaged
export class Entry {
  destination: Destination = changetype<Destination>(0);
  table: Table = changetype<Table>(0);
}

@unmanaged
class Queue {
  private first: Block = changetype<Block>(0);
  private last: Block = changetype<Block>(0);
  private readIndex: u32 = 0;
  private writeIndex: u32 = 0;

  get isEmpty(): bool {
    return !this.first;
  }

  /** False when there is no memory. */
  push(destination: Destination, table: Table): bool {
    if ((!this.last || this.writeIndex == ENTRIES_PER_BLOCK) && !this.grow()) return false;
    const entry = this.last.entry(this.writeIndex++);
    entry.destination = destination;
    entry.table = table;
    return true;
  }

  /** Copies the oldest entry and takes it off; the queue must not be empty. */
  pop(to: Entry): void {
    const block = this.first;
    const entry = block.entry(this.readIndex++);
    to.destination = entry.destination;
    to.table = entry.table;
    const end = block == this.last ? this.writeIndex : ENTRIES_PER_BLOCK;
    if (this.readIndex < end) return;
    this.first = block.next;
    if (block == this.last) this.last = changetype<Block>(0);
    this.readIndex = 0;
    free(changetype<usize>(block), BLOCK_SIZE);
  }

  private grow(): bool {
    const ptr = allocateReserved(BLOCK_SIZE);
    if (!ptr) return false;
    const block = changetype<Block>(ptr);
    block.next = changetype<Block>(0);
    if (this.last) this.last.next = block;
    else this.first = block;
    this.last = block;
    this.writeIndex = 0;
    return true;
  }
}

const ordinary = changetype<Queue>(memory.data(16, 4));
const urgent = changetype<Queue>(memory.data(16, 4));
let isOverflown: bool = false;

/** A decision was made whose label will be `label`: the importers of the network, which has some, must hear of it. */
export function noteForImporters(table: Table, destination: Destination, label: u32): void {
  if (table.family == FAMILY_L2VPN_EVPN) return;
  if (losesMembers(destination.label, label))
    note(urgent, IN_URGENT_IMPORT_QUEUE, destination, table);
  else note(ordinary, IN_IMPORT_QUEUE, destination, table);
}

function note(queue: Queue, flag: u16, destination: Destination, table: Table): void {
  if (destination.flags & flag) return;
  if (queue.push(destination, table)) {
    destination.flags |= flag;
    return;
  }
  destination.flags |= IMPORTERS_AWAIT_WALK;
  isOverflown = true;
}

export function hasUrgentImports(): bool {
  return !urgent.isEmpty;
}

export function hasQueuedImports(): bool {
  return !ordinary.isEmpty;
}

/** Whether walks must tell what found no place in a queue. */
export function hasOverflow(): bool {
  return isOverflown;
}

/** The same; the walks begin now. */
export function takeOverflow(): bool {
  const was = isOverflown;
  isOverflown = false;
  return was;
}

export function takeUrgent(to: Entry): void {
  urgent.pop(to);
  to.destination.flags &= ~IN_URGENT_IMPORT_QUEUE;
}

export function takeOrdinary(to: Entry): void {
  ordinary.pop(to);
  to.destination.flags &= ~IN_IMPORT_QUEUE;
}
