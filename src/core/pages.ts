// Rows of the core's dump pages (assembly/abi.ts) as objects. Reads a view of linear memory; makes none and keeps none.
import {
  ATTRIBUTE_SET_BYTES,
  ATTRIBUTE_SET_FLAG_HAS_LINK_LOCAL,
  ATTRIBUTE_SET_FLAGS,
  ATTRIBUTE_SET_NEXT_HOP,
  ATTRIBUTE_SET_RECEIVED,
  ATTRIBUTE_SET_SIZE,
  ATTRIBUTE_SET_WEIGHT,
  FIB_CARRIER_NONE,
  FIB_CARRIER_PARTS,
  FIB_ROW_BITS,
  FIB_ROW_DESIRED,
  FIB_ROW_INSTALLED,
  FIB_ROW_MORE_ROUTES,
  FIB_ROW_ROUTE_COUNT,
  FIB_ROW_SIZE,
  FIB_ROW_STATE,
  NEXT_HOP_EVENT_ADDED,
  NEXT_HOP_EVENT_ADDRESS,
  NEXT_HOP_EVENT_ID,
  NEXT_HOP_EVENT_INTERFACE,
  NEXT_HOP_EVENT_KIND,
  NEXT_HOP_EVENT_NETWORK,
  NEXT_HOP_EVENT_SIZE,
  NEXT_HOP_EVENT_VERSION,
  NEXT_HOP_INTERFACE,
  NEXT_HOP_RECORD_ADDRESS,
  NEXT_HOP_RECORD_VERSION,
  NEXT_HOP_SET_COUNT,
  NEXT_HOP_SET_HEADER_SIZE,
  NEXT_HOP_SET_ID,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
  RANGE_ACTUAL,
  RANGE_EXPECTED,
  RANGE_FIRST,
  RANGE_FLAG_ACTUAL_FOREIGN,
  RANGE_FLAG_EXPECTED_FOREIGN,
  RANGE_FLAGS,
  RANGE_LAST,
  RANGE_SIZE,
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
import { describeDecision } from './decision-reasons.ts';
import type {
  FibDifference,
  FibNextHop,
  FibRow,
  FibState,
  NextHopEvent,
  RouteCarrier,
  RouteRow,
  StoredAttributes,
} from './route-core.ts';

/** FIB_STATE_* of abi.ts. */
const fibStates: readonly FibState[] = ['absent', 'installed', 'pending', 'refused', 'held'];

/** Bytes of a stored key: whole words. */
export function keySize(bits: number): number {
  return ((bits + 31) >>> 5) << 2;
}

/** Bytes of an address of a prefix family. */
export function addressSize(family: AddressFamily): number {
  return family === 'ipv4-unicast' ? 4 : 16;
}

export function readRouteRows(
  view: DataView,
  start: number,
  count: number,
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

export function readFibRows(
  view: DataView,
  start: number,
  count: number,
  size: number,
  family: AddressFamily,
): FibRow[] {
  const offsets: number[] = [];
  let offset = start;
  for (let i = 0; i < count; i++) {
    offsets.push(offset);
    offset += FIB_ROW_SIZE + keySize(view.getUint16(offset + FIB_ROW_BITS, true));
  }
  const sets = readSets(view, offset, start + size);
  return offsets.map((rowOffset) => {
    const bits = view.getUint16(rowOffset + FIB_ROW_BITS, true);
    return {
      prefix: readPrefix(view, rowOffset + FIB_ROW_SIZE, bits, family),
      family,
      state: fibStates[view.getUint8(rowOffset + FIB_ROW_STATE)]!,
      desired: sets.get(view.getUint32(rowOffset + FIB_ROW_DESIRED, true)),
      installed: sets.get(view.getUint32(rowOffset + FIB_ROW_INSTALLED, true)),
      ...readRouteCount(view.getUint32(rowOffset + FIB_ROW_ROUTE_COUNT, true)),
    };
  });
}

function readRouteCount(word: number): Pick<FibRow, 'routeCount' | 'hasMoreRoutes'> {
  const hasMoreRoutes = word >= FIB_ROW_MORE_ROUTES;
  return { routeCount: hasMoreRoutes ? word - FIB_ROW_MORE_ROUTES : word, hasMoreRoutes };
}

/** Prefixes as readCarried leaves them: a length and a stored key each. */
export function readCarriedPrefixes(
  view: DataView,
  start: number,
  count: number,
  family: AddressFamily,
): Prefix[] {
  const prefixes: Prefix[] = [];
  let offset = start;
  for (let i = 0; i < count; i++) {
    const bits = view.getUint32(offset, true);
    prefixes.push(readPrefix(view, offset + 4, bits, family));
    offset += 4 + keySize(bits);
  }
  return prefixes;
}

/** Ranges as verifyFib leaves them, the definitions of the sets they name behind them. */
export function readDifferences(
  view: DataView,
  start: number,
  count: number,
  size: number,
  family: AddressFamily,
): FibDifference[] {
  const sets = readSets(view, start + count * RANGE_SIZE, start + size);
  const addressBytes = addressSize(family);
  return Array.from({ length: count }, (_, i) => {
    const offset = start + i * RANGE_SIZE;
    const flags = view.getUint32(offset + RANGE_FLAGS, true);
    const nextHops = (at: number) => sets.get(view.getUint32(offset + at, true));
    return {
      first: copyBytes(view, offset + RANGE_FIRST, addressBytes),
      last: copyBytes(view, offset + RANGE_LAST, addressBytes),
      expected: {
        nextHops: nextHops(RANGE_EXPECTED),
        withForeign: (flags & RANGE_FLAG_EXPECTED_FOREIGN) !== 0,
      },
      actual: {
        nextHops: nextHops(RANGE_ACTUAL),
        withForeign: (flags & RANGE_FLAG_ACTUAL_FOREIGN) !== 0,
      },
    };
  });
}

function readSets(view: DataView, start: number, end: number): Map<number, FibNextHop[]> {
  const sets = new Map<number, FibNextHop[]>();
  let offset = start;
  while (offset < end) {
    const members: FibNextHop[] = [];
    sets.set(view.getUint32(offset + NEXT_HOP_SET_ID, true), members);
    const count = view.getUint16(offset + NEXT_HOP_SET_COUNT, true);
    offset += NEXT_HOP_SET_HEADER_SIZE;
    for (let i = 0; i < count; i++, offset += NEXT_HOP_SIZE) {
      members.push({
        address: copyBytes(view, offset, view.getUint8(offset + NEXT_HOP_VERSION) === 4 ? 4 : 16),
        weight: view.getUint16(offset + NEXT_HOP_WEIGHT, true),
        interfaceIndex: view.getUint32(offset + NEXT_HOP_INTERFACE, true),
      });
    }
  }
  return sets;
}

export function readNextHopEvents(view: DataView, start: number, count: number): NextHopEvent[] {
  const events: NextHopEvent[] = [];
  for (let i = 0; i < count; i++) {
    const offset = start + i * NEXT_HOP_EVENT_SIZE;
    const size = view.getUint8(offset + NEXT_HOP_EVENT_VERSION) === 4 ? 4 : 16;
    const isAdded = view.getUint8(offset + NEXT_HOP_EVENT_KIND) === NEXT_HOP_EVENT_ADDED;
    events.push({
      id: view.getUint32(offset + NEXT_HOP_EVENT_ID, true),
      network: view.getUint16(offset + NEXT_HOP_EVENT_NETWORK, true),
      address: copyBytes(view, offset + NEXT_HOP_EVENT_ADDRESS, size),
      interfaceIndex: view.getUint32(offset + NEXT_HOP_EVENT_INTERFACE, true),
      kind: isAdded ? 'added' : 'removed',
    });
  }
  return events;
}

/** A stored key holds only the words its length needs; the address is whole. */
function readPrefix(view: DataView, offset: number, bits: number, family: AddressFamily): Prefix {
  const address = new Uint8Array(addressSize(family));
  address.set(new Uint8Array(view.buffer, view.byteOffset + offset, keySize(bits)));
  return { address, length: bits };
}

function copyBytes(view: DataView, offset: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, size).slice();
}
