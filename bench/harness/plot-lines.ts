// A line per contestant over what is varied, each mark with its spread; a logarithmic axis where figures span decades. Pure.
import { highestOf, type Mark, type Plot, type Series } from './series.ts';
import {
  box,
  colour,
  fix,
  line,
  linearTicks,
  niceTop,
  svg,
  TOP,
  text,
  tickText,
  WIDTH,
} from './sheet.ts';

const HEIGHT = 320;
const LEFT = 74;
const RIGHT = 20;
const BOTTOM = HEIGHT - 44;
/** Between the axes and the first and last mark. */
const GAP = 24;
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 3;

type Axis = (value: number) => number;

export function drawLines(plot: Plot): string {
  const { series, ticks, scale } = plot;
  const isLogY = spansDecades(series);
  const yTicks = isLogY ? decades(series) : linearTicks(niceTop(highestOf(series)));
  const y = axisOf([yTicks[0]!, yTicks.at(-1)!], [BOTTOM, TOP], isLogY);
  const xs = ticks.map((tick) => tick.x);
  const ends = [Math.min(...xs), Math.max(...xs)] as const;
  const x = axisOf(ends, [LEFT + GAP, WIDTH - RIGHT - GAP], scale === 'log');
  const legendRows = Math.ceil(series.length / LEGEND_COLUMNS);
  return svg(HEIGHT + legendRows * LEGEND_ROW, [
    text(8, 18, `${plot.title}${isLogY ? '; logarithmic' : ''}`, 'start', 'bold'),
    ...yTicks.flatMap((value) => [
      line(LEFT, y(value), WIDTH - RIGHT, y(value), '#ddd'),
      text(LEFT - 8, y(value) + 4, tickText(value), 'end'),
    ]),
    ...ticks.flatMap((tick) => [
      line(x(tick.x), BOTTOM, x(tick.x), BOTTOM + 4, '#444'),
      text(x(tick.x), BOTTOM + 18, tick.name, 'middle'),
    ]),
    line(LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM, '#444'),
    line(LEFT, TOP, LEFT, BOTTOM, '#444'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.xTitle, 'middle'),
    ...series.flatMap(({ marks }, i) => drawSeries(marks, x, y, colour(i))),
    ...series.flatMap(({ name }, i) => drawLegend(name, i)),
  ]);
}

function drawSeries(marks: readonly Mark[], x: Axis, y: Axis, ink: string): string[] {
  const path = marks.map((mark) => `${fix(x(mark.x))},${fix(y(mark.y))}`).join(' ');
  return [
    `<polyline points="${path}" fill="none" stroke="${ink}" stroke-width="2"/>`,
    ...marks.flatMap((mark) => [
      line(x(mark.x), y(mark.lowest), x(mark.x), y(mark.highest), ink, 1.5),
      `<circle cx="${fix(x(mark.x))}" cy="${fix(y(mark.y))}" r="3.5" fill="${ink}"/>`,
    ]),
  ];
}

function drawLegend(name: string, index: number): string[] {
  const left = LEFT + (index % LEGEND_COLUMNS) * 185;
  const top = HEIGHT + 8 + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW;
  return [box(left, top - 9, 12, 10, colour(index)), text(left + 18, top, name, 'start')];
}

function axisOf(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
  isLog: boolean,
): Axis {
  const place = (value: number): number => (isLog ? Math.log10(Math.max(value, 1e-9)) : value);
  const span = place(to) - place(from) || 1;
  return (value) =>
    start + ((Math.max(place(value), place(from)) - place(from)) / span) * (end - start);
}

/** Where the largest figure is fifty times the smallest, equal steps hide the small ones. */
function spansDecades(series: readonly Series[]): boolean {
  const values = series.flatMap(({ marks }) => marks.map((mark) => mark.y));
  const least = Math.min(...values);
  return least > 0 && Math.max(...values) / least > 50;
}

function decades(series: readonly Series[]): number[] {
  const positive = series.flatMap(({ marks }) => marks.map((mark) => mark.y)).filter((y) => y > 0);
  const first = Math.floor(Math.log10(Math.min(...positive)));
  const last = Math.ceil(Math.log10(highestOf(series)));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
