// Canonical attributes (canonical.ts) attribute by attribute: ascending types, each once, lengths that were checked on the way in.
import { readUint8, readUint16 } from '../memory/byte-reader';
import { EXTENDED_LENGTH } from './attributes';

export function attributeType(ptr: usize): u32 {
  return readUint8(ptr + 1);
}

/** Bytes of the attribute, header included. */
export function attributeSize(ptr: usize): u32 {
  return (readUint8(ptr) & EXTENDED_LENGTH) != 0 ? 4 + readUint16(ptr + 2) : 3 + readUint8(ptr + 2);
}

export function attributeValue(ptr: usize): usize {
  return ptr + ((readUint8(ptr) & EXTENDED_LENGTH) != 0 ? 4 : 3);
}

/** Where the attribute of a type begins, or 0. */
export function findAttribute(ptr: usize, end: usize, type: u32): usize {
  for (; ptr < end; ptr += attributeSize(ptr)) {
    const seen = attributeType(ptr);
    if (seen == type) return ptr;
    if (seen > type) break;
  }
  return 0;
}
