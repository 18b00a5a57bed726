// The arena: blocks never overlap, freed ones come back, the ceiling holds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newStructures } from '../structures.ts';

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 256 }),
  fc.integer({ min: 257, max: 5000 }),
  fc.integer({ min: 60_000, max: 200_000 }),
);

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('allocate' as const), size: sizes }),
    fc.record({ kind: fc.constant('free' as const), which: fc.nat() }),
  ),
  { maxLength: 120 },
);

describe('arena', () => {
  it('hands out blocks that are aligned, whole and nobody else’s', async () => {
    const ceiling = 8 << 20;
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const core = await newStructures(ceiling);
        const blocks: { pointer: number; size: number; mark: number }[] = [];
        for (const [index, step] of list.entries()) {
          if (step.kind === 'allocate') {
            const pointer = core.allocate(step.size);
            if (pointer === 0) continue;
            expect(pointer % 4).toBe(0);
            expect(pointer + step.size).toBeLessThanOrEqual(core.memory.buffer.byteLength);
            const mark = (index % 255) + 1;
            new Uint8Array(core.memory.buffer).fill(mark, pointer, pointer + step.size);
            blocks.push({ pointer, size: step.size, mark });
          } else if (blocks.length > 0) {
            const [block] = blocks.splice(step.which % blocks.length, 1);
            core.free(block!.pointer, block!.size);
          }
          const bytes = new Uint8Array(core.memory.buffer);
          for (const { pointer, size, mark } of blocks) {
            expect(bytes[pointer]).toBe(mark);
            expect(bytes[pointer + size - 1]).toBe(mark);
          }
        }
        expect(core.memory.buffer.byteLength).toBeLessThanOrEqual(ceiling);
        for (const { pointer, size } of blocks) core.free(pointer, size);
        expect(core.usedBytes()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('hands a freed block out again before it takes new memory', async () => {
    const core = await newStructures();
    const first = core.allocate(24);
    core.free(first, 24);
    expect(core.allocate(24)).toBe(first);
  });

  it('answers 0 at the ceiling, keeps a reserve, and recovers when something is freed', async () => {
    const core = await newStructures(8 << 20);
    const blocks: number[] = [];
    for (let pointer = core.allocate(4096); pointer !== 0; pointer = core.allocate(4096)) {
      blocks.push(pointer);
    }
    expect(blocks.length).toBeGreaterThan(1000);
    expect(core.memory.buffer.byteLength).toBeLessThanOrEqual(8 << 20);
    expect(core.allocate(4096)).toBe(0);
    expect(core.allocateReserved(4096)).not.toBe(0);
    core.free(blocks.pop()!, 4096);
    expect(core.allocate(4096)).not.toBe(0);
  });

  it('carves small blocks out of a large free one at the ceiling', async () => {
    const core = await newStructures(8 << 20);
    const large = core.allocate(1 << 20);
    while (core.allocate(4096) !== 0);
    core.free(large, 1 << 20);
    const before = core.usedBytes();
    let count = 0;
    while (core.allocate(24) !== 0) count++;
    expect(count).toBeGreaterThan(((1 << 20) / 24) * 0.9);
    expect(core.usedBytes() - before).toBe(count * 24);
  });
});
