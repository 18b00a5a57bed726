// SVG's few marks that plots are made of: text, lines, rectangles, colours, and round numbers for axes. Pure.
import { round } from './figure.ts';

export const WIDTH = 640;
/** Above it is the title. */
export const TOP = 34;

/** Distinguishable with any kind of sight (Okabe, Ito), dark enough on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8a6d00', '#3a9bd0', '#444444'];

export function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

export function svg(height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
  ].join('\n');
}

export function text(
  x: number,
  y: number,
  content: string,
  anchor: string,
  weight = 'normal',
): string {
  return `<text x="${fix(x)}" y="${fix(y)}" text-anchor="${anchor}" font-weight="${weight}">${escapeMarkup(content)}</text>`;
}

export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  ink: string,
  width = 1,
): string {
  return `<line x1="${fix(x1)}" y1="${fix(y1)}" x2="${fix(x2)}" y2="${fix(y2)}" stroke="${ink}" stroke-width="${width}"/>`;
}

export function box(x: number, y: number, width: number, height: number, ink: string): string {
  return `<rect x="${fix(x)}" y="${fix(y)}" width="${fix(width)}" height="${fix(height)}" fill="${ink}"/>`;
}

export function fix(value: number): string {
  return value.toFixed(1);
}

/** As on an axis: 1 and not 1.00. */
export function tickText(value: number): string {
  return Math.abs(value) < 100 ? String(Number(value.toPrecision(3))) : round(value);
}

/** From 0 in a handful of round steps. */
export function linearTicks(most: number): number[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => part * most);
}

/** 1, 2, 4 or 8 times a power of ten: quarters of it are round. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8].find((step) => step * power >= value) ?? 10);
}

export function escapeMarkup(content: string): string {
  return content
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
