// Prefixes as values: an address with its host bits clear, and a length. Parse, format, compare.
import type { AddressFamily } from './address-family.ts';
import {
  compareIpAddresses,
  formatIpAddress,
  type IpAddress,
  parseIpAddress,
} from './ip-address.ts';

export interface Prefix {
  /** Network address, host bits clear. */
  readonly address: IpAddress;
  /** 0–32 or 0–128 bits. */
  readonly length: number;
}

/** The prefix a text stands for ("10.0.0.0/8"; an address alone is a host prefix), or undefined. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const maximum = address.length * 8;
  if (slash < 0) return { address, length: maximum };
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  return length > maximum ? undefined : { address: clearHostBits(address, length), length };
}

/** A copy of the address with every bit past `length` cleared. */
export function clearHostBits(address: IpAddress, length: number): IpAddress {
  const network = new Uint8Array(address.length);
  const wholeBytes = length >> 3;
  network.set(address.subarray(0, wholeBytes));
  if (length & 7) network[wholeBytes] = address[wholeBytes]! & (0xff00 >> (length & 7));
  return network;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIpAddress(prefix.address)}/${prefix.length}`;
}

/** Orders by family, then address, then length: the order of the core's walks. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return compareIpAddresses(a.address, b.address) || a.length - b.length;
}

export function prefixFamily(prefix: Prefix): AddressFamily {
  return prefix.address.length === 4 ? 'ipv4-unicast' : 'ipv6-unicast';
}

/** Whether every address of `inner` is inside `outer` (a prefix contains itself). */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  if (outer.address.length !== inner.address.length || outer.length > inner.length) return false;
  return compareIpAddresses(clearHostBits(inner.address, outer.length), outer.address) === 0;
}
