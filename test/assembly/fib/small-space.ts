// A small space inside an address, all of whose tables can be walked through: where it lies, what each of its points may say, and in what
// order the tables come.
import { expect } from 'vitest';
import { type Barrier, CheapestTable } from '../../naive/cheapest-table.ts';
import type { Aggregation } from '../aggregation.ts';

/** A tree of prefixes: each has two under it, `lengths[i + 1]` bits long, that part at bit `branches[i]`. */
export interface SmallSpace {
  readonly width: 32 | 128;
  readonly branches: readonly number[];
  readonly lengths: readonly number[];
}

/** What a point of a table may say. */
export interface PointState {
  /** Number of a label, 0 for none. */
  readonly label: number;
  readonly barrier: Barrier;
}

export const NO_ROUTE: PointState = { label: 0, barrier: 'none' };
export const ROUTE_A: PointState = { label: 1, barrier: 'none' };
export const ROUTE_B: PointState = { label: 2, barrier: 'none' };
export const PIN: PointState = { label: 0, barrier: 'wins' };

const ROW_SIZE = 24;
const PER_NEXT_HOP = 0;

interface Rules {
  /** Rows per label: label i + 1 costs `costs[i]`. */
  readonly costs: readonly number[];
  readonly discards: boolean;
}

/** One table of a small space in the core, and its twin. */
export class SmallTable {
  readonly #core: Aggregation['exports'];
  readonly #family: number;
  readonly #twin: CheapestTable;
  /** Length of the space's own prefix, and bits below it. */
  readonly #top: number;
  readonly #depth: number;
  /** The core's labels by number. */
  readonly #labels: number[];
  readonly #discards: boolean;
  /** Keys of the twin's points, 16 bytes each. */
  readonly #keys: Uint8Array;
  /** The twin's point of each prefix of the tree, as in a heap: 1 is the space, 2i and 2i + 1 are below i. */
  readonly #points: readonly number[];
  readonly #states: PointState[];
  readonly #rows: Uint8Array;

  constructor(aggregation: Aggregation, space: SmallSpace, { costs, discards }: Rules) {
    this.#core = aggregation.exports;
    this.#family = space.width === 32 ? 0 : 1;
    this.#core.newTable(PER_NEXT_HOP, discards);
    this.#labels = [0, ...costs.map((cost, i) => this.#core.makeLabel(i + 1, cost) >>> 0)];
    this.#discards = discards;
    this.#top = space.lengths[0]!;
    this.#depth = space.lengths.at(-1)! - this.#top;
    const drop = costs.length + 1;
    this.#twin = discards
      ? new CheapestTable(this.#depth, [0, ...costs, 1], drop)
      : new CheapestTable(this.#depth, [0, ...costs]);
    this.#rows = new Uint8Array(this.#twin.pointCount);
    this.#keys = new Uint8Array(16 * this.#twin.pointCount);
    for (let point = 1; point < this.#twin.pointCount; point++) this.#writeKey(point);
    this.#points = pointsOf(space);
    this.#states = this.#points.map(() => NO_ROUTE);
  }

  /** How many prefixes the tree has, and one: their numbers start at 1. */
  get treeSize(): number {
    return this.#points.length;
  }

  stateOf(place: number): PointState {
    return this.#states[place]!;
  }

  /** A prefix of the tree says something else. */
  set(place: number, state: PointState): void {
    const before = this.#states[place]!;
    if (before === state) return;
    this.#states[place] = state;
    const point = this.#points[place]!;
    this.#twin.set(point, state.label, state.barrier);
    const bits = this.#top + 31 - Math.clz32(point);
    this.#bytes(this.#core.keyBuffer(), 16).set(this.#keys.subarray(16 * point, 16 * point + 16));
    if (before.label !== state.label) {
      this.#core.setRoute(this.#family, bits, this.#labels[state.label]!);
    }
    if (before.barrier !== state.barrier) {
      const isThere = state.barrier !== 'none';
      this.#core.setBarrier(this.#family, bits, isThere, state.barrier === 'yields');
    }
  }

  /** Settles; what is wrong then, if anything is. */
  mistake(): string | undefined {
    while (!this.#core.settle(1 << 20)) {
      // to the end
    }
    const stray = this.#readRows();
    if (stray !== undefined) return stray;
    const difference = this.#twin.difference(this.#rows);
    if (difference !== undefined) return difference;
    const cost = this.#twin.cost(this.#rows);
    return cost === this.#twin.least ? undefined : `${cost} rows, expected ${this.#twin.least}`;
  }

  /** For people: what the tree says. */
  describe(): string {
    const says = ({ label, barrier }: PointState) =>
      `${label === 0 ? '-' : label}${barrier === 'none' ? '' : barrier[0]}`;
    return this.#states.slice(1).map(says).join(' ');
  }

  /** Everything goes again, and nothing is left behind. */
  end(): void {
    for (let place = 1; place < this.treeSize; place++) this.set(place, NO_ROUTE);
    expect(this.mistake()).toBeUndefined();
    expect(this.#core.rowCount()).toBe(0);
    expect(this.#core.nodeCount()).toBe(0);
    for (const label of this.#labels.slice(1)) this.#core.dropLabel(label);
    this.#core.endTable();
    expect(this.#core.labelCount()).toBe(0);
  }

  /** Puts the rows' labels in their points' places; a row that has none is told. */
  #readRows(): string | undefined {
    this.#rows.fill(0);
    const count = this.#core.readRows(this.#family);
    const bytes = this.#bytes(this.#core.rowBuffer(), count * ROW_SIZE);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += ROW_SIZE) {
      const bits = view.getUint32(at, true);
      const label = this.#labels.indexOf(view.getUint32(at + 4, true), 1);
      const point = this.#pointAt(bytes, at + 8, bits);
      const isInPlace = this.#keys.subarray(16 * point, 16 * point + 16).every((byte, i) => {
        return byte === bytes[at + 8 + i];
      });
      if (point === 0 || !isInPlace) return `a row of ${bits} bits outside the space`;
      // A label that no route has can only be the one that drops.
      if (label < 0 && !this.#discards) return `a row of ${bits} bits by a label of nobody`;
      this.#rows[point] = label < 0 ? this.#labels.length : label;
    }
    return undefined;
  }

  /** The point that a key would have; 0 when its length is none of the space. */
  #pointAt(bytes: Uint8Array, keyAt: number, bits: number): number {
    const length = bits - this.#top;
    if (length < 0 || length > this.#depth) return 0;
    let point = 1;
    for (let bit = this.#top; bit < bits; bit++) {
      point = 2 * point + ((bytes[keyAt + (bit >> 3)]! >> (7 - (bit & 7))) & 1);
    }
    return point;
  }

  #writeKey(point: number): void {
    const length = 31 - Math.clz32(point);
    const key = this.#keys.subarray(16 * point, 16 * point + 16);
    for (let bit = 0; bit < this.#top + length; bit++) {
      const isBelow = bit >= this.#top;
      // Above the space: ones and zeroes by turns.
      const value = isBelow ? (point >> (this.#top + length - 1 - bit)) & 1 : bit & 1;
      key[bit >> 3]! |= value << (7 - (bit & 7));
    }
  }

  #bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, pointer, length);
  }
}

/** By number in the tree: the point of each of its prefixes in a space that has all of them. */
function pointsOf({ branches, lengths }: SmallSpace): number[] {
  const points = [0, 1];
  for (let place = 2; place < 2 << branches.length; place++) {
    const level = 31 - Math.clz32(place);
    let point = points[place >> 1]!;
    for (let bit = lengths[level - 1]!; bit < lengths[level]!; bit++) {
      const isBranch = bit === branches[level - 1];
      // Between the branches: zeroes and ones by turns.
      point = 2 * point + (isBranch ? place & 1 : bit & 1);
    }
    points.push(point);
  }
  return points;
}

/**
 * All tables of a tree, without those that come of others by swapping halves, in an order in which a table differs from the one
 * before it in little: mostly in one prefix. Their numbers start at 0.
 */
export class Walk {
  readonly #stateCount: number;
  readonly #halves: readonly Uint8Array[];
  readonly #places: readonly [readonly number[], readonly number[]];
  readonly #pairCount: number;

  /** `mirror`: a bit for each prefix that has others under it, set where they are swapped. */
  constructor(height: number, stateCount: number, mirror: number) {
    this.#stateCount = stateCount;
    this.#halves = subtrees(height - 1, stateCount);
    const isSwapped = (mirror >> 1) & 1;
    const places = [2 + isSwapped, 3 - isSwapped].map((top) => placesBelow(top, height, mirror));
    this.#places = [places[0]!, places[1]!];
    this.#pairCount = (this.#halves.length * (this.#halves.length + 1)) / 2;
  }

  get count(): number {
    return this.#stateCount * this.#pairCount;
  }

  /** Says what each place of a table is. */
  visit(table: number, say: (place: number, state: number) => void): void {
    const pair = Math.floor(table / this.#stateCount);
    const [i, j] = pairOf(pair);
    this.#sayHalf(0, i, say);
    this.#sayHalf(1, j, say);
    say(1, turning(table % this.#stateCount, this.#stateCount, pair));
  }

  #sayHalf(half: 0 | 1, number: number, say: (place: number, state: number) => void): void {
    const states = this.#halves[number]!;
    const places = this.#places[half];
    for (let i = 0; i < states.length; i++) say(places[i]!, states[i]!);
  }
}

/** To and fro: the last of one round is the first of the next. */
function turning(step: number, count: number, round: number): number {
  return round % 2 === 0 ? step : count - 1 - step;
}

/** The `pair`th of all (i, j) with j ≤ i. */
function pairOf(pair: number): [number, number] {
  let i = Math.floor((Math.sqrt(8 * pair + 1) - 1) / 2);
  if ((i * (i + 1)) / 2 > pair) i--;
  return [i, turning(pair - (i * (i + 1)) / 2, i + 1, i)];
}

/** States of every subtree that is not another one with halves swapped: its top, then its left half, then its right one. */
function subtrees(height: number, stateCount: number): Uint8Array[] {
  if (height === 0) return [new Uint8Array(0)];
  const halves = subtrees(height - 1, stateCount);
  const all: Uint8Array[] = [];
  for (let pair = 0; pair < (halves.length * (halves.length + 1)) / 2; pair++) {
    const [i, j] = pairOf(pair);
    for (let step = 0; step < stateCount; step++) {
      all.push(Uint8Array.of(turning(step, stateCount, pair), ...halves[i]!, ...halves[j]!));
    }
  }
  return all;
}

/** Where the states of a subtree lie in the tree. */
function placesBelow(place: number, height: number, mirror: number): number[] {
  const isOver = 31 - Math.clz32(place) >= height;
  if (isOver) return [];
  const isSwapped = (mirror >> place) & 1;
  return [
    place,
    ...placesBelow(2 * place + isSwapped, height, mirror),
    ...placesBelow(2 * place + 1 - isSwapped, height, mirror),
  ];
}
