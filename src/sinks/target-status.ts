// What is said of a target: to people, to metrics, to whoever waits for it.
import type { SinkState } from './sink.ts';

/** `flushed`: emptied on request, and left alone since. */
export type TargetState = SinkState | 'flushed';

export interface TargetStatus {
  readonly name: string;
  readonly state: TargetState;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly stateSince: number;
  /** Records in the batch in flight. */
  readonly inFlightCount: number;
  /** Records the target has taken since the start. */
  readonly writtenCount: number;
  readonly batchCount: number;
  readonly lastBatchMs: number;
  readonly failureCount: number;
  /** Prefixes refused, by code. */
  readonly refusedByCode: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly failures: readonly {
    readonly prefix: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** Routes of ours and of others, at the last snapshot. */
  readonly ownedCount: number;
  readonly foreignCount: number;
  /** Removals that stay held because they are many: why. */
  readonly removalsHeld: string | undefined;
}

export interface TargetLog {
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
}
