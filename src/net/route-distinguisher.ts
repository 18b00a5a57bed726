// Route distinguishers as values: 8 bytes, type and value (RFC 4364 §4.2).
import { formatIpAddress } from './ip-address.ts';

/**
 * "65000:1" (type 0), "192.0.2.1:1" (type 1), "4200000000:1" (type 2; with an L where the AS number alone would read as
 * type 0), or the bytes in hex for a type nobody assigned.
 */
export function formatRouteDistinguisher(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  switch (view.getUint16(0)) {
    case 0:
      return `${view.getUint16(2)}:${view.getUint32(4)}`;
    case 1:
      return `${formatIpAddress(bytes.subarray(2, 6))}:${view.getUint16(6)}`;
    case 2:
      return `${formatFourOctetAs(view.getUint32(2))}:${view.getUint16(6)}`;
    default:
      return `0x${view.getBigUint64(0).toString(16).padStart(16, '0')}`;
  }
}

/** The L tells a small AS number written in four octets from one written in two. */
export function formatFourOctetAs(asn: number): string {
  return asn > 0xffff ? String(asn) : `${asn}L`;
}
