// AS_PATH and AS4_PATH: segments ↔ bytes (RFC 4271 §4.3, RFC 5065 §3, RFC 6793), and the form people read.
import type { ByteReader } from '../../net/byte-reader.ts';
import { ByteWriter } from '../../net/byte-writer.ts';
import { AS_TRANS, SegmentType } from '../iana.ts';

type SegmentName = 'sequence' | 'set' | 'confedSequence' | 'confedSet';

export interface AsPathSegment {
  readonly type: SegmentName;
  readonly asns: readonly number[];
}

/** One hop of a path as JSON shows it: an AS number, or a segment that is not a plain sequence. */
export type AsPathElement =
  | number
  | { readonly set: readonly number[] }
  | { readonly confedSequence: readonly number[] }
  | { readonly confedSet: readonly number[] };

const typeNumbers: Readonly<Record<SegmentName, number>> = {
  set: SegmentType.asSet,
  sequence: SegmentType.asSequence,
  confedSequence: SegmentType.asConfedSequence,
  confedSet: SegmentType.asConfedSet,
};

/** RFC 4271 §4.3: the segment's count is one octet. */
const MAX_SEGMENT_ASNS = 255;

/** A path that is one AS_SEQUENCE; the empty path when there are no AS numbers. */
export function asSequence(asns: readonly number[]): readonly AsPathSegment[] {
  return asns.length === 0 ? [] : [{ type: 'sequence', asns }];
}

/** AS_PATH value in 4-octet form, or in 2-octet form with AS_TRANS where a number does not fit (RFC 6793 §4.2.2). */
export function encodeAsPath(segments: readonly AsPathSegment[], fourOctetAs: boolean): Uint8Array {
  const asnSize = fourOctetAs ? 4 : 2;
  const parts = segments.flatMap(splitLong);
  const writer = new ByteWriter(
    parts.reduce((size, { asns }) => size + 2 + asns.length * asnSize, 0),
  );
  for (const { type, asns } of parts) {
    writer.uint8(typeNumbers[type]).uint8(asns.length);
    for (const asn of asns) {
      if (fourOctetAs) writer.uint32(asn);
      else writer.uint16(asn > 0xffff ? AS_TRANS : asn);
    }
  }
  return writer.finish();
}

/** AS4_PATH for a peer that speaks 2-octet AS numbers, or undefined when AS_PATH says it all. */
export function encodeAs4Path(segments: readonly AsPathSegment[]): Uint8Array | undefined {
  if (!segments.some(({ asns }) => asns.some((asn) => asn > 0xffff))) return undefined;
  // RFC 6793 §4.2.2: confederation segments do not go into AS4_PATH
  return encodeAsPath(
    segments.filter(({ type }) => type === 'sequence' || type === 'set'),
    true,
  );
}

function splitLong({ type, asns }: AsPathSegment): AsPathSegment[] {
  const parts: AsPathSegment[] = [];
  for (let start = 0; start < asns.length; start += MAX_SEGMENT_ASNS) {
    parts.push({ type, asns: asns.slice(start, start + MAX_SEGMENT_ASNS) });
  }
  return parts;
}

/** The segments up to the reader's end. Throws where a segment is cut or of an unknown type. */
export function decodeAsPath(reader: ByteReader, asnSize: 2 | 4): AsPathSegment[] {
  const segments: AsPathSegment[] = [];
  while (reader.remaining > 0) {
    const typeNumber = reader.uint8();
    const type = segmentName(typeNumber);
    if (type === undefined) throw reader.error(`AS_PATH segment type ${typeNumber}, expected 1–4`);
    const count = reader.uint8();
    const asns: number[] = [];
    for (let i = 0; i < count; i++) asns.push(asnSize === 4 ? reader.uint32() : reader.uint16());
    segments.push({ type, asns });
  }
  return segments;
}

function segmentName(typeNumber: number): SegmentName | undefined {
  return (Object.keys(typeNumbers) as SegmentName[]).find(
    (name) => typeNumbers[name] === typeNumber,
  );
}

/** Sequences as bare numbers, everything else as an object named for its segment type. */
export function asPathElements(segments: readonly AsPathSegment[]): AsPathElement[] {
  return segments.flatMap(({ type, asns }): AsPathElement[] =>
    type === 'sequence' ? [...asns] : [{ [type]: asns } as unknown as AsPathElement],
  );
}
