// MRT records → plain objects for people and JSON.
import {
  type DecodeContext,
  type DecodeError,
  describeAttributes,
} from '../bgp/attributes/describe.ts';
import { addressFamilyName } from '../bgp/iana.ts';
import { describeMessage } from '../bgp/messages/describe.ts';
import { type DescribedRoute, describeRoutes } from '../bgp/nlri/describe.ts';
import { ByteReader, ReadError } from '../net/byte-reader.ts';
import { formatHex } from '../net/hex.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { formatRouterId } from '../net/router-id.ts';
import {
  type MrtPeer,
  type MrtRecord,
  mrtTypeName,
  type RibEntry,
  type RibRecord,
} from './mrt-types.ts';

type DescribedMrt = Readonly<Record<string, unknown>>;

/** The record; the message in it, if any, with what is needed to read it; what could not be read. Offsets are the record's. */
export interface MrtReading {
  readonly described: DescribedMrt;
  readonly update?: { readonly bytes: Uint8Array; readonly context: DecodeContext };
  readonly errors: readonly DecodeError[];
}

/** `addPath`: what is known better than from the record's subtype. */
export function describeMrt(
  record: MrtRecord,
  addPath: ReadonlySet<string> | undefined,
): MrtReading {
  const reading = readByKind(record, addPath);
  const described = {
    recordType: mrtTypeName(record.mrtType, record.subtype),
    timestamp: formatMicroseconds(record.timestamp),
    ...reading.described,
  };
  const errors = reading.errors.map((error) => ({ ...error, offset: record.offset }));
  return { ...reading, described, errors };
}

function readByKind(record: MrtRecord, addPath: ReadonlySet<string> | undefined): MrtReading {
  switch (record.kind) {
    case 'peerIndexTable':
      return {
        described: {
          collectorId: formatRouterId(record.collectorId),
          viewName: record.viewName,
          peers: record.peers.map(describePeer),
        },
        errors: [],
      };
    case 'rib':
      return describeRib(record);
    case 'message': {
      const { fourOctetAs, message: bytes } = record;
      const context = { fourOctetAs, ...addPathOf(record, addPath) };
      const message = describeMessage(bytes, context);
      const described = { ...describeSession(record), message };
      return { described, update: { bytes, context }, errors: message.errors ?? [] };
    }
    case 'stateChange': {
      const { oldState, newState } = record;
      return { described: { ...describeSession(record), oldState, newState }, errors: [] };
    }
    case 'unknown':
      return { described: { body: formatHex(record.body) }, errors: [] };
    case 'broken':
      return {
        described: { broken: record.reason, body: formatHex(record.body) },
        errors: [{ offset: record.offset, message: `${record.name}: ${record.reason}` }],
      };
  }
}

/** A BGP4MP subtype says it of the session (RFC 8050 §3), not which families it was negotiated for. */
function addPathOf(
  { addPath }: { readonly addPath: boolean },
  forced: ReadonlySet<string> | undefined,
): Pick<DecodeContext, 'addPath' | 'addPathIsGuess'> {
  if (forced !== undefined) return { addPath: forced };
  return addPath ? { addPath: everyFamily, addPathIsGuess: true } : { addPath: new Set() };
}

/** Says yes to every name. */
const everyFamily: ReadonlySet<string> = new (class extends Set<string> {
  override has(): boolean {
    return true;
  }
})();

function describeRib(record: RibRecord): MrtReading {
  const errors: DecodeError[] = [];
  const routes: DescribedRoute[] = [];
  try {
    describeRoutes(new ByteReader(record.nlri), record.afi, record.safi, false, routes);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    errors.push(error);
  }
  const entries = record.entries.map((entry) => describeEntry(record, entry, errors));
  const family = addressFamilyName(record.afi, record.safi);
  return { described: { sequence: record.sequence, family, ...routes[0], entries }, errors };
}

function describeEntry(record: RibRecord, entry: RibEntry, allErrors: DecodeError[]): DescribedMrt {
  const context: DecodeContext = {
    fourOctetAs: record.fourOctetAs,
    addPath: new Set(),
    abbreviatedMpReach: true,
  };
  const { attributes, errors } = describeAttributes(entry.attributes, context);
  allErrors.push(...errors);
  return {
    peerIndex: entry.peerIndex,
    ...(entry.peer === undefined ? {} : { peer: describePeer(entry.peer) }),
    originatedTime: formatMicroseconds(entry.originatedTime * 1e6),
    ...(entry.pathId === undefined ? {} : { pathId: entry.pathId }),
    attributes,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function describePeer({ address, asn, routerId }: MrtPeer): DescribedMrt {
  return { address: formatIpAddress(address), asn, routerId: formatRouterId(routerId) };
}

function describeSession(record: {
  readonly peer: MrtPeer;
  readonly localAsn: number;
  readonly localAddress: Uint8Array;
}): DescribedMrt {
  return {
    peerAsn: record.peer.asn,
    peerAddress: formatIpAddress(record.peer.address),
    localAsn: record.localAsn,
    localAddress: formatIpAddress(record.localAddress),
  };
}

/** RFC 3339; a fraction only where the record has one. */
function formatMicroseconds(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1e6);
  const fraction = microseconds - seconds * 1e6;
  const whole = new Date(seconds * 1000).toISOString().slice(0, -5);
  return fraction === 0 ? `${whole}Z` : `${whole}.${String(fraction).padStart(6, '0')}Z`;
}
