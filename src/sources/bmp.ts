// BMP, the BGP Monitoring Protocol (RFC 7854; Loc-RIB RFC 9069, Adj-RIB-Out RFC 8671), → plain objects for people and JSON.
// Version 4 (draft-ietf-grow-bmp-tlv) is read as far as its TLVs can be told apart.
//
// A stream is stateful: how a peer's UPDATEs are to be read (4-octet AS, path identifiers) stands in the OPENs of its Peer Up.
// BmpDecoder keeps that per peer.
import type { DecodeContext } from '../bgp/attributes/describe.ts';
import { CapabilityCode } from '../bgp/iana.ts';
import { type DescribedMessage, describeMessage, messageLength } from '../bgp/messages/describe.ts';
import { describeCapability } from '../bgp/messages/describe-open.ts';
import { ByteReader, ReadError } from '../net/byte-reader.ts';
import { formatHex } from '../net/hex.ts';
import {
  type BmpPeer,
  type BmpTlv,
  FLAG_TWO_OCTET_AS,
  type IndexedTlv,
  isIpv6,
  LOC_RIB_PEER,
  readAddress,
  readIndexedTlvs,
  readPeer,
  readStatistics,
  readTlvs,
  takeMessage,
} from './bmp-fields.ts';
import { addPathFamilies, speaksFourOctetAs } from './bmp-session.ts';

/** Version, length, type (RFC 7854 §4.1). */
export const BMP_HEADER_SIZE = 6;
/** Far above any real message; a longer length is a lost place in the stream. */
const MAX_BMP_SIZE = 1 << 20;

const typeNames = [
  'routeMonitoring',
  'statistics',
  'peerDown',
  'peerUp',
  'initiation',
  'termination',
  'routeMirroring',
] as const;

type BmpTypeName = (typeof typeNames)[number];

/** draft-ietf-grow-bmp-tlv: a capability by which the message is to be read. */
const TLV_STATELESS_PARSING = 1;

export interface DescribedBmp {
  readonly type: BmpTypeName | 'unknown';
  readonly version: number;
  readonly length: number;
  readonly typeCode?: number;
  readonly peer?: BmpPeer;
  readonly update?: DescribedMessage;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remotePort?: number;
  readonly sentOpen?: DescribedMessage;
  readonly receivedOpen?: DescribedMessage;
  readonly reason?: number;
  readonly notification?: DescribedMessage;
  /** Peer Down reason 2: the FSM event (RFC 7854 §4.9). */
  readonly fsmEvent?: number;
  readonly data?: string;
  readonly statistics?: readonly BmpTlv[];
  readonly tlvs?: readonly BmpTlv[];
  readonly messages?: readonly DescribedMessage[];
  readonly errors?: readonly { readonly offset: number; readonly message: string }[];
}

export interface BmpReading {
  readonly message: DescribedBmp;
  /** The whole message of a Route Monitoring, and how it was read. */
  readonly update?: { readonly bytes: Uint8Array; readonly context: DecodeContext } | undefined;
}

type Fields = Omit<DescribedBmp, 'type' | 'version' | 'length' | 'errors'>;
type MutableFields = { -readonly [Key in keyof Fields]: Fields[Key] };

/** The length a BMP message gives itself, or undefined when this is no BMP header. */
export function bmpLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < BMP_HEADER_SIZE || (bytes[0] !== 3 && bytes[0] !== 4)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return length < BMP_HEADER_SIZE || length > MAX_BMP_SIZE ? undefined : length;
}

export class BmpDecoder {
  readonly #sessions = new Map<string, DecodeContext>();
  readonly #forced: Partial<DecodeContext>;
  /** The message of the Route Monitoring being read. */
  #update: BmpReading['update'];

  /** `forced`: what is known better than from the stream; a router may leave out path identifiers it negotiated. */
  constructor(forced: Partial<DecodeContext> = {}) {
    this.#forced = forced;
  }

  /** One whole message, and the UPDATE in it, if any. `base`: its offset in the input, for error offsets. */
  read(message: Uint8Array, base = 0): BmpReading {
    this.#update = undefined;
    const described = this.#describe(message, base);
    return this.#update === undefined
      ? { message: described }
      : { message: described, update: this.#update };
  }

  #describe(message: Uint8Array, base: number): DescribedBmp {
    const version = message[0]!;
    const typeCode = message[BMP_HEADER_SIZE - 1]!;
    const type = typeNames[typeCode];
    const frame = { type: type ?? ('unknown' as const), version, length: message.length };
    const reader = new ByteReader(message.subarray(BMP_HEADER_SIZE), base + BMP_HEADER_SIZE);
    if (type === undefined) return { ...frame, typeCode, data: formatHex(reader.rest()) };
    const fields: Fields = {};
    try {
      this.#readBody(type, version, reader, fields);
      return { ...frame, ...fields };
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return { ...frame, ...fields, errors: [{ offset: error.offset, message: error.message }] };
    }
  }

  /** Fills `fields` as far as the message goes, so that what comes before an error is not lost. */
  #readBody(type: BmpTypeName, version: number, reader: ByteReader, fields: MutableFields): void {
    if (type === 'initiation' || type === 'termination') {
      fields.tlvs = readTlvs(reader, type === 'initiation');
      return;
    }
    const peer = readPeer(reader);
    fields.peer = peer;
    switch (type) {
      case 'routeMonitoring':
        if (version === 4) this.#readVersion4Route(reader, peer, fields);
        else
          fields.update = this.#describeUpdate(
            reader.position,
            takeMessage(reader),
            this.#contextOf(peer),
          );
        return;
      case 'statistics':
        fields.statistics = readStatistics(reader);
        return;
      case 'peerDown':
        this.#readPeerDown(reader, peer, fields);
        return;
      case 'peerUp':
        this.#readPeerUp(reader, peer, fields);
        return;
      case 'routeMirroring':
        this.#readMirrored(reader, peer, fields);
        return;
    }
  }

  #contextOf(peer: BmpPeer): DecodeContext {
    const known = this.#sessions.get(sessionKey(peer));
    // RFC 7854 §4.2: the A flag says how the AS_PATH is written, whatever was negotiated; a Loc-RIB has its own flags
    const fourOctetAs = peer.type === LOC_RIB_PEER || (peer.flags & FLAG_TWO_OCTET_AS) === 0;
    const negotiated = known?.addPath ?? new Set<string>();
    // Some routers leave out of BMP the path identifiers they negotiated
    const addPath = { addPath: negotiated, addPathIsGuess: this.#forced.addPath === undefined };
    return { fourOctetAs, ...addPath, ...this.#forced };
  }

  #describeUpdate(base: number, bytes: Uint8Array, context: DecodeContext): DescribedMessage {
    this.#update = { bytes, context };
    return describeMessage(bytes, context, base);
  }

  #readMessage(reader: ByteReader, peer: BmpPeer): DescribedMessage {
    const base = reader.position;
    return describeMessage(takeMessage(reader), this.#contextOf(peer), base);
  }

  /** RFC 7854 §4.10. */
  #readPeerUp(reader: ByteReader, peer: BmpPeer, fields: MutableFields): void {
    fields.localAddress = readAddress(reader, peer.type !== LOC_RIB_PEER && isIpv6(peer));
    fields.localPort = reader.uint16();
    fields.remotePort = reader.uint16();
    const sentOpen = this.#readMessage(reader, peer);
    const receivedOpen = this.#readMessage(reader, peer);
    fields.sentOpen = sentOpen;
    fields.receivedOpen = receivedOpen;
    this.#sessions.set(sessionKey(peer), {
      fourOctetAs: speaksFourOctetAs(sentOpen, receivedOpen),
      addPath: addPathFamilies(sentOpen, receivedOpen),
    });
    if (reader.remaining > 0) fields.tlvs = readTlvs(reader, true);
  }

  /** RFC 7854 §4.9, RFC 9069 §5.3. */
  #readPeerDown(reader: ByteReader, peer: BmpPeer, fields: MutableFields): void {
    fields.reason = reader.uint8();
    if (fields.reason === 1 || fields.reason === 3) {
      if (reader.remaining > 0) fields.notification = this.#readMessage(reader, peer);
    } else if (fields.reason === 2) fields.fsmEvent = reader.uint16();
    if (reader.remaining > 0) fields.data = formatHex(reader.rest());
    this.#sessions.delete(sessionKey(peer));
  }

  /** RFC 7854 §4.7: TLVs, of which type 0 is a BGP message. */
  #readMirrored(reader: ByteReader, peer: BmpPeer, fields: MutableFields): void {
    const messages: DescribedMessage[] = [];
    const tlvs: BmpTlv[] = [];
    fields.messages = messages;
    fields.tlvs = tlvs;
    while (reader.remaining > 0) {
      const type = reader.uint16();
      const value = reader.slice(reader.uint16());
      if (type === 0) messages.push(this.#readMessage(value, peer));
      else tlvs.push({ type, hex: formatHex(value.rest()) });
    }
  }

  /** Version 4: indexed TLVs, one of which holds the UPDATE, others the capabilities to read it by. */
  #readVersion4Route(reader: ByteReader, peer: BmpPeer, fields: MutableFields): void {
    const start = reader.position;
    const body = reader.rest();
    fields.data = formatHex(body);
    const tlvs = [...readIndexedTlvs(new ByteReader(body, start))];
    fields.tlvs = tlvs
      .filter(({ value }) => !isMessage(value))
      .map(({ type, index, value }) => ({ type, index, hex: formatHex(value) }));
    const route = tlvs.find(({ value }) => isMessage(value));
    if (route === undefined) return;
    const context = statelessContext(tlvs, this.#contextOf(peer));
    fields.update = this.#describeUpdate(route.offset, route.value, context);
  }
}

function isMessage(value: Uint8Array): boolean {
  return messageLength(value) === value.length;
}

/** Stateless Parsing TLVs, each a capability (code, length, value), over what the Peer Up said. */
function statelessContext(tlvs: readonly IndexedTlv[], context: DecodeContext): DecodeContext {
  const addPath = new Set(context.addPath);
  for (const { type, value } of tlvs) {
    if (type !== TLV_STATELESS_PARSING || value.length < 2) continue;
    const { code, families = [] } = describeCapability(value[0]!, value.subarray(2));
    if (code !== CapabilityCode.addPath) continue;
    for (const { family } of families) addPath.add(String(family));
  }
  return { ...context, addPath };
}

function sessionKey(peer: BmpPeer): string {
  return `${peer.type} ${peer.distinguisher ?? ''} ${peer.address}`;
}
