// Reading, writing and printing bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ReadError } from '../../src/net/byte-reader.ts';
import { ByteWriter } from '../../src/net/byte-writer.ts';
import { formatHex, parseHex } from '../../src/net/hex.ts';

describe('ByteReader', () => {
  it('reads what ByteWriter wrote', () => {
    const written = new ByteWriter(20).uint8(1).uint16(2).uint32(3).bytes(Uint8Array.of(4, 5));
    const reader = new ByteReader(written.finish());
    expect([reader.uint8(), reader.uint16(), reader.uint32()]).toEqual([1, 2, 3]);
    expect(reader.rest()).toEqual(Uint8Array.of(4, 5));
    expect(reader.remaining).toBe(0);
  });

  it('reads 24 and 64 bits', () => {
    const reader = new ByteReader(parseHex('fffffe 8000000000000001')!);
    expect(reader.uint24()).toBe(0xfffffe);
    expect(reader.uint64()).toBe(0x8000000000000001n);
  });

  it('says where it ran out, counted from the outermost input', () => {
    const outer = new ByteReader(new Uint8Array(10), 100);
    outer.uint16();
    const inner = outer.slice(3);
    inner.uint8();
    expect(() => inner.uint32()).toThrow(new ReadError('4 bytes expected, 2 left', 103));
    expect(outer.position).toBe(105);
  });
});

describe('ByteWriter', () => {
  it('keeps to its room', () => {
    const writer = new ByteWriter(3).uint16(1);
    expect(writer.remaining).toBe(1);
    expect(() => writer.uint16(2)).toThrow(RangeError);
  });
});

describe('hex', () => {
  it('is read as it is written', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(parseHex(formatHex(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each(['ff 0a', 'FF:0A', '0xff0a', 'ff\n0a\n'])('reads %j', (text) => {
    expect(parseHex(text)).toEqual(Uint8Array.of(255, 10));
  });

  it.each(['f', 'fg', 'ff-0a'])('refuses %j', (text) => {
    expect(parseHex(text)).toBeUndefined();
  });
});
