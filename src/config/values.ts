// Leaf values of the configuration file: text with a unit or an address on one side, a value on the other, in both directions.
import { z } from 'zod';
import {
  communityName,
  formatCommunity,
  formatLargeCommunity,
  type LargeCommunity,
  parseCommunity,
  parseLargeCommunity,
} from '../net/community.ts';
import { formatIpAddress, type IpAddress, parseIpAddress } from '../net/ip-address.ts';
import { comparePrefixes, formatPrefix, type Prefix, parsePrefix } from '../net/prefix.ts';

/** Durations are numbers of milliseconds. */
export type Milliseconds = number;
/** Sizes are numbers of bytes. */
export type Bytes = number;

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const;

/** The milliseconds a text such as `90s` stands for, or undefined. */
export function parseDuration(text: string): Milliseconds | undefined {
  return parseWithUnit(text, durationUnits);
}

/** The shortest text that parses back to the duration. */
function formatDuration(duration: Milliseconds): string {
  return duration === 0 ? '0s' : formatWithUnit(duration, durationUnits);
}

/** The bytes a text such as `512MiB` stands for, or undefined. */
function parseSize(text: string): Bytes | undefined {
  return parseWithUnit(text, sizeUnits);
}

/** The shortest text that parses back to the size. */
function formatSize(size: Bytes): string {
  return formatWithUnit(size, sizeUnits);
}

function parseWithUnit(text: string, units: Record<string, number>): number | undefined {
  if (text === '0') return 0;
  const [, digits, unit = ''] = /^(\d{1,12})([A-Za-z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

function formatWithUnit(value: number, units: Record<string, number>): string {
  const texts = Object.entries(units)
    .filter(([, factor]) => value % factor === 0)
    .map(([unit, factor]) => `${value / factor}${unit}`);
  return texts.reduce((best, text) => (text.length <= best.length ? text : best));
}

interface Limits {
  readonly minimum?: string;
  readonly maximum?: string;
  /** 0 is legal below the minimum (it turns something off). */
  readonly orZero?: boolean;
  /** Only whole multiples, for times the wire carries in seconds. */
  readonly step?: string;
}

/** A duration with its unit; what it means is milliseconds. */
export function duration(limits: Limits = {}) {
  const what = 'a duration with its unit (500ms, 90s, 10m)';
  return quantity<Milliseconds>(what, parseDuration, formatDuration, limits);
}

/** A size with its unit; what it means is bytes. */
export function size(limits: Limits = {}) {
  return quantity<Bytes>('a size with its unit (512MiB, 2GB)', parseSize, formatSize, limits);
}

function quantity<T extends number>(
  what: string,
  parse: (text: string) => T | undefined,
  format: (value: T) => string,
  limits: Limits,
) {
  // Numbers are taken in only to be refused with a better word than "must be a string": 0 alone needs no unit.
  return z.codec(z.union([z.string(), z.number()]), z.custom<T>(), {
    decode: (seen, context) => {
      const value = parse(String(seen));
      const fault = value === undefined ? `must be ${what}` : exceeds(value, parse, limits);
      if (fault === undefined) return value as T;
      context.issues.push({ code: 'custom', message: fault, input: seen });
      return z.NEVER;
    },
    encode: format,
  });
}

function exceeds(
  value: number,
  parse: (text: string) => number | undefined,
  limits: Limits,
): string | undefined {
  const { minimum, maximum, step, orZero = false } = limits;
  if (value === 0 && orZero) return undefined;
  if (minimum !== undefined && value < parse(minimum)!) {
    return orZero ? `must be 0 or ≥ ${minimum}` : `must be ≥ ${minimum}`;
  }
  if (maximum !== undefined && value > parse(maximum)!) return `must be ≤ ${maximum}`;
  if (step !== undefined && value % parse(step)! !== 0) return `must be a multiple of ${step}`;
  return undefined;
}

/** A text that stands for a value, read by `parse` (undefined: it does not) and written back by `format`. */
export function text<T>(
  what: string,
  parse: (seen: string) => T | undefined,
  format: (value: T) => string,
) {
  return z.codec(z.string(), z.custom<T>(), {
    decode: (seen, context) => {
      const value = parse(seen);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: `must be ${what}`, input: seen });
      return z.NEVER;
    },
    encode: format,
  });
}

export const ipAddress = text<IpAddress>('an IP address', parseIpAddress, formatIpAddress);

/** A prefix whose host bits are clear: `10.0.0.1/8` is more likely a slip than a wish. */
export const prefix = z.codec(z.string(), z.custom<Prefix>(), {
  decode: (seen, context) => {
    const value = seen.includes('/') ? parsePrefix(seen) : undefined;
    if (value !== undefined && isCanonical(seen, value)) return value;
    const message =
      value === undefined
        ? 'must be a prefix (10.0.0.0/8, fd00::/64)'
        : `must have its host bits clear (${formatPrefix(value)})`;
    context.issues.push({ code: 'custom', message, input: seen });
    return z.NEVER;
  },
  encode: formatPrefix,
});

function isCanonical(seen: string, value: Prefix): boolean {
  const address = parseIpAddress(seen.slice(0, seen.indexOf('/')));
  return address !== undefined && comparePrefixes({ ...value, address }, value) === 0;
}

/** RFC 6793: 1–4294967295. RFC 7607 forbids 0; 23456 is AS_TRANS. */
export const asNumber = z
  .int()
  .min(1)
  .max(0xffff_ffff)
  .refine((asn) => asn !== 23456, { error: 'must not be AS_TRANS' });

export const port = z.int().min(1).max(65535);

/** A name people type on the command line and see in row ids. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, {
  error: 'must be 1–64 letters, digits and . _ : - that begin with a letter or digit',
});

export const fileName = z.string().min(1);

/** IFNAMSIZ of Linux: 15 bytes. */
export const interfaceName = z
  .string()
  .regex(/^[^\s/:]{1,15}$/, { error: 'must be an interface name of 1–15 characters' });

/** A standard community (RFC 1997) as its 32 bits: `65001:100` or a registered name. */
export const community = text<number>(
  'a community (65001:100, no-export)',
  parseCommunity,
  (value) => communityName(value) ?? formatCommunity(value),
);

/** A large community (RFC 8092). */
export const largeCommunity = text<LargeCommunity>(
  'a large community (65001:1:2)',
  parseLargeCommunity,
  formatLargeCommunity,
);

/** Where a TCP server listens. */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** `127.0.0.1:9179`, `[::1]:9179`. */
export const socketAddress = text<SocketAddress>(
  'an address and port (127.0.0.1:9179, [::1]:9179)',
  (seen) => {
    const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(seen) ?? [];
    const address = parseIpAddress(v6 ?? v4 ?? '');
    const number = Number(digits);
    if (address === undefined || !(number >= 1 && number <= 65535)) return undefined;
    return { address, port: number };
  },
  ({ address, port: number }) =>
    address.length === 4
      ? `${formatIpAddress(address)}:${number}`
      : `[${formatIpAddress(address)}]:${number}`,
);

/** Remotes of an OVSDB server, separated by commas (ovsdb(7)): `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`. */
export const ovsdbRemotes = text<readonly string[]>(
  'a comma list of unix:PATH, tcp:HOST:PORT and ssl:HOST:PORT',
  (seen) => {
    const remotes = seen.split(',').map((remote) => remote.trim());
    return remotes.every(isOvsdbRemote) ? remotes : undefined;
  },
  (remotes) => remotes.join(','),
);

function isOvsdbRemote(remote: string): boolean {
  return /^unix:.+$|^(?:tcp|ssl):(?:\[[0-9A-Fa-f:.]+\]|[^:[\]]+):\d{1,5}$/.test(remote);
}
