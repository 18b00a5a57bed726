// FIBs of the core, one per target of a network: changes out in batches, what became of them and what is in place back in.
import {
  ABOUT_FOREIGN,
  ABOUT_PLACE,
  ABOUT_REFUSAL,
  ABOUT_RETRY,
  AGGREGATION_DISCARD,
  AGGREGATION_ENDED,
  AGGREGATION_EXACT,
  AGGREGATION_OFF,
  COST_PER_ENTRY,
  COST_PER_NEXT_HOP,
  RESULT_OUTPUT_COUNT,
} from '../../assembly/abi.ts';
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';
import type { Border } from './border.ts';
import { type FibBatchMessage, observationParts } from './records.ts';
import { readCursor, type WalkCursor, writeCursor } from './walk.ts';

/** What a FIB makes of the routes it is given. */
export type Aggregation = 'off' | 'exact' | 'discard';

export interface FibOptions {
  /** What is installed but not desired stays until releaseRemovals (P3). */
  readonly holdRemovals: boolean;
  /** It is told of restless prefixes when they have come to rest: for targets that pay for each change. */
  readonly isPatient?: boolean;
  /**
   * `exact`: the fewest entries that forward alike. `discard`: entries that drop may be used for that.
   * `ended`: off, and written in the order in which an aggregated table is replaced. Default: `off`.
   */
  readonly aggregation?: Aggregation | 'ended';
  /** What the target pays for: next hops (OVN's rows), or entries, whatever they forward to (default). */
  readonly cost?: 'next-hops' | 'entries';
}

export interface FibCounters {
  readonly entryCount: number;
  readonly installedCount: number;
  readonly pendingCount: number;
  readonly refusedCount: number;
  /** Removals that wait for the end of the first sync (P3). */
  readonly heldCount: number;
}

export interface FibCalls {
  addFib(fib: number, network: number, options: FibOptions): void;
  removeFib(fib: number): void;
  /** Ids of FIBs with something to drain, cheap enough for every receive(). */
  pendingFibs(): readonly number[];
  /** Whether bad news is among what can be drained: something in place must go. */
  isUrgent(fib: number): boolean;
  /** Takes up to `limit` changes in order of urgency, then age. One batch in flight per FIB. The buffer is the caller's. */
  drain(fib: number, limit: number): FibBatchMessage;
  /** The batch in flight is in place, but for the records named. Refused entries wait for retry(). */
  acknowledge(fib: number, failedIndexes: readonly number[]): void;
  /** It is not known what was written: every record of the batch in flight is pending again, after the next snapshot. */
  forget(fib: number): void;
  beginSnapshot(fib: number): void;
  /** What a sink says is in place; inside a snapshot or at any time. A difference from what is desired becomes pending. */
  observe(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** Routes of others that came or went, as encodeForeign writes them: an aggregated FIB stays clear of them, after work(). */
  observeForeign(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** What the snapshot did not name is not installed, or not there. */
  endSnapshot(fib: number): void;
  /** Marks entries refused (count-0 observations name them), or lets refused entries be tried again. */
  refuse(fib: number, records: ArrayBuffer, byteLength: number): void;
  retry(fib: number, records: ArrayBuffer, byteLength: number): void;
  /** Installed, not desired: may be removed from now on. */
  releaseRemovals(fib: number): void;
  fibCounters(fib: number): FibCounters;
  /**
   * Of the removals that wait for the end of the first sync, those that leave addresses without a route that had one, or with another; the
   * others stand for routes that are still there. About `limit` entries from the cursor on are looked at.
   */
  countLosses(
    fib: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): LossCount;
}

export interface LossCount {
  readonly count: number;
  readonly next: WalkCursor | undefined;
}

/** FIBs of each network that has any, in the order they were added. */
export type FibsOfNetworks = Map<number, readonly number[]>;

const aggregations = {
  off: AGGREGATION_OFF,
  exact: AGGREGATION_EXACT,
  discard: AGGREGATION_DISCARD,
  ended: AGGREGATION_ENDED,
};

export function fibCalls(border: Border, fibsOfNetworks: FibsOfNetworks): FibCalls {
  const { exports } = border;
  const expectKnown = (done: number, fib: number): void => {
    border.expect(done, `FIB ${fib} is not known`);
  };
  const teller = (about: number) => (fib: number, records: ArrayBuffer, byteLength: number) => {
    for (const part of observationParts(records, byteLength)) {
      border.write(part);
      expectKnown(exports.observe(fib, part.length, about), fib);
    }
  };
  const fibCounters = (fib: number): FibCounters => {
    expectKnown(exports.readFibCounters(fib), fib);
    return {
      entryCount: border.counter(0),
      installedCount: border.counter(1),
      pendingCount: border.counter(2),
      refusedCount: border.counter(3),
      heldCount: border.counter(4),
    };
  };
  return {
    addFib(fib, network, { holdRemovals, isPatient = false, aggregation = 'off', cost }) {
      const done = exports.addFib(
        fib,
        network,
        holdRemovals,
        isPatient,
        aggregations[aggregation],
        cost === 'next-hops' ? COST_PER_NEXT_HOP : COST_PER_ENTRY,
      );
      border.expect(done, `FIB ${fib} cannot be added to network ${network}`);
      fibsOfNetworks.set(network, [...(fibsOfNetworks.get(network) ?? []), fib]);
    },

    removeFib(fib) {
      expectKnown(exports.removeFib(fib), fib);
      for (const [network, fibs] of fibsOfNetworks) {
        const others = fibs.filter((other) => other !== fib);
        if (others.length > 0) fibsOfNetworks.set(network, others);
        else fibsOfNetworks.delete(network);
      }
    },

    pendingFibs() {
      const pending: number[] = [];
      for (const fibs of fibsOfNetworks.values()) {
        for (const fib of fibs) if (exports.isFibPending(fib)) pending.push(fib);
      }
      return pending;
    },

    isUrgent(fib) {
      return exports.isFibUrgent(fib) !== 0;
    },

    drain(fib, limit) {
      const done = exports.drain(fib, limit);
      border.expect(done, `FIB ${fib} is not known or has a batch in flight`);
      const buffer = border.copyOutput();
      const count = border.field(RESULT_OUTPUT_COUNT);
      const remaining = fibCounters(fib).pendingCount - count;
      return { buffer, count, byteLength: buffer.byteLength, remaining };
    },

    acknowledge(fib, failedIndexes) {
      border.writeNumbers(failedIndexes);
      expectKnown(exports.acknowledge(fib, failedIndexes.length), fib);
    },

    forget(fib) {
      expectKnown(exports.forget(fib), fib);
    },

    beginSnapshot(fib) {
      expectKnown(exports.beginSnapshot(fib), fib);
    },

    observe: teller(ABOUT_PLACE),
    observeForeign: teller(ABOUT_FOREIGN),

    endSnapshot(fib) {
      expectKnown(exports.endSnapshot(fib), fib);
    },

    refuse: teller(ABOUT_REFUSAL),
    retry: teller(ABOUT_RETRY),

    countLosses(fib, family, cursor, limit) {
      const { index } = familyNumbers(family);
      expectKnown(exports.readLosses(fib, index, writeCursor(border, cursor), limit), fib);
      return { count: border.counter(0), next: readCursor(border) };
    },

    releaseRemovals(fib) {
      expectKnown(exports.releaseRemovals(fib), fib);
    },

    fibCounters,
  };
}
