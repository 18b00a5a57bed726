// Communities as values and as people write them: standard (RFC 1997), large (RFC 8092).

/** Global administrator, local data 1 and 2. */
export type LargeCommunity = readonly [number, number, number];

/** RFC 1997, RFC 7999, RFC 8326, RFC 9494: the well-known ones by name. */
const wellKnown = new Map<number, string>([
  [0xffff0000, 'graceful-shutdown'],
  [0xffff0001, 'accept-own'],
  [0xffff0006, 'llgr-stale'],
  [0xffff0007, 'no-llgr'],
  [0xffff029a, 'blackhole'],
  [0xffffff01, 'no-export'],
  [0xffffff02, 'no-advertise'],
  [0xffffff03, 'no-export-subconfed'],
  [0xffffff04, 'no-peer'],
]);

/** "65001:100"; always numbers, so that a match against configuration is exact. */
export function formatCommunity(value: number): string {
  return `${value >>> 16}:${value & 0xffff}`;
}

/** "no-export" and the like, or undefined. */
export function communityName(value: number): string | undefined {
  return wellKnown.get(value);
}

/** A community from "65001:100" or a well-known name; undefined when it is neither. */
export function parseCommunity(text: string): number | undefined {
  for (const [value, name] of wellKnown) if (name === text) return value;
  const parts = numbers(text, 2, 0xffff);
  return parts && ((parts[0]! << 16) | parts[1]!) >>> 0;
}

/** "65001:1:2". */
export function formatLargeCommunity(community: LargeCommunity): string {
  return community.join(':');
}

export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  const parts = numbers(text, 3, 0xffffffff);
  return parts && [parts[0]!, parts[1]!, parts[2]!];
}

function numbers(text: string, count: number, maximum: number): number[] | undefined {
  const parts = text.split(':');
  if (parts.length !== count || !parts.every((part) => /^\d{1,10}$/.test(part))) return undefined;
  const values = parts.map(Number);
  return values.every((value) => value <= maximum) ? values : undefined;
}
