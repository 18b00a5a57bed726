// Routes of the core's dump pages (assembly/abi.ts) as objects. Reads a view of linear memory; makes none that stays.
import {
  ATTRIBUTE_SET_BYTES,
  ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL,
  ATTRIBUTE_SET_FLAGS,
  ATTRIBUTE_SET_NEXT_HOP,
  ATTRIBUTE_SET_RECEIVED,
  ATTRIBUTE_SET_SHARE,
  ATTRIBUTE_SET_SIZE,
  ATTRIBUTE_SET_WEIGHT,
  FIB_CARRIER_NONE,
  FIB_CARRIER_PARTS,
  NEXT_HOP_RECORD_ADDRESS,
  NEXT_HOP_RECORD_VERSION,
  ROUTE_ROW_ATTRIBUTE_SET,
  ROUTE_ROW_BITS,
  ROUTE_ROW_FIB_COUNT,
  ROUTE_ROW_FLAG_BEST,
  ROUTE_ROW_FLAG_IMPORTED,
  ROUTE_ROW_FLAG_MULTIPATH,
  ROUTE_ROW_FLAG_STALE,
  ROUTE_ROW_FLAGS,
  ROUTE_ROW_IMPORTED_FROM,
  ROUTE_ROW_PATH_ID,
  ROUTE_ROW_PEER,
  ROUTE_ROW_REASON,
  ROUTE_ROW_SINCE,
  ROUTE_ROW_SIZE,
} from '../../assembly/abi.ts';
import type { AddressFamily } from '../net/address-family.ts';
import type { Prefix } from '../net/prefix.ts';
import type { Output } from './border.ts';
import { describeDecision } from './decision-reasons.ts';
import { type FibState, fibStates } from './fib-rows.ts';
import { addressSize, copyBytes, keySize, readPrefix } from './stored-key.ts';

/** One route of a dump. `attributes` is shared by the rows of a page that share the set: do not change it. */
export interface RouteRow {
  readonly family: AddressFamily;
  /** IPv4 and IPv6: the prefix. EVPN: undefined, see `nlri`. */
  readonly prefix: Prefix | undefined;
  /** The NLRI's key bytes, for EVPN. */
  readonly nlri: Uint8Array | undefined;
  /** Peer id, or 0 for a local route. Of an imported route, the peer of the network it comes from. */
  readonly peer: number;
  /** The network an import line took the route from. */
  readonly importedFrom: number | undefined;
  readonly pathId: number;
  readonly best: boolean;
  /** Part of the ECMP set without being the best path. */
  readonly multipath: boolean;
  readonly stale: boolean;
  /** Why it won, or why it did not: index into decisionReasons. */
  readonly reason: string;
  /** Seconds since 1970 when the peer last changed this route. */
  readonly since: number;
  /** What the decision process sees: after the import policy. */
  readonly attributes: StoredAttributes;
  /** What the peer sent; the same object where the policy changed nothing. */
  readonly received: StoredAttributes;
  /** State per FIB of the route's network, in the order the FIBs were added. */
  readonly fibStates: readonly {
    readonly fib: number;
    /** Of the entry that carries the route. */
    readonly state: FibState;
    readonly carrier: RouteCarrier;
  }[];
}

/**
 * The entry that carries a route: the length of its prefix, which covers the route's. `parts`: several entries inside the route's
 * prefix do, in an aggregated FIB. Undefined: none.
 */
export type RouteCarrier = number | 'parts' | undefined;

/** An interned attribute set: canonical path attribute bytes plus the next hop that came with them. */
export interface StoredAttributes {
  readonly id: number;
  /** Path attributes as flags/type/length/value, 4-octet AS numbers, without MP_REACH_NLRI and MP_UNREACH_NLRI. */
  readonly bytes: Uint8Array;
  /** 4 or 16 bytes. */
  readonly nextHop: Uint8Array;
  /** The link-local address of a 32-byte next hop (RFC 2545 §3). */
  readonly linkLocalNextHop: Uint8Array | undefined;
  /** How much of the load it takes beside its equals (1–256), where its source says so; 1 from a session. */
  readonly shareWeight: number;
  /** A policy's, 0 without one; higher wins before anything else (step 2). */
  readonly weight: number;
}

export function readRouteRows(
  { view, start, count }: Output,
  family: AddressFamily,
  fibs: readonly number[],
): RouteRow[] {
  const attributeSets = new Map<number, StoredAttributes>();
  const rows: RouteRow[] = [];
  let offset = start;
  for (let i = 0; i < count; i++) {
    rows.push(readRouteRow(view, offset, family, fibs, attributeSets));
    const fibCount = view.getUint16(offset + ROUTE_ROW_FIB_COUNT, true);
    const bits = view.getUint16(offset + ROUTE_ROW_BITS, true);
    offset += ROUTE_ROW_SIZE + keySize(bits) + ((2 * fibCount + 3) & ~3);
  }
  return rows;
}

function readRouteRow(
  view: DataView,
  offset: number,
  family: AddressFamily,
  fibs: readonly number[],
  attributeSets: Map<number, StoredAttributes>,
): RouteRow {
  const bits = view.getUint16(offset + ROUTE_ROW_BITS, true);
  const flags = view.getUint8(offset + ROUTE_ROW_FLAGS);
  const best = (flags & ROUTE_ROW_FLAG_BEST) !== 0;
  const keyOffset = offset + ROUTE_ROW_SIZE;
  const stateOffset = keyOffset + keySize(bits);
  const isPrefix = family !== 'l2vpn-evpn';
  const attributeSet = view.getUint32(offset + ROUTE_ROW_ATTRIBUTE_SET, true);
  const received = view.getUint32(attributeSet + ATTRIBUTE_SET_RECEIVED, true);
  return {
    family,
    prefix: isPrefix ? readPrefix(view, keyOffset, bits, family) : undefined,
    nlri: isPrefix ? undefined : copyBytes(view, keyOffset, bits >> 3),
    peer: view.getUint16(offset + ROUTE_ROW_PEER, true),
    importedFrom:
      flags & ROUTE_ROW_FLAG_IMPORTED
        ? view.getUint16(offset + ROUTE_ROW_IMPORTED_FROM, true)
        : undefined,
    pathId: view.getUint32(offset + ROUTE_ROW_PATH_ID, true),
    best,
    multipath: (flags & ROUTE_ROW_FLAG_MULTIPATH) !== 0,
    stale: (flags & ROUTE_ROW_FLAG_STALE) !== 0,
    reason: describeDecision(view.getUint8(offset + ROUTE_ROW_REASON), best),
    since: view.getUint32(offset + ROUTE_ROW_SINCE, true),
    attributes: readAttributes(view, attributeSet, family, attributeSets),
    received: readAttributes(view, received || attributeSet, family, attributeSets),
    fibStates: fibs.map((fib, i) => ({
      fib,
      state: fibStates[view.getUint8(stateOffset + 2 * i)]!,
      carrier: carrierOf(view.getUint8(stateOffset + 2 * i + 1)),
    })),
  };
}

function carrierOf(byte: number): RouteCarrier {
  if (byte === FIB_CARRIER_NONE) return undefined;
  return byte === FIB_CARRIER_PARTS ? 'parts' : byte;
}

function readAttributes(
  view: DataView,
  id: number,
  family: AddressFamily,
  known: Map<number, StoredAttributes>,
): StoredAttributes {
  const before = known.get(id);
  if (before) return before;
  const size = view.getUint32(id + ATTRIBUTE_SET_SIZE, true);
  const flags = view.getUint32(id + ATTRIBUTE_SET_FLAGS, true);
  const end = id + ATTRIBUTE_SET_BYTES + size;
  const attributes: StoredAttributes = {
    id,
    bytes: copyBytes(view, id + ATTRIBUTE_SET_BYTES, size),
    nextHop: readNextHopAddress(view, view.getUint32(id + ATTRIBUTE_SET_NEXT_HOP, true), family),
    linkLocalNextHop:
      flags & ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL ? copyBytes(view, end, 16) : undefined,
    weight: view.getUint32(id + ATTRIBUTE_SET_WEIGHT, true),
    shareWeight: view.getUint8(id + ATTRIBUTE_SET_SHARE) + 1,
  };
  known.set(id, attributes);
  return attributes;
}

/** Local routes have none: the unspecified address of their family. */
function readNextHopAddress(view: DataView, pointer: number, family: AddressFamily): Uint8Array {
  if (pointer === 0) return new Uint8Array(addressSize(family));
  const size = view.getUint32(pointer + NEXT_HOP_RECORD_VERSION, true) === 4 ? 4 : 16;
  return copyBytes(view, pointer + NEXT_HOP_RECORD_ADDRESS, size);
}
