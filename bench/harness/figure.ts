// Figures as people read them.
import type { Metric } from './scenario.ts';

export function formatFigure(value: number, unit: Metric['unit']): string {
  if (unit !== 'count') return `${round(value)} ${unit}`;
  return Number.isInteger(value) && Math.abs(value) < 100 ? String(value) : round(value);
}

/** Three significant digits, or whole numbers with their thousands apart. */
export function round(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) < 100) return value.toPrecision(3);
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}
