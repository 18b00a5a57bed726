// Patterns of communities: `65001:*`, `65001:1:*`, `rt:65000:*`. A pattern is one or more pairs of a value and a mask as on the
// wire; one without a wildcard is a community itself.
import { parseCommunity } from '../net/community.ts';
import { parseHex } from '../net/hex.ts';
import { parseIpAddress } from '../net/ip-address.ts';

export type CommunityKind = 'standard' | 'extended' | 'large';

export interface CommunityPattern {
  /** As it was written. */
  readonly text: string;
  /** What may stand on the wire: an AS number in a route target has two forms. */
  readonly forms: readonly MaskedValue[];
  readonly hasWildcard: boolean;
}

interface MaskedValue {
  readonly value: Uint8Array;
  /** Bits that count; the value is 0 in the others. */
  readonly mask: Uint8Array;
}

/** Bytes of a community. */
export const communitySizes: Readonly<Record<CommunityKind, number>> = {
  standard: 4,
  extended: 8,
  large: 12,
};

export function parseCommunityPattern(
  kind: CommunityKind,
  text: string,
): CommunityPattern | undefined {
  switch (kind) {
    case 'standard':
      return parseStandard(text);
    case 'extended':
      return parseExtended(text);
    case 'large':
      return parseFields(text, text.split(':'), [4, 4, 4]);
  }
}

/** RFC 1997, names of well-known ones included. */
function parseStandard(text: string): CommunityPattern | undefined {
  const known = parseCommunity(text);
  if (known === undefined) return parseFields(text, text.split(':'), [2, 2]);
  return pattern(text, [concatenate([numberField(known, 4)])]);
}

/** RFC 4360 §4, §5. */
const subtypes: Readonly<Record<string, number>> = {
  rt: 0x02,
  'route-target': 0x02,
  soo: 0x03,
  'route-origin': 0x03,
};

/** `rt:65000:100`, `soo:10.0.0.1:*`, `rt:*:100`; any other kind as 16 hex digits, `0x030b000000000001`. */
function parseExtended(text: string): CommunityPattern | undefined {
  const hex = /^0x[0-9a-f]{16}$/i.test(text) ? parseHex(text) : undefined;
  if (hex !== undefined) return pattern(text, [{ value: hex, mask: ones(8) }]);
  const [, name, administrator, assigned] =
    /^([a-z-]+)[: ]([\d.]+|\*):(\d{1,10}|\*)$/.exec(text) ?? [];
  const subtype = name !== undefined && Object.hasOwn(subtypes, name) ? subtypes[name]! : undefined;
  if (subtype === undefined || administrator === undefined || assigned === undefined)
    return undefined;
  const forms = administrators(administrator).flatMap(({ type, fields }) => {
    const head = [numberField(type, 1), numberField(subtype, 1)];
    const rest = field(assigned, 6 - fields.reduce((sum, { mask }) => sum + mask.length, 0));
    return rest === undefined ? [] : [concatenate([...head, ...fields, rest])];
  });
  return forms.length === 0 ? undefined : pattern(text, forms);
}

/** RFC 4360 §3.1, §3.2, RFC 5668: a 2-octet AS (type 0), an IPv4 address (1), a 4-octet AS (2). */
function administrators(text: string): { type: number; fields: MaskedValue[] }[] {
  if (text === '*') {
    return [
      { type: 0, fields: [wildcard(2)] },
      { type: 1, fields: [wildcard(4)] },
      { type: 2, fields: [wildcard(4)] },
    ];
  }
  const address = text.includes('.') ? parseIpAddress(text) : undefined;
  if (address !== undefined) return [{ type: 1, fields: [{ value: address, mask: ones(4) }] }];
  if (!/^\d{1,10}$/.test(text)) return [];
  const asn = Number(text);
  return [
    ...(asn <= 0xffff ? [{ type: 0, fields: [numberField(asn, 2)] }] : []),
    ...(asn <= 0xffff_ffff ? [{ type: 2, fields: [numberField(asn, 4)] }] : []),
  ];
}

function parseFields(
  text: string,
  parts: readonly string[],
  sizes: readonly number[],
): CommunityPattern | undefined {
  if (parts.length !== sizes.length) return undefined;
  const fields = parts.map((part, index) => field(part, sizes[index]!));
  if (!fields.every((each) => each !== undefined)) return undefined;
  return pattern(text, [concatenate(fields)]);
}

/** A number of `size` bytes or `*`. */
function field(text: string, size: number): MaskedValue | undefined {
  if (text === '*') return wildcard(size);
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** (8 * size)) return undefined;
  return numberField(Number(text), size);
}

function numberField(value: number, size: number): MaskedValue {
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = rest % 256;
  }
  return { value: bytes, mask: ones(size) };
}

function wildcard(size: number): MaskedValue {
  return { value: new Uint8Array(size), mask: new Uint8Array(size) };
}

function ones(size: number): Uint8Array {
  return new Uint8Array(size).fill(0xff);
}

function concatenate(fields: readonly MaskedValue[]): MaskedValue {
  return {
    value: Uint8Array.from(fields.flatMap(({ value }) => [...value])),
    mask: Uint8Array.from(fields.flatMap(({ mask }) => [...mask])),
  };
}

function pattern(text: string, forms: readonly MaskedValue[]): CommunityPattern {
  return { text, forms, hasWildcard: forms.some(({ mask }) => mask.some((byte) => byte !== 0xff)) };
}
