// What a run of the harness found, as it is kept in result.json: plain data, one document per run. Text and report are made of it alone.
//
// This file is the schema of that document. A field that goes, or means something else, raises SCHEMA; new ones do not. What was not measured
// is left out: a metric's key in a sample, a goal's value and whether it was reached. Samples are in the metrics' units.
import type { Machine } from './machine.ts';
import type { Goal, Metric, Point, Sample, Sweep } from './scenario.ts';
import { SUBJECT } from './scenario.ts';
import { type Summary, summarize } from './statistics.ts';

export const SCHEMA = 1;

export interface BenchResult {
  readonly schema: typeof SCHEMA;
  /** A quick look: sizes are small, and no goal is judged. */
  readonly isSmall: boolean;
  readonly machine: Machine;
  /** Of the product under test. */
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** All of it. */
  readonly seconds: number;
  readonly scenarios: readonly ScenarioResult[];
}

export type ScenarioResult = MeasuredResult | SkippedResult;

export interface MeasuredResult {
  readonly name: string;
  readonly question: string;
  /** What everybody was given, in words. */
  readonly input: string;
  /** Where the sweep does not say it. */
  readonly routes: number;
  readonly warmUp: string;
  /** As asked; a slow peer may have fewer samples. */
  readonly repeats: number;
  /** Columns of every sample, with their units. */
  readonly metrics: readonly Metric[];
  readonly sweep?: Pick<Sweep, 'title' | 'scale'>;
  /** One for each point of the sweep; without a sweep a single nameless one. */
  readonly points: readonly PointResult[];
  /** Named because they could not take part. */
  readonly leftOut: readonly string[];
  /** All of it, warm-up included. */
  readonly seconds: number;
}

export interface PointResult {
  readonly point: Point;
  readonly contestants: readonly ContestantResult[];
  readonly goals: readonly GoalResult[];
}

export interface ContestantResult {
  readonly name: string;
  readonly version: string;
  readonly samples: readonly Sample[];
  /** Why a run failed; the samples before it stay, and no other run follows at this point. */
  readonly failure?: string;
}

export interface GoalResult extends Goal {
  /** Rutter's median, alone or divided by that of `against`. */
  readonly value: number | undefined;
  readonly reached: boolean | undefined;
}

/** Could not run here. */
export interface SkippedResult {
  readonly name: string;
  readonly question: string;
  /** Why nothing of it was measured. */
  readonly skipped: string;
}

export function summaryOf(result: ContestantResult, metric: string): Summary | undefined {
  return summarize(result.samples.flatMap((sample) => sample[metric] ?? []));
}

/** Compares medians; undefined where one of the two was not measured. */
export function judgeGoals(
  goals: readonly Goal[],
  contestants: readonly ContestantResult[],
): GoalResult[] {
  const median = (name: string, metric: string): number | undefined => {
    const found = contestants.find((contestant) => contestant.name === name);
    return found && summaryOf(found, metric)?.median;
  };
  return goals.map((goal) => {
    const own = median(SUBJECT, goal.metric);
    const other = goal.against === undefined ? 1 : median(goal.against, goal.metric);
    const value = own === undefined || !other ? undefined : own / other; // 0: too little to tell
    return { ...goal, value, reached: value === undefined ? undefined : isReached(goal, value) };
  });
}

function isReached({ atMost, atLeast }: Goal, value: number): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}
