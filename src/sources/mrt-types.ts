// MRT's assigned numbers (IANA registry "Multi-Threaded Routing Toolkit (MRT)", RFC 6396, RFC 8050) and what a reader makes of a record.

/** MRT record types. */
export const MrtType = {
  bgp: 5, // deprecated, RFC 6396 appendix B.2
  tableDump: 12,
  tableDumpV2: 13,
  bgp4mp: 16,
  bgp4mpEt: 17,
} as const;

const typeNames: Readonly<Record<number, string>> = {
  0: 'NULL',
  1: 'START',
  2: 'DIE',
  3: 'I_AM_DEAD',
  4: 'PEER_DOWN',
  5: 'BGP',
  6: 'RIP',
  7: 'IDRP',
  8: 'RIPNG',
  9: 'BGP4PLUS',
  10: 'BGP4PLUS_01',
  11: 'OSPFv2',
  12: 'TABLE_DUMP',
  13: 'TABLE_DUMP_V2',
  16: 'BGP4MP',
  17: 'BGP4MP_ET',
  32: 'ISIS',
  33: 'ISIS_ET',
  48: 'OSPFv3',
  49: 'OSPFv3_ET',
};

const bgp4mpNames: readonly string[] = [
  'STATE_CHANGE',
  'MESSAGE',
  'ENTRY',
  'SNAPSHOT',
  'MESSAGE_AS4',
  'STATE_CHANGE_AS4',
  'MESSAGE_LOCAL',
  'MESSAGE_AS4_LOCAL',
  'MESSAGE_ADDPATH',
  'MESSAGE_AS4_ADDPATH',
  'MESSAGE_LOCAL_ADDPATH',
  'MESSAGE_AS4_LOCAL_ADDPATH',
];

const tableDumpV2Names: readonly string[] = [
  '',
  'PEER_INDEX_TABLE',
  'RIB_IPV4_UNICAST',
  'RIB_IPV4_MULTICAST',
  'RIB_IPV6_UNICAST',
  'RIB_IPV6_MULTICAST',
  'RIB_GENERIC',
  'GEO_PEER_TABLE',
  'RIB_IPV4_UNICAST_ADDPATH',
  'RIB_IPV4_MULTICAST_ADDPATH',
  'RIB_IPV6_UNICAST_ADDPATH',
  'RIB_IPV6_MULTICAST_ADDPATH',
  'RIB_GENERIC_ADDPATH',
];

const tableDumpNames: readonly string[] = [
  '',
  'AFI_IPv4',
  'AFI_IPv6',
  'AFI_IPv4_AS4',
  'AFI_IPv6_AS4',
];

const subtypeNames: Readonly<Record<number, readonly string[]>> = {
  [MrtType.tableDump]: tableDumpNames,
  [MrtType.tableDumpV2]: tableDumpV2Names,
  [MrtType.bgp4mp]: bgp4mpNames,
  [MrtType.bgp4mpEt]: bgp4mpNames,
};

/** `BGP4MP/MESSAGE_AS4`; numbers where the registry has no name. */
export function mrtTypeName(type: number, subtype: number): string {
  return `${typeNames[type] ?? type}/${subtypeNames[type]?.[subtype] || subtype}`;
}

/** Whether a record type is in the registry: what is not is a sign that the reader lost its place. */
export function isMrtType(type: number): boolean {
  return type in typeNames;
}

interface MrtHeader {
  /** Position of the record in the unpacked file, in bytes. */
  readonly offset: number;
  /** Microseconds since 1970; whole seconds unless the type is an extended one. */
  readonly timestamp: number;
  readonly mrtType: number;
  readonly subtype: number;
}

/** Where routes were learnt from. */
export interface MrtPeer {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly asn: number;
  /** BGP identifier, host order; 0 when the record does not say. */
  readonly routerId: number;
}

export interface PeerIndexTable extends MrtHeader {
  readonly kind: 'peerIndexTable';
  readonly collectorId: number;
  readonly viewName: string;
  readonly peers: readonly MrtPeer[];
}

/** One path to the record's prefix. */
export interface RibEntry {
  /** Undefined when the peer index table does not have it (or is missing). */
  readonly peer: MrtPeer | undefined;
  readonly peerIndex: number;
  /** Seconds since 1970. */
  readonly originatedTime: number;
  readonly pathId: number | undefined;
  /** Path attributes as they lie in the record, MP_REACH_NLRI abbreviated as RFC 6396 §4.3.4 says. */
  readonly attributes: Uint8Array;
}

/** TABLE_DUMP_V2 RIB_* and TABLE_DUMP: every path to one prefix (or one path, with TABLE_DUMP). */
export interface RibRecord extends MrtHeader {
  readonly kind: 'rib';
  readonly afi: number;
  readonly safi: number;
  readonly sequence: number;
  /** The NLRI as in an UPDATE, without path identifier: one length byte and the prefix bytes, for unicast. */
  readonly nlri: Uint8Array;
  readonly addPath: boolean;
  /** Width of AS numbers in the attributes: TABLE_DUMP has 2-octet ones. */
  readonly fourOctetAs: boolean;
  readonly entries: readonly RibEntry[];
}

/** BGP4MP(_ET) MESSAGE*, and the messages of the old BGP type. */
export interface MessageRecord extends MrtHeader {
  readonly kind: 'message';
  readonly peer: MrtPeer;
  readonly localAsn: number;
  readonly localAddress: Uint8Array;
  readonly interfaceIndex: number;
  readonly fourOctetAs: boolean;
  readonly addPath: boolean;
  /** Sent by the collector, not received from the peer (RFC 6396 §4.4.4: the LOCAL subtypes). */
  readonly isLocal: boolean;
  /** The whole BGP message with its header. */
  readonly message: Uint8Array;
}

export interface StateChangeRecord extends MrtHeader {
  readonly kind: 'stateChange';
  readonly peer: MrtPeer;
  readonly localAsn: number;
  readonly localAddress: Uint8Array;
  readonly interfaceIndex: number;
  /** RFC 6396 §4.4.1: 1 Idle … 6 Established; Quagga adds 7 Clearing and 8 Deleted. */
  readonly oldState: number;
  readonly newState: number;
}

/** Stepped over by its length: a type or subtype the reader does not know. */
interface UnknownRecord extends MrtHeader {
  readonly kind: 'unknown';
  readonly name: string;
  readonly body: Uint8Array;
}

/** A record whose body is not what its type says. The reader goes on behind it. */
interface BrokenRecord extends MrtHeader {
  readonly kind: 'broken';
  readonly name: string;
  readonly reason: string;
  readonly body: Uint8Array;
}

export type MrtRecord =
  | PeerIndexTable
  | RibRecord
  | MessageRecord
  | StateChangeRecord
  | UnknownRecord
  | BrokenRecord;

/** The file ends inside a record, or its framing is lost. `offset` is the record's place in the unpacked file. */
export class MrtError extends Error {
  readonly code: 'truncated' | 'lost-framing';
  readonly offset: number;

  constructor(
    code: 'truncated' | 'lost-framing',
    offset: number,
    message: string,
    cause?: unknown,
  ) {
    super(`${message} at byte ${offset}`, { cause });
    this.code = code;
    this.offset = offset;
  }
}

export interface MrtReadOptions {
  /** Take every UPDATE as carrying path identifiers (BIRD 1 wrote them without saying so in the subtype). */
  readonly assumeAddPath?: boolean;
}

/** A record as framed, before its body is read. */
export interface MrtFrame {
  readonly offset: number;
  readonly timestampSeconds: number;
  readonly mrtType: number;
  readonly subtype: number;
  readonly body: Uint8Array;
}
