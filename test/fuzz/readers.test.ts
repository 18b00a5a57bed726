// Files and streams that are cut or damaged: MRT, BMP and their packings. What was read stays read, the end is an error that says where,
// and nothing hangs or grows.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BmpDecoder } from '../../src/sources/bmp.ts';
import { CompressionError, readBytes } from '../../src/sources/compression.ts';
import { bmpFraming, readFrames } from '../../src/sources/framed.ts';
import { readMrt } from '../../src/sources/mrt.ts';
import { describeMrt } from '../../src/sources/mrt-describe.ts';
import { updatesOf } from '../../src/sources/mrt-updates.ts';
import { dataDirectory, dataFiles, readWhole } from '../fixture-data.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

const FLIPS = 150;
/** Files up to this size are cut at every offset. */
const SMALL_BYTES = 2500;
/** Others about so many times. */
const LARGE_CUTS = 400;

const directory = mkdtempSync(join(tmpdir(), 'rutter-fuzz-'));
afterAll(() => rmSync(directory, { recursive: true }));

const files = dataFiles('mrt', /\.mrt$/);
const streams = dataFiles('lab', /bmp_.*\.bin(\.xz)?$/);

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

interface Reading {
  readonly count: number;
  readonly error: { readonly message: string; readonly offset?: number } | undefined;
}

/** Reads all of it, as `routes --mrt` and `decode` do. */
async function readAllMrt(bytes: Uint8Array): Promise<Reading> {
  let count = 0;
  try {
    for await (const record of readMrt(inPieces(bytes))) {
      count++;
      for (const _ of updatesOf(record)) count++;
      describeMrt(record, undefined);
    }
  } catch (error) {
    return { count, error: error as Error };
  }
  return { count, error: undefined };
}

async function readAllBmp(bytes: Uint8Array): Promise<Reading> {
  const decoder = new BmpDecoder();
  let count = 0;
  try {
    for await (const frame of readFrames(inPieces(bytes), bmpFraming)) {
      decoder.read(frame.bytes, frame.offset);
      count++;
    }
  } catch (error) {
    return { count, error: error as Error };
  }
  return { count, error: undefined };
}

/** An error of ours: it knows where. */
function expectPlace({ error }: Reading, length: number): void {
  if (error === undefined) return;
  expect(error.offset, `${error.message}`).toBeTypeOf('number');
  expect(error.offset).toBeLessThanOrEqual(length);
}

const readers = [
  ...files.map((path) => ({ path, read: readAllMrt })),
  ...streams.map((path) => ({ path, read: readAllBmp })),
];

describe.skipIf(readers.length === 0)(`MRT and BMP of ${dataDirectory}`, () => {
  it.each(readers)('$path is read up to any cut', async ({ path, read }) => {
    const bytes = await readWhole(path);
    const whole = await read(bytes);
    let last = 0;
    const step = bytes.length <= SMALL_BYTES ? 1 : Math.ceil(bytes.length / LARGE_CUTS);
    for (let cut = 0; cut < bytes.length; cut += step) {
      const reading = await read(bytes.subarray(0, cut));
      expectPlace(reading, cut);
      expect(reading.count).toBeGreaterThanOrEqual(last);
      last = reading.count;
    }
    expect(last).toBeLessThanOrEqual(whole.count);
  });

  it.each(readers)('$path is read with any damage', async ({ path, read }) => {
    const bytes = (await readWhole(path)).slice(0, 20_000);
    const random = new Random(51);
    for (let run = 0; run < FLIPS; run++) {
      const damaged = mutate(random, bytes, [bytes]);
      expectPlace(await read(damaged), damaged.length);
    }
  });
});

const plain = new Random(52).bytes(2000);
const pack = (tool: string): Buffer => execFileSync(tool, ['-c'], { input: plain });

describe.each([
  { name: 'gzip', packed: gzipSync(plain) },
  { name: 'bzip2', packed: pack('bzip2') },
  { name: 'xz', packed: pack('xz') },
])('$name', ({ packed }) => {
  const path = join(directory, 'file');

  async function unpack(bytes: Uint8Array): Promise<Buffer> {
    writeFileSync(path, bytes);
    const chunks: Uint8Array[] = [];
    for await (const chunk of readBytes(path)) chunks.push(chunk.slice());
    return Buffer.concat(chunks);
  }

  it('cut anywhere is told as damaged', async () => {
    for (let cut = 8; cut < packed.length; cut += 31) {
      await expect(unpack(packed.subarray(0, cut))).rejects.toBeInstanceOf(CompressionError);
    }
  });

  it('with any byte changed is told as damaged, or is what it was', async () => {
    const random = new Random(53);
    for (let run = 0; run < 50; run++) {
      const damaged = Uint8Array.from(packed);
      const at = 6 + random.below(packed.length - 6); // past the magic number
      damaged[at] = damaged[at]! ^ (1 << random.below(8));
      const result = await unpack(damaged).catch((error: unknown) => error);
      if (result instanceof CompressionError) continue;
      expect(Buffer.compare(result as Buffer, plain), `byte ${at}`).toBe(0);
    }
  });
});
