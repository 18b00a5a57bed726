// A first-in, first-out list of FIB entries, linked through the entries; any of them can be taken out.
import { FibEntry } from './entry';

// EntryList, 12 bytes
@unmanaged
export class EntryList {
  first: FibEntry | null = null;
  private last: FibEntry | null = null;
  count: u32 = 0;

  append(entry: FibEntry): void {
    const last = this.last;
    entry.next = null;
    entry.previous = last;
    if (last != null) last.next = entry;
    else this.first = entry;
    this.last = entry;
    this.count++;
  }

  remove(entry: FibEntry): void {
    const previous = entry.previous;
    const next = entry.next;
    if (previous != null) previous.next = next;
    else this.first = next;
    if (next != null) next.previous = previous;
    else this.last = previous;
    this.count--;
  }
}
