// Results → the text of a terminal. Pure: the same results are the JSON.
import type { Machine } from './machine.ts';
import { type Goal, type Metric, type Sample, SUBJECT } from './scenario.ts';
import { type Summary, summarize } from './statistics.ts';

export interface ContestantResult {
  readonly name: string;
  readonly version: string;
  readonly samples: readonly Sample[];
  /** Why a run failed; the samples before it stay. */
  readonly failure?: string;
}

export interface ComparisonResult {
  readonly name: string;
  readonly question: string;
  readonly input: string;
  readonly routes: number;
  readonly warmUp: string;
  readonly repeats: number;
  readonly contestants: readonly ContestantResult[];
  /** Named because they could not take part. */
  readonly leftOut: readonly string[];
  readonly goals: readonly GoalResult[];
}

export interface StandaloneResult {
  readonly name: string;
  readonly question: string;
  readonly foreignCores: number;
  readonly lines: readonly string[];
}

/** Whole run, as `--json` writes it. */
export interface BenchReport {
  readonly machine: Machine;
  readonly startedAt: string;
  readonly seconds: number;
  readonly scenarios: readonly (ComparisonResult | StandaloneResult | SkippedResult)[];
}

interface SkippedResult {
  readonly name: string;
  readonly skipped: string;
}

export interface GoalResult extends Goal {
  readonly value: number | undefined;
  readonly reached: boolean | undefined;
}

function summaryOf(result: ContestantResult, metric: string): Summary | undefined {
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
    return { ...goal, value, reached: value === undefined ? undefined : value <= goal.atMost };
  });
}

export function formatComparison(result: ComparisonResult, metrics: readonly Metric[]): string[] {
  const rows = [
    ['', ...metrics.map((metric) => metric.title)],
    ...result.contestants.map((contestant) => [
      `${contestant.name} ${contestant.version} ×${contestant.samples.length}`,
      ...metrics.map((metric) => formatCell(summaryOf(contestant, metric.key), metric)),
    ]),
  ];
  return [
    ...alignColumns(rows).map((row) => `  ${row}`),
    ...result.contestants
      .filter((contestant) => contestant.failure !== undefined)
      .map((contestant) => `  ${contestant.name} failed: ${contestant.failure}`),
    ...result.leftOut.map((text) => `  left out: ${text}`),
    ...formatRatios(result.contestants, metrics).map((row) => `  ${row}`),
    ...result.goals.map((goal) => `  ${formatGoal(goal, metrics)}`),
  ];
}

/** Rutter's medians divided by each other one's, for what both can tell. */
function formatRatios(
  contestants: readonly ContestantResult[],
  metrics: readonly Metric[],
): string[] {
  const subject = contestants.find(({ name }) => name === SUBJECT);
  if (subject === undefined) return [];
  return contestants.flatMap((other) => {
    if (other === subject) return [];
    const ratios = metrics.flatMap((metric) => {
      if (metric.isContext) return [];
      const own = summaryOf(subject, metric.key)?.median;
      const others = summaryOf(other, metric.key)?.median;
      return own === undefined || !others ? [] : [`${metric.title} ${round(own / others)} ×`];
    });
    return ratios.length > 0 ? [`${SUBJECT} ÷ ${other.name}: ${ratios.join(', ')}`] : [];
  });
}

function formatCell(summary: Summary | undefined, metric: Metric): string {
  if (summary === undefined) return '–';
  const figure = formatFigure(summary.median, metric.unit);
  if (summary.count < 2 || summary.lowest === summary.highest) return figure;
  const [lowest, highest] = [summary.lowest, summary.highest].map((value) => round(value));
  return `${figure} (${lowest}–${highest})`;
}

function formatFigure(value: number, unit: Metric['unit']): string {
  return unit === 'count' ? round(value) : `${round(value)} ${unit}`;
}

/** Three significant digits, or whole numbers. */
function round(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function formatGoal(goal: GoalResult, metrics: readonly Metric[]): string {
  const metric = metrics.find(({ key }) => key === goal.metric);
  const unit = metric?.unit ?? 'count';
  const title = `${SUBJECT} ${metric?.title ?? goal.metric}`;
  const format = (value: number): string =>
    goal.against === undefined ? formatFigure(value, unit) : `${round(value)} × ${goal.against}`;
  const value = goal.value === undefined ? 'not measured' : format(goal.value);
  const verdict = goal.reached === undefined ? '' : goal.reached ? ': reached' : ': missed';
  return `goal: ${title} ≤ ${format(goal.atMost)}; ${value}${verdict}`;
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join('   ')
      .trimEnd(),
  );
}
