// Two route tables to go to and fro between: dense, nested, several next hops, holes. About a third of the blocks is the same in both, the others
// have other next hops, other prefixes, or are in one only. And where others' routes lie.
import { randomSource } from '../../bench/feed/random.ts';
import { labelAddresses } from '../../bench/peers/site.ts';
import {
  ForwardingTable,
  formatIpv4Prefix,
  type Ipv4Prefix,
  lastAddress,
  parseIpv4Prefix,
} from './forwarding-table.ts';

/** Prefix → next hop. */
export type RouteTable = ReadonlyMap<string, string>;

export interface TwoTables {
  readonly one: RouteTable;
  readonly other: RouteTable;
  /** Prefixes of others: at routes, inside of them, around them, and beside all. */
  readonly foreign: readonly string[];
  /** Both ends of every prefix, and what lies next to it: sorted. */
  readonly probes: readonly number[];
}

const FIRST_BLOCK = 20 * 2 ** 24;
const BLOCK_LENGTH = 16;
const LABELS = 5;

type Routes = { prefix: Ipv4Prefix; nextHop: string }[];

export function twoTables(blockCount: number): TwoTables {
  const one: Routes = [];
  const other: Routes = [];
  const random = randomSource(blockCount);
  for (let block = 0; block < blockCount; block++) {
    const seed = random();
    one.push(...(block % 10 === 9 ? [] : blockRoutes(block, seed)));
    const isSame = block % 3 === 0;
    other.push(...(block % 10 === 8 ? [] : blockRoutes(block, isSame ? seed : random())));
  }
  const foreign = foreignPrefixes(blockCount);
  const prefixes = [...one, ...other].map(({ prefix }) => prefix);
  const ends = [...prefixes, ...foreign].flatMap((prefix) => [
    prefix.address - 1,
    prefix.address,
    lastAddress(prefix),
    lastAddress(prefix) + 1,
  ]);
  return {
    one: toMap(one),
    other: toMap(other),
    foreign: foreign.map(formatIpv4Prefix),
    probes: [...new Set(ends)].sort((a, b) => a - b),
  };
}

/** What a table forwards where others' routes are in force. */
export function forwardingOf(
  routes: RouteTable,
  foreign: readonly string[],
  foreignLabel: string,
): ForwardingTable {
  const table = new ForwardingTable();
  for (const [prefix, nextHop] of routes) table.set(parseIpv4Prefix(prefix), nextHop);
  for (const prefix of foreign) table.set(parseIpv4Prefix(prefix), foreignLabel);
  return table;
}

/** A route to the whole block or not, runs of /24s of one next hop with holes between, some wider, some more specific. */
function blockRoutes(block: number, seed: number): Routes {
  const random = randomSource(seed);
  const first = FIRST_BLOCK + block * 2 ** (32 - BLOCK_LENGTH);
  const labels = labelAddresses(LABELS);
  const pick = () => labels[random() % labels.length]!;
  const routes: Routes = [];
  if (random() % 3 > 0) routes.push({ prefix: { address: first, length: 16 }, nextHop: pick() });
  for (let slot = 0; slot < 256; ) {
    const nextHop = pick();
    const run = 1 + (random() % 12);
    const isHole = random() % 6 === 0;
    for (let end = Math.min(256, slot + run); slot < end; slot++) {
      if (isHole) continue;
      const address = first + slot * 256;
      routes.push({ prefix: { address, length: 24 }, nextHop });
      if (random() % 8 === 0) {
        routes.push({ prefix: { address: address + 128, length: 25 }, nextHop: pick() });
      }
      if (slot % 16 === 0 && random() % 3 === 0) {
        routes.push({ prefix: { address, length: 20 }, nextHop: pick() });
      }
    }
  }
  return routes;
}

function foreignPrefixes(blockCount: number): Ipv4Prefix[] {
  return Array.from({ length: blockCount }, (_, block) => {
    const first = FIRST_BLOCK + block * 2 ** (32 - BLOCK_LENGTH);
    switch (block % 4) {
      case 0:
        return { address: first + 5 * 256, length: 24 };
      case 1:
        return { address: first + 32 * 256, length: 21 };
      case 2:
        return { address: first + 77 * 256 + 13, length: 32 };
      default:
        return { address: first - 2 ** 16, length: 15 };
    }
  });
}

/** Of one prefix the last. */
function toMap(routes: Routes): RouteTable {
  return new Map(routes.map(({ prefix, nextHop }) => [formatIpv4Prefix(prefix), nextHop]));
}
