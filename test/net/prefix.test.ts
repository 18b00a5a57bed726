import { describe, expect, it } from 'vitest';
import {
  comparePrefixes,
  containsPrefix,
  formatPrefix,
  parsePrefix,
} from '../../src/net/prefix.ts';

describe('parsePrefix', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/31', '255.255.255.254/31'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::1', '::1/128'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatPrefix(parsePrefix(text)!)).toBe(expected);
  });

  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/08', '::/129', 'x/8', ''])(
    'refuses %j',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
    },
  );
});

it('contains itself and its more-specifics of the same family', () => {
  const outer = parsePrefix('10.0.0.0/8')!;
  expect(containsPrefix(outer, outer)).toBe(true);
  expect(containsPrefix(outer, parsePrefix('10.255.0.0/16')!)).toBe(true);
  expect(containsPrefix(outer, parsePrefix('11.0.0.0/16')!)).toBe(false);
  expect(containsPrefix(outer, parsePrefix('0.0.0.0/0')!)).toBe(false);
  expect(containsPrefix(parsePrefix('::/0')!, outer)).toBe(false);
});

it('orders by family, address, length', () => {
  const sorted = ['::/0', '10.0.0.0/16', '10.0.0.0/8', '9.0.0.0/8']
    .map((text) => parsePrefix(text)!)
    .sort(comparePrefixes)
    .map(formatPrefix);
  expect(sorted).toEqual(['9.0.0.0/8', '10.0.0.0/8', '10.0.0.0/16', '::/0']);
});
