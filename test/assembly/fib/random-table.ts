// Small tables for the aggregation's tests: drawn from a space of a few bits that is stretched and placed anywhere in an address.
import type { NaiveRoute } from '../../naive/aggregation.ts';
import type { BitPrefix } from '../aggregation.ts';

/** Where the bits of a small space lie in an address: bit i of the space is bit `places[i]` of the address. */
export interface Space {
  readonly width: 32 | 128;
  readonly places: readonly number[];
  /** What the bits between them are. */
  readonly filling: bigint;
}

/** The prefix of the first `length` bits of `value` in the small space; it ends where bit `length` − 1 lies. */
export function prefixIn(space: Space, value: number, length: number): BitPrefix {
  const bits = length === 0 ? (space.places[0] ?? 0) : space.places[length - 1]! + 1;
  const { width, places, filling } = space;
  const mask = (1n << BigInt(width)) - (1n << BigInt(width - bits));
  let address = filling;
  for (let i = 0; i < length; i++) {
    const bit = 1n << BigInt(width - 1 - places[i]!);
    const isSet = (value >> (places.length - 1 - i)) & 1;
    address = isSet ? address | bit : address & ~bit;
  }
  return { address: address & mask, bits };
}

/** Where tables go wrong: no route, "theirs", drop, or a label. */
export type Forwarding = string;

interface Entry {
  readonly address: bigint;
  readonly bits: number;
  readonly label: number;
}

/** First addresses of everything, and the addresses after their last ones: nothing changes in between. */
function turningPoints(width: number, ...tables: (readonly BitPrefix[])[]): bigint[] {
  const points = new Set<bigint>([0n, (1n << BigInt(width)) - 1n]);
  for (const { address, bits } of tables.flat()) {
    points.add(address);
    const after = address + (1n << BigInt(width - bits));
    if (after < 1n << BigInt(width)) points.add(after);
  }
  return [...points];
}

/** What an address forwards by, among rows of ours and others' routes; `drop` is a label that drops. */
function forwarding(
  at: bigint,
  rows: readonly Entry[],
  barriers: readonly NaiveRoute[],
  { width, drop }: { readonly width: number; readonly drop?: number | undefined },
): Forwarding {
  const covers = ({ address, bits }: BitPrefix) =>
    at >> BigInt(width - bits) === address >> BigInt(width - bits);
  let best: Entry | undefined;
  for (const row of rows) if (covers(row) && row.bits >= (best?.bits ?? 0)) best = row;
  let barrier: NaiveRoute | undefined;
  for (const each of barriers)
    if (covers(each) && each.bits >= (barrier?.bits ?? 0)) barrier = each;
  if (barrier !== undefined && (best === undefined || barrier.bits >= best.bits)) {
    const own = best?.bits === barrier.bits ? best.label : 0;
    if (own !== 0 && barrier.barrier === 'yields') return `ours ${own}`;
    return `theirs ${barrier.address}/${barrier.bits} beside ${own}`;
  }
  if (best === undefined || best.label === drop) return 'none';
  return `ours ${best.label}`;
}

/** Addresses that the rows forward otherwise than the routes. */
export function differences(
  routes: readonly NaiveRoute[],
  rows: readonly Entry[],
  context: { readonly width: number; readonly drop?: number | undefined },
): string[] {
  const barriers = routes.filter(({ barrier }) => barrier !== undefined);
  const ours = routes.filter(({ label }) => label !== 0);
  return turningPoints(context.width, routes, rows).flatMap((at) => {
    const [expected, got] = [ours, rows].map((table) => forwarding(at, table, barriers, context));
    return expected === got ? [] : [`${at.toString(16)}: ${got}, expected ${expected}`];
  });
}
