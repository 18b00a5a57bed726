// The prefixes of the feed: a real IPv4 table where the data is there, topped up with (or wholly) synthetic /24s.
//
// Always the same for the same count, sorted by address as a router walks its table, no prefix twice. Private, loopback,
// link-local and multicast space is left out: the laboratory's own addresses lie there, and daemons call the rest martian.
import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import xz from 'xz-decompress';
import type { Prefix } from '../../src/net/prefix.ts';
import { randomSource } from './random.ts';

/** Prefix i is `addresses[i]` (host order) of length `lengths[i]`. */
export interface PrefixTable {
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
  /** How many of them come from the real table. */
  readonly realCount: number;
}

const REAL_TABLE = 'tables/dfz-20230204-v4v6-prefixes.txt.xz';

export interface TableOptions {
  /** A stretch of neighbours from the middle of the real table, as dense as it is there; otherwise prefixes from all over it. */
  readonly isStretch?: boolean;
}

export async function loadPrefixTable(
  count: number,
  { isStretch = false }: TableOptions = {},
): Promise<PrefixTable> {
  const keys = await readRealKeys();
  const real = isStretch ? stretch(keys, count) : spread(keys, count);
  return toTable(topUp(real, count), real.length);
}

export function prefixAt({ addresses, lengths }: PrefixTable, route: number): Prefix {
  const address = addresses[route];
  const length = lengths[route];
  if (address === undefined || length === undefined) {
    throw new RangeError(`route ${route} of ${addresses.length}`);
  }
  return {
    address: Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address),
    length,
  };
}

/** A prefix as one number that sorts by address, then length. */
function keyOf(address: number, length: number): number {
  return address * 64 + length;
}

async function readRealKeys(): Promise<number[]> {
  const file = join(resolve(process.env['RUTTER_DATA'] ?? '../shared/data'), REAL_TABLE);
  if (!existsSync(file)) return [];
  const packed = Readable.toWeb(createReadStream(file)) as WebReadableStream<Uint8Array>;
  const plain = new xz.XzReadableStream(
    packed as never,
  ) as unknown as WebReadableStream<Uint8Array>;
  const keys: number[] = [];
  for await (const line of createInterface({ input: Readable.fromWeb(plain) })) {
    const key = parseKey(line); // to the end, IPv6 too: the decompressor does not start again unless it has finished
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function parseKey(line: string): number | undefined {
  const [address, length] = line.split('/');
  const bytes = address?.split('.').map(Number) ?? [];
  if (bytes.length !== 4 || length === undefined) return undefined;
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return isAnnounceable(value) ? keyOf(value, Number.parseInt(length, 10)) : undefined;
}

/** At most `count` keys, evenly over the whole table: a small feed keeps the shape of a big one. */
function spread(keys: number[], count: number): number[] {
  if (keys.length <= count) return keys;
  const step = keys.length / count;
  return Array.from({ length: count }, (_, index) => keys[Math.floor(index * step)]!);
}

function stretch(keys: number[], count: number): number[] {
  const sorted = keys.sort((a, b) => a - b);
  const first = Math.max(0, (sorted.length - count) >> 1);
  return sorted.slice(first, first + count);
}

function topUp(real: readonly number[], count: number): number[] {
  const keys = new Set(real);
  const random = randomSource(0x5eed);
  while (keys.size < count) {
    const address = (random() & 0xffffff00) >>> 0;
    if (isAnnounceable(address)) keys.add(keyOf(address, 24));
  }
  return [...keys].sort((a, b) => a - b);
}

function toTable(keys: readonly number[], realCount: number): PrefixTable {
  return {
    addresses: Uint32Array.from(keys, (key) => Math.floor(key / 64)),
    lengths: Uint8Array.from(keys, (key) => key % 64),
    realCount,
  };
}

function isAnnounceable(address: number): boolean {
  const first = address >>> 24;
  const firstTwo = address >>> 16;
  if (first === 0 || first === 10 || first === 127 || first >= 224) return false;
  if (firstTwo === 0xa9fe || firstTwo === 0xc0a8) return false; // 169.254/16, 192.168/16
  return firstTwo >>> 4 !== 0xac1 && firstTwo >>> 6 !== 0x191; // 172.16/12, 100.64/10
}
