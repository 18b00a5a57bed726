// FIB entries of the core's dump pages (assembly/abi.ts) as objects. Reads a view of linear memory; makes none that stays.
import {
  FIB_ROW_BITS,
  FIB_ROW_DESIRED,
  FIB_ROW_INSTALLED,
  FIB_ROW_MORE_ROUTES,
  FIB_ROW_ROUTE_COUNT,
  FIB_ROW_SIZE,
  FIB_ROW_STATE,
  NEXT_HOP_INTERFACE,
  NEXT_HOP_SET_COUNT,
  NEXT_HOP_SET_HEADER_SIZE,
  NEXT_HOP_SET_ID,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
} from '../../assembly/abi.ts';
import type { AddressFamily } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Prefix } from '../net/prefix.ts';
import type { Output } from './border.ts';
import { copyBytes, keySize, readPrefix } from './stored-key.ts';

export type FibState = 'absent' | 'installed' | 'pending' | 'refused' | 'held';

/** One entry of a FIB: what a target should hold, and what it does. */
export interface FibRow {
  readonly prefix: Prefix;
  readonly family: AddressFamily;
  readonly state: FibState;
  readonly desired: readonly FibNextHop[] | undefined;
  readonly installed: readonly FibNextHop[] | undefined;
  /** Routes the entry stands for, where the FIB is aggregated, else 0. */
  readonly routeCount: number;
  /** There were too many to look at all of them. */
  readonly hasMoreRoutes: boolean;
}

/** What a Loc-RIB forwards a prefix to; no next hops: nothing, on purpose. */
export interface LabelRow {
  readonly prefix: Prefix;
  readonly nextHops: readonly FibNextHop[];
}

export interface FibNextHop {
  readonly address: IpAddress;
  readonly weight: number;
  readonly interfaceIndex: number;
}

/** FIB_STATE_* of abi.ts. */
export const fibStates: readonly FibState[] = ['absent', 'installed', 'pending', 'refused', 'held'];

export function readFibRows({ view, start, end, count }: Output, family: AddressFamily): FibRow[] {
  const offsets: number[] = [];
  let offset = start;
  for (let i = 0; i < count; i++) {
    offsets.push(offset);
    offset += FIB_ROW_SIZE + keySize(view.getUint16(offset + FIB_ROW_BITS, true));
  }
  const sets = readSets(view, offset, end);
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

export function readLabelRows(output: Output, family: AddressFamily): LabelRow[] {
  return readFibRows(output, family).map(({ prefix, desired = [] }) => ({
    prefix,
    nextHops: desired,
  }));
}

function readRouteCount(word: number): Pick<FibRow, 'routeCount' | 'hasMoreRoutes'> {
  const hasMoreRoutes = word >= FIB_ROW_MORE_ROUTES;
  return { routeCount: hasMoreRoutes ? word - FIB_ROW_MORE_ROUTES : word, hasMoreRoutes };
}

/** Prefixes as readCarried leaves them: a length and a stored key each. */
export function readCarriedPrefixes(
  { view, start, count }: Output,
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

/** The definitions of next-hop sets that stand behind the rows which name them. */
export function readSets(view: DataView, start: number, end: number): Map<number, FibNextHop[]> {
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
