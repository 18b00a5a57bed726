// What a plot is made of. Pure.

export interface Series {
  readonly name: string;
  readonly marks: readonly Mark[];
}

export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface Plot {
  /** What is measured, its unit, and which way is better. */
  readonly title: string;
  readonly xTitle: string;
  readonly scale: 'linear' | 'log' | 'names';
  /** Ticks of the horizontal axis, or the groups of bars. */
  readonly ticks: readonly { readonly x: number; readonly name: string }[];
  readonly series: readonly Series[];
}

/** The largest figure of all, spread included; never 0. */
export function highestOf(series: readonly Series[]): number {
  return Math.max(
    1e-9,
    ...series.flatMap(({ marks }) => marks.map(({ y, highest }) => Math.max(y, highest))),
  );
}
