// IP addresses as values: 4 or 16 bytes in network order. Parse, format (RFC 5952), compare.
import { isIP } from 'node:net';

/** 4 bytes (IPv4) or 16 bytes (IPv6), network order. */
export type IpAddress = Uint8Array;

/** The address a text stands for, or undefined. IPv4-mapped IPv6 text stays IPv6; zone ids are refused. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 4) return Uint8Array.from(text.split('.'), Number);
  if (version === 6) return parseIpv6(text);
  return undefined;
}

function parseIpv6(text: string): IpAddress {
  const [head = '', tail] = text.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const address = new Uint8Array(16);
  address.set(left);
  address.set(right, 16 - right.length);
  return address;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** RFC 5952 text of an address of 4 or 16 bytes. */
export function formatIpAddress(address: Uint8Array): string {
  if (address.length === 4) return `${address[0]}.${address[1]}.${address[2]}.${address[3]}`;
  return formatIpv6(address);
}

function formatIpv6(address: Uint8Array): string {
  if (isMappedIpv4(address)) return `::ffff:${formatIpAddress(address.subarray(12))}`;
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((address[i]! << 8) | address[i + 1]!);
  const run = longestZeroRun(words);
  if (run.length < 2) return hexWords(words);
  return `${hexWords(words.slice(0, run.start))}::${hexWords(words.slice(run.start + run.length))}`;
}

function isMappedIpv4(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(':');
}

/** RFC 5952 §4.2.3: the longest run of zero words, the first of equals. */
function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let end = start;
    while (end < words.length && words[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    if (end > start) start = end;
  }
  return best;
}

/** Orders by length (IPv4 before IPv6), then by value. */
export function compareIpAddresses(a: IpAddress, b: IpAddress): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return 0;
}

/** fe80::/10 (RFC 4291 §2.5.6). */
export function isLinkLocal(address: IpAddress): boolean {
  return address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}
