// The hash table against a plain list, with hashes chosen to collide.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newStructures } from '../structures.ts';

/** Few hashes, many of them neighbours: long probe runs that wrap around the end of the table. */
const hashes = fc.oneof(
  fc.constantFrom(0, 1, 2, 61, 62, 63),
  fc.integer({ min: 0, max: 0xffffffff }),
);

const steps = fc.array(
  fc.record({ insert: fc.integer({ min: 0, max: 2 }), hash: hashes, which: fc.nat() }),
  { maxLength: 400 },
);

describe('hash table', () => {
  it('holds what a list would hold', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const core = await newStructures();
        const values: { hash: number; value: number }[] = [];
        let nextValue = 4;
        for (const { insert, hash, which } of list) {
          if (insert > 0) {
            expect(core.hashInsert(hash, nextValue)).toBe(1);
            values.push({ hash, value: nextValue });
            nextValue += 4;
          } else if (values.length > 0) {
            const [gone] = values.splice(which % values.length, 1);
            core.hashRemove(gone!.hash, gone!.value);
            expect(core.hashHas(gone!.hash, gone!.value)).toBe(0);
          }
        }
        expect(core.hashCount()).toBe(values.length);
        for (const { hash, value } of values) {
          expect(core.hashHas(hash, value)).toBe(1);
          const same = values.filter((other) => other.hash === hash);
          expect(core.hashCountOf(hash)).toBe(same.length);
        }
      }),
      { numRuns: 100 },
    );
  });
});
