// UPDATE messages for tests, byte by byte from RFC 4271 §4.3, RFC 4760 and RFC 7911: nothing of the product's own encoder.
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { type Prefix, parsePrefix } from '../../src/net/prefix.ts';

export interface Attributes {
  readonly origin?: number;
  readonly asPath: readonly number[];
  readonly nextHop: string;
  readonly linkLocal?: string;
  readonly med?: number;
  readonly localPref?: number;
  readonly originatorId?: number;
  readonly clusterList?: readonly number[];
  readonly communities?: readonly number[];
}

export interface Announcement {
  readonly attributes: Attributes;
  readonly prefixes: readonly string[];
  /** With ADD-PATH: the path identifier of every prefix. */
  readonly pathId?: number;
}

/** An UPDATE that announces; IPv6 prefixes and next hops go into MP_REACH_NLRI. */
export function announcement({ attributes, prefixes, pathId }: Announcement): Uint8Array {
  const nlri = prefixes.flatMap((prefix) => encodePrefix(prefix, pathId));
  const nextHop = [...parseIpAddress(attributes.nextHop)!];
  const isBody = isIpv4(prefixes[0]!) && nextHop.length === 4;
  if (isBody) return update([], encodeAttributes(attributes, nextHop, []), nlri);
  const linkLocal = attributes.linkLocal ? [...parseIpAddress(attributes.linkLocal)!] : [];
  const nextHops = [...nextHop, ...linkLocal];
  const afi = isIpv4(prefixes[0]!) ? 1 : 2;
  const reach = attribute(0x90, 14, [0, afi, 1, nextHops.length, ...nextHops, 0, ...nlri]);
  return update([], encodeAttributes(attributes, undefined, reach), []);
}

/** An UPDATE that withdraws. */
export function withdrawal(prefixes: readonly string[], pathId?: number): Uint8Array {
  const nlri = prefixes.flatMap((prefix) => encodePrefix(prefix, pathId));
  if (isIpv4(prefixes[0]!)) return update(nlri, [], []);
  return update([], attribute(0x90, 15, [0, 2, 1, ...nlri]), []);
}

export function endOfRib(family: 'ipv4-unicast' | 'ipv6-unicast'): Uint8Array {
  return update([], family === 'ipv4-unicast' ? [] : attribute(0x80, 15, [0, 2, 1]), []);
}

export function update(
  withdrawn: readonly number[],
  attributes: readonly number[],
  nlri: readonly number[],
): Uint8Array {
  return message(2, [
    ...u16(withdrawn.length),
    ...withdrawn,
    ...u16(attributes.length),
    ...attributes,
    ...nlri,
  ]);
}

export function message(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([...new Array(16).fill(255), ...u16(19 + body.length), type, ...body]);
}

export function join(...messages: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(messages));
}

export function attribute(flags: number, type: number, value: readonly number[]): number[] {
  if (flags & 0x10) return [flags, type, ...u16(value.length), ...value];
  return [flags, type, value.length, ...value];
}

function encodePrefix(text: string, pathId?: number): number[] {
  const { address, length } = parsePrefix(text) as Prefix;
  const path = pathId === undefined ? [] : u32(pathId);
  return [...path, length, ...address.subarray(0, (length + 7) >> 3)];
}

function encodeAttributes(
  attributes: Attributes,
  nextHop: readonly number[] | undefined,
  reach: readonly number[],
): number[] {
  const { origin = 0, asPath, med, localPref, originatorId, clusterList, communities } = attributes;
  const path = asPath.length > 0 ? [2, asPath.length, ...asPath.flatMap(u32)] : [];
  return [
    ...attribute(0x40, 1, [origin]),
    ...attribute(0x40, 2, path),
    ...(nextHop ? attribute(0x40, 3, nextHop) : []),
    ...(med === undefined ? [] : attribute(0x80, 4, u32(med))),
    ...(localPref === undefined ? [] : attribute(0x40, 5, u32(localPref))),
    ...(communities ? attribute(0xc0, 8, communities.flatMap(u32)) : []),
    ...(originatorId === undefined ? [] : attribute(0x80, 9, u32(originatorId))),
    ...(clusterList ? attribute(0x80, 10, clusterList.flatMap(u32)) : []),
    ...reach,
  ];
}

function isIpv4(prefix: string): boolean {
  return !prefix.includes(':');
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
