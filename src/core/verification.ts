// Verification: where an aggregated FIB forwards otherwise than the routes of its network do.
import {
  RANGE_ACTUAL,
  RANGE_EXPECTED,
  RANGE_FIRST,
  RANGE_FLAG_ACTUAL_FOREIGN,
  RANGE_FLAG_EXPECTED_FOREIGN,
  RANGE_FLAGS,
  RANGE_LAST,
  RANGE_SIZE,
} from '../../assembly/abi.ts';
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Border, Output } from './border.ts';
import { type FibNextHop, readSets } from './fib-rows.ts';
import { addressSize, copyBytes } from './stored-key.ts';
import { readCursor, type WalkCursor, writeCursor } from './walk.ts';

/** Addresses that an aggregated FIB forwards otherwise than its network's routes do. */
export interface FibDifference {
  readonly first: IpAddress;
  readonly last: IpAddress;
  readonly expected: FibForwarding;
  readonly actual: FibForwarding;
}

export interface FibForwarding {
  /** Ours; undefined: none of our rows or routes decides. Without any next hop: dropped, on purpose. */
  readonly nextHops: readonly FibNextHop[] | undefined;
  /** A route of somebody else takes part. */
  readonly withForeign: boolean;
}

export interface FibCheck {
  readonly differences: readonly FibDifference[];
  readonly next: WalkCursor | undefined;
}

export interface VerificationCalls {
  /**
   * Compares the desired entries of an aggregated FIB, with the routes of others that it knows, to the routes of its network: about
   * `limit` prefixes of all tables from the cursor on. Each call holds by itself, whatever changes between two. Undefined: it cannot
   * be told now, something is on its way (work()); or it is not aggregated.
   */
  verifyFib(
    fib: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): FibCheck | undefined;
}

export function verificationCalls(border: Border): VerificationCalls {
  return {
    verifyFib(fib, family, cursor, limit) {
      const index = familyNumbers(family).index;
      const done = border.exports.verifyFib(fib, index, writeCursor(border, cursor), limit);
      border.expect(done, `FIB ${fib} is not known`);
      const isTold = border.counter(0) !== 0;
      if (!isTold) return undefined;
      return { differences: readDifferences(border.output(), family), next: readCursor(border) };
    },
  };
}

/** Ranges as verifyFib leaves them, the definitions of the sets they name behind them. */
function readDifferences(
  { view, start, end, count }: Output,
  family: AddressFamily,
): FibDifference[] {
  const sets = readSets(view, start + count * RANGE_SIZE, end);
  const addressBytes = addressSize(family);
  return Array.from({ length: count }, (_, i) => {
    const offset = start + i * RANGE_SIZE;
    const flags = view.getUint32(offset + RANGE_FLAGS, true);
    const nextHops = (at: number) => sets.get(view.getUint32(offset + at, true));
    return {
      first: copyBytes(view, offset + RANGE_FIRST, addressBytes),
      last: copyBytes(view, offset + RANGE_LAST, addressBytes),
      expected: {
        nextHops: nextHops(RANGE_EXPECTED),
        withForeign: (flags & RANGE_FLAG_EXPECTED_FOREIGN) !== 0,
      },
      actual: {
        nextHops: nextHops(RANGE_ACTUAL),
        withForeign: (flags & RANGE_FLAG_ACTUAL_FOREIGN) !== 0,
      },
    };
  });
}
