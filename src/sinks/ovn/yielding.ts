// Takes rows of ours off the router outside any batch: where others' have come beside them, and where they are about no prefix.
import type { Admission, Refusal } from './admission.ts';
import type { RouteEvents } from './route-events.ts';
import type { RouterRows } from './router-rows.ts';
import type { RouteWriter } from './writer.ts';

export interface YieldingParts {
  readonly rows: RouterRows;
  readonly admission: Admission;
  readonly writer: RouteWriter;
  readonly events: RouteEvents;
  /** There are fewer rows of ours. */
  gone(): void;
  failed(error: unknown): void;
}

export class Yielding {
  readonly #parts: YieldingParts;
  /** Prefixes whose rows are being removed. */
  readonly #prefixes = new Set<string>();
  #isRemovingUnreadable = false;

  constructor(parts: YieldingParts) {
    this.#parts = parts;
  }

  has(prefix: string): boolean {
    return this.#prefixes.has(prefix);
  }

  /** Takes our rows away where others' rows have come beside them. A batch that is being applied does that itself. */
  yield(candidates: readonly string[]): void {
    const prefixes = candidates.filter((prefix) => this.#bar(prefix) !== undefined);
    if (prefixes.length > 0) this.#runInBackground(this.#removeBarred(prefixes));
  }

  /** Rows that carry our name and are about no prefix: nobody can ask for them, so they go. */
  removeUnreadable(): void {
    const uuids = this.#unreadable();
    if (uuids.length === 0 || this.#isRemovingUnreadable) return;
    this.#isRemovingUnreadable = true;
    this.#runInBackground(
      this.#parts.writer.remove([], uuids).finally(() => {
        this.#isRemovingUnreadable = false;
      }),
    );
  }

  /** Takes all of our rows away; how many there were. */
  removeAll(): Promise<number> {
    return this.#remove([...this.#parts.rows.ownedPrefixes()], this.#unreadable());
  }

  #unreadable(): string[] {
    return this.#parts.rows.unreadable().map(({ uuid }) => uuid);
  }

  #nextHops(prefix: string): string[] {
    return this.#parts.rows.owned(prefix).map(({ nexthop }) => nexthop);
  }

  /** Why the rows we have at a prefix must go. */
  #bar(prefix: string): Refusal | undefined {
    const owned = this.#nextHops(prefix);
    return owned.length > 0 ? this.#parts.admission.bar(prefix, owned) : undefined;
  }

  async #removeBarred(prefixes: readonly string[]): Promise<void> {
    const owned = new Map(prefixes.map((prefix) => [prefix, this.#nextHops(prefix)]));
    await this.#remove(prefixes);
    this.#parts.events.observed(prefixes);
    for (const [prefix, nexthops] of owned) this.#refuse(prefix, nexthops);
    this.#parts.gone();
  }

  async #remove(prefixes: readonly string[], others: readonly string[] = []): Promise<number> {
    for (const prefix of prefixes) this.#prefixes.add(prefix);
    try {
      return await this.#parts.writer.remove(prefixes, others);
    } finally {
      for (const prefix of prefixes) this.#prefixes.delete(prefix);
    }
  }

  #refuse(prefix: string, nexthops: readonly string[]): void {
    const { admission, events } = this.#parts;
    const refusal = admission.bar(prefix, nexthops);
    // Gone already: what was observed makes the core ask for our rows again.
    if (!refusal) return;
    admission.noteBar(prefix, nexthops);
    events.refused(prefix, refusal);
  }

  #runInBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#parts.failed(error));
  }
}
