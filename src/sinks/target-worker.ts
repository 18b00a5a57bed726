// What a reconciler needs of the place its target's sink runs in: a worker thread, or a sink in the same thread for tests.
import type { FibBatchMessage } from '../core/records.ts';
import type { ApplyResult, SinkEvent } from './sink.ts';

export interface TargetListener {
  readonly onEvent: (event: SinkEvent) => void;
  /** The sink is gone, with whatever it was doing: open() starts it anew. */
  readonly onLost: (reason: string) => void;
}

/** Answers and events are heard in the order they were said. One task at a time. */
export interface TargetWorker {
  /** `isTaken`: as of block(). */
  open(listener: TargetListener, isTaken: boolean): Promise<void>;
  /** Takes the buffer. Rejects when it is not known what became of the batch. */
  apply(batch: FibBatchMessage): Promise<ApplyResult>;
  /** The place is somebody else's from now on, or ours again (Sink.block). */
  block(isTaken: boolean): void;
  flush(): Promise<{ removedCount: number }>;
  close(): Promise<void>;
}
