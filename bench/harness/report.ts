// Results → a report a person reads: one HTML page that needs nothing else, and every plot as an SVG file of its own. Pure.

import { formatFigure, round } from './figure.ts';
import { formatMachine } from './machine.ts';
import { drawPlot } from './plot.ts';
import {
  type BenchResult,
  type ContestantResult,
  type GoalResult,
  type MeasuredResult,
  type PointResult,
  type ScenarioResult,
  summaryOf,
} from './result.ts';
import { FOREIGN_CPU, type Metric, SUBJECT } from './scenario.ts';
import type { Mark, Plot, Series } from './series.ts';
import { escapeMarkup } from './sheet.ts';
import { formatCell, formatGoal, ratioTo } from './text.ts';

export interface ReportFile {
  readonly name: string;
  readonly content: string;
}

export function makeReport(result: BenchResult): ReportFile[] {
  const plots = result.scenarios.flatMap((scenario) =>
    'points' in scenario ? plotsOf(scenario) : [],
  );
  return [{ name: 'report.html', content: page(result, plots) }, ...plots];
}

interface PlotFile extends ReportFile {
  readonly scenario: string;
}

/** One plot per metric that tells something. */
function plotsOf(scenario: MeasuredResult): PlotFile[] {
  return scenario.metrics.flatMap((metric) => {
    const series = seriesOf(scenario, metric);
    if (metric.isContext || !series.some(({ marks }) => marks.some(({ y }) => y > 0))) return [];
    const name = `${scenario.name}-${metric.key}.svg`;
    return [{ scenario: scenario.name, name, content: drawPlot(plotOf(scenario, metric, series)) }];
  });
}

function plotOf(scenario: MeasuredResult, metric: Metric, series: readonly Series[]): Plot {
  const { sweep, points, name } = scenario;
  const unit = metric.unit === 'count' ? '' : `, ${metric.unit}`;
  return {
    title: `${name}: ${metric.title}${unit} (${betterWay(metric)})`,
    xTitle: sweep?.title ?? '',
    scale: sweep?.scale ?? 'names',
    ticks: points.map(({ point }, i) => ({ x: placeOf(scenario, i), name: point.name })),
    series,
  };
}

function seriesOf(scenario: MeasuredResult, metric: Metric): Series[] {
  const names = scenario.points[0]?.contestants.map(({ name }) => name) ?? [];
  return names.map((name) => ({
    name,
    marks: scenario.points.flatMap((result, i) =>
      markOf(result, name, metric, placeOf(scenario, i)),
    ),
  }));
}

function placeOf({ sweep, points }: MeasuredResult, index: number): number {
  return sweep === undefined || sweep.scale === 'names' ? index : points[index]!.point.value;
}

function markOf(result: PointResult, name: string, metric: Metric, x: number): Mark[] {
  const contestant = result.contestants.find((each) => each.name === name);
  const summary = contestant && summaryOf(contestant, metric.key);
  return summary
    ? [{ x, y: summary.median, lowest: summary.lowest, highest: summary.highest }]
    : [];
}

// ---- the page ----

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0; font-size: 13px; }
th, td { border: 1px solid #ccc; padding: .25rem .6rem; text-align: right; }
th:first-child, td:first-child, .contents td:nth-child(2) { text-align: left; }
small { color: #666; font-weight: normal; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
.plots svg { max-width: 100%; height: auto; border: 1px solid #eee; }
.missed { color: #a00; } .reached { color: #060; }
`;

function page(result: BenchResult, plots: readonly PlotFile[]): string {
  const { machine, version, startedAt, seconds, scenarios, isSmall } = result;
  return [
    '<!doctype html>',
    `<html lang="en"><meta charset="utf-8"><title>Rutter benchmarks ${escapeMarkup(startedAt)}</title>`,
    `<style>${STYLE}</style>`,
    '<h1>Rutter benchmarks</h1>',
    `<p>${escapeMarkup(`${startedAt}, ${seconds.toFixed(0)} s. ${version}.`)}<br>${escapeMarkup(formatMachine(machine))}</p>`,
    ...(isSmall ? ['<p><strong>A quick look at small sizes: no goal is judged.</strong></p>'] : []),
    '<p>Figures are medians, with (lowest–highest) where there was more than one run; in plots the thin line is that spread. ' +
      `“${SUBJECT}: 0.50 ×” in the column of another one says that ${SUBJECT}’s median is half of that one’s. ` +
      'Compare within this run, not between machines: everybody had the same input, one after the other. ' +
      '“others’ CPU” is how many cores were meanwhile used by programs that are no part of it: ' +
      'where that is much, times are too long for everybody and only ratios say something.</p>',
    contents(scenarios),
    ...scenarios.map((scenario) => section(scenario, plots)),
    '</html>',
    '',
  ].join('\n');
}

/** Every scenario with its question, and at a glance what became of it. */
function contents(scenarios: readonly ScenarioResult[]): string {
  const rows = scenarios.map((scenario) => {
    const link = `<a href="#${scenario.name}">${scenario.name}</a>`;
    return `<tr><td>${link}</td><td>${escapeMarkup(scenario.question)}</td>${outcome(scenario)}</tr>`;
  });
  const heads = ['scenario', 'question', 'goals reached', 'missed', 'failures', 'others’ CPU'];
  return `<table class="contents"><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${rows.join('')}</table>`;
}

function outcome(scenario: ScenarioResult): string {
  if ('skipped' in scenario)
    return `<td colspan="4">left out: ${escapeMarkup(scenario.skipped)}</td>`;
  const goals = scenario.points.flatMap((point) => point.goals.map(verdictOf));
  const contestants = scenario.points.flatMap((point) => point.contestants);
  const failures = contestants.filter(({ failure }) => failure !== undefined).length;
  const foreign = contestants.flatMap((each) => summaryOf(each, FOREIGN_CPU.key)?.median ?? []);
  const count = (verdict: string) => goals.filter((each) => each === verdict).length;
  const mark = (count: number, kind: string) =>
    `<td${count > 0 ? ` class="${kind}"` : ''}>${count}</td>`;
  return [
    mark(count('reached'), 'reached'),
    mark(count('missed'), 'missed'),
    mark(failures, 'missed'),
    `<td>${foreign.length > 0 ? `up to ${formatFigure(Math.max(...foreign), 'cores')}` : '–'}</td>`,
  ].join('');
}

function section(scenario: ScenarioResult, plots: readonly PlotFile[]): string {
  const { name, question } = scenario;
  const heading = `<h2 id="${name}">${name}</h2><p><em>${escapeMarkup(question)}</em></p>`;
  if ('skipped' in scenario) return `${heading}<p>Left out: ${escapeMarkup(scenario.skipped)}</p>`;
  const { input, warmUp, repeats, points, leftOut, metrics, sweep, seconds } = scenario;
  return [
    heading,
    `<p>Input: ${escapeMarkup(input)}. Warm-up: ${warmUp}; repeats: ${repeats}. Took ${seconds.toFixed(0)} s.</p>`,
    `<div class="plots">${plots
      .filter((plot) => plot.scenario === name)
      .map(({ content }) => content)
      .join('')}</div>`,
    ...points.map((result) => {
      const title = sweep ? `<h3>${escapeMarkup(`${sweep.title}: ${result.point.name}`)}</h3>` : '';
      return title + pointTable(result, metrics, name);
    }),
    ...leftOut.map((text) => `<p>Left out: ${escapeMarkup(text)}</p>`),
  ].join('\n');
}

function pointTable(
  { contestants, goals }: PointResult,
  metrics: readonly Metric[],
  scenario: string,
): string {
  const heads = contestants.map(({ name, version, samples }) => {
    const runs = `${samples.length} ${samples.length === 1 ? 'run' : 'runs'}`;
    return `<th>${escapeMarkup(name)}<br><small>${escapeMarkup(version)}<br>${runs}</small></th>`;
  });
  const rows = metrics.map((metric) => {
    const cells = contestants.map((each) => cell(each, contestants, metric));
    const way = metric.isContext ? '' : `<br><small>${betterWay(metric)}</small>`;
    return `<tr><th>${escapeMarkup(metric.title)}${way}</th>${cells.join('')}</tr>`;
  });
  const failures = contestants.flatMap(({ name, failure }) =>
    failure === undefined
      ? []
      : [`<li class="missed">${escapeMarkup(`${name} failed: ${failure}`)}</li>`],
  );
  const judged = goals.map((goal) => goalItem(goal, metrics));
  return [
    `<table aria-label="${escapeMarkup(scenario)}"><tr><th></th>${heads.join('')}</tr>${rows.join('')}</table>`,
    failures.length + judged.length > 0 ? `<ul>${[...failures, ...judged].join('')}</ul>` : '',
  ].join('\n');
}

function cell(
  contestant: ContestantResult,
  contestants: readonly ContestantResult[],
  metric: Metric,
): string {
  const ratio = ratioTo(contestant, contestants, metric);
  const note = ratio === undefined ? '' : `<br><small>${SUBJECT}: ${round(ratio)} ×</small>`;
  const figure = formatCell(summaryOf(contestant, metric.key), metric);
  return `<td>${escapeMarkup(figure)}${note}</td>`;
}

function goalItem(goal: GoalResult, metrics: readonly Metric[]): string {
  return `<li class="${verdictOf(goal)}">${escapeMarkup(formatGoal(goal, metrics))}</li>`;
}

function verdictOf({ reached }: GoalResult): 'open' | 'reached' | 'missed' {
  if (reached === undefined) return 'open';
  return reached ? 'reached' : 'missed';
}

function betterWay({ isMoreBetter }: Metric): string {
  return isMoreBetter ? 'more is better' : 'less is better';
}
