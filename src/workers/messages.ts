// Everything that crosses the border between the main thread and a sink's worker, as unions of plain messages.
//
// Routes cross as binary buffers in the layouts of assembly/abi.ts: a batch of FIB changes goes in, observations come back.
import type { MessagePort } from 'node:worker_threads';
import type { FibBatchMessage } from '../core/records.ts';
import type { HostSinkOptions } from '../sinks/host/options.ts';
import type { MemorySinkOptions } from '../sinks/memory.ts';
import type { OvnSinkOptions } from '../sinks/ovn/options.ts';
import type { ApplyResult, SinkEvent } from '../sinks/sink.ts';

export type SinkOptions =
  | ({ readonly kind: 'ovn' } & OvnSinkOptions)
  | ({ readonly kind: 'host' } & HostSinkOptions)
  | ({ readonly kind: 'memory' } & MemorySinkOptions);

/** Main thread → worker. One task at a time; each is answered by a SinkReply over the port given with `open`. */
export type SinkTask =
  | {
      readonly type: 'open';
      readonly sink: SinkOptions;
      readonly isTaken: boolean;
      readonly events: MessagePort;
    }
  | { readonly type: 'block'; readonly isTaken: boolean }
  | { readonly type: 'apply'; readonly batch: FibBatchMessage }
  | { readonly type: 'flush' }
  | { readonly type: 'close' };

/** The answer to a task. It travels with the events, so that both are heard in the order they were said. */
export type SinkReply =
  | { readonly type: 'opened' }
  | { readonly type: 'blocked' }
  | { readonly type: 'applied'; readonly result: ApplyResult }
  | { readonly type: 'flushed'; readonly removedCount: number }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string };

/** Everything a worker says. */
export type SinkMessage = SinkEvent | SinkReply;
