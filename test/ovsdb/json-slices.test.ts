// JSON in slices against its slow twin, JSON.parse, which takes a text in one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInSlices, SLICE_CHARACTERS } from '../../src/ovsdb/json-slices.ts';
import { finish } from '../../src/ovsdb/slices.ts';

const parse = (text: string) => finish(parseInSlices(text));

describe('parseInSlices', () => {
  it('makes of a text what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
        expect(JSON.stringify(parse(spaced))).toBe(JSON.stringify(JSON.parse(spaced)));
      }),
    );
  });

  it('takes and refuses what JSON.parse takes and refuses, when a text is spoilt anywhere', () => {
    const spoiled = fc.tuple(
      fc.json({ maxDepth: 6 }),
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.constantFrom('', ...'{}[]",:\\ -1e.tn', '\u0000'),
    );
    fc.assert(
      fc.property(spoiled, ([text, at, length, put]) => {
        const start = at % (text.length + 1);
        const other = text.slice(0, start) + put + text.slice(start + length);
        expect(outcome(() => parse(other))).toEqual(outcome(() => JSON.parse(other)));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes hostile names for names', () => {
    const text = '{"params":[{"__proto__":{"constructor":{"a":{"__proto__":1}}}}],"__proto__":2}';
    const value = parse(text) as object;
    expect(JSON.stringify(value)).toBe(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('yields after a slice of text, between two rows', () => {
    const row = { initial: { name: 'x'.repeat(1000) } };
    const rows = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`uuid ${i}`, row]));
    const text = JSON.stringify({ id: 1, result: [false, 'id', { Port: rows }], error: null });
    let slices = 1;
    const work = parseInSlices(text);
    while (!work.next().done) slices++;
    const wanted = text.length / SLICE_CHARACTERS;
    expect(slices).toBeGreaterThanOrEqual(Math.floor(wanted));
    expect(slices).toBeLessThanOrEqual(Math.ceil(wanted));
  });
});

function outcome(work: () => unknown): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    return (error as Error).name;
  }
}
