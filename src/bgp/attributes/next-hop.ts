// The next hop of MP_REACH_NLRI, by its length: RFC 4760 §3, RFC 2545 §3, RFC 4364 §4.3.2, RFC 4659 §3.2.1, RFC 8950 §3.
import type { ByteReader } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import { formatIpAddress } from '../../net/ip-address.ts';

export interface DescribedNextHop {
  /** Absent where the family has none (flow specifications). */
  readonly nextHop?: string;
  readonly linkLocalNextHop?: string;
}

const RD_SIZE = 8;

/** Takes the field alone. A route distinguisher before an address says nothing and is left out. */
export function readNextHop(reader: ByteReader): DescribedNextHop {
  switch (reader.remaining) {
    case 0:
      return {};
    case 4:
    case 16:
      return { nextHop: formatIpAddress(reader.rest()) };
    case 32:
      return {
        nextHop: formatIpAddress(reader.bytes(16)),
        linkLocalNextHop: formatIpAddress(reader.rest()),
      };
    case RD_SIZE + 4:
    case RD_SIZE + 16:
      reader.bytes(RD_SIZE);
      return { nextHop: formatIpAddress(reader.rest()) };
    case 2 * (RD_SIZE + 16):
      return readVpnPair(reader);
    default:
      throw reader.error(
        `next hop of ${reader.remaining} bytes (${formatHex(reader.rest())}), expected 0, 4, 12, 16, 24, 32 or 48`,
      );
  }
}

/** RFC 4659 §3.2.1: global and link-local address, each behind a route distinguisher. */
function readVpnPair(reader: ByteReader): DescribedNextHop {
  reader.bytes(RD_SIZE);
  const nextHop = formatIpAddress(reader.bytes(16));
  reader.bytes(RD_SIZE);
  return { nextHop, linkLocalNextHop: formatIpAddress(reader.rest()) };
}
