// Text lines `prefix nexthop`.
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { comparePrefixes, formatPrefix, type Prefix } from '../../src/net/prefix.ts';
import { readBytes } from '../../src/sources/compression.ts';
import { type BadLine, parseLine, readPrefixes } from '../../src/sources/prefixes.ts';

const show = (text: string) => {
  const line = parseLine(text);
  if (line === undefined || typeof line === 'string') return line;
  return `${formatPrefix(line.prefix)} via ${formatIpAddress(line.nextHop)}`;
};

describe('a line', () => {
  it.each([
    ['10.0.0.0/8 192.0.2.1', '10.0.0.0/8 via 192.0.2.1'],
    ['  2001:db8::/32\t fe80::1  # uplink', '2001:db8::/32 via fe80::1'],
    ['10.0.0.0/8 2001:db8::1', '10.0.0.0/8 via 2001:db8::1'],
    ['10.0.0.0/8 7', '10.0.0.0/8 via 100.64.0.7'],
    ['2001:db8::/32 258', '2001:db8::/32 via 100::102'],
    ['10.0.0.0/8', '10.0.0.0/8 via 100.64.0.0'],
    ['', undefined],
    ['# nothing', undefined],
    ['10.0.0.0/33 1', 'must be a prefix and a next hop, is 10.0.0.0/33'],
    ['10.0.0.0/8 gateway', 'must be a next hop, is gateway'],
    ['10.0.0.0/8 1 2', 'must be a prefix and a next hop, has 1 words more'],
    ['2001:db8::/32 192.0.2.1', 'must be an IPv6 next hop for 2001:db8::/32, is 192.0.2.1'],
    ['10.0.0.0/8 4194304', 'must be a next hop number up to 4194303, is 4194304'],
  ])('%j', (text, meaning) => {
    expect(show(text)).toBe(meaning);
  });
});

it('reads across chunks and numbers the bad lines', async () => {
  const text = '10.0.0.0/8 1\nbad\n\n10.1.0.0/16 2\n10.2.0.0/16 x';
  async function* chunks() {
    for (const character of text) yield Buffer.from(character);
  }
  const bad: BadLine[] = [];
  const routes: string[] = [];
  for await (const batch of readPrefixes(chunks(), (line) => bad.push(line))) {
    routes.push(...batch.map(({ prefix }) => formatPrefix(prefix)));
  }
  expect(routes).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
  expect(bad.map(({ line }) => line)).toEqual([2, 5]);
});

const data = `${resolve(process.env['RUTTER_DATA'] ?? '../shared/data')}/tables`;
const tables = existsSync(data) ? readdirSync(data).filter((name) => name.includes('.txt')) : [];

describe.skipIf(tables.length === 0)(`tables of ${data}`, () => {
  it.each(tables)('reads every line of %s, sorted and without duplicates', async (name) => {
    let previous: Prefix | undefined;
    let disordered = 0;
    let count = 0;
    const bad: BadLine[] = [];
    for await (const batch of readPrefixes(readBytes(`${data}/${name}`), (line) =>
      bad.push(line),
    )) {
      for (const { prefix } of batch) {
        count++;
        if (previous !== undefined && comparePrefixes(previous, prefix) >= 0) disordered++;
        previous = prefix;
      }
    }
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(1000);
    expect(disordered).toBe(0);
  });
});
