// Reading the core's tables: pages of routes, of FIB entries, of what a Loc-RIB forwards to; and longest matches.
import { ANY_PEER, INPUT_SIZE, STAGE_ADJ_RIB_IN, STAGE_LOC_RIB } from '../../assembly/abi.ts';
import { type AddressFamily, familyNumbers } from '../net/address-family.ts';
import { type Prefix, prefixFamily } from '../net/prefix.ts';
import type { Border } from './border.ts';
import {
  type FibRow,
  type LabelRow,
  readCarriedPrefixes,
  readFibRows,
  readLabelRows,
} from './fib-rows.ts';
import type { FibsOfNetworks } from './fibs.ts';
import { type RouteRow, readRouteRows } from './route-rows.ts';
import { addressSize } from './stored-key.ts';
import {
  type Page,
  type PrefixMatch,
  readCursor,
  type WalkCursor,
  writeCursor,
  writeMatch,
} from './walk.ts';

export interface ReadingCalls {
  routes(
    query: {
      readonly network: number;
      readonly family: AddressFamily;
      readonly stage: 'adj-rib-in' | 'loc-rib';
      readonly peer?: number;
      readonly match: PrefixMatch;
    },
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<RouteRow>;
  fibEntries(
    fib: number,
    family: AddressFamily,
    match: PrefixMatch,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<FibRow>;
  /** What the Loc-RIB of a network forwards to, whatever its FIBs make of it. */
  labels(
    network: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<LabelRow>;
  /** The routes an entry of an aggregated FIB stands for, up to `limit`. */
  carriedRoutes(fib: number, prefix: Prefix, limit: number): Prefix[];
  /**
   * Longest matches in a Loc-RIB for many addresses, back to back in `addresses` (4 bytes each for IPv4, 16 for IPv6): the prefix
   * lengths, −1 where nothing matches.
   */
  lookUp(network: number, family: AddressFamily, addresses: Uint8Array): Int16Array;
}

export function readingCalls(border: Border, fibsOfNetworks: FibsOfNetworks): ReadingCalls {
  const { exports } = border;
  return {
    routes({ network, family, stage, peer = ANY_PEER, match }, cursor, limit) {
      const { kind, bits } = writeMatch(border, match);
      const done = exports.readRoutes(
        network,
        familyNumbers(family).index,
        stage === 'loc-rib' ? STAGE_LOC_RIB : STAGE_ADJ_RIB_IN,
        peer,
        kind,
        bits,
        writeCursor(border, cursor),
        limit,
      );
      border.expect(done, `network ${network} is not known`);
      const fibs = fibsOfNetworks.get(network) ?? [];
      return { rows: readRouteRows(border.output(), family, fibs), next: readCursor(border) };
    },

    fibEntries(fib, family, match, cursor, limit) {
      const { kind, bits } = writeMatch(border, match);
      const index = familyNumbers(family).index;
      const done = exports.readFib(fib, index, kind, bits, writeCursor(border, cursor), limit);
      border.expect(done, `FIB ${fib} is not known`);
      return { rows: readFibRows(border.output(), family), next: readCursor(border) };
    },

    labels(network, family, cursor, limit) {
      const index = familyNumbers(family).index;
      const done = exports.readLabels(network, index, writeCursor(border, cursor), limit);
      border.expect(done, `network ${network} is not known`);
      return { rows: readLabelRows(border.output(), family), next: readCursor(border) };
    },

    carriedRoutes(fib, prefix, limit) {
      const family = prefixFamily(prefix);
      const { bits } = writeMatch(border, { kind: 'exact', prefix });
      const done = exports.readCarried(fib, familyNumbers(family).index, bits, limit);
      border.expect(done, `FIB ${fib} is not known`);
      return readCarriedPrefixes(border.output(), family);
    },

    lookUp(network, family, addresses) {
      const size = addressSize(family);
      const perCall = Math.floor(INPUT_SIZE / size);
      const lengths = new Int16Array(addresses.length / size);
      for (let first = 0; first < lengths.length; first += perCall) {
        const count = Math.min(perCall, lengths.length - first);
        border.write(addresses.subarray(first * size, (first + count) * size));
        const done = exports.lookUp(network, familyNumbers(family).index, count);
        border.expect(done, `network ${network} is not known`);
        lengths.set(new Int16Array(border.copyOutput(count * lengths.BYTES_PER_ELEMENT)), first);
      }
      return lengths;
    },
  };
}
