// An UPDATE of a session with 2-octet AS numbers → the same UPDATE of one with 4-octet ones (RFC 6793 §4.2.3).
import { type AsPathSegment, decodeAsPath, encodeAsPath } from '../bgp/attributes/as-path.ts';
import { ByteReader, ReadError } from '../net/byte-reader.ts';

const AS_PATH = 2;
const AGGREGATOR = 7;
const AS4_PATH = 17;
const AS4_AGGREGATOR = 18;
const AS_TRANS = 23456;

const HEADER_SIZE = 19;
const EXTENDED_LENGTH = 0x10;

interface Attribute {
  readonly flags: number;
  readonly type: number;
  readonly value: Uint8Array;
}

/** A message that cannot be read stays as it is: its receiver is to judge it. */
export function toFourOctetAs(message: Uint8Array): Uint8Array {
  try {
    return rewrite(message);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return message;
  }
}

function rewrite(message: Uint8Array): Uint8Array {
  const reader = new ByteReader(message);
  reader.bytes(HEADER_SIZE);
  const withdrawn = reader.bytes(reader.uint16());
  const attributes = readAttributes(reader.slice(reader.uint16()));
  const nlri = reader.rest();
  const rewritten = widen(attributes).map(encode);
  const attributesSize = rewritten.reduce((size, { length }) => size + length, 0);
  const head = Buffer.from(message.subarray(0, HEADER_SIZE));
  head.writeUInt16BE(HEADER_SIZE + 4 + withdrawn.length + attributesSize + nlri.length, 16);
  return Buffer.concat([
    head,
    uint16(withdrawn.length),
    withdrawn,
    uint16(attributesSize),
    ...rewritten,
    nlri,
  ]);
}

function readAttributes(reader: ByteReader): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.remaining > 0) {
    const flags = reader.uint8();
    const type = reader.uint8();
    const length = flags & EXTENDED_LENGTH ? reader.uint16() : reader.uint8();
    attributes.push({ flags, type, value: reader.bytes(length) });
  }
  return attributes;
}

function widen(attributes: readonly Attribute[]): Attribute[] {
  const find = (type: number) => attributes.find((attribute) => attribute.type === type)?.value;
  return attributes.flatMap((attribute) => {
    switch (attribute.type) {
      case AS_PATH:
        return [{ ...attribute, value: widenPath(attribute.value, find(AS4_PATH)) }];
      case AGGREGATOR:
        return [{ ...attribute, value: widenAggregator(attribute.value, find(AS4_AGGREGATOR)) }];
      case AS4_PATH:
      case AS4_AGGREGATOR:
        return [];
      default:
        return [attribute];
    }
  });
}

function widenPath(value: Uint8Array, as4Value: Uint8Array | undefined): Uint8Array {
  const path = decodeAsPath(new ByteReader(value), 2);
  const as4Path = as4Value === undefined ? [] : decodeAsPath(new ByteReader(as4Value), 4);
  return encodeAsPath(mergeAs4Path(path, as4Path), true);
}

/** RFC 6793 §4.2.3: as many leading ASes of AS_PATH as it is longer, then AS4_PATH without confederation segments. */
export function mergeAs4Path(
  path: readonly AsPathSegment[],
  as4Path: readonly AsPathSegment[],
): AsPathSegment[] {
  const tail = as4Path.filter(({ type }) => type === 'sequence' || type === 'set');
  let leading = hopCount(path) - hopCount(tail);
  if (tail.length === 0 || leading < 0) return [...path];
  const merged: AsPathSegment[] = [];
  for (const { type, asns } of path) {
    const isConfed = type === 'confedSequence' || type === 'confedSet';
    if (leading <= 0 && !isConfed) break;
    const part = type === 'sequence' ? asns.slice(0, leading) : asns;
    merged.push({ type, asns: part });
    if (!isConfed) leading -= type === 'sequence' ? part.length : 1;
  }
  return [...merged, ...tail];
}

/** RFC 4271 §9.1.2.2 (a), RFC 5065 §5.3: a set is one, confederation segments none. */
function hopCount(path: readonly AsPathSegment[]): number {
  return path.reduce((sum, { type, asns }) => {
    if (type === 'sequence') return sum + asns.length;
    return type === 'set' ? sum + 1 : sum;
  }, 0);
}

function widenAggregator(value: Uint8Array, as4Value: Uint8Array | undefined): Uint8Array {
  if (value.length !== 6) return value;
  const isTrans = ((value[0]! << 8) | value[1]!) === AS_TRANS;
  if (isTrans && as4Value?.length === 8) return as4Value;
  return Buffer.concat([new Uint8Array(2), value]);
}

function encode({ flags, type, value }: Attribute): Uint8Array {
  return Buffer.concat([Uint8Array.of(flags | EXTENDED_LENGTH, type), uint16(value.length), value]);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
