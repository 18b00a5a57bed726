// How long all sessions together may hold the event loop in one turn; shared by the sessions of a speaker.
//
// The kernel hands over chunk after chunk of a busy peer without a turn in between. Past the budget a session stops reading
// until the next turn, so that timers, other sockets and the workers' replies come round.
import type { Clock } from './clock.ts';

const BUDGET_MS = 10;

export class TurnBudget {
  readonly #clock: Clock;
  #spentMs = 0;
  #isTurnMarked = false;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs the work on account; true when the turn's budget is used up. */
  spend(work: () => void): boolean {
    this.#markTurn();
    const start = this.#clock.now();
    work();
    this.#spentMs += this.#clock.now() - start;
    return this.#spentMs >= BUDGET_MS;
  }

  /** Calls back in the next turn. */
  onNextTurn(callback: () => void): void {
    this.#markTurn();
    this.#waiting.push(callback);
  }

  #markTurn(): void {
    if (this.#isTurnMarked) return;
    this.#isTurnMarked = true;
    this.#clock.defer(() => {
      this.#isTurnMarked = false;
      this.#spentMs = 0;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) callback();
    });
  }
}
