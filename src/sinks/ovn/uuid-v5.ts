// UUIDs made of names (UUIDv5, RFC 9562 §5.5): the same names always give the same UUID.
import { hash } from 'node:crypto';

/** Rutter's own namespace: a random UUID, fixed for ever. */
const NAMESPACE = Buffer.from('8f0f4c1be7b64d3b9c5a2d6e0f7a4b19', 'hex');

/** Names must not contain NUL, which keeps them apart. */
export function uuidV5(names: readonly string[]): string {
  const digest = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(names.join('\0'))]), 'buffer');
  digest[6] = (digest[6]! & 0x0f) | 0x50; // version 5
  digest[8] = (digest[8]! & 0x3f) | 0x80; // variant of RFC 9562
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
