// Results → SVG: bars with their spread for one point, lines for a sweep. Pure; axes, units and a legend, and no script.
import { round } from './figure.ts';

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
  readonly title: string;
  /** Of the vertical axis. */
  readonly unit: string;
  readonly xTitle: string;
  readonly scale: 'linear' | 'log' | 'names';
  /** Ticks of the horizontal axis. */
  readonly ticks: readonly { readonly x: number; readonly name: string }[];
  readonly series: readonly Series[];
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 74;
const RIGHT = 20;
const TOP = 34;
const LEGEND_ROW = 18;
/** Distinguishable with any kind of sight (Okabe, Ito), dark enough on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8a6d00', '#3a9bd0', '#444444'];

export function drawPlot(plot: Plot): string {
  return plot.ticks.length > 1 ? drawLines(plot) : drawBars(plot);
}

/** One horizontal bar per contestant, a thin line from its lowest to its highest figure. */
function drawBars({ title, unit, series }: Plot): string {
  const row = 30;
  const left = 150;
  const height = TOP + series.length * row + 40;
  const most = niceTop(Math.max(...highs(series)));
  const x = (value: number) => left + (value / most) * (WIDTH - left - 80);
  const bars = series.flatMap(({ name, marks }, i) => {
    const [mark] = marks;
    const y = TOP + i * row;
    const label = text(left - 8, y + 16, name, 'end');
    if (mark === undefined) return [label, text(left + 6, y + 16, 'not measured', 'start')];
    const spread = Math.max(x(mark.highest), x(mark.y));
    return [
      label,
      `<rect x="${left}" y="${y + 4}" width="${fix(x(mark.y) - left)}" height="${row - 12}" fill="${colour(i)}"/>`,
      line(x(mark.lowest), y + 13, x(mark.highest), y + 13, '#000', 1.5),
      text(spread + 6, y + 17, round(mark.y), 'start'),
    ];
  });
  const axisY = TOP + series.length * row + 4;
  const axis = linearTicks(most).flatMap((value) => [
    line(x(value), TOP, x(value), axisY, '#ddd'),
    text(x(value), axisY + 16, round(value), 'middle'),
  ]);
  return svg(height, [
    text(left, 18, `${title}, ${unit}`, 'start', 'bold'),
    ...axis,
    ...bars,
    line(left, TOP, left, axisY, '#444'),
  ]);
}

function drawLines(plot: Plot): string {
  const { series, ticks, scale } = plot;
  const legendRows = Math.ceil(series.length / 3);
  const isCrowded = ticks.reduce((sum, { name }) => sum + name.length, 0) > 80;
  const bottom = HEIGHT - (isCrowded ? 130 : 44);
  const height = HEIGHT + legendRows * LEGEND_ROW;
  const isLogY = spansDecades(series);
  const yTicks = isLogY ? decades(series) : linearTicks(niceTop(Math.max(...highs(series))));
  const y = axisOf(yTicks[0]!, yTicks.at(-1)!, bottom, TOP, isLogY);
  const xs = ticks.map((tick) => tick.x);
  const gap = 24; // to the axis
  const x = axisOf(
    Math.min(...xs),
    Math.max(...xs),
    LEFT + gap,
    WIDTH - RIGHT - gap,
    scale === 'log',
  );
  return svg(height, [
    text(LEFT, 18, `${plot.title}, ${plot.unit}${isLogY ? ' (logarithmic)' : ''}`, 'start', 'bold'),
    ...yTicks.flatMap((value) => [
      line(LEFT, y(value), WIDTH - RIGHT, y(value), '#ddd'),
      text(LEFT - 8, y(value) + 4, round(value), 'end'),
    ]),
    ...ticks.flatMap((tick) => [
      line(x(tick.x), bottom, x(tick.x), bottom + 4, '#444'),
      isCrowded
        ? slanted(x(tick.x), bottom + 14, tick.name)
        : text(x(tick.x), bottom + 18, tick.name, 'middle'),
    ]),
    line(LEFT, bottom, WIDTH - RIGHT, bottom, '#444'),
    line(LEFT, TOP, LEFT, bottom, '#444'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.xTitle, 'middle'),
    ...series.flatMap(({ marks }, i) => drawSeries(marks, x, y, colour(i), scale !== 'names')),
    ...series.flatMap(({ name }, i) => {
      const [left, top] = [LEFT + (i % 3) * 185, HEIGHT + 8 + Math.floor(i / 3) * LEGEND_ROW];
      return [
        `<rect x="${left}" y="${top - 9}" width="12" height="10" fill="${colour(i)}"/>`,
        text(left + 18, top, name, 'start'),
      ];
    }),
  ]);
}

function drawSeries(
  marks: readonly Mark[],
  x: (value: number) => number,
  y: (value: number) => number,
  ink: string,
  isJoined: boolean,
): string[] {
  const path = marks.map((mark) => `${fix(x(mark.x))},${fix(y(mark.y))}`).join(' ');
  return [
    ...(isJoined
      ? [`<polyline points="${path}" fill="none" stroke="${ink}" stroke-width="2"/>`]
      : []),
    ...marks.flatMap((mark) => [
      line(x(mark.x), y(mark.lowest), x(mark.x), y(mark.highest), ink, 1.5),
      `<circle cx="${fix(x(mark.x))}" cy="${fix(y(mark.y))}" r="3.5" fill="${ink}"/>`,
    ]),
  ];
}

// ---- scales ----

function axisOf(
  from: number,
  to: number,
  start: number,
  end: number,
  isLog: boolean,
): (value: number) => number {
  const place = (value: number) => (isLog ? Math.log10(Math.max(value, 1e-9)) : value);
  const span = place(to) - place(from) || 1;
  return (value) =>
    start + ((Math.max(place(value), place(from)) - place(from)) / span) * (end - start);
}

function highs(series: readonly Series[]): number[] {
  return [1e-9, ...series.flatMap(({ marks }) => marks.map(({ highest }) => highest))];
}

/** From 0 in a handful of round steps. */
function linearTicks(most: number): number[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => part * most);
}

/** 1, 2, 4 or 8 times a power of ten: quarters of it are round. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8].find((step) => step * power >= value) ?? 10);
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
  const last = Math.ceil(Math.log10(Math.max(...highs(series))));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

// ---- marks on the sheet ----

function svg(height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: string, weight = 'normal'): string {
  return `<text x="${fix(x)}" y="${fix(y)}" text-anchor="${anchor}" font-weight="${weight}">${escapeMarkup(content)}</text>`;
}

/** Long names of many ticks, one beside the other. */
function slanted(x: number, y: number, content: string): string {
  const place = `${fix(x)} ${fix(y)}`;
  return `<text transform="translate(${place}) rotate(-35)" text-anchor="end" font-size="9">${escapeMarkup(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, ink: string, width = 1): string {
  return `<line x1="${fix(x1)}" y1="${fix(y1)}" x2="${fix(x2)}" y2="${fix(y2)}" stroke="${ink}" stroke-width="${width}"/>`;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function fix(value: number): string {
  return value.toFixed(1);
}

export function escapeMarkup(content: string): string {
  return content
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
