// Sweeps over the size of a table.
import type { Point, Sweep } from './harness/scenario.ts';

export function tableSize(value: number): Point {
  return { name: value.toLocaleString('en').replaceAll(',', ' '), value };
}

export function sizeSweep(
  title: string,
  sizes: readonly number[],
  smallSize: number,
  scale: 'linear' | 'log' = 'log',
): Sweep {
  const smallPoints = [tableSize(smallSize)];
  return { title, scale, points: sizes.map(tableSize), smallPoints };
}
