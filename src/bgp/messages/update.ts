// UPDATE messages of local routes (RFC 4271 §4.3, RFC 4760, RFC 8950, RFC 6793, RFC 8654): prefixes and attributes → bytes.
//
//   encodeAnnouncement(prefixes: readonly Prefix[], attributes: AnnouncedAttributes, session: UpdateSession): Uint8Array[]
//   encodeWithdrawal(prefixes: readonly Prefix[], session: UpdateSession): Uint8Array[]
//   encodeEndOfRib(family: AddressFamily): Uint8Array
//
// Each array element is one whole message. Not here: path identifiers (ADD-PATH is received, never sent) and EVPN.
// Reading an UPDATE is the core's work; for people, messages/describe.ts.
import { type AddressFamily, familyNumbers } from '../../net/address-family.ts';
import { ByteWriter } from '../../net/byte-writer.ts';
import { type Prefix, prefixFamily } from '../../net/prefix.ts';
import { type AnnouncedAttributes, encodeAttributes } from '../attributes/encode.ts';
import { AttributeFlag, AttributeType, HEADER_SIZE, MessageType } from '../iana.ts';

export type { AnnouncedAttributes } from '../attributes/encode.ts';

/** What of the negotiated session shapes an UPDATE. */
export interface UpdateSession {
  readonly fourOctetAs: boolean;
  /** 4096, or 65535 with RFC 8654. */
  readonly maxMessageBytes: number;
}

/** Header, withdrawn routes length, total path attribute length. */
const FIXED_SIZE = HEADER_SIZE + 4;
/** Flags, type and two octets of length. */
const ATTRIBUTE_HEADER_SIZE = 4;
/** AFI and SAFI. */
const FAMILY_SIZE = 3;

/** The UPDATEs that announce all prefixes with one attribute set; IPv4 and IPv6 may be mixed. As few messages as fit. */
export function encodeAnnouncement(
  prefixes: readonly Prefix[],
  attributes: AnnouncedAttributes,
  session: UpdateSession,
): Uint8Array[] {
  return byFamily(prefixes).flatMap(({ family, members }) =>
    family === 'ipv4-unicast' && attributes.nextHop.length === 4
      ? announceInBody(members, attributes, session)
      : announceInMpReach(family, members, attributes, session),
  );
}

/** The UPDATEs that withdraw all prefixes. */
export function encodeWithdrawal(
  prefixes: readonly Prefix[],
  session: UpdateSession,
): Uint8Array[] {
  return byFamily(prefixes).flatMap(({ family, members }) =>
    family === 'ipv4-unicast'
      ? withdrawInBody(members, session)
      : withdrawInMpUnreach(family, members, session),
  );
}

/** RFC 4724 §2: an empty UPDATE for IPv4 unicast, an empty MP_UNREACH_NLRI for every other family. */
export function encodeEndOfRib(family: AddressFamily): Uint8Array {
  if (family === 'ipv4-unicast') return updateMessage([], [], []);
  return updateMessage([], [mpUnreach(family, [])], []);
}

function announceInBody(
  prefixes: readonly Prefix[],
  attributes: AnnouncedAttributes,
  session: UpdateSession,
): Uint8Array[] {
  const block = encodeAttributes(attributes, session, true);
  const room = session.maxMessageBytes - FIXED_SIZE - block.length;
  return fill(prefixes, room).map((nlri) => updateMessage([], [block], nlri));
}

function announceInMpReach(
  family: AddressFamily,
  prefixes: readonly Prefix[],
  attributes: AnnouncedAttributes,
  session: UpdateSession,
): Uint8Array[] {
  const block = encodeAttributes(attributes, session, false);
  const head = mpReachHead(family, attributes);
  const room =
    session.maxMessageBytes - FIXED_SIZE - block.length - ATTRIBUTE_HEADER_SIZE - head.length;
  // RFC 7606 §5.1: MP_REACH_NLRI first, so that a receiver finds it whatever else is wrong
  return fill(prefixes, room).map((nlri) =>
    updateMessage([], [mpAttribute(AttributeType.mpReachNlri, [head, ...nlri]), block], []),
  );
}

function withdrawInBody(prefixes: readonly Prefix[], session: UpdateSession): Uint8Array[] {
  const room = session.maxMessageBytes - FIXED_SIZE;
  return fill(prefixes, room).map((withdrawn) => updateMessage(withdrawn, [], []));
}

function withdrawInMpUnreach(
  family: AddressFamily,
  prefixes: readonly Prefix[],
  session: UpdateSession,
): Uint8Array[] {
  const room = session.maxMessageBytes - FIXED_SIZE - ATTRIBUTE_HEADER_SIZE - FAMILY_SIZE;
  return fill(prefixes, room).map((nlri) => updateMessage([], [mpUnreach(family, nlri)], []));
}

/** RFC 4760 §3: AFI, SAFI, next hop length, next hop, reserved. */
function mpReachHead(family: AddressFamily, attributes: AnnouncedAttributes): Uint8Array {
  const { nextHop, linkLocalNextHop } = attributes;
  if (family === 'ipv6-unicast' && nextHop.length !== 16) {
    throw new RangeError(`next hop of ${nextHop.length} bytes for ipv6-unicast, expected 16`);
  }
  const addresses = linkLocalNextHop ? [nextHop, linkLocalNextHop] : [nextHop];
  const { afi, safi } = familyNumbers(family);
  const writer = new ByteWriter(FAMILY_SIZE + 2 + addresses.length * 16);
  writer.uint16(afi).uint8(safi).uint8(sizeOf(addresses));
  for (const address of addresses) writer.bytes(address);
  return writer.uint8(0).finish();
}

function mpUnreach(family: AddressFamily, nlri: readonly Uint8Array[]): Uint8Array {
  const { afi, safi } = familyNumbers(family);
  const head = new ByteWriter(FAMILY_SIZE).uint16(afi).uint8(safi).finish();
  return mpAttribute(AttributeType.mpUnreachNlri, [head, ...nlri]);
}

function mpAttribute(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const size = sizeOf(parts);
  const writer = new ByteWriter(ATTRIBUTE_HEADER_SIZE + size);
  writer
    .uint8(AttributeFlag.optional | AttributeFlag.extendedLength)
    .uint8(type)
    .uint16(size);
  for (const part of parts) writer.bytes(part);
  return writer.finish();
}

function updateMessage(
  withdrawn: readonly Uint8Array[],
  attributes: readonly Uint8Array[],
  nlri: readonly Uint8Array[],
): Uint8Array {
  const size = FIXED_SIZE + sizeOf(withdrawn) + sizeOf(attributes) + sizeOf(nlri);
  const writer = new ByteWriter(size);
  writer.uint32(0xffffffff).uint32(0xffffffff).uint32(0xffffffff).uint32(0xffffffff);
  writer.uint16(size).uint8(MessageType.update);
  writer.uint16(sizeOf(withdrawn));
  for (const part of withdrawn) writer.bytes(part);
  writer.uint16(sizeOf(attributes));
  for (const part of [...attributes, ...nlri]) writer.bytes(part);
  return writer.finish();
}

/** Cuts the prefixes, in NLRI form, into lists of at most `room` bytes. */
function fill(prefixes: readonly Prefix[], room: number): Uint8Array[][] {
  const lists: Uint8Array[][] = [];
  let list: Uint8Array[] = [];
  let size = 0;
  for (const prefix of prefixes) {
    const nlri = encodeNlri(prefix);
    if (nlri.length > room) throw new RangeError('path attributes leave no room for a prefix');
    if (size + nlri.length > room) {
      lists.push(list);
      list = [];
      size = 0;
    }
    list.push(nlri);
    size += nlri.length;
  }
  if (list.length > 0) lists.push(list);
  return lists;
}

/** RFC 4271 §4.3: length in bits, then as few octets as hold them. */
function encodeNlri({ address, length }: Prefix): Uint8Array {
  const nlri = new Uint8Array(1 + ((length + 7) >> 3));
  nlri[0] = length;
  nlri.set(address.subarray(0, nlri.length - 1), 1);
  return nlri;
}

function byFamily(prefixes: readonly Prefix[]): { family: AddressFamily; members: Prefix[] }[] {
  const families: { family: AddressFamily; members: Prefix[] }[] = [];
  for (const prefix of prefixes) {
    const family = prefixFamily(prefix);
    const found = families.find((entry) => entry.family === family);
    if (found) found.members.push(prefix);
    else families.push({ family, members: [prefix] });
  }
  return families;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((size, part) => size + part.length, 0);
}
