// One line of a prefix list: `172.20.0.0/14 le 24`, prefixes inside a prefix whose length is in a range.
import { formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';

export interface PrefixRange {
  readonly prefix: Prefix;
  /** Least and greatest length that match, `prefix.length` ≤ ge ≤ le. */
  readonly ge: number;
  readonly le: number;
}

/** As every router reads it: without both, the prefix itself; with `ge` alone, up to host routes; with `le` alone, from its own length. */
export function parsePrefixRange(text: string): PrefixRange | undefined {
  const [, address, geText, leText] =
    /^(\S+\/\d{1,3})(?: ge (\d{1,3}))?(?: le (\d{1,3}))?$/.exec(text) ?? [];
  const prefix = address === undefined ? undefined : parsePrefix(address);
  if (prefix === undefined) return undefined;
  const ge = geText === undefined ? prefix.length : Number(geText);
  const le = leText !== undefined ? Number(leText) : geText === undefined ? ge : hostBits(prefix);
  if (ge < prefix.length || le < ge || le > hostBits(prefix)) return undefined;
  return { prefix, ge, le };
}

export function formatPrefixRange({ prefix, ge, le }: PrefixRange): string {
  const own = prefix.length;
  if (ge === own && le === own) return formatPrefix(prefix);
  const least = ge === own ? '' : ` ge ${ge}`;
  const most = le === hostBits(prefix) && ge !== own ? '' : ` le ${le}`;
  return `${formatPrefix(prefix)}${least}${most}`;
}

/** Every address of a prefix as a range: what a next hop is matched with. */
export function hostsOf(prefix: Prefix): PrefixRange {
  return { prefix, ge: hostBits(prefix), le: hostBits(prefix) };
}

function hostBits({ address }: Prefix): number {
  return address.length * 8;
}
