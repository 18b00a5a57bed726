// EVPN routes, types 1 to 5, for people (RFC 7432 §7, RFC 9136 §3.1). Other types keep their bytes.
import type { ByteReader } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import { formatIpAddress } from '../../net/ip-address.ts';
import { formatMacAddress } from '../../net/mac-address.ts';
import { clearHostBits, formatPrefix } from '../../net/prefix.ts';
import { formatRouteDistinguisher } from '../../net/route-distinguisher.ts';
import { type DescribedLabel, readEvpnLabel } from './prefix.ts';

export interface DescribedEvpnRoute {
  readonly routeType: number;
  readonly routeTypeName?: string;
  readonly routeDistinguisher?: string;
  /** "00:01:…": ten octets (RFC 7432 §5). */
  readonly ethernetSegmentId?: string;
  readonly ethernetTag?: number;
  readonly mac?: string;
  /** Type 2: the host's; types 3 and 4: the originating router's. */
  readonly address?: string;
  readonly prefix?: string;
  readonly gateway?: string;
  readonly labels?: readonly (DescribedLabel & { readonly vni: number })[];
  /** The value of a type that is not known here, in hex. */
  readonly raw?: string;
}

const routeTypeNames = [
  '',
  'ethernetAutoDiscovery',
  'macIpAdvertisement',
  'inclusiveMulticast',
  'ethernetSegment',
  'ipPrefix',
];

export function readEvpnRoute(reader: ByteReader): DescribedEvpnRoute {
  const routeType = reader.uint8();
  const value = reader.slice(reader.uint8());
  const routeTypeName = routeTypeNames[routeType];
  if (!routeTypeName) return { routeType, raw: formatHex(value.rest()) };
  const route = { routeType, routeTypeName, ...readValue(routeType, value) };
  if (value.remaining > 0) {
    throw value.error(`${value.remaining} bytes after an EVPN route of type ${routeType}`);
  }
  return route;
}

function readValue(
  routeType: number,
  reader: ByteReader,
): Omit<DescribedEvpnRoute, 'routeType' | 'routeTypeName'> {
  const routeDistinguisher = formatRouteDistinguisher(reader.bytes(8));
  switch (routeType) {
    case 1:
      return {
        routeDistinguisher,
        ...readSegmentAndTag(reader),
        labels: [readEvpnLabel(reader)],
      };
    case 2:
      return { routeDistinguisher, ...readSegmentAndTag(reader), ...readMacIp(reader) };
    case 3:
      return { routeDistinguisher, ethernetTag: reader.uint32(), address: readHost(reader) };
    case 4:
      return {
        routeDistinguisher,
        ethernetSegmentId: readSegment(reader),
        address: readHost(reader),
      };
    default:
      return { routeDistinguisher, ...readSegmentAndTag(reader), ...readIpPrefix(reader) };
  }
}

function readSegmentAndTag(reader: ByteReader): { ethernetSegmentId: string; ethernetTag: number } {
  return { ethernetSegmentId: readSegment(reader), ethernetTag: reader.uint32() };
}

function readSegment(reader: ByteReader): string {
  return formatMacAddress(reader.bytes(10));
}

function readMacIp(reader: ByteReader): Omit<DescribedEvpnRoute, 'routeType'> {
  const macBits = reader.uint8();
  if (macBits !== 48) throw reader.error(`MAC address of ${macBits} bits, expected 48`);
  const mac = formatMacAddress(reader.bytes(6));
  const addressBits = reader.uint8();
  const address = addressBits === 0 ? {} : { address: readAddress(reader, addressBits) };
  const labels = [readEvpnLabel(reader)];
  if (reader.remaining > 0) labels.push(readEvpnLabel(reader));
  return { mac, ...address, labels };
}

function readHost(reader: ByteReader): string {
  return readAddress(reader, reader.uint8());
}

function readAddress(reader: ByteReader, bits: number): string {
  if (bits !== 32 && bits !== 128)
    throw reader.error(`address of ${bits} bits, expected 32 or 128`);
  return formatIpAddress(reader.bytes(bits / 8));
}

/** RFC 9136 §3.1: what remains tells IPv4 (12 bytes) from IPv6 (36). */
function readIpPrefix(reader: ByteReader): Omit<DescribedEvpnRoute, 'routeType'> {
  if (reader.remaining !== 12 && reader.remaining !== 36) {
    throw reader.error(`${reader.remaining} bytes of prefix, gateway and label, expected 12 or 36`);
  }
  const addressSize = reader.remaining === 12 ? 4 : 16;
  const length = reader.uint8();
  if (length > addressSize * 8) {
    throw reader.error(`prefix of ${length} bits, expected at most ${addressSize * 8}`);
  }
  const address = clearHostBits(reader.bytes(addressSize), length);
  const gateway = formatIpAddress(reader.bytes(addressSize));
  return {
    prefix: formatPrefix({ address, length }),
    gateway,
    labels: [readEvpnLabel(reader)],
  };
}
