// A batch of FIB changes → the rows each prefix must have. Pure.
import type { FibBatch } from '../../core/records.ts';
import { familyFromIndex } from '../../net/address-family.ts';
import { formatPrefix } from '../../net/prefix.ts';
import type { RecordFailure } from '../sink.ts';
import { wantedNextHops } from './row.ts';
import type { RouteRecord } from './transaction.ts';

/** A batch as the writer takes it. */
export interface ReadBatch {
  /** Records of distinct prefixes each, to be written one wave after the other: a prefix's records keep their order. */
  readonly waves: readonly RouteRecord[][];
  readonly prefixes: ReadonlySet<string>;
  readonly failures: RecordFailure[];
}

export function readBatch(batch: FibBatch): ReadBatch {
  const first: RouteRecord[] = [];
  const waves = [first];
  const prefixes = new Set<string>();
  const repeats = new Map<string, number>();
  const failures: RecordFailure[] = [];
  const nexthopsOf = memoize(wantedNextHops);
  for (let index = 0; index < batch.count; index++) {
    const family = familyFromIndex(batch.family(index));
    if (family === 'l2vpn-evpn') {
      failures.push({ index, code: 'rejected', message: `${family} has no static routes` });
      continue;
    }
    const prefix = formatPrefix({ address: batch.address(index), length: batch.bits(index) });
    const record = { index, prefix, nexthops: nexthopsOf(batch.to(index)) };
    if (!prefixes.has(prefix)) {
      prefixes.add(prefix);
      first.push(record);
      continue;
    }
    const wave = (repeats.get(prefix) ?? 0) + 1;
    repeats.set(prefix, wave);
    waves[wave] ??= [];
    waves[wave].push(record);
  }
  return { waves, prefixes, failures };
}

/** A batch names few next-hop sets, and each many times. */
function memoize<Key, Result>(compute: (key: Key) => Result): (key: Key) => Result {
  const results = new Map<Key, Result>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = compute(key);
    results.set(key, result);
    return result;
  };
}
