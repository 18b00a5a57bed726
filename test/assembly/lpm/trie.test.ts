// The trie against a list searched from end to end: IPv4, IPv6, and keys of any odd length.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixList } from '../../naive/prefix-list.ts';
import { newStructures, type Structures } from '../structures.ts';

/** Keys that share many octets, so that nodes are made, split and joined up all the time. */
function keysOf(maximumBits: number): fc.Arbitrary<string> {
  const octet = fc.constantFrom('00000000', '00000001', '10000000', '11111111', '10101010');
  return fc
    .record({
      octets: fc.array(octet, { minLength: maximumBits / 8, maxLength: maximumBits / 8 }),
      length: fc.oneof(
        fc.constantFrom(0, 8, 16, 24, maximumBits),
        fc.integer({ min: 0, max: maximumBits }),
      ),
    })
    .map(({ octets, length }) => octets.join('').slice(0, length));
}

interface Step {
  readonly remove: boolean;
  readonly key: string;
  readonly which: number;
  readonly probe: string;
}

function stepsOf(maximumBits: number): fc.Arbitrary<Step[]> {
  const step = fc.record({
    remove: fc.boolean(),
    key: keysOf(maximumBits),
    which: fc.nat(),
    probe: keysOf(maximumBits),
  });
  return fc.array(step, { maxLength: 150 });
}

class Trie {
  readonly #core: Structures;

  constructor(core: Structures) {
    this.#core = core;
  }

  insert(bits: string): void {
    this.#writeKey(bits);
    expect(this.#core.trieInsert(bits.length)).not.toBe(0);
  }

  remove(bits: string): void {
    this.#writeKey(bits);
    this.#core.trieRemove(bits.length);
  }

  find(bits: string): string | undefined {
    this.#writeKey(bits);
    return this.#keyAt(this.#core.trieFind(bits.length));
  }

  longestMatch(address: string, length: number): string | undefined {
    this.#writeKey(address);
    return this.#keyAt(this.#core.trieLongestMatch(length));
  }

  after(bits: string): string | undefined {
    this.#writeKey(bits);
    return this.#keyAt(this.#core.trieAfter(bits.length));
  }

  inOrder(): string[] {
    const keys: string[] = [];
    let key = this.#keyAt(this.#core.trieFirst());
    while (key !== undefined) {
      keys.push(key);
      key = this.after(key);
    }
    return keys;
  }

  #writeKey(bits: string): void {
    const bytes = new Uint8Array(this.#core.memory.buffer, this.#core.keyBuffer(), 64).fill(0);
    for (let i = 0; i < bits.length; i++) {
      if (bits[i] === '1') bytes[i >> 3]! |= 0x80 >> (i & 7);
    }
  }

  #keyAt(record: number): string | undefined {
    if (record === 0) return undefined;
    const { buffer } = this.#core.memory;
    const length = new DataView(buffer).getUint16(record, true);
    const bytes = new Uint8Array(buffer, record + 4, (length + 7) >> 3);
    return Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, length);
  }
}

describe('trie', () => {
  it.each([
    { family: 'IPv4', maximumBits: 32 },
    { family: 'IPv6', maximumBits: 128 },
    { family: 'long keys', maximumBits: 368 },
  ])('answers as a list does after every step: $family', async ({ maximumBits }) => {
    await fc.assert(
      fc.asyncProperty(stepsOf(maximumBits), async (steps) => {
        const core = await newStructures();
        const trie = new Trie(core);
        const list = new PrefixList();
        for (const step of steps) {
          apply(step, trie, list);
          expect(core.trieCount()).toBe(list.size);
          expect(trie.find(step.probe)).toBe(list.has(step.probe) ? step.probe : undefined);
          expect(trie.after(step.probe)).toBe(list.after(step.probe));
          const address = step.probe.padEnd(maximumBits, '1');
          expect(trie.longestMatch(address, maximumBits)).toBe(
            list.longestMatch(address, maximumBits),
          );
          const length = step.which % (maximumBits + 1);
          expect(trie.longestMatch(address, length)).toBe(list.longestMatch(address, length));
        }
        expect(trie.inOrder()).toEqual(list.inOrder());
        for (const key of list.inOrder()) trie.remove(key);
        expect(core.usedBytes()).toBe(0);
      }),
      { numRuns: maximumBits === 32 ? 200 : 60 },
    );
  });

  it('refuses an insertion without memory, keeps what it has, and still removes everything', async () => {
    const core = await newStructures(1 << 20);
    const trie = new Trie(core);
    const bytes = (i: number) => i.toString(2).padStart(24, '0').padEnd(32, '1');
    const keyOf = (i: number) => bytes(Math.imul(i, 0x9e3779b1) >>> 8);
    const inserted = new Set<string>();
    for (let i = 0; i < 60_000; i++) {
      const key = keyOf(i);
      if (inserted.has(key)) continue;
      writeKey(core, key);
      if (core.trieInsert(32) === 0) break;
      inserted.add(key);
    }
    expect(inserted.size).toBeLessThan(60_000);
    expect(inserted.size).toBeGreaterThan(1000);
    for (const key of inserted) expect(trie.find(key)).toBe(key);
    expect(trie.inOrder()).toEqual([...inserted].sort());
    for (const key of inserted) trie.remove(key);
    expect(core.usedBytes()).toBe(0);
  });
});

function writeKey(core: Structures, bits: string): void {
  const bytes = new Uint8Array(core.memory.buffer, core.keyBuffer(), 64).fill(0);
  for (let i = 0; i < bits.length; i++) {
    if (bits[i] === '1') bytes[i >> 3]! |= 0x80 >> (i & 7);
  }
}

function apply(step: Step, trie: Trie, list: PrefixList): void {
  if (!step.remove) {
    if (list.has(step.key)) return;
    trie.insert(step.key);
    list.insert(step.key);
    return;
  }
  const keys = list.inOrder();
  const gone = keys[step.which % Math.max(keys.length, 1)];
  if (gone === undefined) return;
  trie.remove(gone);
  list.remove(gone);
}
