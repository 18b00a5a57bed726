// Results → a report a person reads: one HTML page that needs nothing else, and every plot as an SVG file of its own. Pure.
import { formatMachine } from './machine.ts';
import { drawPlot, escapeMarkup, type Mark, type Plot, type Series } from './plot.ts';
import {
  type BenchResult,
  type MeasuredResult,
  type PointResult,
  type ScenarioResult,
  summaryOf,
} from './result.ts';
import type { Metric } from './scenario.ts';
import { formatCell, formatGoal, formatRatios } from './text.ts';

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
  const better = metric.isMoreBetter ? 'more is better' : 'less is better';
  return {
    title: `${name}: ${metric.title} (${better})`,
    unit: metric.unit,
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
th:first-child, td:first-child { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
.plots svg { max-width: 100%; height: auto; border: 1px solid #eee; }
.missed { color: #a00; } .reached { color: #060; } pre { background: #f6f6f6; padding: .6rem; overflow: auto; }
`;

function page(result: BenchResult, plots: readonly PlotFile[]): string {
  const { machine, version, startedAt, seconds, scenarios } = result;
  return [
    '<!doctype html>',
    `<html lang="en"><meta charset="utf-8"><title>Rutter benchmarks ${escapeMarkup(startedAt)}</title>`,
    `<style>${STYLE}</style>`,
    '<h1>Rutter benchmarks</h1>',
    `<p>${escapeMarkup(`${startedAt}, ${seconds.toFixed(0)} s. ${version}.`)}<br>${escapeMarkup(formatMachine(machine))}</p>`,
    '<p>Figures are medians, (lowest–highest) of the repeats. Compare within this run, not between machines: ' +
      'everybody had the same input, one after the other. “others’ CPU” is how many cores were used by programs that are no part of it.</p>',
    `<ul>${scenarios.map(({ name, question }) => `<li><a href="#${name}">${name}</a>: ${escapeMarkup(question)}</li>`).join('')}</ul>`,
    ...scenarios.map((scenario) => section(scenario, plots)),
    '</html>',
    '',
  ].join('\n');
}

function section(scenario: ScenarioResult, plots: readonly PlotFile[]): string {
  const { name, question } = scenario;
  const heading = `<h2 id="${name}">${name}</h2><p><em>${escapeMarkup(question)}</em></p>`;
  if ('skipped' in scenario) return `${heading}<p>Left out: ${escapeMarkup(scenario.skipped)}</p>`;
  const { input, warmUp, repeats, points, leftOut, metrics, sweep } = scenario;
  return [
    heading,
    `<p>Input: ${escapeMarkup(input)}. Warm-up: ${warmUp}; repeats: ${repeats}.</p>`,
    `<div class="plots">${plots
      .filter((plot) => plot.scenario === name)
      .map(({ content }) => content)
      .join('')}</div>`,
    ...points.map((result) => {
      const title = sweep ? `<h3>${escapeMarkup(`${sweep.title}: ${result.point.name}`)}</h3>` : '';
      return title + pointTable(result, metrics);
    }),
    ...leftOut.map((text) => `<p>Left out: ${escapeMarkup(text)}</p>`),
  ].join('\n');
}

function pointTable({ contestants, goals }: PointResult, metrics: readonly Metric[]): string {
  const cells = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escapeMarkup(text)}</${tag}>`).join('')}</tr>`;
  const rows = contestants.map((contestant) =>
    cells('td', [
      `${contestant.name} ${contestant.version} ×${contestant.samples.length}`,
      ...metrics.map((metric) => formatCell(summaryOf(contestant, metric.key), metric)),
    ]),
  );
  const failures = contestants.flatMap(({ name, failure }) =>
    failure === undefined
      ? []
      : [`<li class="missed">${escapeMarkup(`${name} failed: ${failure}`)}</li>`],
  );
  const ratios = formatRatios(contestants, metrics).map((text) => `<li>${escapeMarkup(text)}</li>`);
  const judged = goals.map((goal) => {
    const verdict = goal.reached === undefined ? '' : goal.reached ? 'reached' : 'missed';
    return `<li class="${verdict}">${escapeMarkup(formatGoal(goal, metrics))}</li>`;
  });
  return [
    `<table>${cells('th', ['', ...metrics.map((metric) => metric.title)])}${rows.join('')}</table>`,
    `<ul>${[...failures, ...ratios, ...judged].join('')}</ul>`,
  ].join('\n');
}
