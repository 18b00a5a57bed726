// The closed loop of one target: core ► batch ► sink ► answer ► core, and what the sink sees of its own accord ► core.
//
// The core knows for every entry of the FIB what is desired and what is installed; the difference is pending. This file moves it:
//
//   kick() ─► drain ─► apply ─► acknowledge ─► drain … until nothing is pending
//
// Invariant: one batch in flight at most, per target and per database (turns.ts). What changes meanwhile coalesces in the core, so an idle
// target gets a change at once and a busy one gets bigger batches; there is no fixed delay anywhere. Batches are only drained while the sink is `ready`, never inside a snapshot,
// and after an answer that is not known (`forget`) only when the next snapshot has said what is there.
//
// A refused record keeps nobody out: it is kept with its reason (failures.ts) and tried again after a while, or when the sink says that
// the reason is gone. A sink that is lost with its thread is opened again; its snapshot decides.
//
// At the start the core holds removals (P3). releaseRemovals() lets them go once the first sync has ended, unless they are suspiciously many:
// then they stay, are reported, and wait for an operator's word.
//
// Not here: what is desired (the core), how it is written (the sink), when the first sync has ended (the agent).
import { FIB_CHANGE_SIZE } from '../../assembly/abi.ts';
import type { FibBatchMessage } from '../core/records.ts';
import { decodeObservations, encodeObservations, FibBatch } from '../core/records.ts';
import type { RouteCore } from '../core/route-core.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import { BatchLimit, batchBounds } from './batch-limit.ts';
import { type Failure, Failures } from './failures.ts';
import type { ApplyResult, SinkEvent, SinkState } from './sink.ts';
import type { TargetWorker } from './target-worker.ts';
import { type TurnRequest, Turns } from './turns.ts';

/** Removals up to this many need no leave. */
const FEW_REMOVALS = 100;
/** After a worker was lost: the first wait, doubled for each loss without a ready state in between. */
const REOPEN_MS = 500;
const LONGEST_REOPEN_MS = 30_000;
/** Failures named in status(). */
const FAILURES_SHOWN = 10;

/** The part of the core that serves one FIB. */
export type FibCore = Pick<
  RouteCore,
  | 'pendingFibs'
  | 'drain'
  | 'isUrgent'
  | 'acknowledge'
  | 'forget'
  | 'beginSnapshot'
  | 'observe'
  | 'observeForeign'
  | 'endSnapshot'
  | 'refuse'
  | 'retry'
  | 'releaseRemovals'
  | 'fibCounters'
>;

export interface ReconcilerClock {
  /** Milliseconds since 1970. */
  wallTime(): number;
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
  /** 0…1, for spreading retries. */
  chance(): number;
}

export interface ReconcilerLog {
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
}

export interface ReconcilerOptions {
  readonly core: FibCore;
  readonly fib: number;
  /** For people. */
  readonly name: string;
  readonly kind: 'ovn' | 'host';
  readonly worker: TargetWorker;
  /** Of the database that the sink writes to, when it has others beside it. */
  readonly turns?: Turns;
  /** Held removals beyond this share of what is installed stay held at the release. */
  readonly maxRemovalShare?: number;
  readonly clock?: ReconcilerClock;
  /** A snapshot has ended: the core has deferred work (RouteCore.work) before it can be drained; kick() after it. */
  readonly onWork: () => void;
  /** Calls back when the core has no deferred work. Default: at once. */
  readonly atRest?: (callback: () => void) => void;
  /**
   * What is in place stays as it is until every source has been heard: entries of a part of the routes are none of the whole, as
   * they are where each route is an entry. A target that has nothing of ours is written at once.
   */
  readonly waitsForFirstSync?: boolean;
  readonly log: ReconcilerLog;
}

export interface TargetStatus {
  readonly name: string;
  /** `flushed`: emptied on request, and left alone since. */
  readonly state: SinkState | 'flushed';
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

const systemClock: ReconcilerClock = {
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  chance: () => Math.random(),
};

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #core: FibCore;
  readonly #fib: number;
  readonly #clock: ReconcilerClock;
  readonly #limit: BatchLimit;
  readonly #turns: Turns;
  readonly #turnRequest: TurnRequest;
  readonly #failures = new Failures();
  #state: SinkState | 'flushed' = 'connecting';
  #reason = 'not started';
  #stateSince: number;
  #inSnapshot = false;
  /** An answer was lost: only a snapshot tells what is there. */
  #needsSnapshot = false;
  #stopped = false;
  #inFlight: Promise<void> | undefined;
  #inFlightCount = 0;
  /** Records of this round that are not written yet: what was pending when it began. */
  #roundLeft = 0;
  #lossCount = 0;
  #retryTimer: { cancel(): void } | undefined;
  #reopenTimer: { cancel(): void } | undefined;
  #removalsHeld: string | undefined;
  /** Codes of refusals that the log has. */
  readonly #refusalsTold = new Set<string>();
  /** What is there has been read once: only then is it known how many removals wait. */
  #wasRead = false;
  /** What is there is not touched yet: see waitsForFirstSync. */
  #waitsForFirstSync: boolean;
  /** A release that came before that. */
  #awaitedRelease: { readonly force: boolean } | undefined;
  /** Why the place is not ours now. */
  #blocked: string | undefined;
  #writtenCount = 0;
  #batchCount = 0;
  #lastBatchMs = 0;
  #ownedCount = 0;
  #foreignCount = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#core = options.core;
    this.#fib = options.fib;
    this.#clock = options.clock ?? systemClock;
    this.#limit = new BatchLimit(batchBounds[options.kind]);
    this.#turns = options.turns ?? new Turns();
    this.#waitsForFirstSync = options.waitsForFirstSync ?? false;
    this.#turnRequest = { isUrgent: () => this.#core.isUrgent(this.#fib) };
    this.#stateSince = this.#clock.wallTime();
  }

  /** Opens the sink; it says by itself when it is ready. */
  async start(): Promise<void> {
    await this.#open();
  }

  /** The place is somebody else's for now, or (undefined) ours: while it is not, nothing is written and nothing flushed. */
  block(reason: string | undefined): void {
    if (reason === this.#blocked) return;
    this.#blocked = reason;
    if (reason === undefined) this.#options.log.info({}, 'target is free');
    else this.#options.log.error({ reason }, 'target is taken');
    this.kick();
  }

  /** The FIB has something to drain. Cheap, and as often as one likes. */
  kick(): void {
    // It may be bad news, and what waits for its turn may not have been.
    if (this.#inFlight !== undefined) this.#turns.look();
    if (this.#inFlight !== undefined || !this.#mayDrain() || !this.#isPending()) return;
    this.#inFlight = this.#run().then((isDrained) => {
      this.#inFlight = undefined;
      this.#inFlightCount = 0;
      if (isDrained || !this.#isPending()) this.#failures.dropTried();
      else this.kick(); // What came while the loop was ending.
      this.#tellRefusals();
    });
  }

  /**
   * The first sync has ended: what is left over from an earlier life may go (P3). Too many at once stay held until `force`, an operator's
   * word. Decided when the target has been read, not before.
   */
  releaseRemovals({ force = false }: { readonly force?: boolean } = {}): void {
    if (!this.#wasRead) {
      this.#awaitedRelease = { force: force || this.#awaitedRelease?.force === true };
      return;
    }
    this.#waitsForFirstSync = false;
    const { heldCount, installedCount } = this.#core.fibCounters(this.#fib);
    const share = this.#options.maxRemovalShare ?? 0.5;
    const isMany = heldCount > FEW_REMOVALS && heldCount > share * installedCount;
    if (isMany && !force) {
      const most = `more than ${Math.round(share * 100)} %`;
      this.#removalsHeld = `${heldCount} of ${installedCount} entries would go, ${most}`;
      this.#options.log.error({ heldCount, installedCount }, 'removals held');
      this.kick();
      return;
    }
    this.#removalsHeld = undefined;
    this.#core.releaseRemovals(this.#fib);
    this.kick();
  }

  /** Why a prefix is not in the target, if it was refused. */
  failure(prefix: Prefix): Failure | undefined {
    return this.#failures.get(prefix);
  }

  status(): TargetStatus {
    return {
      name: this.#options.name,
      ...(this.#blocked === undefined || this.#state === 'flushed'
        ? { state: this.#state, reason: this.#reason }
        : { state: 'waiting', reason: this.#blocked }),
      stateSince: this.#stateSince,
      inFlightCount: this.#inFlightCount,
      writtenCount: this.#writtenCount,
      batchCount: this.#batchCount,
      lastBatchMs: this.#lastBatchMs,
      failureCount: this.#core.fibCounters(this.#fib).refusedCount,
      refusedByCode: Object.fromEntries(this.#failures.counts),
      failures: this.#failures.list(FAILURES_SHOWN).map(({ prefix, failure }) => {
        const { code, message } = failure;
        return { prefix: formatPrefix(prefix), code, message };
      }),
      ownedCount: this.#ownedCount,
      foreignCount: this.#foreignCount,
      removalsHeld: this.#removalsHeld,
    };
  }

  /** Removes everything of ours from the target and writes nothing more until the agent starts anew. */
  async flush(): Promise<{ removedCount: number }> {
    const [state, reason] = [this.#state, this.#reason];
    this.#setState('flushed', 'emptied on request');
    this.#turns.giveUp(this.#turnRequest);
    await this.#inFlight;
    if (this.#blocked !== undefined) return { removedCount: 0 };
    const request = { isUrgent: () => true };
    await this.#turns.take(request);
    try {
      return await this.#options.worker.flush();
    } catch (error) {
      this.#setState(state, reason); // It is not empty.
      throw error;
    } finally {
      this.#turns.end(request, 0);
    }
  }

  /** Ends the sink; what is written stays (P3). */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retryTimer?.cancel();
    this.#reopenTimer?.cancel();
    this.#turns.giveUp(this.#turnRequest);
    await this.#inFlight;
    await this.#options.worker.close();
  }

  #mayDrain(): boolean {
    if (this.#blocked !== undefined) return false;
    if (this.#waitsForFirstSync || this.#stopped) return false;
    return this.#state === 'ready' && !this.#inSnapshot && !this.#needsSnapshot;
  }

  #isPending(): boolean {
    return this.#core.pendingFibs().includes(this.#fib);
  }

  /** Batch after batch while there is something and nothing stands against it; true when the core had nothing left. */
  async #run(): Promise<boolean> {
    let isDrained = false;
    while (!isDrained && (await this.#turns.take(this.#turnRequest))) {
      let windowMs = 0;
      if (this.#mayDrain()) {
        if (this.#roundLeft <= 0) this.#roundLeft = this.#core.fibCounters(this.#fib).pendingCount;
        const batch = this.#core.drain(this.#fib, this.#batchSize());
        isDrained = batch.count === 0;
        this.#roundLeft -= isDrained ? this.#roundLeft : batch.count;
        if (!isDrained) windowMs = await this.#apply(batch);
        if (this.#roundLeft > 0) windowMs = 0; // A table is loaded in one go: northd reads it as a whole.
      }
      this.#turns.end(this.#turnRequest, windowMs);
      if (!this.#mayDrain() || !this.#isPending()) break;
    }
    return isDrained;
  }

  /** Where others wait for the same database, turns are short. */
  #batchSize(): number {
    const { smallest } = batchBounds[this.#options.kind];
    return this.#turns.isContested ? smallest : this.#limit.records;
  }

  /** How long others will work on what was written. */
  async #apply(batch: FibBatchMessage): Promise<number> {
    const { count } = batch;
    // The buffer goes to the worker; the records' prefixes are needed to name what it refuses.
    const records = new FibBatch(
      batch.buffer.slice(0, count * FIB_CHANGE_SIZE),
      count,
      count * FIB_CHANGE_SIZE,
    );
    this.#inFlightCount = count;
    try {
      const result = await this.#options.worker.apply(batch);
      if (result.known) this.#acknowledge(records, result);
      else this.#forget('the answer was lost');
      return result.windowMs ?? 0;
    } catch (error) {
      this.#forget((error as Error).message);
      return 0;
    }
  }

  #acknowledge(records: FibBatch, { failures, durationMs }: ApplyResult): void {
    this.#batchCount++;
    this.#writtenCount += records.count - failures.length;
    this.#lastBatchMs = durationMs;
    this.#limit.learn(records.count, durationMs);
    this.#core.acknowledge(
      this.#fib,
      failures.map((failure) => failure.index),
    );
    if (this.#failures.size > 0) this.#clearFailures(records, failures);
    if (failures.length === 0) return;
    const now = this.#clock.wallTime();
    for (const failure of failures) {
      const { prefix } = records.change(failure.index);
      this.#failures.refuse(prefix, failure, now, this.#clock.chance());
    }
    this.#tellRefusals();
    this.#startRetryTimer();
  }

  #clearFailures(records: FibBatch, failures: ApplyResult['failures']): void {
    const refused = new Set(failures.map((failure) => failure.index));
    for (let index = 0; index < records.count; index++) {
      if (!refused.has(index)) this.#failures.clear(records.change(index).prefix);
    }
  }

  #forget(reason: string): void {
    this.#core.forget(this.#fib);
    this.#needsSnapshot = true;
    this.#options.log.warn({ reason }, 'batch lost');
  }

  #hear(event: SinkEvent): void {
    switch (event.type) {
      case 'state':
        this.#hearState(event.state, event.reason);
        break;
      case 'snapshotBegin':
        this.#inSnapshot = true;
        this.#core.beginSnapshot(this.#fib);
        break;
      case 'observed':
        this.#core.observe(this.#fib, event.records, event.byteLength);
        break;
      case 'foreign':
        this.#core.observeForeign(this.#fib, event.records, event.byteLength);
        this.#options.onWork();
        break;
      case 'snapshotEnd':
        this.#endSnapshot(event);
        break;
      case 'refused':
        this.#hearRefused(event);
        break;
      case 'released':
        this.#core.retry(this.#fib, event.records, event.byteLength);
        for (const { prefix } of decodeObservations(event.records, event.byteLength)) {
          this.#failures.release(prefix);
        }
        break;
    }
    this.kick();
  }

  #hearState(state: SinkState, reason: string): void {
    if (state === 'ready') this.#lossCount = 0;
    // A snapshot that breaks off is begun anew.
    else this.#inSnapshot = false;
    if (this.#state !== 'flushed') this.#setState(state, reason);
  }

  #endSnapshot(event: Extract<SinkEvent, { type: 'snapshotEnd' }>): void {
    const { ownedCount, foreignCount } = event;
    this.#ownedCount = ownedCount;
    this.#foreignCount = foreignCount;
    this.#core.endSnapshot(this.#fib);
    this.#inSnapshot = false;
    this.#needsSnapshot = false;
    const { pendingCount } = this.#core.fibCounters(this.#fib);
    this.#options.log.info({ ownedCount, foreignCount, pendingCount }, 'target read');
    this.#wasRead = true;
    if (ownedCount === 0) this.#waitsForFirstSync = false;
    const release = this.#awaitedRelease;
    this.#awaitedRelease = undefined;
    if (release !== undefined) this.#atRest(() => this.releaseRemovals(release));
    this.#options.onWork();
  }

  #atRest(callback: () => void): void {
    if (this.#options.atRest === undefined) callback();
    else this.#options.atRest(callback);
  }

  #hearRefused(event: Extract<SinkEvent, { type: 'refused' }>): void {
    this.#core.refuse(this.#fib, event.records, event.byteLength);
    const now = this.#clock.wallTime();
    for (const { prefix } of decodeObservations(event.records, event.byteLength)) {
      this.#failures.refuse(prefix, event, now, this.#clock.chance());
    }
    this.#tellRefusals();
    this.#startRetryTimer();
  }

  /** One line when a kind of refusal begins and one when it has ended: a full router may refuse a million prefixes. */
  #tellRefusals(): void {
    const { counts } = this.#failures;
    for (const [code, count] of counts) {
      if (this.#refusalsTold.has(code)) continue;
      this.#refusalsTold.add(code);
      const failure = this.#failures.first(code)!;
      const fields = {
        code,
        count,
        prefix: formatPrefix(failure.prefix),
        message: failure.message,
      };
      if (code === 'limit') this.#options.log.error(fields, 'records refused');
      else this.#options.log.warn(fields, 'records refused');
    }
    for (const code of this.#refusalsTold) {
      if (counts.has(code)) continue;
      this.#refusalsTold.delete(code);
      this.#options.log.info({ code }, 'no more records refused');
    }
  }

  #startRetryTimer(): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    const next = this.#failures.nextRetry();
    if (next === undefined || this.#stopped) return;
    const delay = Math.max(0, next - this.#clock.wallTime());
    this.#retryTimer = this.#clock.setTimer(delay, () => this.#retryDue());
  }

  #retryDue(): void {
    const due = this.#failures.takeDue(this.#clock.wallTime());
    const { records, byteLength } = encodeObservations(
      due.map((prefix) => ({ prefix, set: undefined })),
    );
    if (due.length > 0) this.#core.retry(this.#fib, records, byteLength);
    this.#startRetryTimer();
    this.kick();
  }

  async #open(): Promise<void> {
    await this.#options.worker
      .open({
        onEvent: (event) => this.#hear(event),
        onLost: (reason) => this.#lose(reason),
      })
      .catch((error: Error) => this.#lose(error.message));
  }

  /** The worker is gone. Its successor reads what is there before anything is written. */
  #lose(reason: string): void {
    if (this.#stopped || this.#reopenTimer !== undefined) return;
    this.#inSnapshot = false;
    this.#needsSnapshot = true;
    if (this.#state !== 'flushed') this.#setState('connecting', reason);
    this.#options.log.error({ reason }, 'worker lost');
    const delay = Math.min(LONGEST_REOPEN_MS, REOPEN_MS * 2 ** this.#lossCount++);
    this.#reopenTimer = this.#clock.setTimer(delay, () => {
      this.#reopenTimer = undefined;
      void this.#open();
    });
  }

  #setState(state: SinkState | 'flushed', reason: string): void {
    if (state !== this.#state) {
      this.#stateSince = this.#clock.wallTime();
      this.#options.log.info({ state, reason }, 'target state');
    }
    this.#state = state;
    this.#reason = reason;
  }
}
