// MRT records → the UPDATE messages a peer would have sent, so that an MRT file can stand in for a session.
//
// A RIB entry becomes one UPDATE: its attributes as they are, MP_REACH_NLRI rebuilt in full from the abbreviated one.
import type { MrtPeer, MrtRecord, RibEntry, RibRecord } from './mrt-types.ts';

/** One UPDATE, and what must be known of its session to read it. */
export interface PeerUpdate {
  readonly peer: MrtPeer;
  /** 0 when the record does not say. */
  readonly localAsn: number;
  readonly fourOctetAs: boolean;
  /** Whether the NLRI carry path identifiers. */
  readonly addPath: boolean;
  /** When the peer sent it, in seconds since 1970. */
  readonly seconds: number;
  /** The whole message with its header. */
  readonly message: Uint8Array;
}

/** A record, or entry of one, that no UPDATE can be made of. */
export interface UnusableEntry {
  readonly offset: number;
  readonly reason: string;
}

const HEADER_SIZE = 19;
const TYPE_UPDATE = 2;
const MAX_MESSAGE_SIZE = 65535; // RFC 8654

const NEXT_HOP = 3;
const MP_REACH_NLRI = 14;
const EXTENDED_LENGTH = 0x10;
const OPTIONAL = 0x80;

/** UPDATEs of one record in its order; `onUnusable` hears of entries that make none. Messages the collector sent are left out. */
export function* updatesOf(
  record: MrtRecord,
  onUnusable: (entry: UnusableEntry) => void = () => {},
): Generator<PeerUpdate, void, undefined> {
  if (record.kind === 'message') {
    const { peer, localAsn, fourOctetAs, addPath, message } = record;
    if (message[18] !== TYPE_UPDATE || record.isLocal) return;
    const seconds = Math.floor(record.timestamp / 1e6);
    yield { peer, localAsn, fourOctetAs, addPath, seconds, message };
    return;
  }
  if (record.kind !== 'rib') return;
  for (const entry of record.entries) {
    const { offset } = record;
    if (entry.peer === undefined) {
      onUnusable({ offset, reason: `peer ${entry.peerIndex} is not in a peer index table` });
      continue;
    }
    const message = ribEntryUpdate(record, entry);
    if (typeof message === 'string') onUnusable({ offset, reason: message });
    else {
      const { fourOctetAs, addPath } = record;
      const seconds = entry.originatedTime;
      yield { peer: entry.peer, localAsn: 0, fourOctetAs, addPath, seconds, message };
    }
  }
}

/** The UPDATE that announces one RIB entry, or why there is none. */
export function ribEntryUpdate(record: RibRecord, entry: RibEntry): Uint8Array | string {
  const parts = splitAttributes(entry.attributes);
  if (parts === undefined) return 'path attributes that do not fit their lengths';
  const isIpv4Unicast = record.afi === 1 && record.safi === 1;
  // RFC 8950 lets IPv4 prefixes come with MP_REACH_NLRI; a NEXT_HOP beside it is the older form and is enough.
  const usesMpReach =
    !isIpv4Unicast || (parts.mpReach !== undefined && parts.nextHop === undefined);
  const nlri = nlriOf(record, entry);
  if (!usesMpReach) {
    const kept = parts.mpReach === undefined ? [entry.attributes] : parts.others;
    if (parts.mpReach !== undefined && parts.nextHop !== undefined) kept.push(parts.nextHop);
    return buildUpdate(kept, nlri);
  }
  const nextHop = parts.mpReach && mpReachNextHop(parts.mpReach);
  if (nextHop === undefined) return 'no next hop for a prefix that needs MP_REACH_NLRI';
  return buildUpdate([mpReachAttribute(record, nextHop, nlri), ...parts.others], new Uint8Array());
}

interface AttributeParts {
  /** Value of MP_REACH_NLRI. */
  readonly mpReach: Uint8Array | undefined;
  /** NEXT_HOP, whole. */
  readonly nextHop: Uint8Array | undefined;
  /** The others, whole, in their order. */
  readonly others: Uint8Array[];
}

/** Undefined when a length does not fit. */
function splitAttributes(attributes: Uint8Array): AttributeParts | undefined {
  let mpReach: Uint8Array | undefined;
  let nextHop: Uint8Array | undefined;
  const others: Uint8Array[] = [];
  let offset = 0;
  while (offset < attributes.length) {
    const headerSize = attributes[offset]! & EXTENDED_LENGTH ? 4 : 3;
    if (offset + headerSize > attributes.length) return undefined;
    const type = attributes[offset + 1]!;
    const length =
      headerSize === 4
        ? (attributes[offset + 2]! << 8) | attributes[offset + 3]!
        : attributes[offset + 2]!;
    const end = offset + headerSize + length;
    if (end > attributes.length) return undefined;
    if (type === MP_REACH_NLRI) mpReach = attributes.subarray(offset + headerSize, end);
    else if (type === NEXT_HOP) nextHop = attributes.subarray(offset, end);
    else others.push(attributes.subarray(offset, end));
    offset = end;
  }
  return { mpReach, nextHop, others };
}

/**
 * RFC 6396 §4.3.4: the value is the next hop's length and the next hop alone. Some writers (and TABLE_DUMP) keep the whole
 * attribute, which begins with the AFI's zero byte.
 */
function mpReachNextHop(value: Uint8Array): Uint8Array | undefined {
  const start = value[0] === 0 ? 3 : 0;
  const length = value[start];
  if (length === undefined || length === 0 || start + 1 + length > value.length) return undefined;
  return value.subarray(start + 1, start + 1 + length);
}

/** AFI, SAFI, next hop, reserved, NLRI (RFC 4760 §3). */
function mpReachAttribute(
  { afi, safi }: RibRecord,
  nextHop: Uint8Array,
  nlri: Uint8Array,
): Uint8Array {
  const length = 5 + nextHop.length + nlri.length;
  const attribute = new Uint8Array(4 + length);
  attribute.set([OPTIONAL | EXTENDED_LENGTH, MP_REACH_NLRI, length >> 8, length & 0xff]);
  attribute.set([afi >> 8, afi & 0xff, safi, nextHop.length], 4);
  attribute.set(nextHop, 8);
  attribute.set(nlri, 9 + nextHop.length);
  return attribute;
}

/** The NLRI with its path identifier in front (RFC 7911 §3). */
function nlriOf(record: RibRecord, entry: RibEntry): Uint8Array {
  if (entry.pathId === undefined) return record.nlri;
  const nlri = new Uint8Array(4 + record.nlri.length);
  new DataView(nlri.buffer).setUint32(0, entry.pathId);
  nlri.set(record.nlri, 4);
  return nlri;
}

/** Header, no withdrawn routes, attributes, NLRI (RFC 4271 §4.3). */
function buildUpdate(attributes: readonly Uint8Array[], nlri: Uint8Array): Uint8Array | string {
  const attributesSize = attributes.reduce((size, attribute) => size + attribute.length, 0);
  const size = HEADER_SIZE + 4 + attributesSize + nlri.length;
  if (size > MAX_MESSAGE_SIZE) return `an UPDATE of ${size} bytes, at most ${MAX_MESSAGE_SIZE}`;
  const message = new Uint8Array(size).fill(0xff, 0, 16);
  const view = new DataView(message.buffer);
  view.setUint16(16, size);
  message[18] = TYPE_UPDATE;
  view.setUint16(HEADER_SIZE + 2, attributesSize);
  let offset = HEADER_SIZE + 4;
  for (const attribute of attributes) {
    message.set(attribute, offset);
    offset += attribute.length;
  }
  message.set(nlri, offset);
  return message;
}
