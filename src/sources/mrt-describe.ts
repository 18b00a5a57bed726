// MRT records → plain objects for people and JSON.
import { type DecodeContext, describeAttributes } from '../bgp/attributes/describe.ts';
import { addressFamilyName } from '../bgp/iana.ts';
import { describeMessage } from '../bgp/messages/describe.ts';
import { type DescribedRoute, describeRoutes } from '../bgp/nlri/describe.ts';
import { ByteReader } from '../net/byte-reader.ts';
import { formatHex } from '../net/hex.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import {
  type MrtPeer,
  type MrtRecord,
  mrtTypeName,
  type RibEntry,
  type RibRecord,
} from './mrt-types.ts';

export type DescribedMrt = Readonly<Record<string, unknown>>;

/** What was found wrong inside a record: how many places, and the first. */
export interface RecordFault {
  readonly offset: number;
  readonly message: string;
}

/** The record, and what could not be read of it. */
export function describeMrt(
  record: MrtRecord,
  addPath: ReadonlySet<string> | undefined,
): { readonly described: DescribedMrt; readonly faults: readonly RecordFault[] } {
  const faults: RecordFault[] = [];
  const described = {
    recordType: mrtTypeName(record.mrtType, record.subtype),
    timestamp: new Date(record.timestamp / 1000).toISOString(),
    ...describeByKind(record, addPath, faults),
  };
  return { described, faults };
}

function describeByKind(
  record: MrtRecord,
  addPath: ReadonlySet<string> | undefined,
  faults: RecordFault[],
): DescribedMrt {
  switch (record.kind) {
    case 'peerIndexTable':
      return {
        collectorId: routerId(record.collectorId),
        viewName: record.viewName,
        peers: record.peers.map(describePeer),
      };
    case 'rib':
      return describeRib(record, faults);
    case 'message': {
      const context = { fourOctetAs: record.fourOctetAs, addPath: addPathOf(record, addPath) };
      const message = describeMessage(record.message, context);
      for (const { message: text } of message.errors ?? []) {
        faults.push({ offset: record.offset, message: text });
      }
      return { ...session(record), message };
    }
    case 'stateChange':
      return { ...session(record), oldState: record.oldState, newState: record.newState };
    case 'unknown':
      return { body: formatHex(record.body) };
    case 'broken':
      faults.push({ offset: record.offset, message: `${record.name}: ${record.reason}` });
      return { broken: record.reason, body: formatHex(record.body) };
  }
}

/** A BGP4MP subtype marks path identifiers for every family of the message (RFC 8050 §3). */
function addPathOf(
  { addPath }: { readonly addPath: boolean },
  forced: ReadonlySet<string> | undefined,
): ReadonlySet<string> {
  if (forced !== undefined) return forced;
  return addPath ? everyFamily : new Set();
}

/** Says yes to every name. */
const everyFamily: ReadonlySet<string> = new (class extends Set<string> {
  override has(): boolean {
    return true;
  }
})();

function describeRib(record: RibRecord, faults: RecordFault[]): DescribedMrt {
  const routes: DescribedRoute[] = [];
  describeRoutes(new ByteReader(record.nlri), record.afi, record.safi, false, routes);
  return {
    sequence: record.sequence,
    ...(routes[0] ?? { family: addressFamilyName(record.afi, record.safi) }),
    entries: record.entries.map((entry) => describeEntry(record, entry, faults)),
  };
}

function describeEntry(record: RibRecord, entry: RibEntry, faults: RecordFault[]): DescribedMrt {
  const context: DecodeContext = {
    fourOctetAs: record.fourOctetAs,
    addPath: new Set(),
    abbreviatedMpReach: true,
  };
  const { attributes, errors } = describeAttributes(entry.attributes, context);
  for (const { message } of errors) faults.push({ offset: record.offset, message });
  return {
    peerIndex: entry.peerIndex,
    ...(entry.peer === undefined ? {} : { peer: describePeer(entry.peer) }),
    originatedTime: new Date(entry.originatedTime * 1000).toISOString(),
    ...(entry.pathId === undefined ? {} : { pathId: entry.pathId }),
    attributes,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function describePeer({ address, asn, routerId: id }: MrtPeer): DescribedMrt {
  return { address: formatIpAddress(address), asn, routerId: routerId(id) };
}

function session(record: {
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

function routerId(id: number): string {
  return formatIpAddress(Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id));
}
