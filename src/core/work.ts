// Work the core puts off: sweeps and decisions for when there is time, restless prefixes for when they have come to rest.
import type { Border } from './border.ts';

export interface WorkCalls {
  /** Does up to `budget` units (about 1 µs each) of sweeps and re-decisions; true while there is more. */
  work(budget: number): boolean;
  /**
   * Tells patient FIBs of those prefixes that have come to rest after many changes a second; true while others have not. To be
   * called a few times a second while there are any.
   */
  passRestedPrefixes(nowSeconds: number): boolean;
  /** How many patient FIBs are not told of at once. */
  restlessPrefixCount(): number;
}

export function workCalls(border: Border): WorkCalls {
  const { exports } = border;
  return {
    work(budget) {
      const hasMore = exports.work(budget) !== 0;
      border.refresh();
      return hasMore;
    },

    passRestedPrefixes(nowSeconds) {
      const areMoreWaiting = exports.passRestedPrefixes(millisecondsOf(nowSeconds)) !== 0;
      border.refresh();
      return areMoreWaiting;
    },

    restlessPrefixCount() {
      return exports.readRestlessCount();
    },
  };
}

/** As the core counts them: modulo 2^32. */
export function millisecondsOf(seconds: number): number {
  return Math.floor(seconds * 1000) % 2 ** 32;
}
