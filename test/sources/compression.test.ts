// Packed files: told apart by content, unpacked as streams, and what is left of them when they are cut.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CompressionError, detectCompression, readBytes } from '../../src/sources/compression.ts';
import { unpackXz } from '../../src/sources/xz.ts';

const directory = mkdtempSync(join(tmpdir(), 'rutter-compression-'));
afterAll(() => rmSync(directory, { recursive: true }));

// Hardly compressible, so that a cut loses something; several bzip2 blocks of 100 kB.
const hashes = Array.from({ length: 22_000 }, (_, i) =>
  createHash('sha256').update(`${i}`).digest(),
);
const plain = Buffer.concat(hashes).map((byte) => byte & 0x3f) as Buffer;

/** Node has no compressor for these; Debian has both tools. */
const pack = (tool: string, input: Uint8Array = plain) =>
  execFileSync(tool, ['-1', '-c'], { input, maxBuffer: 1 << 24 });
const packWith = (name: string, content: Uint8Array): Buffer =>
  name === 'gzip' ? gzipSync(content) : pack(name, content);

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

describe.each(['gzip', 'bzip2', 'xz'])('%s files behind one another', (name) => {
  const bytes = packed[name]!;

  it('are one file', async () => {
    const [half, small] = [plain.subarray(0, plain.length >> 1), Buffer.from('the end\n')];
    const contents = [plain, half, Buffer.alloc(0), small];
    const result = await unpack(Buffer.concat(contents.map((each) => packWith(name, each))));
    expect(result.error).toBeUndefined();
    expect(result.bytes.equals(Buffer.concat(contents))).toBe(true);
  });

  it('are one file when there are thousands of them', async () => {
    const some = Array.from({ length: 24 }, (_, i) => Buffer.from('x'.repeat(i)));
    const files = some.map((content) => packWith(name, content));
    const order = Array.from({ length: 5000 }, (_, i) => (i * 7) % some.length);
    const result = await unpack(Buffer.concat(order.map((i) => files[i]!)));
    expect(result.error).toBeUndefined();
    expect(result.bytes.equals(Buffer.concat(order.map((i) => some[i]!)))).toBe(true);
  });

  it('end where the second is cut', async () => {
    const result = await unpack(Buffer.concat([bytes, bytes.subarray(0, bytes.length >> 1)]));
    expect(result.error).toBeInstanceOf(CompressionError);
    expect(result.bytes.length).toBeGreaterThan(plain.length * 1.2);
    const expected = Buffer.concat([plain, plain]).subarray(0, result.bytes.length);
    expect(result.bytes.equals(expected)).toBe(true);
  });
});

describe('xz', () => {
  it('skips the padding between streams and at the end', async () => {
    const bytes = packed['xz']!;
    const result = await unpack(Buffer.concat([bytes, Buffer.alloc(8), bytes, Buffer.alloc(4)]));
    expect(result.error).toBeUndefined();
    expect(result.bytes.equals(Buffer.concat([plain, plain]))).toBe(true);
  });

  it('does not take the end of a packed file inside a packed file for its own', async () => {
    // What is packed already is stored as it is: the outer file has the inner one's footer in it.
    const inner = pack('xz', createHash('sha512').update('random').digest());
    const outer = pack('xz', inner);
    expect(outer.includes(inner.subarray(-12))).toBe(true);
    const result = await unpack(Buffer.concat([outer, outer]));
    expect(result.error).toBeUndefined();
    expect(result.bytes.equals(Buffer.concat([inner, inner]))).toBe(true);
  });

  it('is unpacked byte by byte', async () => {
    const one = pack('xz', Buffer.from('content'));
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const byte of Buffer.concat([one, one, Buffer.alloc(4), one])) yield Buffer.of(byte);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of unpackXz(bytes())) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('contentcontentcontent');
  });

  it('fails at what follows and is no stream', async () => {
    const result = await unpack(Buffer.concat([packed['xz']!, Buffer.from('something else')]));
    expect(result.error).toBeInstanceOf(CompressionError);
    expect(result.bytes.equals(plain)).toBe(true);
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
