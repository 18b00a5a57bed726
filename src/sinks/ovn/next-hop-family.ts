// Can this OVN forward a prefix of one family by a next hop of the other (RFC 8950)? Pure.
//
// ovn-northd before 24.09 ignores such a row with a line in its log, and until 26.03 what it made of one depended on the patch release
// (address resolution, source address). A row that forwards nothing is worse than one that is refused by name, so it takes the first
// Northbound schema whose every release does it right. The test on a real northd shows what the older ones do.

/** Northbound schema of OVN 26.03. */
const FIRST_VERSION = [7, 18] as const;

export function mixesFamilies(prefix: string, nexthops: readonly string[]): boolean {
  const isIpv6 = prefix.includes(':');
  return nexthops.some((nexthop) => nexthop !== 'discard' && nexthop.includes(':') !== isIpv6);
}

/** `schemaVersion` as the server tells it: "7.0.0". */
export function forwardsAcrossFamilies(schemaVersion: string): boolean {
  const [major = 0, minor = 0] = schemaVersion.split('.').map(Number);
  return major > FIRST_VERSION[0] || (major === FIRST_VERSION[0] && minor >= FIRST_VERSION[1]);
}
