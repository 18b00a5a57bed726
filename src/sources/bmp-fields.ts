// The parts BMP messages are made of: the per-peer header, addresses, TLVs (RFC 7854 §4.2, §4.4, §4.8; RFC 9069).
import { messageLength } from '../bgp/messages/describe.ts';
import type { ByteReader } from '../net/byte-reader.ts';
import { formatHex } from '../net/hex.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { formatRouteDistinguisher } from '../net/route-distinguisher.ts';

/** RFC 7854 §4.2, RFC 9069 §4.1. */
const peerTypeNames = ['global', 'routeDistinguisher', 'local', 'locRib'];
export const LOC_RIB_PEER = 3;
/** Peer flags (RFC 7854 §4.2): IPv6 address; AS_PATH in 2-octet form. */
const FLAG_IPV6 = 0x80;
export const FLAG_TWO_OCTET_AS = 0x20;

export interface BmpPeer {
  readonly type: number;
  readonly typeName?: string;
  readonly flags: number;
  /** Absent when zero. */
  readonly distinguisher?: string;
  readonly address: string;
  readonly asn: number;
  readonly bgpIdentifier: string;
  /** RFC 3339, microseconds; absent when the router has no clock. */
  readonly timestamp?: string;
}

export interface BmpTlv {
  readonly type: number;
  /** Version 4 only. */
  readonly index?: number;
  readonly hex: string;
  /** Where the value is text. */
  readonly text?: string;
}

export interface IndexedTlv {
  readonly type: number;
  readonly index: number;
  readonly offset: number;
  readonly value: Uint8Array;
}

export function* readIndexedTlvs(reader: ByteReader): Generator<IndexedTlv, void, undefined> {
  while (reader.remaining > 0) {
    const type = reader.uint16();
    const length = reader.uint16();
    const index = reader.uint16();
    yield { type, index, offset: reader.position, value: reader.bytes(length) };
  }
}

export function isIpv6(peer: BmpPeer): boolean {
  return (peer.flags & FLAG_IPV6) !== 0;
}

/** RFC 7854 §4.2. */
export function readPeer(reader: ByteReader): BmpPeer {
  const type = reader.uint8();
  const flags = reader.uint8();
  const distinguisher = reader.bytes(8);
  // RFC 9069 §4.2: of a Loc-RIB the flag means something else and the address is zero
  const address = readAddress(reader, type !== LOC_RIB_PEER && (flags & FLAG_IPV6) !== 0);
  const asn = reader.uint32();
  const bgpIdentifier = formatIpAddress(reader.bytes(4));
  const timestamp = formatTimestamp(reader.uint32(), reader.uint32());
  const typeName = peerTypeNames[type];
  return {
    type,
    ...(typeName === undefined ? {} : { typeName }),
    flags,
    ...(distinguisher.some((byte) => byte !== 0)
      ? { distinguisher: formatRouteDistinguisher(distinguisher) }
      : {}),
    address,
    asn,
    bgpIdentifier,
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** 16 bytes; IPv4 in the last four. */
export function readAddress(reader: ByteReader, ipv6: boolean): string {
  const bytes = reader.bytes(16);
  return formatIpAddress(ipv6 || hasHighBytes(bytes) ? bytes : bytes.subarray(12));
}

function hasHighBytes(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 12).some((byte) => byte !== 0);
}

function formatTimestamp(seconds: number, microseconds: number): string | undefined {
  if (seconds === 0 && microseconds === 0) return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, -5);
  return `${whole}.${String(microseconds).padStart(6, '0')}Z`;
}

/** One BGP message by its own length. */
export function takeMessage(reader: ByteReader): Uint8Array {
  const start = reader.slice(0);
  const header = reader.bytes(Math.min(19, reader.remaining));
  const length = messageLength(header);
  if (length === undefined) throw start.error('a BGP message header expected');
  const rest = reader.bytes(length - header.length);
  const message = new Uint8Array(length);
  message.set(header);
  message.set(rest, header.length);
  return message;
}

export function readTlvs(reader: ByteReader, isText: boolean): BmpTlv[] {
  const tlvs: BmpTlv[] = [];
  while (reader.remaining > 0) {
    const type = reader.uint16();
    const value = reader.bytes(reader.uint16());
    const text = isText ? { text: new TextDecoder().decode(value) } : {};
    tlvs.push({ type, hex: formatHex(value), ...text });
  }
  return tlvs;
}

/** RFC 7854 §4.8: a count, then as many TLVs. */
export function readStatistics(reader: ByteReader): BmpTlv[] {
  const count = reader.uint32();
  const statistics: BmpTlv[] = [];
  for (let i = 0; i < count; i++) {
    statistics.push({ type: reader.uint16(), hex: formatHex(reader.bytes(reader.uint16())) });
  }
  return statistics;
}
