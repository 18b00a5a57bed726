// FIB batches as the core drains them (assembly/abi.ts), built from text: for benchmarks and tests without a core.
import {
  FIB_CHANGE_ADDRESS,
  FIB_CHANGE_BITS,
  FIB_CHANGE_FAMILY,
  FIB_CHANGE_NEW_SET,
  FIB_CHANGE_OLD_SET,
  FIB_CHANGE_SIZE,
  NEXT_HOP_ADDRESS,
  NEXT_HOP_INTERFACE,
  NEXT_HOP_SET_COUNT,
  NEXT_HOP_SET_HEADER_SIZE,
  NEXT_HOP_SET_ID,
  NEXT_HOP_SET_KIND,
  NEXT_HOP_SIZE,
  NEXT_HOP_VERSION,
  NEXT_HOP_WEIGHT,
  SET_KIND_DISCARD,
  SET_KIND_FORWARD,
} from '../assembly/abi.ts';
import type { FibBatchMessage } from '../src/core/records.ts';
import { FibBatch } from '../src/core/records.ts';
import { familyNumbers } from '../src/net/address-family.ts';
import { parseIpAddress } from '../src/net/ip-address.ts';
import { parsePrefix, prefixFamily } from '../src/net/prefix.ts';

/** Next hops as `address`, `address%interfaceIndex`, either with `*weight`; the bin; or nothing. */
export type NextHopTexts = readonly string[] | 'discard' | undefined;

export interface ChangeText {
  readonly prefix: string;
  readonly from?: NextHopTexts;
  readonly to?: NextHopTexts;
}

/** A batch with one record per change, and each next-hop set defined once. */
export function buildBatch(changes: readonly ChangeText[], remaining = 0): FibBatch {
  const { buffer, count, byteLength } = buildBatchMessage(changes);
  return new FibBatch(buffer, count, byteLength, remaining);
}

/** The same as it crosses to a worker. */
export function buildBatchMessage(changes: readonly ChangeText[]): FibBatchMessage {
  const setIds = new Map<string, number>();
  const idOf = (nextHops: NextHopTexts): number => {
    if (nextHops === undefined) return 0;
    const key = nextHops === 'discard' ? nextHops : nextHops.join(' ');
    const id = setIds.get(key) ?? setIds.size + 1;
    setIds.set(key, id);
    return id;
  };
  const records = Buffer.concat(changes.map((change) => encodeChange(change, idOf)));
  const sets = [...setIds].map(([key, id]) => encodeSet(key, id));
  const bytes = Buffer.concat([records, ...sets]);
  const buffer = new ArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return { buffer, count: changes.length, byteLength: bytes.length, remaining: 0 };
}

function encodeChange(
  { prefix: text, from, to }: ChangeText,
  idOf: (nextHops: NextHopTexts) => number,
): Buffer {
  const prefix = parsePrefix(text)!;
  const record = Buffer.alloc(FIB_CHANGE_SIZE);
  record[FIB_CHANGE_FAMILY] = familyNumbers(prefixFamily(prefix)).index;
  record[FIB_CHANGE_BITS] = prefix.length;
  record.writeUInt32LE(idOf(from), FIB_CHANGE_OLD_SET);
  record.writeUInt32LE(idOf(to), FIB_CHANGE_NEW_SET);
  record.set(prefix.address, FIB_CHANGE_ADDRESS);
  return record;
}

function encodeSet(key: string, id: number): Buffer {
  const members = key === 'discard' ? [] : key.split(' ');
  const set = Buffer.alloc(NEXT_HOP_SET_HEADER_SIZE + members.length * NEXT_HOP_SIZE);
  set.writeUInt32LE(id, NEXT_HOP_SET_ID);
  set.writeUInt16LE(members.length, NEXT_HOP_SET_COUNT);
  set.writeUInt16LE(key === 'discard' ? SET_KIND_DISCARD : SET_KIND_FORWARD, NEXT_HOP_SET_KIND);
  for (const [i, member] of members.entries()) {
    encodeNextHop(set, NEXT_HOP_SET_HEADER_SIZE + i * NEXT_HOP_SIZE, member);
  }
  return set;
}

function encodeNextHop(set: Buffer, offset: number, text: string): void {
  const [place = '', weight = '1'] = text.split('*');
  const [addressText = '', index = addressText.startsWith('fe80') ? '7' : '0'] = place.split('%');
  const address = parseIpAddress(addressText)!;
  set.set(address, offset + NEXT_HOP_ADDRESS);
  set[offset + NEXT_HOP_VERSION] = address.length === 4 ? 4 : 6;
  set.writeUInt16LE(Number(weight), offset + NEXT_HOP_WEIGHT);
  set.writeUInt32LE(Number(index), offset + NEXT_HOP_INTERFACE);
}
