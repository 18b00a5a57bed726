// Byte chunks → whole messages of a protocol that says its length in its header (BGP, BMP).
import { messageLength } from '../bgp/messages/describe.ts';
import { BMP_HEADER_SIZE, bmpLength } from './bmp.ts';

export interface Frame {
  /** Position of the message's first byte in the input. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface Framing {
  readonly name: string;
  readonly headerSize: number;
  /** The length a header gives its message; undefined when these bytes are no header. */
  readonly lengthOf: (bytes: Uint8Array) => number | undefined;
}

export const bgpFraming: Framing = { name: 'BGP', headerSize: 19, lengthOf: messageLength };
export const bmpFraming: Framing = {
  name: 'BMP',
  headerSize: BMP_HEADER_SIZE,
  lengthOf: bmpLength,
};

/** The input ends inside a message, or does not go on with one. `offset` is where. */
class FramingError extends Error {
  readonly code: 'truncated' | 'lost-framing';
  readonly offset: number;

  constructor(code: 'truncated' | 'lost-framing', offset: number, message: string) {
    super(`${message} at byte ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}

/** Every whole message in order, then a FramingError when something is left. Bytes are views into the chunks. */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  framing: Framing,
): AsyncGenerator<Frame, void, undefined> {
  let pending: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for await (const chunk of chunks) {
    let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (let size = wholeSize(bytes, offset, framing); size > 0; ) {
      yield { offset, bytes: bytes.subarray(0, size) };
      offset += size;
      bytes = bytes.subarray(size);
      size = wholeSize(bytes, offset, framing);
    }
    pending = bytes.slice();
  }
  if (pending.length > 0) throw cutError(pending, offset, framing);
}

/** Bytes of the message at the start of `bytes`, or 0 while it is not whole. */
function wholeSize(bytes: Uint8Array, offset: number, framing: Framing): number {
  if (bytes.length < framing.headerSize) return 0;
  const length = framing.lengthOf(bytes);
  if (length === undefined) {
    throw new FramingError('lost-framing', offset, `no ${framing.name} header`);
  }
  return length <= bytes.length ? length : 0;
}

function cutError(bytes: Uint8Array, offset: number, framing: Framing): FramingError {
  const length = bytes.length < framing.headerSize ? undefined : framing.lengthOf(bytes);
  const expected = length === undefined ? `a header of ${framing.headerSize}` : String(length);
  return new FramingError(
    'truncated',
    offset,
    `${framing.name} message cut: ${bytes.length} bytes, expected ${expected},`,
  );
}

const MARKER_SIZE = 16;

/** Drops bytes up to the first BGP marker: a TCP stream that was joined in the middle of a message. */
export async function* skipToMarker(
  chunks: AsyncIterable<Uint8Array>,
  onSkipped: (byteCount: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let skipped = 0;
  let pending: Uint8Array = new Uint8Array(0);
  let isFound = false;
  for await (const chunk of chunks) {
    if (isFound) {
      yield chunk;
      continue;
    }
    const bytes = Buffer.concat([pending, chunk]);
    const start = bytes.indexOf(Buffer.alloc(MARKER_SIZE, 0xff));
    isFound = start >= 0;
    if (isFound) {
      onSkipped(skipped + start);
      yield bytes.subarray(start);
    } else {
      const kept = Math.min(bytes.length, MARKER_SIZE - 1);
      skipped += bytes.length - kept;
      pending = bytes.subarray(bytes.length - kept).slice();
    }
  }
  if (!isFound) onSkipped(skipped + pending.length);
}
