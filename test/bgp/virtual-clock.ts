// A clock that stands still until a test moves it; timers and deferred work run in order, on the test's own stack.
import type { Clock, Timer } from '../../src/bgp/clock.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Entry>();
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return 1_800_000_000_000 + this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + delayMs, callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Runs what is deferred, and what that defers, until nothing is left. */
  settle(): void {
    for (let turn = 0; this.#deferred.length > 0; turn++) {
      if (turn > 100_000) throw new Error('deferred work does not come to an end');
      const callbacks = this.#deferred;
      this.#deferred = [];
      for (const callback of callbacks) callback();
    }
  }

  /** Lets time pass, stopping at every timer on the way. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      this.settle();
    }
    this.#now = end;
  }

  /** Time passes while nothing can run: a busy event loop. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#timers) {
      if (entry.at <= end && (first === undefined || entry.at < first.at)) first = entry;
    }
    return first;
  }
}
