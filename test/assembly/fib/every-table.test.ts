// Every table of a small space: the aggregation is optimal and forwards alike at each, coming from the one before it by a change or two.
//
// A space has 15 prefixes (three bits) or 7 (two). Tables that come of each other by swapping halves count as one, and are met in one of
// the two ways; which one changes from walk to walk. With a state each of none, A, B those are 395 523 tables, with somebody
// else's route as a fourth state 21 523 360; and that for every pair of costs, in spaces that lie on and across the borders of
// the trie's nodes.
//
// A part of them is walked here. All of them, with figures:
//
//   RUTTER_EVERY_TABLE=all npx vitest run --project unit test/assembly/fib/every-table.test.ts
//
// RUTTER_EVERY_TABLE=SEED walks other parts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomSource } from '../../../bench/feed/random.ts';
import { type NaiveRoute, optimum } from '../../naive/aggregation.ts';
import { CheapestTable } from '../../naive/cheapest-table.ts';
import { newAggregation } from '../aggregation.ts';
import {
  NO_ROUTE,
  PIN,
  type PointState,
  ROUTE_A,
  ROUTE_B,
  type SmallSpace,
  SmallTable,
  Walk,
} from './small-space.ts';

const WANTED = process.env['RUTTER_EVERY_TABLE'];
const ALL = WANTED === 'all';
const SEED = ALL ? 1 : Number(WANTED ?? 20_261_122);

/** Three bits in a row, from bit `first` on. */
function threeBits(width: 32 | 128, first: number): SmallSpace {
  return {
    width,
    branches: [first, first + 1, first + 2],
    lengths: [first, first + 1, first + 2, first + 3],
  };
}

const spaces: readonly (readonly [string, SmallSpace])[] = [
  ['/0 to /3', threeBits(32, 0)],
  ['/6 to /9', threeBits(32, 6)],
  ['/14 to /17', threeBits(32, 14)],
  ['/29 to /32', threeBits(32, 29)],
  ['edges across a border', { width: 32, branches: [5, 6, 7], lengths: [5, 6, 7, 11] }],
  ['bits apart', { width: 32, branches: [13, 15, 17], lengths: [13, 14, 16, 18] }],
  ['IPv6, /61 to /64', threeBits(128, 61)],
  ['IPv6, /125 to /128', threeBits(128, 125)],
];

const costs = [1, 2, 3, 4].flatMap((a) => [1, 2, 3, 4].map((b) => [a, b] as const));

const AB = [NO_ROUTE, ROUTE_A, ROUTE_B];
const AP = [NO_ROUTE, ROUTE_A, PIN];
const ABP = [NO_ROUTE, ROUTE_A, ROUTE_B, PIN];
/** And our routes at the prefixes of others'. */
const EVERYTHING: readonly PointState[] = [
  ...ABP,
  { label: 1, barrier: 'wins' },
  { label: 2, barrier: 'wins' },
  { label: 0, barrier: 'yields' },
  { label: 1, barrier: 'yields' },
];

interface WalkPlan {
  readonly space: SmallSpace;
  /** Of the tree: 4 has 15 prefixes. */
  readonly height?: number;
  readonly states: readonly PointState[];
  readonly costs: readonly number[];
  readonly discards?: boolean;
  /** Tables when not all of them are walked. */
  readonly part: number;
  /** Between two tables, somebody else's route comes and goes at each prefix. */
  readonly toggles?: boolean;
}

const cores = new Map<32 | 128, Awaited<ReturnType<typeof newAggregation>>>();

async function coreOf({ width }: SmallSpace) {
  const core = cores.get(width) ?? (await newAggregation(width));
  cores.set(width, core);
  return core;
}

let walkCount = 0;

/** Walks all tables, or those from somewhere on; how many were looked at, and what is wrong with the first few that are. */
async function walk(plan: WalkPlan): Promise<{ tables: number; mistakes: string[] }> {
  const { space, states, height = 4, discards = false } = plan;
  const table = new SmallTable(await coreOf(space), space, { costs: plan.costs, discards });
  const number = walkCount++;
  const random = Math.imul(SEED + number, 0x9e3779b1) >>> 0;
  const tables = new Walk(height, states.length, ALL ? 37 * number : random >>> 8);
  const count = ALL ? tables.count : Math.min(plan.part, tables.count);
  const start = random % (tables.count - count + 1);
  const mistakes: string[] = [];
  let looks = 0;
  const look = () => {
    looks++;
    const mistake = table.mistake();
    if (mistake !== undefined && mistakes.length < 5) {
      mistakes.push(`${mistake} (costs ${plan.costs}: ${table.describe()})`);
    }
  };
  for (let i = start; i < start + count; i++) {
    tables.visit(i, (place, state) => table.set(place, states[state]!));
    look();
    if (plan.toggles) toggleEach(table, look);
  }
  table.end();
  return { tables: looks, mistakes };
}

function toggleEach(table: SmallTable, look: () => void): void {
  for (let place = 1; place < table.treeSize; place++) {
    const state = table.stateOf(place);
    table.set(place, { ...state, barrier: 'wins' });
    look();
    table.set(place, state);
    look();
  }
}

async function walkAll(name: string, plans: readonly WalkPlan[]): Promise<void> {
  for (const plan of plans) {
    const start = performance.now();
    const { tables, mistakes } = await walk(plan);
    const seconds = Math.round((performance.now() - start) / 1000);
    if (WANTED !== undefined) {
      const found = `${mistakes.length} mistakes`;
      console.info(`${name}, costs ${plan.costs}: ${tables} tables in ${seconds} s, ${found}`);
    }
    expect({ seed: SEED, mistakes }).toEqual({ seed: SEED, mistakes: [] });
  }
}

const TIMEOUT_MS = 8 * 3_600_000;

describe('every table', () => {
  it.each(spaces)(
    'of a 3-bit space with two labels, of every pair of costs: %s',
    async (name, space) => {
      await walkAll(
        name,
        costs.map((pair) => ({ space, states: AB, costs: pair, part: 2000 })),
      );
    },
    TIMEOUT_MS,
  );

  it.each(spaces)(
    'of a 3-bit space with one label and routes of others: %s',
    async (name, space) => {
      await walkAll(
        name,
        [1, 2, 3, 4].map((cost) => ({ space, states: AP, costs: [cost], part: 2000 })),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'of a 3-bit space with two labels and routes of others',
    async () => {
      await walkAll(
        'two labels and pins',
        costs.map((pair, i) => ({
          space: spaces[i % spaces.length]![1],
          states: ABP,
          costs: pair,
          part: 10_000,
        })),
      );
    },
    TIMEOUT_MS,
  );

  it.each([false, true])(
    'of a 2-bit space with two labels and routes of others, every time (discard: %s)',
    async (discards) => {
      await walkAll(
        'pins, 2 bits',
        costs.map((pair, i) => ({
          space: spaces[(i + 5) % spaces.length]![1],
          height: 3,
          states: ABP,
          costs: pair,
          discards,
          part: 3280,
        })),
      );
    },
    TIMEOUT_MS,
  );

  it.each([false, true])(
    'of a 2-bit space with everything that a prefix may say (discard: %s)',
    async (discards) => {
      await walkAll(
        'everything, 2 bits',
        costs.map((pair, i) => ({
          space: spaces[i % spaces.length]![1],
          height: 3,
          states: EVERYTHING,
          costs: pair,
          discards,
          part: 5000,
        })),
      );
    },
    TIMEOUT_MS,
  );

  it.each([
    ['one label and routes of others', AP],
    ['two labels', AB],
  ])(
    'of a 3-bit space where what has no route may be dropped, with %s',
    async (_, states) => {
      await walkAll(
        'discard',
        costs.map((pair, i) => ({
          space: spaces[(i + 3) % spaces.length]![1],
          states,
          costs: pair,
          discards: true,
          part: 2000,
        })),
      );
    },
    TIMEOUT_MS,
  );

  it.each([false, true])(
    'and at each of them a route of others comes and goes at every prefix (discard: %s)',
    async (discards) => {
      await walkAll(
        'toggled',
        spaces.map(([, space], i) => ({
          space,
          states: AB,
          costs: costs[(5 * i) % costs.length]!,
          discards,
          toggles: true,
          part: 200,
        })),
      );
    },
    TIMEOUT_MS,
  );
});

/** Bits of a space of its own for many labels, across a border of nodes. */
const MANY: SmallSpace = {
  width: 32,
  branches: [14, 15, 16, 17, 18, 19, 20],
  lengths: [14, 15, 16, 17, 18, 19, 20, 21],
};

describe('more labels than a word has bits', () => {
  it.each([false, true])(
    'are exact while a route of others comes and goes at every prefix (discard: %s)',
    async (discards) => {
      const labelCosts = Array.from({ length: 100 }, (_, i) => 1 + (i % 4));
      const table = new SmallTable(await coreOf(MANY), MANY, { costs: labelCosts, discards });
      const random = randomSource(SEED);
      for (let place = 1; place < table.treeSize; place++) {
        const isShort = place < 128;
        if (isShort && random() % 3 > 0) continue;
        // Siblings share a label now and then: otherwise nothing could be saved.
        const copied = place % 2 === 1 && random() % 3 === 0 ? table.stateOf(place - 1).label : 0;
        table.set(place, { label: copied || 1 + (random() % labelCosts.length), barrier: 'none' });
      }
      const mistakes = new Set([table.mistake()]);
      toggleEach(table, () => mistakes.add(table.mistake()));
      expect({ seed: SEED, mistakes: [...mistakes] }).toEqual({
        seed: SEED,
        mistakes: [undefined],
      });
      table.end();
    },
  );
});

describe('the twin that follows changes', () => {
  const change = fc.record({
    point: fc.integer({ min: 1, max: 31 }),
    label: fc.nat(3),
    barrier: fc.constantFrom('none', 'none', 'none', 'wins', 'yields'),
  });

  it('says what the one says that looks at a whole table', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        (changes, labelCosts, discards) => {
          const all = [0, ...labelCosts, ...(discards ? [1] : [])];
          const discard = labelCosts.length + 1;
          const twin = new CheapestTable(4, all, discards ? discard : 0);
          const routes = new Map<number, NaiveRoute>();
          for (const { point, label, barrier } of changes) {
            twin.set(point, label, barrier);
            const bits = 31 - Math.clz32(point);
            const address = BigInt(point - (1 << bits)) << BigInt(4 - bits);
            const route = { address, bits, label, ...(barrier !== 'none' && { barrier }) };
            if (label === 0 && barrier === 'none') routes.delete(point);
            else routes.set(point, route);
          }
          const cost = (label: number) => all[label]!;
          const rules = { width: 4, cost, ...(discards && { discard }) };
          expect(twin.least).toBe(optimum([...routes.values()], rules));
        },
      ),
      { numRuns: 500 },
    );
  });
});
