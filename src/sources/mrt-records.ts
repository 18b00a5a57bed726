// The bodies of MRT records → typed records: one function per type (RFC 6396 §4, RFC 8050 §3–4).
// A ReadError (a length that does not fit) is the caller's to report.
import { ByteReader, ReadError } from '../net/byte-reader.ts';
import {
  type MessageRecord,
  type MrtFrame,
  type MrtPeer,
  type MrtReadOptions,
  type MrtRecord,
  MrtType,
  mrtTypeName,
  type PeerIndexTable,
  type RibEntry,
  type RibRecord,
  type StateChangeRecord,
} from './mrt-types.ts';

const AFI_IPV4 = 1;
const AFI_IPV6 = 2;
const SAFI_UNICAST = 1;
const SAFI_MULTICAST = 2;
const SAFI_EVPN = 70;

/** BGP message header: marker, length, type (RFC 4271 §4.1). */
const MESSAGE_HEADER_SIZE = 19;

interface Header {
  readonly offset: number;
  readonly timestamp: number;
  readonly mrtType: number;
  readonly subtype: number;
}

export function decodeRecord(
  frame: MrtFrame,
  peers: PeerIndexTable | undefined,
  options: MrtReadOptions,
): MrtRecord {
  const reader = new ByteReader(frame.body);
  const header = {
    offset: frame.offset,
    timestamp: frame.timestampSeconds * 1e6,
    mrtType: frame.mrtType,
    subtype: frame.subtype,
  };
  switch (frame.mrtType) {
    case MrtType.tableDump:
      return decodeTableDump(reader, header) ?? unknown(header, frame.body);
    case MrtType.tableDumpV2:
      return decodeTableDumpV2(reader, header, peers) ?? unknown(header, frame.body);
    case MrtType.bgp4mp:
      return decodeBgp4mp(reader, header, options) ?? unknown(header, frame.body);
    case MrtType.bgp4mpEt:
      // RFC 6396 §3: the microseconds are counted in the length
      header.timestamp += reader.uint32();
      return decodeBgp4mp(reader, header, options) ?? unknown(header, frame.body);
    case MrtType.bgp:
      return decodeOldBgp(reader, header) ?? unknown(header, frame.body);
    default:
      return unknown(header, frame.body);
  }
}

function unknown(header: Header, body: Uint8Array): MrtRecord {
  return { ...header, kind: 'unknown', name: mrtTypeName(header.mrtType, header.subtype), body };
}

/** RFC 6396 §4.2. Subtypes 3 and 4 are the same with 4-octet AS numbers (written by some collectors of 2008). */
function decodeTableDump(reader: ByteReader, header: Header): RibRecord | undefined {
  const { subtype } = header;
  if (subtype < 1 || subtype > 4) return undefined;
  const afi = subtype % 2 === 1 ? AFI_IPV4 : AFI_IPV6;
  const fourOctetAs = subtype > 2;
  const addressSize = afi === AFI_IPV4 ? 4 : 16;
  reader.uint16(); // view
  const sequence = reader.uint16();
  const prefix = reader.bytes(addressSize);
  const length = reader.uint8();
  if (length > addressSize * 8) throw reader.error(`prefix length ${length}`);
  reader.uint8(); // status, always 1
  const originatedTime = reader.uint32();
  const address = reader.bytes(addressSize);
  const asn = fourOctetAs ? reader.uint32() : reader.uint16();
  const attributes = reader.bytes(reader.uint16());
  const nlri = new Uint8Array(1 + ((length + 7) >> 3));
  nlri[0] = length;
  nlri.set(prefix.subarray(0, nlri.length - 1), 1);
  const peer = { address, asn, routerId: 0 };
  const entry = { peer, peerIndex: 0, originatedTime, pathId: undefined, attributes };
  return {
    ...header,
    kind: 'rib',
    afi,
    safi: SAFI_UNICAST,
    sequence,
    nlri,
    addPath: false,
    fourOctetAs,
    entries: [entry],
  };
}

/** RFC 6396 §4.3.2 and RFC 8050 §4.1: what the subtype says of the NLRI. */
const ribSubtypes: Readonly<Record<number, { afi: number; safi: number; addPath: boolean }>> = {
  2: { afi: AFI_IPV4, safi: SAFI_UNICAST, addPath: false },
  3: { afi: AFI_IPV4, safi: SAFI_MULTICAST, addPath: false },
  4: { afi: AFI_IPV6, safi: SAFI_UNICAST, addPath: false },
  5: { afi: AFI_IPV6, safi: SAFI_MULTICAST, addPath: false },
  8: { afi: AFI_IPV4, safi: SAFI_UNICAST, addPath: true },
  9: { afi: AFI_IPV4, safi: SAFI_MULTICAST, addPath: true },
  10: { afi: AFI_IPV6, safi: SAFI_UNICAST, addPath: true },
  11: { afi: AFI_IPV6, safi: SAFI_MULTICAST, addPath: true },
};
const PEER_INDEX_TABLE = 1;
const RIB_GENERIC = 6;
const RIB_GENERIC_ADDPATH = 12;

function decodeTableDumpV2(
  reader: ByteReader,
  header: Header,
  peers: PeerIndexTable | undefined,
): PeerIndexTable | RibRecord | undefined {
  const { subtype } = header;
  if (subtype === PEER_INDEX_TABLE) return decodePeerIndexTable(reader, header);
  const isGeneric = subtype === RIB_GENERIC || subtype === RIB_GENERIC_ADDPATH;
  const known = ribSubtypes[subtype];
  if (!isGeneric && known === undefined) return undefined;

  const sequence = reader.uint32();
  const family = known ?? {
    afi: reader.uint16(),
    safi: reader.uint8(),
    addPath: subtype === RIB_GENERIC_ADDPATH,
  };
  const nlri = readNlri(reader, family);
  const entryCount = reader.uint16();
  const entries: RibEntry[] = [];
  for (let i = 0; i < entryCount; i++) entries.push(readRibEntry(reader, family.addPath, peers));
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes behind the last entry`);
  return { ...header, kind: 'rib', ...family, sequence, nlri, fourOctetAs: true, entries };
}

/** RFC 6396 §4.3.1. */
function decodePeerIndexTable(reader: ByteReader, header: Header): PeerIndexTable {
  const collectorId = reader.uint32();
  const viewName = new TextDecoder().decode(reader.bytes(reader.uint16()));
  const peerCount = reader.uint16();
  const peers: MrtPeer[] = [];
  for (let i = 0; i < peerCount; i++) {
    const type = reader.uint8(); // bit 0: IPv6 address, bit 1: 4-octet AS
    const routerId = reader.uint32();
    const address = reader.bytes(type & 1 ? 16 : 4);
    const asn = type & 2 ? reader.uint32() : reader.uint16();
    peers.push({ address, asn, routerId });
  }
  return { ...header, kind: 'peerIndexTable', collectorId, viewName, peers };
}

/** RFC 6396 §4.3.3: a single NLRI. Its own first bytes tell its size: bits, or for EVPN a type and bytes. */
function readNlri(reader: ByteReader, { afi, safi }: { afi: number; safi: number }): Uint8Array {
  const first = reader.bytes(safi === SAFI_EVPN ? 2 : 1);
  const size = safi === SAFI_EVPN ? first[1]! : (first[0]! + 7) >> 3;
  const limit = afi === AFI_IPV4 ? 32 : 128;
  if (safi <= SAFI_MULTICAST && first[0]! > limit) throw reader.error(`prefix length ${first[0]}`);
  reader.bytes(size);
  return new Uint8Array(first.buffer, first.byteOffset, first.length + size);
}

/** RFC 6396 §4.3.4, with the path identifier of RFC 8050 §4.1. */
function readRibEntry(
  reader: ByteReader,
  addPath: boolean,
  peers: PeerIndexTable | undefined,
): RibEntry {
  const peerIndex = reader.uint16();
  const originatedTime = reader.uint32();
  const pathId = addPath ? reader.uint32() : undefined;
  const attributes = reader.bytes(reader.uint16());
  return { peer: peers?.peers[peerIndex], peerIndex, originatedTime, pathId, attributes };
}

/** RFC 6396 §4.4 and RFC 8050 §3: which of the subtypes are state changes, and what the others' messages carry. */
const bgp4mpSubtypes: Readonly<
  Record<number, { what: 'state' | 'message'; as4: boolean; local: boolean; addPath: boolean }>
> = {
  0: { what: 'state', as4: false, local: false, addPath: false },
  1: { what: 'message', as4: false, local: false, addPath: false },
  4: { what: 'message', as4: true, local: false, addPath: false },
  5: { what: 'state', as4: true, local: false, addPath: false },
  6: { what: 'message', as4: false, local: true, addPath: false },
  7: { what: 'message', as4: true, local: true, addPath: false },
  8: { what: 'message', as4: false, local: false, addPath: true },
  9: { what: 'message', as4: true, local: false, addPath: true },
  10: { what: 'message', as4: false, local: true, addPath: true },
  11: { what: 'message', as4: true, local: true, addPath: true },
};

function decodeBgp4mp(
  reader: ByteReader,
  header: Header,
  options: MrtReadOptions,
): MessageRecord | StateChangeRecord | undefined {
  const form = bgp4mpSubtypes[header.subtype];
  if (form === undefined) return undefined;
  const asn = form.as4 ? reader.uint32() : reader.uint16();
  const localAsn = form.as4 ? reader.uint32() : reader.uint16();
  const interfaceIndex = reader.uint16();
  const afi = reader.uint16();
  if (afi !== AFI_IPV4 && afi !== AFI_IPV6) throw reader.error(`address family ${afi}`);
  const addressSize = afi === AFI_IPV4 ? 4 : 16;
  const peer = { address: reader.bytes(addressSize), asn, routerId: 0 };
  const localAddress = reader.bytes(addressSize);
  const session = { ...header, peer, localAsn, localAddress, interfaceIndex };
  if (form.what === 'state') {
    const oldState = reader.uint16();
    return { ...session, kind: 'stateChange', oldState, newState: reader.uint16() };
  }
  return {
    ...session,
    kind: 'message',
    fourOctetAs: form.as4,
    addPath: form.addPath || (options.assumeAddPath ?? false),
    isLocal: form.local,
    message: readMessage(reader),
  };
}

/** A whole message; bytes behind its own length are dropped. */
function readMessage(reader: ByteReader): Uint8Array {
  const start = reader.position;
  const rest = reader.rest();
  if (rest.length < MESSAGE_HEADER_SIZE) {
    throw new ReadError(`BGP message of ${rest.length} bytes`, start);
  }
  const length = (rest[16]! << 8) | rest[17]!;
  if (length < MESSAGE_HEADER_SIZE || length > rest.length) {
    throw new ReadError(`BGP message length ${length} in ${rest.length} bytes`, start);
  }
  return rest.subarray(0, length);
}

/** The old type's subtypes that are messages → BGP message types (RFC 6396 appendix B.2, RFC 4271 §4.1). */
const oldBgpMessageTypes: Readonly<Record<number, number>> = { 1: 2, 5: 1, 6: 3, 7: 4 };
const OLD_BGP_STATE_CHANGE = 3;

/** RFC 6396 appendix B.2: 2-octet AS numbers, IPv4, messages without their header. */
function decodeOldBgp(
  reader: ByteReader,
  header: Header,
): MessageRecord | StateChangeRecord | undefined {
  const messageType = oldBgpMessageTypes[header.subtype];
  if (messageType === undefined && header.subtype !== OLD_BGP_STATE_CHANGE) return undefined;
  const asn = reader.uint16();
  const peer = { address: reader.bytes(4), asn, routerId: 0 };
  if (messageType === undefined) {
    const oldState = reader.uint16();
    const newState = reader.uint16();
    const nowhere = { localAsn: 0, localAddress: new Uint8Array(4), interfaceIndex: 0 };
    return { ...header, ...nowhere, kind: 'stateChange', peer, oldState, newState };
  }
  const localAsn = reader.uint16();
  const localAddress = reader.bytes(4);
  return {
    ...header,
    kind: 'message',
    peer,
    localAsn,
    localAddress,
    interfaceIndex: 0,
    fourOctetAs: false,
    addPath: false,
    isLocal: false,
    message: withMessageHeader(messageType, reader.rest()),
  };
}

function withMessageHeader(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(MESSAGE_HEADER_SIZE + body.length).fill(0xff, 0, 16);
  message[16] = message.length >> 8;
  message[17] = message.length & 0xff;
  message[18] = type;
  message.set(body, MESSAGE_HEADER_SIZE);
  return message;
}
