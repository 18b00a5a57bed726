// Runs scenarios one after the other and prints as it goes. Figures are shown, never judged by an exit code.
import { describeMachine, formatMachine } from './machine.ts';
import { choosePoints } from './points.ts';
import {
  type BenchResult,
  type ContestantResult,
  judgeGoals,
  type MeasuredResult,
  SCHEMA,
  type ScenarioResult,
} from './result.ts';
import {
  type Contestant,
  FOREIGN_CPU,
  type Point,
  type RunOptions,
  type Sample,
  type Scenario,
} from './scenario.ts';
import { formatMeasured } from './text.ts';
import { productVersion } from './version.ts';

export interface BenchOptions {
  /** A quick look instead of the real sizes. */
  readonly isSmall?: boolean;
  /** Instead of each scenario's own sizes. */
  readonly routes?: number;
  readonly repeats?: number;
  /** Only these points of a sweep, by name in lower case or by value. */
  readonly at?: readonly string[];
  /** Only these contestants, by name in lower case. */
  readonly only?: readonly string[];
  readonly print: (line: string) => void;
}

export async function runScenarios(
  scenarios: readonly Scenario[],
  options: BenchOptions,
): Promise<BenchResult> {
  const startedAt = new Date();
  const machine = describeMachine();
  const version = productVersion();
  options.print(formatMachine(machine));
  options.print(`product: ${version}`);
  if (options.isSmall) options.print('a quick look at small sizes: no goal is judged');
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    options.print('');
    options.print(`${scenario.name}: ${scenario.question}`);
    results.push(await runScenario(scenario, options));
  }
  const seconds = (Date.now() - startedAt.getTime()) / 1000;
  options.print('');
  options.print(`done in ${seconds.toFixed(0)} s`);
  return {
    schema: SCHEMA,
    isSmall: options.isSmall ?? false,
    machine,
    version,
    startedAt: startedAt.toISOString(),
    seconds,
    scenarios: results,
  };
}

async function runScenario(scenario: Scenario, options: BenchOptions): Promise<ScenarioResult> {
  const { name, question } = scenario;
  const points = choosePoints(scenario.sweep, options);
  const isElsewhere = points.length === 0 && scenario.obstacle() === undefined;
  const obstacle = isElsewhere ? 'has none of the points asked for' : scenario.obstacle();
  if (obstacle !== undefined) {
    options.print(`  left out: ${obstacle}`);
    return { name, question, skipped: obstacle };
  }
  return measureScenario(scenario, points, options);
}

async function measureScenario(
  scenario: Scenario,
  points: readonly Point[],
  options: BenchOptions,
): Promise<MeasuredResult> {
  const { print, isSmall = false } = options;
  const { name, question, sweep, goals } = scenario;
  const routes = options.routes ?? (isSmall ? scenario.smallRoutes : scenario.routes);
  const repeats = options.repeats ?? (isSmall ? 1 : scenario.repeats);
  const startedAt = performance.now();
  const isWarmedUp = !isSmall && scenario.warmUpShare > 0;
  const warmUpRoutes = Math.floor(routes * scenario.warmUpShare);
  const warmUp = isWarmedUp
    ? `one run${warmUpRoutes > 0 ? ` of ${warmUpRoutes} routes` : ''} each`
    : 'none';
  const input = scenario.input(routes, isSmall);
  print(`  input: ${input}`);
  print(`  warm-up: ${warmUp}; repeats: ${repeats}, median (lowest–highest)`);

  const { entrants, leftOut } = await whoTakesPart(scenario, options.only);
  const [point] = points;
  if (isWarmedUp && point !== undefined) {
    const easy = { routes: warmUpRoutes, point, isSmall: true };
    for (const entrant of entrants) await entrant.warmUp(easy);
  }
  for (let round = 0; round < repeats; round++) {
    for (const point of points) {
      // one of each after the other, so that a noisy minute hits all alike
      for (const entrant of entrants) await entrant.measure(round, { routes, point, isSmall });
    }
  }
  const result: MeasuredResult = {
    name,
    question,
    input,
    routes,
    warmUp,
    repeats,
    metrics: [...scenario.metrics, FOREIGN_CPU],
    ...(sweep ? { sweep: { title: sweep.title, scale: sweep.scale } } : {}),
    points: points.map((point) => {
      const contestants = entrants.map((entrant) => entrant.result(point));
      // goals speak of the full sizes
      const here = isSmall ? [] : goals.filter(({ at }) => at === undefined || at === point.name);
      return { point, contestants, goals: judgeGoals(here, contestants) };
    }),
    leftOut,
    seconds: (performance.now() - startedAt) / 1000,
  };
  for (const line of formatMeasured(result)) print(line);
  print(`  took ${result.seconds.toFixed(0)} s`);
  return result;
}

/** A contestant's runs so far. A failure ends its part at that point, not its part at others, nor anybody else's. */
class Entrant {
  readonly #contestant: Contestant;
  readonly #version: string;
  readonly #samples = new Map<Point, Sample[]>();
  readonly #failures = new Map<Point, string>();

  constructor(contestant: Contestant, version: string) {
    this.#contestant = contestant;
    this.#version = version;
  }

  async warmUp(options: RunOptions): Promise<void> {
    await this.#attempt(options);
  }

  async measure(round: number, options: RunOptions): Promise<void> {
    if (round >= (this.#contestant.maxRepeats ?? Number.POSITIVE_INFINITY)) return;
    const sample = await this.#attempt(options);
    if (sample === undefined) return;
    const samples = this.#samples.get(options.point) ?? [];
    this.#samples.set(options.point, [...samples, sample]);
  }

  async #attempt(options: RunOptions): Promise<Sample | undefined> {
    if (this.#failures.has(options.point)) return undefined;
    try {
      return await this.#contestant.run(options);
    } catch (error) {
      this.#failures.set(options.point, messageOf(error));
      return undefined;
    }
  }

  result(point: Point): ContestantResult {
    const { name } = this.#contestant;
    const samples = this.#samples.get(point) ?? [];
    const failure = this.#failures.get(point);
    const result = { name, version: this.#version, samples };
    return failure === undefined ? result : { ...result, failure };
  }
}

async function whoTakesPart(
  scenario: Scenario,
  only: readonly string[] | undefined,
): Promise<{ entrants: Entrant[]; leftOut: string[] }> {
  const entrants: Entrant[] = [];
  const leftOut: string[] = [];
  for (const contestant of scenario.contestants) {
    if (only && !only.includes(contestant.name.toLowerCase())) continue;
    const version = await contestant.version();
    if (version === undefined) leftOut.push(`${contestant.name}: not installed (bench/setup)`);
    else entrants.push(new Entrant(contestant, version));
  }
  return { entrants, leftOut };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
