// The cheapest table that forwards like a given one, by trying every label at every point: a twin of assembly/fib/aggregate.
//
// A route has a label (0: none of ours), a barrier is a route of somebody else. At a barrier's prefix our route stays as it is;
// `yields`: there it decides alone.

export interface NaiveRoute {
  readonly address: bigint;
  readonly bits: number;
  readonly label: number;
  readonly barrier?: 'wins' | 'yields';
}

export interface NaiveRules {
  readonly width: number;
  readonly cost: (label: number) => number;
  /** The label of rows that drop, where they are allowed. */
  readonly discard?: number;
}

/** Cost of the cheapest table. */
export function optimum(routes: readonly NaiveRoute[], rules: NaiveRules): number {
  const labels = [...new Set(routes.map(({ label }) => label).filter((label) => label !== 0))];
  const outside = rules.discard ?? 0;
  if (rules.discard !== undefined) labels.push(rules.discard);
  return cheapest({ bits: 0, inside: routes, rules, labels, memo: new Map() }, outside, outside);
}

interface Point {
  readonly bits: number;
  /** Routes at this point and below it. */
  readonly inside: readonly NaiveRoute[];
  readonly rules: NaiveRules;
  readonly labels: readonly number[];
  readonly memo: Map<number, number>;
  halves?: [Point, Point];
}

/** `above` covers the point, `inherited` is the label of the nearest row above it. */
function cheapest(point: Point, above: number, inherited: number): number {
  const known = point.memo.get(inherited);
  if (known !== undefined) return known;
  const found = tryAll(point, above, inherited);
  point.memo.set(inherited, found);
  return found;
}

function tryAll(point: Point, above: number, inherited: number): number {
  const { bits, inside, rules, labels } = point;
  const here = inside.find((route) => route.bits === bits);
  const below = here === undefined ? above : labelBelow(here);
  if (here?.barrier !== undefined) {
    const own = here.label === 0 ? 0 : rules.cost(here.label);
    return own + split(point, below, below);
  }
  let best = split(point, below, inherited);
  for (const label of labels) {
    if (label !== inherited) best = Math.min(best, rules.cost(label) + split(point, below, label));
  }
  return best;
}

function labelBelow({ label, barrier }: NaiveRoute): number {
  return barrier === 'wins' ? 0 : label;
}

/** Cost of both halves, or of getting it right when nothing ends below. */
function split(point: Point, above: number, inherited: number): number {
  const { bits, inside, rules, labels } = point;
  const inner = inside.filter((route) => route.bits > bits);
  if (inner.length === 0) return inherited === above ? 0 : Number.POSITIVE_INFINITY;
  point.halves ??= [0n, 1n].map((half) => ({
    bits: bits + 1,
    inside: inner.filter(
      ({ address }) => ((address >> BigInt(rules.width - bits - 1)) & 1n) === half,
    ),
    rules,
    labels,
    memo: new Map(),
  })) as unknown as [Point, Point];
  const [left, right] = point.halves;
  return cheapest(left, above, inherited) + cheapest(right, above, inherited);
}
