// What a benchmark is, as data: one question, an input, who is measured, what is measured, and what Rutter must reach.

/** A column of the result. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly unit:
    | 's'
    | 'ms'
    | 'µs'
    | 'ns'
    | 'MB'
    | 'bytes'
    | '%'
    | 'cores'
    | 'routes/s'
    | 'rows/s'
    | 'updates/s'
    | 'million/s'
    | '×'
    | 'count';
  /** More is better; usually less is. */
  readonly isMoreBetter?: true;
  /** Says something of the run, not of the contestant: no ratio is made of it. */
  readonly isContext?: true;
}

/** Every sample's last column: cores' worth of CPU that others used between the first byte and the last. */
export const FOREIGN_CPU: Metric = {
  key: 'foreignCores',
  title: "others' CPU",
  unit: 'cores',
  isContext: true,
};

/** One run's figures by metric key. A metric that a contestant cannot tell is left out. */
export type Sample = Readonly<Record<string, number>>;

/** One value of what a scenario varies: a table's size, a rate, a kind of change. */
export interface Point {
  readonly name: string;
  readonly value: number;
}

/** What a scenario varies from point to point; everybody is measured at each. */
export interface Sweep {
  readonly title: string;
  /** How a plot lays the values out; `names` are side by side, in order. */
  readonly scale: 'linear' | 'log' | 'names';
  readonly points: readonly Point[];
  /** For a quick look and for tests. */
  readonly smallPoints: readonly Point[];
}

export interface RunOptions {
  readonly routes: number;
  /** Where in the sweep; a scenario without one has one nameless point. */
  readonly point: Point;
  /** A quick look: what else takes long is shortened too. */
  readonly isSmall: boolean;
}

/** Somebody who takes part: Rutter, a peer, or a bare floor to compare with. */
export interface Contestant {
  readonly name: string;
  /** What is installed, or undefined when it is not: then it is named and left out. */
  version(): Promise<string | undefined>;
  run(options: RunOptions): Promise<Sample>;
  /** Slow peers run less often than asked. */
  readonly maxRepeats?: number;
}

/** Rutter's figure, alone or divided by a peer's of the same run, and what it should be. Shown, never enforced. */
export interface Goal {
  readonly metric: string;
  readonly against?: string;
  /** One of the two. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Name of the point it is about; all of them without it. */
  readonly at?: string;
}

export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly routes: number;
  /** Routes for a quick look and for tests. */
  readonly smallRoutes: number;
  readonly repeats: number;
  readonly sweep?: Sweep;
  /** Share of the routes that each contestant is given once, unmeasured, before the first measured run; 0 for none. */
  readonly warmUpShare: number;
  /** Why it cannot run here, or undefined. */
  obstacle(): string | undefined;
  /** What everybody is given, in words. */
  input(routes: number, isSmall: boolean): string;
  readonly metrics: readonly Metric[];
  readonly contestants: readonly Contestant[];
  readonly goals: readonly Goal[];
}

/** The contestant that goals speak of. */
export const SUBJECT = 'Rutter';
