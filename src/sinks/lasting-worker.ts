// A target's worker for as long as the target is wanted: one that is lost with its thread is opened again, after a wait.
import type { SinkClock, SinkTimer } from './clock.ts';
import type { TargetListener, TargetWorker } from './target-worker.ts';

/** After a worker was lost: the first wait, doubled for each loss without a ready state in between. */
const REOPEN_MS = 500;
const LONGEST_REOPEN_MS = 30_000;

export class LastingWorker {
  readonly #worker: TargetWorker;
  readonly #clock: SinkClock;
  readonly #listener: TargetListener;
  #lossCount = 0;
  #reopening: SinkTimer | undefined;
  #isStopped = false;
  #isTaken = false;

  constructor(worker: TargetWorker, clock: SinkClock, listener: TargetListener) {
    this.#worker = worker;
    this.#clock = clock;
    this.#listener = listener;
  }

  async open(): Promise<void> {
    const onLost = (reason: string): void => this.#lose(reason);
    await this.#worker
      .open({ onEvent: this.#listener.onEvent, onLost }, this.#isTaken)
      .catch((error: Error) => onLost(error.message));
  }

  /** As of TargetWorker; whoever is opened anew is told too. */
  block(isTaken: boolean): void {
    this.#isTaken = isTaken;
    this.#worker.block(isTaken);
  }

  /** It has become ready: the next loss is the first again. */
  settle(): void {
    this.#lossCount = 0;
  }

  /** It is not opened again from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#reopening?.cancel();
  }

  #lose(reason: string): void {
    if (this.#isStopped || this.#reopening !== undefined) return;
    this.#listener.onLost(reason);
    const delay = Math.min(LONGEST_REOPEN_MS, REOPEN_MS * 2 ** this.#lossCount++);
    this.#reopening = this.#clock.setTimer(delay, () => {
      this.#reopening = undefined;
      void this.open();
    });
  }
}
