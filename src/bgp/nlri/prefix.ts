// Prefixes as NLRI: plain (RFC 4271 §4.3), with labels (RFC 8277 §2), with labels and a route distinguisher (RFC 4364 §4.3.4).
import type { ByteReader } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import { clearHostBits, formatPrefix } from '../../net/prefix.ts';
import { formatRouteDistinguisher } from '../../net/route-distinguisher.ts';

/** A 24-bit label field: 20 bits of label, 3 of traffic class, 1 for the bottom of the stack. */
export interface DescribedLabel {
  readonly label: number;
  /** The field as it came, in hex. */
  readonly raw: string;
}

export interface LabeledPrefix {
  readonly prefix: string;
  readonly routeDistinguisher?: string;
  readonly labels: readonly DescribedLabel[];
}

const LABEL_BITS = 24;
const RD_BITS = 64;
/** RFC 8277 §2.4, RFC 3107 §3: what a withdrawal writes where the label stood. */
const WITHDRAWN_LABELS = [0x800000, 0x000000];

/** Length and octets, host bits cleared. */
export function readPrefix(reader: ByteReader, addressSize: 4 | 16): string {
  return readPrefixOfLength(reader, reader.uint8(), addressSize);
}

export function readLabeledPrefix(
  reader: ByteReader,
  addressSize: 4 | 16,
  hasRouteDistinguisher: boolean,
): LabeledPrefix {
  let bits = reader.uint8();
  const labels: DescribedLabel[] = [];
  for (let isBottom = false; !isBottom; bits -= LABEL_BITS) {
    if (bits < LABEL_BITS)
      throw reader.error(`${bits} bits left, expected a label of ${LABEL_BITS}`);
    const field = reader.uint24();
    labels.push({ label: field >>> 4, raw: field.toString(16).padStart(6, '0') });
    isBottom = (field & 1) === 1 || WITHDRAWN_LABELS.includes(field);
  }
  if (!hasRouteDistinguisher) {
    return { labels, prefix: readPrefixOfLength(reader, bits, addressSize) };
  }
  if (bits < RD_BITS) throw reader.error(`${bits} bits left, expected a route distinguisher of 64`);
  const routeDistinguisher = formatRouteDistinguisher(reader.bytes(8));
  const prefix = readPrefixOfLength(reader, bits - RD_BITS, addressSize);
  return { routeDistinguisher, labels, prefix };
}

function readPrefixOfLength(reader: ByteReader, length: number, addressSize: 4 | 16): string {
  if (length > addressSize * 8) {
    throw reader.error(`prefix of ${length} bits, expected at most ${addressSize * 8}`);
  }
  const address = new Uint8Array(addressSize);
  address.set(reader.bytes((length + 7) >> 3));
  return formatPrefix({ address: clearHostBits(address, length), length });
}

/** A label field of EVPN: with VXLAN its 24 bits are the VNI (RFC 8365 §5.1.3). */
export function readEvpnLabel(reader: ByteReader): DescribedLabel & { readonly vni: number } {
  const bytes = reader.bytes(3);
  const field = (bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!;
  return { label: field >>> 4, vni: field, raw: formatHex(bytes) };
}
