// Everything that crosses the border between the main thread and a sink's worker, as unions of plain messages.
//
// Routes cross as binary buffers in the layouts of assembly/abi.ts: a batch of FIB changes goes in, observations come back.
import type { MessagePort } from 'node:worker_threads';
import type { HostSinkOptions } from '../sinks/host/options.ts';
import type { MemorySinkOptions } from '../sinks/memory.ts';
import type { OvnSinkOptions } from '../sinks/ovn/options.ts';

export type SinkOptions =
  | ({ readonly kind: 'ovn' } & OvnSinkOptions)
  | ({ readonly kind: 'host' } & HostSinkOptions)
  | ({ readonly kind: 'memory' } & MemorySinkOptions);

/** Main thread → worker. One task at a time; each is answered by a SinkReply over the port given with `open`. */
export type SinkTask =
  | { readonly type: 'open'; readonly sink: SinkOptions; readonly events: MessagePort }
  | { readonly type: 'apply'; readonly batch: FibBatchMessage }
  | { readonly type: 'flush' }
  | { readonly type: 'close' };

/** The answer to a task. It travels with the events, so that both are heard in the order they were said. */
export type SinkReply =
  | { readonly type: 'opened' }
  | { readonly type: 'applied'; readonly result: ApplyResult }
  | { readonly type: 'flushed'; readonly removedCount: number }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string };

/** Everything a worker says. */
export type SinkMessage = SinkEvent | SinkReply;

/** A drained batch: `count` FIB change records, then the definitions of every next-hop set they name. Transferred. */
export interface FibBatchMessage {
  readonly buffer: ArrayBuffer;
  /** Number of FIB change records at the start of the buffer. */
  readonly count: number;
  /** Number of bytes used in the buffer, records and definitions together. */
  readonly byteLength: number;
}

/** The answer to `apply`. Records that are not named in `failures` are in. */
export interface ApplyResult {
  /** False when it is not known what was written (connection lost before the reply): a snapshot follows and decides. */
  readonly known: boolean;
  readonly failures: readonly RecordFailure[];
  /** Time the database or the kernel took, in milliseconds. */
  readonly durationMs: number;
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
