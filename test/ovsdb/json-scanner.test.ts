import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner } from '../../src/ovsdb/json-scanner.ts';

/** The bytes cut at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (a, b) => a - b,
  );
  return [...ends, bytes.length].map((end, i) => bytes.slice(ends[i - 1] ?? 0, end));
}

function scan(chunks: readonly Uint8Array[]): string[] {
  const scanner = new JsonScanner();
  const texts: string[] = [];
  for (const chunk of chunks) scanner.push(chunk, (text) => texts.push(text));
  return texts;
}

const jsonObject = fc.dictionary(
  fc.string({ unit: 'grapheme' }),
  fc.oneof(fc.jsonValue(), fc.constantFrom('{', '}"', '\\', '"', '\\"}', '}{', 'ü{"\\')),
);

describe('JsonScanner', () => {
  it('finds the same objects wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(jsonObject, { maxLength: 6 }),
        fc.constantFrom('', '\n', ' \t\r\n'),
        fc.array(fc.nat(), { maxLength: 40 }),
        (objects, gap, places) => {
          const bytes = Buffer.from(objects.map((object) => JSON.stringify(object)).join(gap));
          const found = scan(cut(bytes, places)).map((text) => JSON.parse(text));
          expect(found).toEqual(objects.map((object) => JSON.parse(JSON.stringify(object))));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('works byte by byte', () => {
    const text = '{"a":"}\\"{","b":{"c":[{}]}}{"d":"é😀"}';
    expect(scan(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual([
      '{"a":"}\\"{","b":{"c":[{}]}}',
      '{"d":"é😀"}',
    ]);
  });

  it('keeps what is not whole yet, and nothing else', () => {
    const scanner = new JsonScanner();
    const texts: string[] = [];
    scanner.push(Buffer.from('{"a":1}{"b"'), (text) => texts.push(text));
    expect(texts).toEqual(['{"a":1}']);
    expect(scanner.pendingBytes).toBe(4);
    scanner.push(Buffer.from(':2}'), (text) => texts.push(text));
    expect(texts).toEqual(['{"a":1}', '{"b":2}']);
    expect(scanner.pendingBytes).toBe(0);
  });

  it.each(['[1]', '"a"', '}', 'x{}', '{}]'])('refuses %s: no JSON object', (text) => {
    expect(() => scan([Buffer.from(text)])).toThrow(RangeError);
  });

  it('takes time in proportion to the bytes, in small chunks too', () => {
    const object = Buffer.from(`{"rows":["${'x'.repeat(4_000_000)}"]}`);
    const chunks: Uint8Array[] = [];
    for (let start = 0; start < object.length; start += 512) {
      chunks.push(object.subarray(start, start + 512));
    }
    const started = performance.now();
    expect(scan(chunks)).toHaveLength(1);
    // Quadratic joining would copy 8000 × 2 MB on average: many seconds. Linear is about 10 ms.
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
