// Keys of the core's tables as prefixes. Reads a view of linear memory; makes none that stays.
import type { AddressFamily } from '../net/address-family.ts';
import type { Prefix } from '../net/prefix.ts';

/** Bytes of a stored key: whole words. */
export function keySize(bits: number): number {
  return ((bits + 31) >>> 5) << 2;
}

/** Bytes of an address of a prefix family. */
export function addressSize(family: AddressFamily): number {
  return family === 'ipv4-unicast' ? 4 : 16;
}

/** A stored key holds only the words its length needs; the address is whole. */
export function readPrefix(
  view: DataView,
  offset: number,
  bits: number,
  family: AddressFamily,
): Prefix {
  const address = new Uint8Array(addressSize(family));
  address.set(new Uint8Array(view.buffer, view.byteOffset + offset, keySize(bits)));
  return { address, length: bits };
}

export function copyBytes(view: DataView, offset: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, size).slice();
}
