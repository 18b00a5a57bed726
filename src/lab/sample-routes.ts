// The sample that the built-in peer announces: a few hundred routes over documentation and benchmark prefixes. Pure.

import { asSequence } from '../bgp/attributes/as-path.ts';
import type { AnnouncedAttributes } from '../bgp/attributes/encode.ts';
import { parseIpAddress } from '../net/ip-address.ts';
import { type Prefix, parsePrefix } from '../net/prefix.ts';

export const sampleAsn = 65001;

/** Prefixes that share one attribute set: one UPDATE, or a few. */
export interface SampleGroup {
  readonly attributes: AnnouncedAttributes;
  readonly prefixes: readonly Prefix[];
}

/** AS numbers kept for documentation (RFC 5398) behind the peer's own, as a provider's customers would be. */
const customerPaths = [[64496], [64497, 64500], [64498, 64501, 64502], [64499, 65536]] as const;

/** 256 IPv4 prefixes of 198.18.0.0/15 (RFC 2544), the three of RFC 5737, and 128 of 2001:db8::/32 (RFC 3849). */
export function sampleRoutes(): SampleGroup[] {
  const ipv4 = [
    ...range(256).map((i) => `198.${18 + (i >> 7)}.${(i & 127) * 2}.0/${i % 3 === 0 ? 23 : 24}`),
    ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ];
  const ipv6 = range(128).map((i) => `2001:db8:${(i * 257).toString(16)}::/48`);
  return customerPaths.flatMap((path, index) => [
    group(path, '172.18.0.2', share(ipv4, index)),
    group(path, '2001:db8:ffff::2', share(ipv6, index)),
  ]);
}

function group(path: readonly number[], nextHop: string, texts: readonly string[]): SampleGroup {
  const attributes: AnnouncedAttributes = {
    origin: 'igp',
    asPath: asSequence([sampleAsn, ...path]),
    nextHop: parseIpAddress(nextHop)!,
    med: path.length * 10,
    communities: [((sampleAsn << 16) >>> 0) | path.length],
  };
  return { attributes, prefixes: texts.map((text) => parsePrefix(text)!) };
}

/** Every n-th prefix, so that each path holds some of everything. */
function share(texts: readonly string[], index: number): string[] {
  return texts.filter((_, position) => position % customerPaths.length === index);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
