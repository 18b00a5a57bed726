// What a hostile or broken sender does to sound bytes: flips, cuts, repeats, splices, and lengths that lie.
import type { Random } from './random.ts';

const HEADER_SIZE = 19;
const interesting = [0, 1, 4, 32, 33, 64, 127, 128, 129, 254, 255];

/** A changed copy; one to four changes. */
export function mutate(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  let changed: Uint8Array = new Uint8Array(bytes); // slice() of a Buffer would be no copy
  for (let count = 1 + random.below(4); count > 0; count--) {
    changed = mutateOnce(random, changed, others);
  }
  return changed;
}

/** A changed BGP message whose header is sound again, so that what is inside is reached. */
export function mutateBody(
  random: Random,
  message: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  const body = mutate(random, message.subarray(HEADER_SIZE), others);
  return frame(message[HEADER_SIZE - 1] ?? 2, body);
}

/** A BGP message with one byte of its body changed: most of them are still sound. */
export function nudge(random: Random, message: Uint8Array): Uint8Array {
  const nudged = new Uint8Array(message);
  const at = HEADER_SIZE + random.below(Math.max(1, message.length - HEADER_SIZE));
  if (at < nudged.length)
    nudged[at] = random.chance(2) ? random.below(256) : random.pick(interesting);
  return nudged;
}

/** A message of a type around a body; what is longer than any message is cut. */
export function frame(type: number, body: Uint8Array): Uint8Array {
  const size = Math.min(HEADER_SIZE + body.length, 65535);
  const message = new Uint8Array(size);
  message.fill(255, 0, 16);
  message.set([size >> 8, size & 255, type], 16);
  message.set(body.subarray(0, size - HEADER_SIZE), HEADER_SIZE);
  return message;
}

/** The bytes in pieces, cut anywhere. */
export function tear(random: Random, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const size = random.chance(3) ? 1 + random.below(4) : 1 + random.below(bytes.length - start);
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  return pieces;
}

function mutateOnce(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  if (bytes.length === 0) return random.bytes(1 + random.below(64));
  const at = random.below(bytes.length);
  switch (random.below(8)) {
    case 0: // one bit
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
      return bytes;
    case 1: // one byte that means something
      bytes[at] = random.pick(interesting);
      return bytes;
    case 2: // a length that is off by a little
      bytes[at] = (bytes[at]! + random.below(9) - 4) & 255;
      return bytes;
    case 3: // cut off
      return bytes.slice(0, at);
    case 4: // a hole
      return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16)));
    case 5: // a stretch twice
      return join(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.below(64))));
    case 6: // random bytes put in
      return join(bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at));
    default: {
      // the end of another
      const other = random.pick(others);
      return join(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
