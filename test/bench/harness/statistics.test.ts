// Median, spread and percentiles.
import { describe, expect, it } from 'vitest';
import { percentile, summarize } from '../../../bench/harness/statistics.ts';

describe('summarize', () => {
  it.each([
    ['one figure', [7], { median: 7, lowest: 7, highest: 7, count: 1 }],
    ['an odd number of figures', [3, 1, 20], { median: 3, lowest: 1, highest: 20, count: 3 }],
    ['an even number of figures', [4, 1, 2, 3], { median: 2.5, lowest: 1, highest: 4, count: 4 }],
  ])('takes %s', (_, values, expected) => {
    expect(summarize(values)).toEqual(expected);
  });

  it('has no answer for no figures', () => {
    expect(summarize([])).toBeUndefined();
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 101 }, (_, index) => index);

  it('interpolates between the two nearest', () => {
    expect(percentile(hundred, 99)).toBe(99);
    expect(percentile([0, 10], 25)).toBe(2.5);
  });

  it('throws for no values', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
  });
});
