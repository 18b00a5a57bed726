// The cheapest table of a small space, kept by trying every label at every point: a twin of assembly/fib/aggregate that keeps up with it.
//
// test/naive/aggregation.ts says the same of one table of any shape, and is asked whether this is right. Here a change is worked out along
// one path only, so that all tables of a space can be walked through.
//
// Points are numbered as in a heap: 1 is the space itself, 2i and 2i + 1 are the halves of i. Labels are 1, 2, …; 0 is "none of ours".

export type Barrier = 'none' | 'wins' | 'yields';

/** More than any table costs, and little enough to be added up. */
const IMPOSSIBLE = 1e6;

export class CheapestTable {
  readonly pointCount: number;
  readonly #costs: readonly number[];
  readonly #outside: number;
  readonly #firstCell: number;
  readonly #labels: Uint8Array;
  readonly #barriers: Barrier[];
  /** Of each point, by what covers it and then by what it inherits: the cost of the cheapest rows there and below. */
  readonly #least: Int32Array[];

  /** `costs` by label, that of 0 is not used. `outside`: what un-routed space is like: 0, or the label that drops. */
  constructor(bits: number, costs: readonly number[], outside = 0) {
    this.#costs = costs;
    this.#outside = outside;
    this.#firstCell = 1 << bits;
    this.pointCount = 2 << bits;
    this.#labels = new Uint8Array(this.pointCount);
    this.#barriers = new Array<Barrier>(this.pointCount).fill('none');
    this.#least = Array.from(
      { length: this.pointCount },
      () => new Int32Array(costs.length * costs.length),
    );
    for (let point = this.pointCount - 1; point > 0; point--) this.#workOut(point);
  }

  set(point: number, label: number, barrier: Barrier): void {
    this.#labels[point] = label;
    this.#barriers[point] = barrier;
    for (let above = point; above > 0; above >>= 1) this.#workOut(above);
  }

  /** Cost of the cheapest rows. */
  get least(): number {
    return this.#least[1]![this.#outside * this.#costs.length + this.#outside]!;
  }

  cost(rows: Uint8Array): number {
    let sum = 0;
    for (const label of rows) if (label !== 0) sum += this.#costs[label]!;
    return sum;
  }

  /** The first point where rows (label by point) forward otherwise than the routes, or undefined. */
  difference(rows: Uint8Array): string | undefined {
    const wanted = this.#forwarding(this.#labels);
    const got = this.#forwarding(rows);
    for (let point = 1; point < this.pointCount; point++) {
      // Our route at the prefix of somebody else's is for the target to judge: as it is, and nothing else.
      const isOther =
        this.#barriers[point] !== 'none'
          ? rows[point] !== this.#labels[point]
          : point >= this.#firstCell && wanted[point] !== got[point];
      if (isOther) return `point ${point} by ${got[point]}, expected ${wanted[point]}`;
    }
    return undefined;
  }

  /** By point what addresses there forward by when nothing longer has them; 0 is "not ours". */
  #forwarding(table: Uint8Array): Uint8Array {
    const forwarding = new Uint8Array(this.pointCount);
    forwarding[0] = this.#outside;
    for (let point = 1; point < this.pointCount; point++) {
      const above = forwarding[point >> 1]!;
      const label = table[point]!;
      if (this.#barriers[point] === 'wins') forwarding[point] = 0;
      else if (this.#barriers[point] === 'yields') forwarding[point] = label;
      else forwarding[point] = label === 0 ? above : label;
    }
    return forwarding;
  }

  #workOut(point: number): void {
    const least = this.#least[point]!;
    const count = this.#costs.length;
    const label = this.#labels[point]!;
    const barrier = this.#barriers[point]!;
    if (barrier !== 'none') {
      const below = barrier === 'wins' ? 0 : label;
      const own = label === 0 ? 0 : this.#costs[label]!;
      least.fill(own + this.#split(point, below, below));
      return;
    }
    for (let above = 0; above < count; above++) {
      const below = label === 0 ? above : label;
      let best = IMPOSSIBLE;
      for (let row = 1; row < count; row++) {
        best = Math.min(best, this.#costs[row]! + this.#split(point, below, row));
      }
      for (let inherited = 0; inherited < count; inherited++) {
        least[above * count + inherited] = Math.min(best, this.#split(point, below, inherited));
      }
    }
  }

  /** Cost of both halves, covered by `above` and inheriting `inherited`. */
  #split(point: number, above: number, inherited: number): number {
    if (point >= this.#firstCell) return above === inherited ? 0 : IMPOSSIBLE;
    const place = above * this.#costs.length + inherited;
    return this.#least[2 * point]![place]! + this.#least[2 * point + 1]![place]!;
  }
}
