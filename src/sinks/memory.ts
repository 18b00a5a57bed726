// A sink that keeps its routes in a map: dry runs, and a twin for the sink contract.
import { encodeObservations, type FibBatch, type NextHopSet } from '../core/records.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import type { ApplyResult, EmitSinkEvent, Sink } from './sink.ts';

export interface MemorySinkOptions {
  /** Name of the network, for logs. */
  readonly network: string;
}

interface Entry {
  readonly prefix: Prefix;
  readonly set: Omit<NextHopSet, 'id'>;
}

export class MemorySink implements Sink {
  readonly #emit: EmitSinkEvent;
  readonly #entries: Map<string, Entry>;

  /** `entries`: what is in place already. */
  constructor(emit: EmitSinkEvent, entries: ReadonlyMap<string, Entry> = new Map()) {
    this.#emit = emit;
    this.#entries = new Map(entries);
  }

  /** What is in place, by prefix. */
  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  async open(): Promise<void> {
    this.#emit({ type: 'state', state: 'connecting', reason: 'reading the map' });
    this.#emit({ type: 'snapshotBegin' });
    const observations = [...this.#entries.values()];
    if (observations.length > 0) {
      this.#emit({ type: 'observed', ...encodeObservations(observations) });
    }
    this.#emit({ type: 'snapshotEnd', ownedCount: observations.length, foreignCount: 0 });
    this.#emit({ type: 'state', state: 'ready', reason: 'the map is read' });
  }

  async apply(batch: FibBatch): Promise<ApplyResult> {
    for (let index = 0; index < batch.count; index++) {
      const { prefix, to } = batch.change(index);
      const key = formatPrefix(prefix);
      if (to === undefined) this.#entries.delete(key);
      else this.#entries.set(key, { prefix: copy(prefix), set: to });
    }
    return { known: true, failures: [], durationMs: 0 };
  }

  async flush(): Promise<{ removedCount: number }> {
    const removedCount = this.#entries.size;
    this.#entries.clear();
    return { removedCount };
  }

  async close(): Promise<void> {}
}

export function createMemorySink(_options: MemorySinkOptions, emit: EmitSinkEvent): Sink {
  return new MemorySink(emit);
}

/** A batch's addresses are views into its buffer. */
function copy({ address, length }: Prefix): Prefix {
  return { address: address.slice(), length };
}
