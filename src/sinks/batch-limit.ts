// How many records the next batch may hold: so many that one apply takes about a quarter of a second, so that what comes meanwhile
// does not wait longer. Pure.

export interface BatchBounds {
  readonly smallest: number;
  readonly largest: number;
}

/** An apply shorter than this was too small a batch, if it was full. */
const SHORT_MS = 100;
/** An apply longer than this was too big a batch. */
const LONG_MS = 250;

export const batchBounds: Readonly<Record<'ovn' | 'host', BatchBounds>> = {
  // Rows per transaction: ovsdb-server takes 20 000–35 000 rows/s.
  ovn: { smallest: 250, largest: 4000 },
  // Lines of `ip -batch`: the kernel takes 60 000–100 000 routes/s.
  host: { smallest: 1024, largest: 32_768 },
};

export class BatchLimit {
  readonly #bounds: BatchBounds;
  #records: number;

  constructor(bounds: BatchBounds) {
    this.#bounds = bounds;
    this.#records = Math.min(bounds.largest, bounds.smallest * 4);
  }

  get records(): number {
    return this.#records;
  }

  learn(recordCount: number, durationMs: number): void {
    const { smallest, largest } = this.#bounds;
    if (durationMs > LONG_MS) this.#records = Math.max(smallest, this.#records >> 1);
    else if (durationMs < SHORT_MS && recordCount === this.#records) {
      this.#records = Math.min(largest, this.#records * 2);
    }
  }
}
