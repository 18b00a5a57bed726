// Results → the text of a terminal. Pure.
import { formatFigure, round } from './figure.ts';
import {
  type ContestantResult,
  type GoalResult,
  type MeasuredResult,
  type PointResult,
  summaryOf,
} from './result.ts';
import { type Metric, SUBJECT } from './scenario.ts';
import type { Summary } from './statistics.ts';

export function formatMeasured({ metrics, sweep, points, leftOut }: MeasuredResult): string[] {
  return [
    ...points.flatMap((result) => [
      ...(sweep ? [`  ${sweep.title}: ${result.point.name}`] : []),
      ...formatPoint(result, metrics),
    ]),
    ...leftOut.map((text) => `  left out: ${text}`),
  ];
}

function formatPoint({ contestants, goals }: PointResult, metrics: readonly Metric[]): string[] {
  const rows = [
    ['', ...contestants.map(({ name }) => name)],
    ['version', ...contestants.map(({ version }) => version)],
    ['runs', ...contestants.map(({ samples }) => String(samples.length))],
    ...metrics.map((metric) => [
      metric.title,
      ...contestants.map((each) => formatCell(summaryOf(each, metric.key), metric)),
    ]),
  ];
  return [
    ...alignColumns(rows).map((row) => `  ${row}`),
    ...contestants
      .filter((contestant) => contestant.failure !== undefined)
      .map((contestant) => `  ${contestant.name} failed: ${contestant.failure}`),
    ...formatRatios(contestants, metrics).map((row) => `  ${row}`),
    ...goals.map((goal) => `  ${formatGoal(goal, metrics)}`),
  ];
}

/** Rutter's medians divided by each other one's, for what both can tell. */
function formatRatios(
  contestants: readonly ContestantResult[],
  metrics: readonly Metric[],
): string[] {
  return contestants.flatMap((other) => {
    const ratios = metrics.flatMap((metric) => {
      const ratio = ratioTo(other, contestants, metric);
      return ratio === undefined ? [] : [`${metric.title} ${round(ratio)} ×`];
    });
    return ratios.length > 0 ? [`${SUBJECT} ÷ ${other.name}: ${ratios.join(', ')}`] : [];
  });
}

/** Rutter's median divided by another one's, where there are both. */
export function ratioTo(
  other: ContestantResult,
  contestants: readonly ContestantResult[],
  metric: Metric,
): number | undefined {
  const subject = contestants.find(({ name }) => name === SUBJECT);
  if (subject === undefined || other === subject || metric.isContext) return undefined;
  const own = summaryOf(subject, metric.key)?.median;
  const others = summaryOf(other, metric.key)?.median;
  return own === undefined || !others ? undefined : own / others;
}

export function formatCell(summary: Summary | undefined, metric: Metric): string {
  if (summary === undefined) return '–';
  const figure = formatFigure(summary.median, metric.unit);
  if (summary.count < 2 || summary.lowest === summary.highest) return figure;
  const [lowest, highest] = [summary.lowest, summary.highest].map((value) => round(value));
  return `${figure} (${lowest}–${highest})`;
}

export function formatGoal(goal: GoalResult, metrics: readonly Metric[]): string {
  const metric = metrics.find(({ key }) => key === goal.metric);
  const unit = metric?.unit ?? 'count';
  const title = `${SUBJECT} ${metric?.title ?? goal.metric}`;
  const format = (value: number): string =>
    goal.against === undefined ? formatFigure(value, unit) : `${round(value)} × ${goal.against}`;
  const value = goal.value === undefined ? 'not measured' : format(goal.value);
  const verdict = goal.reached === undefined ? '' : goal.reached ? ': reached' : ': missed';
  const limits = [
    ...(goal.atMost === undefined ? [] : [`≤ ${format(goal.atMost)}`]),
    ...(goal.atLeast === undefined ? [] : [`≥ ${format(goal.atLeast)}`]),
  ];
  return `goal: ${title} ${limits.join(' and ')}; ${value}${verdict}`;
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
