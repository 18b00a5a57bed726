// Real tables: the sizes that another program found, and the same optimum after any sequence of changes as from scratch.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBytes } from '../../../src/sources/compression.ts';
import { type PrefixLine, readPrefixes } from '../../../src/sources/prefixes.ts';
import { dataDirectory } from '../../fixture-data.ts';
import { type Aggregation, newAggregation } from '../aggregation.ts';

const PER_ENTRY = 1;
const CHANGES = 4000;
/** A comparison with a fresh table every so many changes. */
const COMPARED_EACH = 1000;

/** README of the data: ORTC size without null routes, and with them. */
const tables: readonly (readonly [string, number, number])[] = [
  ['linx-20170101-v4-partial', 4708, 4708],
  ['linx-20170101-v6', 19373, 19373],
  ['linx-20170109-v6', 20289, 20289],
  ['rv6-20150922-v6-best', 16654, 16654],
  ['rrc06-20100701-v4-as4777', 113_910, 99_223],
];

const fileOf = (name: string) => join(dataDirectory, 'tables', `${name}.txt.xz`);
const present = tables.filter(([name]) => existsSync(fileOf(name)));

async function read(name: string): Promise<PrefixLine[]> {
  const lines: PrefixLine[] = [];
  for await (const batch of readPrefixes(readBytes(fileOf(name)), ({ reason }) => {
    throw new Error(reason);
  })) {
    lines.push(...batch);
  }
  return lines;
}

/** A table being changed; labels are numbers of the file's next hops. */
class Table {
  readonly aggregation: Aggregation;
  readonly #labels = new Map<string, number>();

  constructor(aggregation: Aggregation, discards = false) {
    this.aggregation = aggregation;
    aggregation.exports.newTable(PER_ENTRY, discards);
  }

  set({ prefix, nextHop }: Pick<PrefixLine, 'prefix'> & { nextHop: Uint8Array | undefined }): void {
    const address = BigInt(`0x${Buffer.from(prefix.address).toString('hex')}`);
    const label = nextHop === undefined ? 0 : this.#label(nextHop.join('.'));
    this.aggregation.setRoute({ address, bits: prefix.length }, label);
  }

  #label(name: string): number {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const label = this.aggregation.exports.makeLabel(this.#labels.size + 1, 1) >>> 0;
    this.#labels.set(name, label);
    return label;
  }

  get size(): number {
    this.aggregation.settle();
    return this.aggregation.exports.rowCount();
  }
}

function randomSource(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.runIf(present.length > 0)('a real table', () => {
  it.each(present)(
    '%s has %i entries, with discards %i',
    async (name, exact, withDiscards) => {
      const lines = await read(name);
      const width = lines[0]!.prefix.address.length === 4 ? 32 : 128;
      for (const discards of [false, true]) {
        const table = new Table(await newAggregation(width), discards);
        for (const line of lines) table.set(line);
        expect(table.size).toBe(discards ? withDiscards : exact);
      }
    },
    60_000,
  );

  it.each(present.slice(0, 4))(
    '%s stays at the optimum through changes',
    async (name) => {
      const lines = await read(name);
      const width = lines[0]!.prefix.address.length === 4 ? 32 : 128;
      const random = randomSource(20_221_122);
      const table = new Table(await newAggregation(width));
      for (const line of lines) table.set(line);
      const now = lines.map(({ nextHop }): Uint8Array | undefined => nextHop);
      for (let change = 1; change <= CHANGES; change++) {
        const i = random(lines.length);
        now[i] = random(3) === 0 ? undefined : lines[random(lines.length)]!.nextHop;
        table.set({ prefix: lines[i]!.prefix, nextHop: now[i] });
        table.aggregation.settle();
        if (change % COMPARED_EACH > 0) continue;
        const fresh = new Table(await newAggregation(width));
        for (const [j, line] of lines.entries())
          fresh.set({ prefix: line.prefix, nextHop: now[j] });
        expect(table.size).toBe(fresh.size);
      }
      // And all of it away again.
      for (const { prefix } of lines) table.set({ prefix, nextHop: undefined });
      expect(table.size).toBe(0);
      expect(table.aggregation.exports.nodeCount()).toBe(0);
    },
    60_000,
  );
});
