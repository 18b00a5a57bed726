// Binary records of the core's border (assembly/abi.ts) as objects: FIB batches for sinks, observations from them.
import {
  FIB_CHANGE_ADDRESS,
  FIB_CHANGE_BITS,
  FIB_CHANGE_FAMILY,
  FIB_CHANGE_FLAG_URGENT,
  FIB_CHANGE_FLAGS,
  FIB_CHANGE_NEW_SET,
  FIB_CHANGE_OLD_SET,
  FIB_CHANGE_SIZE,
  FOREIGN_NONE,
  FOREIGN_WINS,
  FOREIGN_YIELDS,
  INPUT_SIZE,
  NEXT_HOP_INTERFACE,
  NEXT_HOP_SET_COUNT,
  NEXT_HOP_SET_HEADER_SIZE,
  NEXT_HOP_SET_ID,
  NEXT_HOP_SET_KIND,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
  OBSERVATION_ADDRESS,
  OBSERVATION_BITS,
  OBSERVATION_COUNT,
  OBSERVATION_FAMILY,
  OBSERVATION_HEADER_SIZE,
  OBSERVATION_KIND,
  SET_KIND_DISCARD,
  SET_KIND_FORWARD,
} from '../../assembly/abi.ts';
import { familyFromIndex, familyNumbers } from '../net/address-family.ts';
import { type Prefix, prefixFamily } from '../net/prefix.ts';

/** One way out: where a packet is sent next. */
export interface NextHop {
  /** 4 or 16 bytes, network order. */
  readonly address: Uint8Array;
  /** Relative share of the traffic, 1 or more. */
  readonly weight: number;
  /** Kernel interface index; 0 unless the address is link-local. */
  readonly interfaceIndex: number;
}

/** What a FIB entry forwards to: equal-cost next hops in canonical order, or the bin. */
export interface NextHopSet {
  readonly id: number;
  readonly discard: boolean;
  readonly members: readonly NextHop[];
}

/** One change a sink is asked to make. `undefined` means no route. */
export interface FibChange {
  readonly prefix: Prefix;
  readonly urgent: boolean;
  readonly from: NextHopSet | undefined;
  readonly to: NextHopSet | undefined;
}

/** A drained batch: `count` FIB change records, then the definitions of every next-hop set they name. Transferred. */
export interface FibBatchMessage {
  readonly buffer: ArrayBuffer;
  /** Number of FIB change records at the start of the buffer. */
  readonly count: number;
  /** Number of bytes used in the buffer, records and definitions together. */
  readonly byteLength: number;
  /** Changes that the core holds behind this batch. */
  readonly remaining: number;
}

/** A drained batch, read in place. `change(i)` makes an object; the numeric accessors make none. */
export class FibBatch {
  readonly count: number;
  /** Changes that the core holds behind this batch. */
  readonly remaining: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #sets = new Map<number, NextHopSet>();

  constructor(buffer: ArrayBuffer, count: number, byteLength: number, remaining = 0) {
    this.count = count;
    this.remaining = remaining;
    this.#view = new DataView(buffer, 0, byteLength);
    this.#bytes = new Uint8Array(buffer, 0, byteLength);
    let offset = count * FIB_CHANGE_SIZE;
    while (offset < byteLength) {
      const set = this.#readSet(offset);
      this.#sets.set(set.id, set);
      offset += NEXT_HOP_SET_HEADER_SIZE + set.members.length * NEXT_HOP_SIZE;
    }
  }

  /** Core table index of the record's family. */
  family(index: number): number {
    return this.#view.getUint8(index * FIB_CHANGE_SIZE + FIB_CHANGE_FAMILY);
  }

  /** Prefix length in bits. */
  bits(index: number): number {
    return this.#view.getUint8(index * FIB_CHANGE_SIZE + FIB_CHANGE_BITS);
  }

  /** Network address of the record, 4 or 16 bytes; a view into the batch, not a copy. */
  address(index: number): Uint8Array {
    const start = index * FIB_CHANGE_SIZE + FIB_CHANGE_ADDRESS;
    return this.#bytes.subarray(start, start + addressSize(this.family(index)));
  }

  isUrgent(index: number): boolean {
    const flags = this.#view.getUint8(index * FIB_CHANGE_SIZE + FIB_CHANGE_FLAGS);
    return (flags & FIB_CHANGE_FLAG_URGENT) !== 0;
  }

  from(index: number): NextHopSet | undefined {
    return this.#sets.get(this.#view.getUint32(index * FIB_CHANGE_SIZE + FIB_CHANGE_OLD_SET, true));
  }

  to(index: number): NextHopSet | undefined {
    return this.#sets.get(this.#view.getUint32(index * FIB_CHANGE_SIZE + FIB_CHANGE_NEW_SET, true));
  }

  change(index: number): FibChange {
    return {
      prefix: { address: this.address(index), length: this.bits(index) },
      urgent: this.isUrgent(index),
      from: this.from(index),
      to: this.to(index),
    };
  }

  #readSet(offset: number): NextHopSet {
    const count = this.#view.getUint16(offset + NEXT_HOP_SET_COUNT, true);
    const members: NextHop[] = [];
    for (let i = 0; i < count; i++) {
      members.push(readNextHop(this.#view, offset + NEXT_HOP_SET_HEADER_SIZE + i * NEXT_HOP_SIZE));
    }
    return {
      id: this.#view.getUint32(offset + NEXT_HOP_SET_ID, true),
      discard: this.#view.getUint16(offset + NEXT_HOP_SET_KIND, true) === SET_KIND_DISCARD,
      members,
    };
  }
}

/** What a sink says is in place for one prefix: a set, or `undefined` for nothing of ours. */
export interface Observation {
  readonly prefix: Prefix;
  readonly set: Omit<NextHopSet, 'id'> | undefined;
}

/** Encodes observations as the core reads them. */
export function encodeObservations(observations: readonly Observation[]): {
  records: ArrayBuffer;
  byteLength: number;
} {
  const byteLength = observations.reduce((sum, { set }) => sum + observationSize(set), 0);
  const records = new ArrayBuffer(byteLength);
  const view = new DataView(records);
  let offset = 0;
  for (const { prefix, set } of observations) {
    view.setUint8(offset + OBSERVATION_FAMILY, familyNumbers(prefixFamily(prefix)).index);
    view.setUint8(offset + OBSERVATION_BITS, prefix.length);
    view.setUint16(offset + OBSERVATION_COUNT, set?.members.length ?? 0, true);
    view.setUint8(offset + OBSERVATION_KIND, set?.discard ? SET_KIND_DISCARD : SET_KIND_FORWARD);
    new Uint8Array(records, offset + OBSERVATION_ADDRESS).set(prefix.address);
    offset += OBSERVATION_HEADER_SIZE;
    for (const member of set?.members ?? []) {
      writeNextHop(view, offset, member);
      offset += NEXT_HOP_SIZE;
    }
  }
  return { records, byteLength };
}

/** What a route of somebody else does to ours at the same prefix; `none`: it is gone. */
export type ForeignKind = 'none' | 'wins' | 'yields';

const foreignKinds = { none: FOREIGN_NONE, wins: FOREIGN_WINS, yields: FOREIGN_YIELDS };

/** Encodes what RouteCore.observeForeign reads. */
export function encodeForeign(
  routes: readonly { readonly prefix: Prefix; readonly kind: ForeignKind }[],
): { records: ArrayBuffer; byteLength: number } {
  const byteLength = routes.length * OBSERVATION_HEADER_SIZE;
  const records = new ArrayBuffer(byteLength);
  const view = new DataView(records);
  for (const [i, { prefix, kind }] of routes.entries()) {
    const offset = i * OBSERVATION_HEADER_SIZE;
    view.setUint8(offset + OBSERVATION_FAMILY, familyNumbers(prefixFamily(prefix)).index);
    view.setUint8(offset + OBSERVATION_BITS, prefix.length);
    view.setUint8(offset + OBSERVATION_KIND, foreignKinds[kind]);
    new Uint8Array(records, offset + OBSERVATION_ADDRESS).set(prefix.address);
  }
  return { records, byteLength };
}

/** Reads observations back, for people and tests. */
export function decodeObservations(records: ArrayBuffer, byteLength: number): Observation[] {
  const view = new DataView(records, 0, byteLength);
  const observations: Observation[] = [];
  let offset = 0;
  while (offset < byteLength) {
    const family = view.getUint8(offset + OBSERVATION_FAMILY);
    const count = view.getUint16(offset + OBSERVATION_COUNT, true);
    const discard = view.getUint8(offset + OBSERVATION_KIND) === SET_KIND_DISCARD;
    const address = new Uint8Array(records, offset + OBSERVATION_ADDRESS, addressSize(family));
    const length = view.getUint8(offset + OBSERVATION_BITS);
    const members: NextHop[] = [];
    for (let i = 0; i < count; i++) {
      members.push(readNextHop(view, offset + OBSERVATION_HEADER_SIZE + i * NEXT_HOP_SIZE));
    }
    observations.push({
      prefix: { address: address.slice(), length },
      set: count > 0 || discard ? { discard, members } : undefined,
    });
    offset += OBSERVATION_HEADER_SIZE + count * NEXT_HOP_SIZE;
  }
  return observations;
}

/** Records in parts that fit the core's input buffer and end between records. */
export function* observationParts(
  records: ArrayBuffer,
  byteLength: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const view = new DataView(records, 0, byteLength);
  let start = 0;
  while (start < byteLength) {
    let end = start;
    while (end < byteLength) {
      const size =
        OBSERVATION_HEADER_SIZE + view.getUint16(end + OBSERVATION_COUNT, true) * NEXT_HOP_SIZE;
      if (end > start && end + size - start > INPUT_SIZE) break;
      end += size;
    }
    // A record that is larger than the buffer has more next hops than any route: it is passed over.
    if (end - start <= INPUT_SIZE) yield new Uint8Array(records, start, end - start);
    start = end;
  }
}

function observationSize(set: Omit<NextHopSet, 'id'> | undefined): number {
  return OBSERVATION_HEADER_SIZE + (set?.members.length ?? 0) * NEXT_HOP_SIZE;
}

function addressSize(familyIndex: number): number {
  return familyFromIndex(familyIndex) === 'ipv4-unicast' ? 4 : 16;
}

function readNextHop(view: DataView, offset: number): NextHop {
  const size = view.getUint8(offset + NEXT_HOP_VERSION) === 4 ? 4 : 16;
  return {
    address: new Uint8Array(view.buffer, view.byteOffset + offset, size).slice() as Uint8Array,
    weight: view.getUint16(offset + NEXT_HOP_WEIGHT, true),
    interfaceIndex: view.getUint32(offset + NEXT_HOP_INTERFACE, true),
  };
}

function writeNextHop(view: DataView, offset: number, nextHop: NextHop): void {
  new Uint8Array(view.buffer, view.byteOffset + offset).set(nextHop.address);
  view.setUint8(offset + NEXT_HOP_VERSION, nextHop.address.length === 4 ? 4 : 6);
  view.setUint16(offset + NEXT_HOP_WEIGHT, nextHop.weight, true);
  view.setUint32(offset + NEXT_HOP_INTERFACE, nextHop.interfaceIndex, true);
}
