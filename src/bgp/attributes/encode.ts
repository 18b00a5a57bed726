// Path attributes of local routes → bytes, in ascending order of type (RFC 4271 §5).
import { ByteWriter } from '../../net/byte-writer.ts';
import type { LargeCommunity } from '../../net/community.ts';
import type { IpAddress } from '../../net/ip-address.ts';
import { AttributeFlag, AttributeType, type Origin, origins } from '../iana.ts';
import { type AsPathSegment, encodeAs4Path, encodeAsPath } from './as-path.ts';

/** What a local route says of itself. The next hop decides between NEXT_HOP and MP_REACH_NLRI in messages/update.ts. */
export interface AnnouncedAttributes {
  readonly origin: Origin;
  /** Towards eBGP it begins with the local AS; the caller puts it there. */
  readonly asPath: readonly AsPathSegment[];
  /** 4 or 16 bytes. IPv4 prefixes with 16 bytes go out as RFC 8950 says. */
  readonly nextHop: IpAddress;
  /** Goes with a global IPv6 next hop where the peer is on the same link (RFC 2545 §3). */
  readonly linkLocalNextHop?: IpAddress | undefined;
  readonly med?: number | undefined;
  /** iBGP only (RFC 4271 §5.1.5): leave it undefined towards eBGP. */
  readonly localPref?: number | undefined;
  /** 32-bit values (RFC 1997). */
  readonly communities?: readonly number[] | undefined;
  /** 8 bytes each (RFC 4360). */
  readonly extendedCommunities?: readonly Uint8Array[] | undefined;
  readonly largeCommunities?: readonly LargeCommunity[] | undefined;
}

interface Attribute {
  readonly flags: number;
  readonly type: number;
  readonly value: Uint8Array;
}

const { optional, transitive, extendedLength } = AttributeFlag;

/** Every attribute but MP_REACH_NLRI; NEXT_HOP only on request. */
export function encodeAttributes(
  attributes: AnnouncedAttributes,
  session: { readonly fourOctetAs: boolean },
  withNextHop: boolean,
): Uint8Array {
  const list: Attribute[] = [
    { flags: transitive, type: AttributeType.origin, value: origin(attributes.origin) },
    {
      flags: transitive,
      type: AttributeType.asPath,
      value: encodeAsPath(attributes.asPath, session.fourOctetAs),
    },
  ];
  if (withNextHop) {
    list.push({ flags: transitive, type: AttributeType.nextHop, value: attributes.nextHop });
  }
  list.push(...metrics(attributes), ...communities(attributes));
  const as4Path = session.fourOctetAs ? undefined : encodeAs4Path(attributes.asPath);
  if (as4Path) {
    list.push({ flags: optional | transitive, type: AttributeType.as4Path, value: as4Path });
  }
  list.sort((a, b) => a.type - b.type);
  return concatenate(list.map(encodeAttribute));
}

function metrics({ med, localPref }: AnnouncedAttributes): Attribute[] {
  const list: Attribute[] = [];
  if (med !== undefined) {
    list.push({ flags: optional, type: AttributeType.med, value: uint32s([med]) });
  }
  if (localPref !== undefined) {
    list.push({ flags: transitive, type: AttributeType.localPref, value: uint32s([localPref]) });
  }
  return list;
}

function communities(attributes: AnnouncedAttributes): Attribute[] {
  const flags = optional | transitive;
  const list: Attribute[] = [
    {
      flags,
      type: AttributeType.communities,
      value: uint32s(attributes.communities ?? []),
    },
    {
      flags,
      type: AttributeType.extendedCommunities,
      value: concatenate(attributes.extendedCommunities ?? []),
    },
    {
      flags,
      type: AttributeType.largeCommunities,
      value: uint32s((attributes.largeCommunities ?? []).flat()),
    },
  ];
  return list.filter(({ value }) => value.length > 0);
}

/** Flags, type, length, value; two length octets only where one is too short (RFC 4271 §4.3). */
function encodeAttribute({ flags, type, value }: Attribute): Uint8Array {
  const long = value.length > 255;
  const writer = new ByteWriter(value.length + (long ? 4 : 3));
  writer.uint8(long ? flags | extendedLength : flags).uint8(type);
  if (long) writer.uint16(value.length);
  else writer.uint8(value.length);
  return writer.bytes(value).finish();
}

function origin(name: Origin): Uint8Array {
  return Uint8Array.of(origins.indexOf(name));
}

function uint32s(values: readonly number[]): Uint8Array {
  const writer = new ByteWriter(values.length * 4);
  for (const value of values) writer.uint32(value);
  return writer.finish();
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(parts.reduce((size, part) => size + part.length, 0));
  for (const part of parts) writer.bytes(part);
  return writer.finish();
}
