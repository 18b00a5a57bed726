// The Sink interface: a place where FIB entries go. Each sink lives in a worker thread; sink.worker.ts drives it.
//
// Contract, held by test/sinks/sink-contract.ts for every sink:
// - `open` connects and keeps connecting; it resolves once, when the sink has started trying. Each time the place is reached
//   (first time, or again after a loss) the sink emits state `ready` after one whole snapshot: snapshotBegin, observed…, snapshotEnd.
//   It never clears and refills.
// - `apply` writes the records of a batch in their order and resolves when the place has them. It is called again only after
//   the last call has resolved. Applying what is there already is no error and no write.
// - Whatever Rutter did not write is never changed or removed (P2).
// - A record that the place refuses does not keep the others of its batch out.
// - `flush` removes everything of ours. `close` removes nothing (P3).
import type { FibBatch } from '../core/records.ts';
import type { ApplyResult, SinkEvent } from '../workers/messages.ts';

export interface Sink {
  open(): Promise<void>;
  apply(batch: FibBatch): Promise<ApplyResult>;
  flush(): Promise<{ removedCount: number }>;
  close(): Promise<void>;
}

/** How a sink speaks when nobody asked it. */
export type EmitSinkEvent = (event: SinkEvent) => void;
