// Time and chance, as the closed loop of a target needs them; tests bring their own.

export interface SinkClock {
  /** Milliseconds since 1970. */
  wallTime(): number;
  setTimer(delayMs: number, callback: () => void): SinkTimer;
  /** 0…1, for spreading retries. */
  chance(): number;
}

export interface SinkTimer {
  cancel(): void;
}

export const systemClock: SinkClock = {
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  chance: () => Math.random(),
};
