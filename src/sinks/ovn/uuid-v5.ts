// UUIDs made of names (UUIDv5, RFC 9562 §5.5): the same names always give the same UUID.
import { hash } from 'node:crypto';

/** Rutter's own namespace: a random UUID, fixed for ever. */
const NAMESPACE = Buffer.from('8f0f4c1be7b64d3b9c5a2d6e0f7a4b19', 'hex');

/** First digit of the fourth group: the variant of RFC 9562 leaves two bits of it to the digest. */
const VARIANT_DIGITS = '89ab';

/** The namespace, then the names: one buffer for all calls, because every inserted row makes one. */
const input = Buffer.alloc(4096);
NAMESPACE.copy(input);

/** Names must not contain NUL, which keeps them apart, and be of sane length: 4000 bytes in sum. */
export function uuidV5(names: readonly string[]): string {
  const length = NAMESPACE.length + input.write(names.join('\0'), NAMESPACE.length);
  if (length > input.length - 4) throw new RangeError(`names of ${length} bytes, expected less`);
  const hex = hash('sha1', input.subarray(0, length), 'hex');
  const variant = VARIANT_DIGITS[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
