// Which points of a sweep are measured: all of them, the small ones, or those that were asked for by name or value. Pure.
import type { Point, Scenario, Sweep } from './scenario.ts';

/** Where a scenario without a sweep is measured. */
const ONLY_POINT: Point = { name: '', value: 0 };

export interface PointChoice {
  /** A quick look. */
  readonly isSmall?: boolean;
  /** Names or values, in lower case; a small size can be asked for in a full run and a full one in a quick look. */
  readonly at?: readonly string[];
}

export function choosePoints(
  sweep: Sweep | undefined,
  { isSmall = false, at }: PointChoice,
): readonly Point[] {
  if (sweep === undefined) return [ONLY_POINT];
  if (at === undefined) return isSmall ? sweep.smallPoints : sweep.points;
  return allPoints(sweep).filter((point) => at.some((wanted) => isCalled(point, wanted)));
}

/** What was asked for and is no point of any of the scenarios. */
export function unknownPoints(
  scenarios: readonly Scenario[],
  at: readonly string[],
): readonly string[] {
  const points = pointsOf(scenarios);
  return at.filter((wanted) => !points.some((point) => isCalled(point, wanted)));
}

/** What can be asked for: names of the points, each once. */
export function pointNames(scenarios: readonly Scenario[]): readonly string[] {
  return [...new Set(pointsOf(scenarios).map(({ name }) => name))];
}

function pointsOf(scenarios: readonly Scenario[]): Point[] {
  return scenarios.flatMap(({ sweep }) => (sweep ? allPoints(sweep) : []));
}

function allPoints({ points, smallPoints }: Sweep): Point[] {
  const byName = new Map([...points, ...smallPoints].map((point) => [point.name, point]));
  return [...byName.values()];
}

function isCalled({ name, value }: Point, wanted: string): boolean {
  return name.toLowerCase() === wanted || String(value) === wanted;
}
