// Prefix ↔ index within one 8-bit stride. Pure arithmetic.
//
// A prefix that ends inside a stride has 0 to 7 bits there. Its index is a 1 followed by those bits, so 1–255:
//
//   length 0         1         the stride's default
//   length 1   0/1   2  0…     3  1…
//   length 3   010   10
//   length 7         128–255
//
// Halving an index drops the last bit: index >> 1 is the prefix one bit shorter. So everything that covers an octet inside the
// stride is on the chain 128 + (octet >> 1), …, 1.

/** Index of the first `length` (0–7) bits of an octet. */
export function prefixIndex(octet: u32, length: u32): u32 {
  return (1 << length) | (octet >>> (8 - length));
}

// A position orders everything a node can hold as a walk meets it: by first address, then by length. It is octet × 16 + length,
// where lengths 0–7 are prefixes that begin at the octet and 8 is the octet's child.

export const CHILD_LEVEL: u32 = 8;

export function positionOf(octet: u32, level: u32): u32 {
  return (octet << 4) | level;
}

export function octetOf(position: u32): u32 {
  return position >>> 4;
}

export function levelOf(position: u32): u32 {
  return position & 15;
}

/** The smallest index of prefixes `length` bits long whose position is at or after `position`; may lie past the last of them. */
export function firstIndexFrom(position: u32, length: u32): u32 {
  const octet = octetOf(position);
  const hostBits = 8 - length;
  const value =
    length >= levelOf(position)
      ? (octet + (1 << hostBits) - 1) >>> hostBits
      : (octet >>> hostBits) + 1;
  return (1 << length) + value;
}

/** The first octet of a prefix given by index and length. */
export function firstOctetOf(index: u32, length: u32): u32 {
  return (index - (1 << length)) << (8 - length);
}
