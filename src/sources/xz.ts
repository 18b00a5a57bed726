// Unpacks xz: one stream after the other, with nothing or zero bytes between them (xz file format §2.2).
//
// The decoder takes one stream, and does not say where in its input that ended. So it is given no chunk that goes on behind a stream's end.
import { ReadableStream } from 'node:stream/web';
import xz from 'xz-decompress';

type Chunks = AsyncIterable<Uint8Array>;

/** Fails where the bytes are no xz; what comes before is delivered. */
export async function* unpackXz(packed: Chunks): Chunks {
  const chunks = endingWithStreams(packed)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const first = await nextStream(chunks);
      if (first === undefined) return;
      const rest = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
      yield* unpackXzStream(prepend(first, rest));
    }
  } finally {
    await chunks.return?.();
  }
}

/** The first chunk of the stream that comes next, without the zeros before it. */
async function nextStream(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (let item = await chunks.next(); !item.done; item = await chunks.next()) {
    const start = item.value.findIndex((byte) => byte !== 0);
    if (start >= 0) return item.value.subarray(start);
  }
  return undefined;
}

async function* prepend(first: Uint8Array, rest: Chunks): Chunks {
  yield first;
  yield* rest;
}

function unpackXzStream(packed: Chunks): Chunks {
  // Node's own web stream; the package's types name the browser's, which is the same thing.
  const source = ReadableStream.from(packed) as unknown as globalThis.ReadableStream<Uint8Array>;
  return new xz.XzReadableStream(source);
}

const [LETTER_Y, LETTER_Z] = [0x59, 0x5a];

/** The same bytes, cut behind every "YZ": the last two of a stream (§2.1.2.4), and here and there two others. */
async function* endingWithStreams(packed: Chunks): Chunks {
  let endsWithY = false;
  for await (const chunk of packed) {
    let start = 0;
    for (let at = chunk.indexOf(LETTER_Z); at >= 0; at = chunk.indexOf(LETTER_Z, at + 1)) {
      if (at === 0 ? !endsWithY : chunk[at - 1] !== LETTER_Y) continue;
      yield chunk.subarray(start, at + 1);
      start = at + 1;
    }
    if (start < chunk.length) yield chunk.subarray(start);
    endsWithY = chunk.at(-1) === LETTER_Y;
  }
}
