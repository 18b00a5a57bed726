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

export interface Sink {
  open(): Promise<void>;
  apply(batch: FibBatch): Promise<ApplyResult>;
  flush(): Promise<{ removedCount: number }>;
  /** The place is somebody else's from now on, or ours again: meanwhile the sink removes nothing by itself. Only of places that two can name. */
  block?(isTaken: boolean): void;
  close(): Promise<void>;
}

/** How a sink speaks when nobody asked it. */
export type EmitSinkEvent = (event: SinkEvent) => void;

/** The answer to `apply`. Records that are not named in `failures` are in. */
export interface ApplyResult {
  /** False when it is not known what was written (connection lost before the reply): a snapshot follows and decides. */
  readonly known: boolean;
  readonly failures: readonly RecordFailure[];
  /** Time the database or the kernel took, in milliseconds. */
  readonly durationMs: number;
  /** How long whoever reads the place (OVN's northd) will take over what was written, as it last did; absent when nobody knows. */
  readonly windowMs?: number;
}

/** One record of a batch that was refused, or not tried. */
export interface RecordFailure {
  /** Index of the record in its batch. */
  readonly index: number;
  /** Stable code: `collision`, `limit`, `rejected`, `unreachable-next-hop`, … */
  readonly code: string;
  /** One clause with the value seen and the value expected. */
  readonly message: string;
}

/** Worker → main thread, at any time, over the port given with `open`. `records` are observations (assembly/abi.ts). */
export type SinkEvent =
  /** `waiting`: the target (router, port, table, server) is not there yet; `ready`: batches are welcome. */
  | { readonly type: 'state'; readonly state: SinkState; readonly reason: string }
  /** Everything of ours that is in place follows in `observed` events, up to `snapshotEnd`. */
  | { readonly type: 'snapshotBegin' }
  | { readonly type: 'snapshotEnd'; readonly ownedCount: number; readonly foreignCount: number }
  /** What is in place now for these prefixes: part of a snapshot, or drift seen at any other time. */
  | { readonly type: 'observed'; readonly records: ArrayBuffer; readonly byteLength: number }
  /** Routes of others in the same table that came or went (encodeForeign): all of them in a snapshot, changes at any other time. */
  | { readonly type: 'foreign'; readonly records: ArrayBuffer; readonly byteLength: number }
  /** The sink took these back, or will not write them, until it says `released`. */
  | {
      readonly type: 'refused';
      readonly records: ArrayBuffer;
      readonly byteLength: number;
      readonly code: string;
      readonly message: string;
    }
  /** The reason of an earlier refusal or collision failure is gone: try these again. */
  | { readonly type: 'released'; readonly records: ArrayBuffer; readonly byteLength: number };

export type SinkState = 'connecting' | 'waiting' | 'ready';
