// Packed files: told apart by content, unpacked as streams, and what is left of them when they are cut.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CompressionError, detectCompression, readBytes } from '../../src/sources/compression.ts';

const directory = mkdtempSync(join(tmpdir(), 'rutter-compression-'));
afterAll(() => rmSync(directory, { recursive: true }));

// Hardly compressible, so that a cut loses something; several bzip2 blocks of 100 kB.
const hashes = Array.from({ length: 22_000 }, (_, i) =>
  createHash('sha256').update(`${i}`).digest(),
);
const plain = Buffer.concat(hashes).map((byte) => byte & 0x3f) as Buffer;

/** Node has no compressor for these; Debian has both tools. */
const pack = (tool: string) =>
  execFileSync(tool, ['-1', '-c'], { input: plain, maxBuffer: 1 << 24 });

const packed: Record<string, Buffer> = {
  plain,
  gzip: gzipSync(plain),
  bzip2: pack('bzip2'),
  xz: pack('xz'),
};

async function unpack(bytes: Uint8Array) {
  const path = join(directory, 'file');
  writeFileSync(path, bytes);
  const chunks: Uint8Array[] = [];
  let readCount = 0;
  let error: unknown;
  try {
    for await (const chunk of readBytes(path, (count) => (readCount += count))) chunks.push(chunk);
  } catch (cause) {
    error = cause;
  }
  return { bytes: Buffer.concat(chunks), readCount, error };
}

describe.each(Object.entries(packed))('%s', (name, bytes) => {
  it('is told by its first bytes', () => {
    expect(detectCompression(bytes)).toBe(name);
  });

  it('is read whole, and its own bytes are counted', async () => {
    const result = await unpack(bytes);
    expect(result.error).toBeUndefined();
    expect(result.bytes.equals(plain)).toBe(true);
    expect(result.readCount).toBe(bytes.length);
  });
});

describe.each(['gzip', 'bzip2', 'xz'])('%s that is not whole', (name) => {
  const bytes = packed[name]!;

  it('gives what comes before a cut, then the place', async () => {
    const cut = Math.floor(bytes.length * 0.7);
    const result = await unpack(bytes.subarray(0, cut));
    expect(result.bytes.length).toBeGreaterThan(plain.length / 2);
    expect(result.bytes.equals(plain.subarray(0, result.bytes.length))).toBe(true);
    expect(result.error).toBeInstanceOf(CompressionError);
    expect(result.error).toMatchObject({ offset: cut, message: expect.stringContaining(name) });
  });

  it('reports damage in the middle', async () => {
    const damaged = Buffer.from(bytes);
    const middle = bytes.length >> 1;
    damaged.fill(0, middle, middle + 64);
    expect((await unpack(damaged)).error).toBeInstanceOf(CompressionError);
  });

  it('can be read again after a reader has left early', async () => {
    const path = join(directory, 'again');
    writeFileSync(path, bytes);
    for (let i = 0; i < 3; i++) for await (const _ of readBytes(path)) break;
    expect((await unpack(bytes)).bytes.equals(plain)).toBe(true);
  });
});

it('reads an empty file as nothing', async () => {
  expect(await unpack(Buffer.alloc(0))).toMatchObject({ readCount: 0, error: undefined });
});

it('says which file is missing', async () => {
  await expect(readBytes(join(directory, 'nothing')).next()).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
