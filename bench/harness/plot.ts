// Results → SVG: bars with their spread for one point or named ones, lines over numbers. Pure; axes, units and a legend, and no script.
import { drawBars } from './plot-bars.ts';
import { drawLines } from './plot-lines.ts';
import type { Plot } from './series.ts';

export function drawPlot(plot: Plot): string {
  return plot.ticks.length > 1 && plot.scale !== 'names' ? drawLines(plot) : drawBars(plot);
}
