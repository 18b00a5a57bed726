// IP addresses as values: 4 or 16 bytes in network order. Parse, format (RFC 5952), compare.

/** 4 bytes (IPv4) or 16 bytes (IPv6), network order. */
export type IpAddress = Uint8Array;

/** The address a text stands for, or undefined. IPv4-mapped IPv6 text stays IPv6; zone ids are refused. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part)))
    return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const left = parseGroups(halves[0]!, halves.length === 1);
  const right = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined; // "::" stands for one group or more
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

/** Bytes of colon-separated groups; the last may be a dotted quad when the text ends there (RFC 4291 §2.2). */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = isLast && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      bytes.push(...quad);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const value = Number.parseInt(part, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length > 16 ? undefined : bytes;
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
