// The closed loop of one target: core ► batch ► sink ► answer ► core, and what the sink sees of its own accord ► core.
//
// The core knows for every entry of the FIB what is desired and what is installed; the difference is pending. This file moves it:
//
//   kick() ─► drain ─► apply ─► acknowledge ─► drain … until nothing is pending
//
// Invariant: one batch in flight at most, per target and per database (turns.ts). What changes meanwhile coalesces in the core, so an
// idle target gets a change at once and a busy one gets bigger batches; there is no fixed delay anywhere. Batches are only drained while
// the sink is `ready`, never inside a snapshot, and after an answer that is not known (`forget`) only when the next snapshot has said
// what is there.
//
// A refused record keeps nobody out (refusals.ts). A sink that is lost with its thread is opened again (lasting-worker.ts); its snapshot
// decides. At the start the core holds removals (P3), and releaseRemovals() lets them go (first-sync.ts).
//
// Not here: what is desired (the core), how it is written (the sink), when the first sync has ended (the agent).
import { FIB_CHANGE_SIZE } from '../../assembly/abi.ts';
import { FibBatch, type FibBatchMessage } from '../core/records.ts';
import type { Prefix } from '../net/prefix.ts';
import { BatchLimit, batchBounds } from './batch-limit.ts';
import { type SinkClock, systemClock } from './clock.ts';
import type { Failure } from './failures.ts';
import type { FibCore } from './fib-core.ts';
import { FirstSync } from './first-sync.ts';
import { LastingWorker } from './lasting-worker.ts';
import { Refusals } from './refusals.ts';
import type { ApplyResult, SinkEvent, SinkState } from './sink.ts';
import type { TargetLog, TargetState, TargetStatus } from './target-status.ts';
import type { TargetWorker } from './target-worker.ts';
import { type TurnRequest, Turns } from './turns.ts';

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
  readonly clock?: SinkClock;
  /** A snapshot has ended: the core has deferred work (RouteCore.work) before it can be drained; kick() after it. */
  readonly onWork: () => void;
  /** Calls back when the core has no deferred work. Default: at once. */
  readonly atRest?: (callback: () => void) => void;
  /**
   * What is in place stays as it is until every source has been heard: entries of a part of the routes are none of the whole, as
   * they are where each route is an entry. A target that has nothing of ours is written at once.
   */
  readonly waitsForFirstSync?: boolean;
  readonly log: TargetLog;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #core: FibCore;
  readonly #fib: number;
  readonly #clock: SinkClock;
  readonly #worker: LastingWorker;
  readonly #limit: BatchLimit;
  readonly #turns: Turns;
  readonly #turnRequest: TurnRequest;
  readonly #refusals: Refusals;
  readonly #firstSync: FirstSync;
  #state: TargetState = 'connecting';
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
  /** Why the place is not ours now. */
  #blocked: string | undefined;
  #writtenCount = 0;
  #batchCount = 0;
  #lastBatchMs = 0;
  #ownedCount = 0;
  #foreignCount = 0;

  constructor(options: ReconcilerOptions) {
    const { core, fib, log, clock = systemClock } = options;
    this.#options = options;
    this.#core = core;
    this.#fib = fib;
    this.#clock = clock;
    this.#worker = new LastingWorker(options.worker, clock, {
      onEvent: (event) => this.#hear(event),
      onLost: (reason) => this.#lose(reason),
    });
    this.#refusals = new Refusals({ core, fib, clock, log, onRetry: () => this.kick() });
    this.#firstSync = new FirstSync({
      core,
      fib,
      log,
      maxRemovalShare: options.maxRemovalShare,
      keepsAll: options.waitsForFirstSync,
      onDecided: () => this.kick(),
    });
    this.#limit = new BatchLimit(batchBounds[options.kind]);
    this.#turns = options.turns ?? new Turns();
    this.#turnRequest = { isUrgent: () => this.#core.isUrgent(this.#fib) };
    this.#stateSince = this.#clock.wallTime();
  }

  /** Opens the sink; it says by itself when it is ready. */
  async start(): Promise<void> {
    await this.#worker.open();
  }

  /** The place is somebody else's for now, or (undefined) ours: while it is not, nothing is written and nothing flushed. */
  block(reason: string | undefined): void {
    if (reason === this.#blocked) return;
    this.#blocked = reason;
    this.#worker.block(reason !== undefined);
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
      if (isDrained || !this.#isPending()) this.#refusals.dropTried();
      else this.kick(); // What came while the loop was ending.
      this.#refusals.tell();
    });
  }

  /**
   * The first sync has ended: what is left over from an earlier life may go (P3). Too many at once stay held until `force`, an operator's
   * word. Decided when the target has been read, not before.
   */
  releaseRemovals({ force = false }: { readonly force?: boolean } = {}): void {
    if (this.#firstSync.release({ force })) this.kick();
  }

  /** Why a prefix is not in the target, if it was refused. */
  failure(prefix: Prefix): Failure | undefined {
    return this.#refusals.get(prefix);
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
      ...this.#refusals.status(),
      ownedCount: this.#ownedCount,
      foreignCount: this.#foreignCount,
      removalsHeld: this.#firstSync.removalsHeld,
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
    this.#worker.stop();
    this.#refusals.stop();
    this.#firstSync.stop();
    this.#turns.giveUp(this.#turnRequest);
    await this.#inFlight;
    await this.#options.worker.close();
  }

  #mayDrain(): boolean {
    if (this.#blocked !== undefined) return false;
    if (this.#firstSync.keepsAll || this.#stopped) return false;
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
    this.#refusals.answered(records, failures);
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
        this.#refusals.heard(event);
        break;
      case 'released':
        this.#refusals.released(event);
        break;
    }
    this.kick();
  }

  #hearState(state: SinkState, reason: string): void {
    if (state === 'ready') this.#worker.settle();
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
    const release = this.#firstSync.read(ownedCount);
    if (release !== undefined) this.#atRest(() => this.releaseRemovals(release));
    this.#options.onWork();
  }

  #atRest(callback: () => void): void {
    if (this.#options.atRest === undefined) callback();
    else this.#options.atRest(callback);
  }

  /** The worker is gone. Its successor reads what is there before anything is written. */
  #lose(reason: string): void {
    this.#inSnapshot = false;
    this.#needsSnapshot = true;
    if (this.#state !== 'flushed') this.#setState('connecting', reason);
    this.#options.log.error({ reason }, 'worker lost');
  }

  #setState(state: TargetState, reason: string): void {
    if (state !== this.#state) {
      this.#stateSince = this.#clock.wallTime();
      this.#options.log.info({ state, reason }, 'target state');
    }
    this.#state = state;
    this.#reason = reason;
  }
}
