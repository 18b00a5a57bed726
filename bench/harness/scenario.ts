// What a benchmark is, as data: one question, an input, who is measured, what is measured, and what Rutter must reach.

/** A column of the result. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly unit: 's' | 'ms' | 'MB' | 'routes/s' | 'count';
  /** Says something of the run, not of the contestant: no ratio is made of it. */
  readonly isContext?: true;
}

/** Every sample's last column: cores' worth of CPU that others used between the first byte and the last. */
export const FOREIGN_CPU: Metric = {
  key: 'foreignCores',
  title: "others' cores",
  unit: 'count',
  isContext: true,
};

/** One run's figures by metric key. A metric that a contestant cannot tell is left out. */
export type Sample = Readonly<Record<string, number>>;

interface RunOptions {
  readonly routes: number;
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
  readonly atMost: number;
}

export interface Comparison {
  readonly kind: 'comparison';
  readonly name: string;
  readonly question: string;
  readonly routes: number;
  readonly repeats: number;
  /** Share of the routes that each contestant is given once, unmeasured, before the first measured run; 0 for none. */
  readonly warmUpShare: number;
  /** Why it cannot run here, or undefined. */
  obstacle(): string | undefined;
  input(routes: number): string;
  readonly metrics: readonly Metric[];
  readonly contestants: readonly Contestant[];
  readonly goals: readonly Goal[];
}

/** A bench that prints its own lines. */
export interface Standalone {
  readonly kind: 'standalone';
  readonly name: string;
  readonly question: string;
  run(print: (line: string) => void): Promise<void>;
}

export type Scenario = Comparison | Standalone;

/** The contestant that goals speak of. */
export const SUBJECT = 'Rutter';
