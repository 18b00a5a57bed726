// Reading the number of routes from fib_triestat.
import { describe, expect, it } from 'vitest';
import { parseMainPrefixes } from '../../../bench/peers/kernel-table.ts';

const text = `Basic info: size of leaf: 48 bytes, size of tnode: 40 bytes.
Main:
\tAver depth:     1.88
\tMax depth:      3
\tLeaves:         50001
\tPrefixes:       50003
\tInternal nodes: 5
\t  1: 3  2: 1  3: 1
\tPointers: 18
Null ptrs: 6
Total size: 2  kB
Local:
\tPrefixes:       9
`;

describe('parseMainPrefixes', () => {
  it('counts the main table only', () => {
    expect(parseMainPrefixes(text)).toBe(50003);
  });

  it('is 0 for a namespace without routes', () => {
    expect(parseMainPrefixes('Basic info: size of leaf: 48 bytes\n')).toBe(0);
  });
});
