// What a target refuses: kept with its reason (failures.ts), told once for each kind, and tried again after a while or when the sink
// says that the reason is gone.
import { decodeObservations, encodeObservations, type FibBatch } from '../core/records.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import type { SinkClock, SinkTimer } from './clock.ts';
import { type Failure, Failures } from './failures.ts';
import type { FibCore } from './fib-core.ts';
import type { RecordFailure, SinkEvent } from './sink.ts';
import type { TargetLog, TargetStatus } from './target-status.ts';

/** Failures named in status(). */
const FAILURES_SHOWN = 10;

export interface RefusalParts {
  readonly core: Pick<FibCore, 'refuse' | 'retry'>;
  readonly fib: number;
  readonly clock: SinkClock;
  readonly log: TargetLog;
  /** The core has entries to be tried again. */
  readonly onRetry: () => void;
}

export class Refusals {
  readonly #parts: RefusalParts;
  readonly #failures = new Failures();
  /** Codes that the log has. */
  readonly #told = new Set<string>();
  #timer: SinkTimer | undefined;
  #isStopped = false;

  constructor(parts: RefusalParts) {
    this.#parts = parts;
  }

  get(prefix: Prefix): Failure | undefined {
    return this.#failures.get(prefix);
  }

  status(): Pick<TargetStatus, 'refusedByCode' | 'failures'> {
    return {
      refusedByCode: Object.fromEntries(this.#failures.counts),
      failures: this.#failures.list(FAILURES_SHOWN).map(({ prefix, failure }) => {
        const { code, message } = failure;
        return { prefix: formatPrefix(prefix), code, message };
      }),
    };
  }

  /** The answer to a batch, which the core has been told. */
  answered(records: FibBatch, failures: readonly RecordFailure[]): void {
    this.#clearWritten(records, failures);
    if (failures.length === 0) return;
    this.#refuse(
      failures.map((failure) => ({ prefix: records.change(failure.index).prefix, failure })),
    );
  }

  /** The sink refuses what it had taken, or was never asked for. */
  heard(event: Extract<SinkEvent, { type: 'refused' }>): void {
    const { core, fib } = this.#parts;
    core.refuse(fib, event.records, event.byteLength);
    const prefixes = decodeObservations(event.records, event.byteLength);
    this.#refuse(prefixes.map(({ prefix }) => ({ prefix, failure: event })));
  }

  /** The reason is gone: they are tried again at once. */
  released(event: Extract<SinkEvent, { type: 'released' }>): void {
    const { core, fib } = this.#parts;
    core.retry(fib, event.records, event.byteLength);
    for (const { prefix } of decodeObservations(event.records, event.byteLength)) {
      this.#failures.release(prefix);
    }
  }

  /** Nothing is pending any more: what is still being tried is wanted by nobody. */
  dropTried(): void {
    this.#failures.dropTried();
  }

  /** One line when a kind of refusal begins and one when it has ended: a full router may refuse a million prefixes. */
  tell(): void {
    const { log } = this.#parts;
    const { counts } = this.#failures;
    for (const [code, count] of counts) {
      if (this.#told.has(code)) continue;
      this.#told.add(code);
      const { prefix, message } = this.#failures.first(code)!;
      const fields = { code, count, prefix: formatPrefix(prefix), message };
      if (code === 'limit') log.error(fields, 'records refused');
      else log.warn(fields, 'records refused');
    }
    for (const code of this.#told) {
      if (counts.has(code)) continue;
      this.#told.delete(code);
      log.info({ code }, 'no more records refused');
    }
  }

  /** Nothing is tried again from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #clearWritten(records: FibBatch, failures: readonly RecordFailure[]): void {
    if (this.#failures.size === 0) return;
    const refused = new Set(failures.map((failure) => failure.index));
    for (let index = 0; index < records.count; index++) {
      if (!refused.has(index)) this.#failures.clear(records.change(index).prefix);
    }
  }

  #refuse(
    refused: readonly {
      readonly prefix: Prefix;
      readonly failure: { readonly code: string; readonly message: string };
    }[],
  ): void {
    const { clock } = this.#parts;
    const now = clock.wallTime();
    for (const { prefix, failure } of refused) {
      this.#failures.refuse(prefix, failure, now, clock.chance());
    }
    this.tell();
    this.#startTimer();
  }

  #startTimer(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#timer = undefined;
    const next = this.#failures.nextRetry();
    if (next === undefined || this.#isStopped) return;
    const delay = Math.max(0, next - clock.wallTime());
    this.#timer = clock.setTimer(delay, () => this.#retryDue());
  }

  #retryDue(): void {
    const { core, fib, clock, onRetry } = this.#parts;
    const due = this.#failures.takeDue(clock.wallTime());
    const { records, byteLength } = encodeObservations(
      due.map((prefix) => ({ prefix, set: undefined })),
    );
    if (due.length > 0) core.retry(fib, records, byteLength);
    this.#startTimer();
    onRetry();
  }
}
