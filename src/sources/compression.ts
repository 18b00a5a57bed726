// Opens a file whatever it is packed with (plain, gzip, bzip2, xz, told apart by their first bytes) as a stream of byte chunks.
//
// What can be unpacked before a cut or a damaged place is delivered; then the stream fails with the offset. Packed files that were put behind one
// another are one file, as for the tools that pack them.
import { createReadStream } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createGunzip } from 'node:zlib';
import bzip2 from 'unbzip2-stream';
import { unpackXz } from './xz.ts';

export type Compression = 'plain' | 'gzip' | 'bzip2' | 'xz';

/** A packed file that ends early or is damaged. `offset` counts packed bytes. */
export class CompressionError extends Error {
  readonly code = 'damaged-file';
  readonly offset: number;

  constructor(path: string, compression: Compression, offset: number, cause: unknown) {
    super(`${path}: ${compression} data is cut or damaged near byte ${offset}`, { cause });
    this.offset = offset;
  }
}

/** `-` is standard input. `onRead` hears how many bytes of the file itself were read, for progress. */
export async function* readBytes(
  path: string,
  onRead: (byteCount: number) => void = () => {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  const packed = peekable(fileChunks(path), (byteCount) => {
    offset += byteCount;
    onRead(byteCount);
  });
  const compression = detectCompression(await packed.first());
  try {
    yield* unpackers[compression](packed.chunks());
  } catch (cause) {
    if (compression === 'plain' || isFileError(cause)) throw cause;
    throw new CompressionError(path, compression, offset, cause);
  }
}

/** By magic number: RFC 1952 §2.3.1, bzip2's `BZh`, the xz file format §2.1.1.1. */
export function detectCompression(start: Uint8Array): Compression {
  const startsWith = (...magic: number[]) => magic.every((byte, index) => start[index] === byte);
  if (startsWith(0x1f, 0x8b)) return 'gzip';
  if (startsWith(0x42, 0x5a, 0x68)) return 'bzip2';
  if (startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return 'plain';
}

type Chunks = AsyncIterable<Uint8Array>;

const unpackers: Readonly<Record<Compression, (packed: Chunks) => Chunks>> = {
  plain: (packed) => packed,
  gzip: (packed) => throughDuplex(packed, createGunzip({ chunkSize: 1 << 18 })),
  bzip2: (packed) => throughBzip2(packed),
  xz: (packed) => unpackXz(packed),
};

function fileChunks(path: string): Chunks {
  return path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
}

function isFileError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause;
}

/** A stream whose first chunk can be looked at before it is consumed. */
function peekable(source: Chunks, onRead: (byteCount: number) => void) {
  const iterator = source[Symbol.asyncIterator]();
  const firstResult = iterator.next();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let item = await firstResult; !item.done; item = await iterator.next()) {
        onRead(item.value.byteLength);
        yield item.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  const first = async () => (await firstResult).value ?? new Uint8Array();
  return { chunks, first };
}

/**
 * Node drops what a stream still holds when it fails. Here its output is taken as it is made, so that everything before a
 * damaged place arrives.
 */
async function* throughDuplex(packed: Chunks, duplex: Duplex): Chunks {
  let unpacked: Uint8Array[] = [];
  let failure: unknown;
  duplex.on('data', (chunk: Uint8Array) => unpacked.push(chunk));
  const over = new Promise<void>((resolve) => {
    duplex.once('end', resolve);
    duplex.once('error', (error) => {
      failure = error;
      resolve();
    });
  });
  const take = () => {
    const taken = unpacked;
    unpacked = [];
    return taken;
  };
  try {
    for await (const chunk of packed) {
      const written = new Promise<void>((resolve) => duplex.write(chunk, () => resolve()));
      await Promise.race([written, over]);
      yield* take();
      if (failure !== undefined) break;
    }
    duplex.end();
    await over;
    yield* take();
    if (failure !== undefined) throw failure;
  } finally {
    duplex.destroy();
  }
}

/** unbzip2-stream works and fails inside write() and end(). */
async function* throughBzip2(packed: Chunks): Chunks {
  const stream = bzip2();
  let unpacked: Uint8Array[] = [];
  const failures: unknown[] = [];
  stream.on('data', (chunk: Uint8Array) => unpacked.push(chunk));
  stream.on('error', (error: unknown) => failures.push(error));
  const feed = function* (step: () => void) {
    try {
      step();
    } catch (error) {
      failures.push(error); // at a cut it reads past its last buffer
    }
    const taken = unpacked;
    unpacked = [];
    yield* taken;
    if (failures.length > 0) throw failures[0];
  };
  for await (const chunk of packed) yield* feed(() => stream.write(chunk as Buffer));
  yield* feed(() => stream.end());
}
