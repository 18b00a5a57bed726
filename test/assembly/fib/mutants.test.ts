// The aggregation's tests would see a mistake: each of its rules is broken on purpose, and something must go wrong.
import { describe, expect, it } from 'vitest';
import { type NaiveRoute, optimum } from '../../naive/aggregation.ts';
import { type Aggregation, type Mutation, newAggregation } from '../aggregation.ts';
import { differences, prefixIn, type Space } from './random-table.ts';

const COSTS = [1, 1, 2, 3];
const spaces: readonly Space[] = [
  { width: 32, places: [6, 7, 8, 9], filling: 0x0a00_0000n },
  { width: 32, places: [3, 15, 17, 31], filling: 0xaaaa_aaaan },
];

/** A run of random changes; the first thing that is wrong, if there is one. */
function firstMistake(table: Aggregation, seed: number, space: Space): string | undefined {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  table.exports.newTable(0, false);
  const labels = COSTS.map((cost, i) => table.exports.makeLabel(i + 1, cost) >>> 0);
  const cost = (label: number) => COSTS[labels.indexOf(label)]!;
  const routes = new Map<string, NaiveRoute>();
  for (let change = 0; change < 60; change++) {
    const length = random(5);
    const prefix = prefixIn(space, (random(16) >> (4 - length)) << (4 - length), length);
    const name = `${prefix.address}/${prefix.bits}`;
    const route = routes.get(name) ?? { ...prefix, label: 0 };
    if (random(6) === 0) {
      const isThere = route.barrier !== undefined;
      const { barrier: _, ...rest } = route;
      routes.set(name, isThere ? rest : { ...rest, barrier: 'wins' });
      table.setBarrier(prefix, !isThere);
    } else {
      const label = [0, ...labels][random(5)]!;
      routes.set(name, { ...route, label });
      table.setRoute(prefix, label);
    }
    table.settle();
    const all = [...routes.values()].filter(({ label, barrier }) => label !== 0 || barrier);
    const rows = table.rows();
    const [difference] = differences(all, rows, { width: 32 });
    if (difference !== undefined) return difference;
    const spent = rows.reduce((sum, { label }) => sum + cost(label), 0);
    const least = optimum(all, { width: 32, cost });
    if (spent !== least) return `${spent} rows, expected ${least}`;
  }
  return undefined;
}

function mistakes(table: Aggregation): string[] {
  const found: string[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const mistake = firstMistake(table, seed, spaces[seed % spaces.length]!);
    if (mistake !== undefined) found.push(mistake);
  }
  return found;
}

/** Two of four neighbours each: A or B may cover them. A's row stands; how many rows does the tie cost? */
function writesOfATie(table: Aggregation): number[] {
  return [0, 1].map((first) => {
    table.exports.newTable(0, false);
    const pair = [1, 2].map((number) => table.exports.makeLabel(number, 1) >>> 0);
    const [most, other] = first === 0 ? pair : pair.toReversed();
    const route = (i: number) => ({ address: (10n << 24n) | (BigInt(i) << 8n), bits: 24 });
    table.setRoute(route(0), other!);
    for (const i of [1, 2, 3]) table.setRoute(route(i), most!);
    table.settle();
    table.exports.installAll();
    table.setRoute(route(3), other!);
    table.settle();
    return table.exports.pendingCount();
  });
}

const mutants: readonly (readonly [string, Mutation])[] = [
  [
    'a barrier lets savings through',
    { file: 'expansion.ts', from: 'this.set(barrier, NOTHING);', to: '' },
  ],
  [
    'a barrier near the root of a node lets savings through',
    { file: 'expansion.ts', from: 'this.set(point, NOTHING);', to: '' },
  ],
  [
    'halves are taken to be alike',
    { file: 'expansion.ts', from: 'rest = ~i32x4.bitmask(alike) & 15', to: 'rest = 0' },
  ],
  [
    'a node without rows does not tell its parent',
    {
      file: 'settle.ts',
      from: 'if (state.savings == before || !changetype<usize>(state.parent)) {',
      to: 'if (state.hasNoRows || state.savings == before || !changetype<usize>(state.parent)) {',
    },
  ],
  [
    'a barrier hands on what is inherited',
    {
      file: 'emission.ts',
      from: 'return leafOf(route.labelBelow, aggregate.costModel);',
      to: 'return inherited(point);',
    },
  ],
  [
    'routes of others are ignored',
    {
      file: 'aggregate-route.ts',
      from: 'return (this.flags & FLAG_BARRIER) != 0;',
      to: 'return false;',
    },
  ],
  [
    'our route at a barrier is not emitted',
    { file: 'emission.ts', from: 'if (route.label) wantRow(point, route.label);', to: '' },
  ],
  [
    'the climb stops at once',
    { file: 'settle.ts', from: 'aggregate.upList.add(state.parent);', to: '' },
  ],
  [
    'children are not told what they inherit',
    { file: 'emission.ts', from: 'aggregate.downList.add(below);', to: '' },
  ],
  [
    'what covers a child is not looked at',
    {
      file: 'work-out.ts',
      from: 'if (below.effective != above) {',
      to: 'if (!below.effective) {',
    },
  ],
  [
    'un-routed space may be covered',
    {
      file: 'savings.ts',
      from: 'if (a == STRICT || b == STRICT) return STRICT;',
      to: 'if (a == STRICT) return b;\n  if (b == STRICT) return a;',
    },
  ],
  [
    'every row costs one',
    {
      file: 'savings.ts',
      from: 'return set.kind == SET_KIND_DISCARD ? 1 : set.count;',
      to: 'return 1;',
    },
  ],
  [
    'siblings along an edge are no way out',
    { file: 'savings.ts', from: 'if (rest <= 0) return above;', to: 'return above;' },
  ],
];

describe('the aggregation', () => {
  it('makes no mistake as it is', async () => {
    const table = await newAggregation(32);
    expect(mistakes(table)).toEqual([]);
    expect(writesOfATie(table)).toEqual([1, 1]);
  }, 60_000);

  it.each(mutants)(
    'is seen to be wrong when %s',
    async (_, mutation) => {
      const table = await newAggregation(32, mutation);
      let found: string[];
      try {
        found = mistakes(table);
      } catch (error) {
        found = [String(error)]; // a trap is seen too
      }
      expect(found).not.toEqual([]);
    },
    60_000,
  );

  it('is seen to be restless when the tie-break is flipped', async () => {
    const mutation = {
      file: 'emission.ts',
      from: 'return isFull(savings, current, costModel) ? current : best;',
      to: 'return best;',
    };
    expect(writesOfATie(await newAggregation(32, mutation))).not.toEqual([1, 1]);
  }, 60_000);
});
