// How long the main loop was held: the worst delay since the start and since the last look, in milliseconds.
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopWatch {
  /** Worst delay since the last call, in milliseconds. */
  takeWorstMs(): number;
  worstMs(): number;
  stop(): void;
}

const RESOLUTION_MS = 5;

export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let worst = 0;
  // The histogram measures from timer to timer: its own interval is not a delay.
  const read = (): number => Math.max(0, histogram.max / 1e6 - RESOLUTION_MS);
  return {
    takeWorstMs() {
      const recent = read();
      worst = Math.max(worst, recent);
      histogram.reset();
      return recent;
    },
    worstMs: () => Math.max(worst, read()),
    stop: () => histogram.disable(),
  };
}
