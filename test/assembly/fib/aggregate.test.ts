// The aggregation against trying everything: optimal and forwarding alike after every single change, wherever the table lies.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type NaiveRoute, optimum } from '../../naive/aggregation.ts';
import { type Aggregation, newAggregation } from '../aggregation.ts';
import { differences, prefixIn, type Space } from './random-table.ts';

const COSTS = [1, 2, 3, 4];
const PER_NEXT_HOP = 0;
const PER_ENTRY = 1;

interface Rules {
  readonly costModel: number;
  readonly discards: boolean;
}

interface Change {
  readonly value: number;
  readonly length: number;
  /** Index of a label, 0 for none; undefined leaves ours alone. */
  readonly label?: number;
  readonly barrier?: 'wins' | 'yields' | 'none';
}

let v4: Aggregation;
let v6: Aggregation;
beforeAll(async () => {
  v4 = await newAggregation(32);
  v6 = await newAggregation(128);
}, 60_000);

/** A run of changes on one table, checked after each. */
class Run {
  readonly #table: Aggregation;
  readonly #space: Space;
  readonly #labels: number[];
  readonly #rules: Rules;
  readonly #routes = new Map<string, NaiveRoute>();

  constructor(space: Space, costs: readonly number[], rules: Rules) {
    this.#table = space.width === 32 ? v4 : v6;
    this.#space = space;
    this.#rules = rules;
    this.#table.exports.newTable(rules.costModel, rules.discards);
    this.#labels = costs.map((cost, i) => this.#table.exports.makeLabel(i + 1, cost) >>> 0);
    this.#costs = new Map(this.#labels.map((label, i) => [label, costs[i]!]));
  }

  readonly #costs: Map<number, number>;

  apply({ value, length, label, barrier }: Change): void {
    const prefix = prefixIn(
      this.#space,
      (value >> (this.#space.places.length - length)) << (this.#space.places.length - length),
      length,
    );
    const name = `${prefix.address}/${prefix.bits}`;
    const before = this.#routes.get(name);
    let route: NaiveRoute = { label: 0, ...before, ...prefix };
    if (label !== undefined) {
      route = {
        ...route,
        label: label === 0 ? 0 : this.#labels[(label - 1) % this.#labels.length]!,
      };
      expect(this.#table.setRoute(prefix, route.label)).toBe(true);
    }
    if (barrier !== undefined) {
      const { barrier: _, ...rest } = route;
      route = barrier === 'none' ? rest : { ...rest, barrier };
      expect(this.#table.setBarrier(prefix, barrier !== 'none', barrier === 'yields')).toBe(true);
    }
    if (route.label === 0 && route.barrier === undefined) this.#routes.delete(name);
    else this.#routes.set(name, route);
  }

  settleWithin(visits: number): void {
    this.#table.exports.settle(visits);
  }

  settle(): void {
    this.#table.settle();
  }

  check(): void {
    const routes = [...this.#routes.values()];
    const rows = this.#table.rows();
    const { width } = this.#space;
    // A row's label that no route has can only be the one that drops.
    const drop = this.#rules.discards
      ? (rows.find(({ label }) => !this.#costs.has(label))?.label ?? 1)
      : undefined;
    const cost = (label: number) =>
      this.#rules.costModel === PER_ENTRY || label === drop ? 1 : this.#costs.get(label)!;
    expect(differences(routes, rows, { width, drop })).toEqual([]);
    const spent = rows.reduce((sum, { label }) => sum + cost(label), 0);
    expect(spent).toBe(
      optimum(routes, { width, cost, ...(drop === undefined ? {} : { discard: drop }) }),
    );
  }

  /** Everything goes again, and nothing is left behind. */
  end(): void {
    for (const { address, bits } of [...this.#routes.values()]) {
      this.#table.setRoute({ address, bits }, 0);
      this.#table.setBarrier({ address, bits }, false);
    }
    this.#table.settle();
    expect(this.#table.rows()).toEqual([]);
    expect(this.#table.exports.nodeCount()).toBe(0);
    for (const label of this.#labels) this.#table.exports.dropLabel(label);
    this.#table.exports.endTable();
    expect(this.#table.exports.labelCount()).toBe(0);
  }
}

const spaces: readonly (readonly [string, Space])[] = [
  ['the first bits', { width: 32, places: [0, 1, 2, 3], filling: 0n }],
  ['across an octet', { width: 32, places: [6, 7, 8, 9], filling: 0x0a00_0000n }],
  ['the last bits', { width: 32, places: [28, 29, 30, 31], filling: 0xc000_02f0n }],
  ['far apart', { width: 32, places: [0, 7, 8, 20], filling: 0x5555_5555n }],
  ['apart, to the last bit', { width: 32, places: [3, 15, 17, 31], filling: 0xaaaa_aaaan }],
  ['IPv6, across an octet', { width: 128, places: [38, 39, 40, 41], filling: 0x2001_0db8n << 96n }],
  ['IPv6, far apart', { width: 128, places: [0, 33, 64, 127], filling: (1n << 127n) / 3n }],
];

const change = (bits: number): fc.Arbitrary<Change> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        value: fc.nat(2 ** bits - 1),
        length: fc.nat(bits),
        label: fc.nat(4),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        value: fc.nat(2 ** bits - 1),
        length: fc.nat(bits),
        barrier: fc.constantFrom('wins', 'yields', 'none'),
      }),
    },
  );

const sequence = fc.record({
  costs: fc.array(fc.constantFrom(...COSTS), { minLength: 1, maxLength: 4 }),
  costModel: fc.constantFrom(PER_NEXT_HOP, PER_ENTRY),
  discards: fc.boolean(),
  changes: fc.array(change(4), { minLength: 1, maxLength: 40 }),
});

describe('after every change', () => {
  it.each(spaces)('is optimal and forwards alike: %s', (_, space) => {
    fc.assert(
      fc.property(sequence, ({ costs, changes, ...rules }) => {
        const run = new Run(space, costs, rules);
        for (const each of changes) {
          run.apply(each);
          run.settle();
          run.check();
        }
        run.end();
      }),
      { numRuns: 150 },
    );
  });

  it('is so whatever came together', () => {
    fc.assert(
      fc.property(sequence, fc.nat(7), ({ costs, changes, ...rules }, part) => {
        const run = new Run(spaces[part % spaces.length]![1], costs, rules);
        for (const [i, each] of changes.entries()) {
          run.apply(each);
          if (i % (part + 2) === 0) {
            run.settle();
            run.check();
          }
        }
        run.settle();
        run.check();
        run.end();
      }),
      { numRuns: 300 },
    );
  });

  it('is so when changes come in the middle of settling', () => {
    const slices = fc.array(fc.nat(3), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(sequence, fc.nat(7), slices, ({ costs, changes, ...rules }, space, visits) => {
        const run = new Run(spaces[space % spaces.length]![1], costs, rules);
        for (const [i, each] of changes.entries()) {
          run.apply(each);
          run.settleWithin(visits[i]!);
        }
        run.settle();
        run.check();
        run.end();
      }),
      { numRuns: 600 },
    );
  });
});

describe('labels', () => {
  it('may be more than any word has bits', async () => {
    const random = fc.sample(fc.nat(2 ** 31), { numRuns: 1000, seed: 4271 });
    const table = await newAggregation(32);
    table.exports.newTable(PER_NEXT_HOP, false);
    const costs = new Map<number, number>();
    for (let i = 0; i < 200; i++) {
      costs.set(table.exports.makeLabel(i + 1, 1 + (i % 3)) >>> 0, 1 + (i % 3));
    }
    const labels = [...costs.keys()];
    const routes = new Map<bigint, NaiveRoute>();
    const rules = { width: 32, cost: (label: number) => costs.get(label)! };
    for (let round = 0; round < 8; round++) {
      // 128 neighbours of 200 labels, in pairs now and then; the wider the set of labels, the fewer rows are saved.
      for (let i = 0; i < 128; i++) {
        const address = (10n << 24n) | (BigInt(i) << 8n);
        const spread = round % 2 === 0 ? labels.length : 70;
        const label = labels[random[round * 100 + (i >> (i % 3 === 0 ? 1 : 0))]! % spread]!;
        routes.set(address, { address, bits: 24, label });
        table.setRoute({ address, bits: 24 }, label);
      }
      table.settle();
      const all = [...routes.values()];
      const rows = table.rows();
      expect(differences(all, rows, { width: 32 })).toEqual([]);
      const spent = rows.reduce((sum, { label }) => sum + costs.get(label)!, 0);
      expect(spent).toBe(optimum(all, rules));
    }
  });
});
