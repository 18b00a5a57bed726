// Builds UPDATEs out of hex parts, wrong ones included: lengths are right unless a test says otherwise.
import { formatHex, parseHex } from '../../../src/net/hex.ts';

export interface Parts {
  readonly withdrawn?: string;
  /** Whole attributes, header included. */
  readonly attributes?: readonly string[];
  readonly nlri?: string;
  /** Instead of the right values. */
  readonly withdrawnLength?: number;
  readonly attributesLength?: number;
}

export const origin = '40010100';
export const nextHop = '4003040a000002';
/** AS_SEQUENCE 65001. */
export const asPath = '400206020100 00fde9';
export const mandatory = [origin, asPath, nextHop];
/** 192.0.2.0/24. */
export const nlri = '18c00002';
/** MP_REACH_NLRI of 2001:db8::/32 by 2001:db8::1. */
export const mpReach = attribute(0x80, 14, `00020110${ip6('2001:db8::1')}0020 20010db8`);

export function buildUpdate(parts: Parts): Uint8Array {
  const withdrawn = bytes(parts.withdrawn ?? '');
  const attributes = bytes((parts.attributes ?? []).join(''));
  const reachable = bytes(parts.nlri ?? '');
  const body = bytes(
    hex(parts.withdrawnLength ?? withdrawn.length, 4) +
      formatHex(withdrawn) +
      hex(parts.attributesLength ?? attributes.length, 4) +
      formatHex(attributes) +
      formatHex(reachable),
  );
  return bytes(`${'ff'.repeat(16)}${hex(19 + body.length, 4)}02${formatHex(body)}`);
}

/** Flags, type, length (two octets when the flag says so) and value. */
export function attribute(flags: number, type: number, value: string): string {
  const size = bytes(value).length;
  return hex(flags, 2) + hex(type, 2) + hex(size, flags & 0x10 ? 4 : 2) + formatHex(bytes(value));
}

export function bytes(text: string): Uint8Array {
  const parsed = parseHex(text);
  if (parsed === undefined) throw new Error(`not hex: ${text}`);
  return parsed;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** The 32 hex digits of an address written with one "::". */
function ip6(text: string): string {
  const [head = '', tail = ''] = text.split('::').map((half) =>
    half
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
  );
  return head + '0'.repeat(32 - head.length - tail.length) + tail;
}
