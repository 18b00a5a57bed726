// The ordered walk over two tables, against a look-up of every address.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clearHostBits, formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { findDifferences, type LabelledPrefix } from '../../src/verify/differences.ts';
import { compareEveryAddress } from '../naive/differences.ts';

const table = (entries: Readonly<Record<string, string>>): LabelledPrefix[] =>
  Object.entries(entries).map(([text, label]) => ({ prefix: parsePrefix(text)!, label }));

/** Tables of the first 32 addresses, with what covers them. */
const smallTable = (bytes: 4 | 16): fc.Arbitrary<LabelledPrefix[]> =>
  fc
    .array(
      fc.record({
        last: fc.integer({ min: 0, max: 31 }),
        length: fc.oneof(
          fc.integer({ min: bytes * 8 - 5, max: bytes * 8 }),
          fc.constantFrom(0, bytes * 8 - 6),
        ),
        label: fc.constantFrom('a', 'b', 'c'),
      }),
      { maxLength: 14 },
    )
    .map((entries) => {
      const byPrefix = new Map<string, LabelledPrefix>();
      for (const { last, length, label } of entries) {
        const address = new Uint8Array(bytes);
        address[bytes - 1] = last;
        const prefix = { address: clearHostBits(address, length), length };
        byPrefix.set(formatPrefix(prefix), { prefix, label });
      }
      return [...byPrefix.values()];
    });

describe('findDifferences', () => {
  it.each([4, 16] as const)('finds what a look-up of every address finds (%i bytes)', (bytes) => {
    fc.assert(
      fc.property(smallTable(bytes), smallTable(bytes), (expected, actual) => {
        const bits = bytes === 4 ? 32 : 128;
        const found = findDifferences(expected, actual, bits)
          .filter(({ first }) => first < 32n)
          .map((each) => ({ ...each, last: each.last > 31n ? 31n : each.last }));
        expect(found).toEqual(compareEveryAddress(expected, actual, 32));
        expect(findDifferences(expected, expected, bits)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes tables with other rows that forward alike for equal', () => {
    const routes = table({ '10.0.0.0/24': 'a', '10.0.1.0/24': 'a', '10.0.1.7/32': 'b' });
    const rows = table({ '10.0.0.0/23': 'a', '10.0.1.7/32': 'b' });
    expect(findDifferences(routes, rows, 32)).toEqual([]);
  });

  it('names whole ranges, with what is there and what is not', () => {
    const expected = table({ '10.0.0.0/8': 'a', '10.1.0.0/16': 'b' });
    const actual = table({ '10.0.0.0/9': 'a', '0.0.0.0/0': 'z' });
    expect(findDifferences(expected, actual, 32)).toEqual([
      { first: 0n, last: 0x09ff_ffffn, expected: undefined, actual: 'z' },
      { first: 0x0a01_0000n, last: 0x0a01_ffffn, expected: 'b', actual: 'a' },
      { first: 0x0a80_0000n, last: 0x0aff_ffffn, expected: 'a', actual: 'z' },
      { first: 0x0b00_0000n, last: 0xffff_ffffn, expected: undefined, actual: 'z' },
    ]);
  });

  it('compares two tables of 200 000 rows in little time', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => ({
      prefix: parsePrefix(`${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`)!,
      label: 'a',
    }));
    const other = many.map((each, i) => (i === 77_777 ? { ...each, label: 'b' } : each));
    const started = performance.now();
    expect(findDifferences(many, other, 32)).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
