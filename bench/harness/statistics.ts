// Median, spread and percentiles of a handful of figures.

export interface Summary {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

/** Undefined for no figures at all. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: percentile(sorted, 50),
    lowest: sorted[0]!,
    highest: sorted.at(-1)!,
    count: sorted.length,
  };
}

/** Of values in ascending order, with linear interpolation between the two nearest. */
export function percentile(sorted: readonly number[], percent: number): number {
  const position = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('percentile of nothing');
  return below + (above - below) * (position - Math.floor(position));
}
