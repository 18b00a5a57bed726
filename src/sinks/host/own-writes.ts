// Tells the echo of our own writes in `ip monitor` from what others do. Pure.
//
// The kernel tells changes in the order they happened. Before a line is written it is expected; a line of the monitor that brings what was
// expected is an echo, and everything expected before it is settled by then: a write that changed nothing has no echo. A prefix is
// named once per batch.
//
// Not handled: somebody sets a route of ours to the very object our next `replace` writes, and within the same second takes it away and sets
// it again. That write had no echo, and the last change is taken for it; the next snapshot puts it right.

/** What a write leaves at a prefix: a next hop object's id, or nothing. */
export type Written = number | 'removed';

export class OwnWrites {
  /** Oldest batch first; in each, prefixes in the order of writing. */
  #batches: Map<string, Written>[] = [];

  beginBatch(): void {
    this.#batches.push(new Map());
  }

  /** To be called before the line can reach the kernel. */
  expect(prefix: string, written: Written): void {
    this.#batches.at(-1)?.set(prefix, written);
  }

  /** The kernel refused it: no echo will come. */
  forget(prefix: string): void {
    this.#batches.at(-1)?.delete(prefix);
  }

  /** Takes a change the kernel told; true when it is a write of ours. */
  takeEcho(prefix: string, written: Written): boolean {
    const index = this.#batches.findIndex((batch) => batch.get(prefix) === written);
    if (index < 0) return false;
    this.#batches.splice(0, index);
    const [batch] = this.#batches as [Map<string, Written>];
    for (const earlier of batch.keys()) {
      batch.delete(earlier);
      if (earlier === prefix) break;
    }
    return true;
  }

  /** Whether the kernel may still tell a write of ours to this prefix. */
  isOutstanding(prefix: string): boolean {
    return this.#batches.some((batch) => batch.has(prefix));
  }

  get outstandingCount(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.size, 0);
  }

  /** The kernel has told everything up to now, or what it told was lost. */
  settle(): void {
    this.#batches = [];
  }
}
