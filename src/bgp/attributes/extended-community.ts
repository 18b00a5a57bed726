// Extended communities (RFC 4360, RFC 5668): the text people know each by. Eight bytes: type, subtype, value.
import { formatHex } from '../../net/hex.ts';
import { formatIpAddress } from '../../net/ip-address.ts';
import { formatMacAddress } from '../../net/mac-address.ts';
import { formatFourOctetAs } from '../../net/route-distinguisher.ts';

/** RFC 4360 §2: the bit in the type that keeps a community inside the AS. */
const NON_TRANSITIVE = 0x40;

/** Subtypes of the AS- and address-specific types (types 0, 1, 2). */
const administratorSubtypes = new Map<number, string>([
  [0x02, 'route-target'], // RFC 4360 §4
  [0x03, 'route-origin'], // RFC 4360 §5
  [0x04, 'link-bandwidth'], // draft-ietf-idr-link-bandwidth
  [0x05, 'ospf-domain-id'], // RFC 4577
  [0x0a, 'l2vpn-identifier'], // RFC 6074
  [0x0b, 'vrf-route-import'], // RFC 6514
]);

/** RFC 9012 §4.1, "BGP Tunnel Encapsulation Attribute Tunnel Types". */
const tunnelTypes = new Map<number, string>([
  [7, 'ip-in-ip'],
  [8, 'vxlan'],
  [9, 'nvgre'],
  [10, 'mpls'],
  [11, 'mpls-in-gre'],
  [12, 'vxlan-gpe'],
  [13, 'mpls-in-udp'],
  [19, 'geneve'],
]);

/** "route-target 65000:101", "encapsulation vxlan", "router-mac 00:53:…"; "type 0x… subtype 0x… value" for the others. */
export function formatExtendedCommunity(bytes: Uint8Array): string {
  const type = bytes[0]! & ~NON_TRANSITIVE;
  const subtype = bytes[1]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const text =
    administratorText(type, subtype, bytes, view) ??
    opaqueText(type, subtype, view) ??
    evpnText(type, subtype, bytes, view);
  if (text !== undefined) return text;
  return `type 0x${formatHex(bytes.subarray(0, 1))} subtype 0x${formatHex(bytes.subarray(1, 2))} ${formatHex(bytes.subarray(2))}`;
}

function administratorText(
  type: number,
  subtype: number,
  bytes: Uint8Array,
  view: DataView,
): string | undefined {
  const name = administratorSubtypes.get(subtype);
  if (name === undefined || type > 2) return undefined;
  if (name === 'link-bandwidth') return `${name} ${view.getUint16(2)}:${view.getFloat32(4)}`;
  if (type === 0) return `${name} ${view.getUint16(2)}:${view.getUint32(4)}`;
  if (type === 1) return `${name} ${formatIpAddress(bytes.subarray(2, 6))}:${view.getUint16(6)}`;
  return `${name} ${formatFourOctetAs(view.getUint32(2))}:${view.getUint16(6)}`;
}

/** Type 3 (RFC 4360 §3.3). */
function opaqueText(type: number, subtype: number, view: DataView): string | undefined {
  if (type !== 3) return undefined;
  if (subtype === 0x0b) return `color ${view.getUint32(4)}`; // RFC 9012 §4.3
  if (subtype === 0x0c)
    return `encapsulation ${tunnelTypes.get(view.getUint16(6)) ?? view.getUint16(6)}`;
  if (subtype === 0x0d) return 'default-gateway'; // RFC 7432 §7.8
  return undefined;
}

/** Type 6 (RFC 7153). */
function evpnText(
  type: number,
  subtype: number,
  bytes: Uint8Array,
  view: DataView,
): string | undefined {
  if (type !== 6) return undefined;
  switch (subtype) {
    case 0x00: // RFC 7432 §7.7
      return `mac-mobility ${view.getUint32(4)}${bytes[2]! & 1 ? ' static' : ''}`;
    case 0x01: // RFC 7432 §7.5
      return `esi-label ${view.getUint16(5) * 256 + bytes[7]!}${bytes[2]! & 1 ? ' single-active' : ''}`;
    case 0x02: // RFC 7432 §7.6
      return `es-import ${formatMacAddress(bytes.subarray(2))}`;
    case 0x03: // RFC 9135 §8.1
      return `router-mac ${formatMacAddress(bytes.subarray(2))}`;
    case 0x06: // RFC 8584 §2.2
      return `designated-forwarder ${formatHex(bytes.subarray(2))}`;
    default:
      return undefined;
  }
}
