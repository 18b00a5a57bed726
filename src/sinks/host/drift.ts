// What others did to our routes since it was last reported: the last state of each prefix wins. Pure.
//
// A state may be reported only when it cannot be older than what the main thread has been told of a batch: after the batch during which
// it was seen has been answered, and when no echo of a write to the prefix is still to come.
import type { SetMembers } from './nexthop-objects.ts';

interface Seen {
  readonly set: SetMembers | undefined;
  /** Number of the batch that was in progress, or the last one. */
  readonly batch: number;
}

export class Drift {
  readonly #seen = new Map<string, Seen>();

  get size(): number {
    return this.#seen.size;
  }

  see(prefix: string, set: SetMembers | undefined, batch: number): void {
    this.#seen.set(prefix, { set, batch });
  }

  /** The echo of a write that came after somebody's change: ours is the last word. */
  overwritten(prefix: string): void {
    this.#seen.delete(prefix);
  }

  /** What may be reported, given the number of the last batch that was answered. */
  take(
    answeredBatch: number,
    isOutstanding: (prefix: string) => boolean,
  ): { prefix: string; set: SetMembers | undefined }[] {
    const ready: { prefix: string; set: SetMembers | undefined }[] = [];
    for (const [prefix, { set, batch }] of this.#seen) {
      if (batch > answeredBatch || isOutstanding(prefix)) continue;
      ready.push({ prefix, set });
      this.#seen.delete(prefix);
    }
    return ready;
  }
}
