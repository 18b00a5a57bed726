// Time as the speaker sees it, passed in so that tests run on a virtual one.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds: for intervals. */
  now(): number;
  /** Milliseconds since 1970: for people. */
  wallTime(): number;
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Runs the callback in the next turn of the event loop, after sockets had theirs. */
  defer(callback: () => void): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  defer: (callback) => void setImmediate(callback),
};
