// Runs scenarios one after the other and prints as it goes. Figures are shown, never judged by an exit code.
import { watchForeignCpu } from './cpu.ts';
import { describeMachine, formatMachine } from './machine.ts';
import {
  type BenchReport,
  type ComparisonResult,
  type ContestantResult,
  formatComparison,
  judgeGoals,
  type StandaloneResult,
} from './report.ts';
import {
  type Comparison,
  type Contestant,
  FOREIGN_CPU,
  type Sample,
  type Scenario,
  type Standalone,
} from './scenario.ts';

export interface BenchOptions {
  /** Instead of each scenario's own sizes. */
  readonly routes?: number;
  readonly repeats?: number;
  /** Only these contestants, by name in lower case. */
  readonly only?: readonly string[];
  readonly print: (line: string) => void;
}

export async function runScenarios(
  scenarios: readonly Scenario[],
  options: BenchOptions,
): Promise<BenchReport> {
  const startedAt = new Date();
  const machine = describeMachine();
  options.print(formatMachine(machine));
  const results: BenchReport['scenarios'][number][] = [];
  for (const scenario of scenarios) {
    options.print('');
    options.print(`${scenario.name}: ${scenario.question}`);
    results.push(await runScenario(scenario, options));
  }
  const seconds = (Date.now() - startedAt.getTime()) / 1000;
  options.print('');
  options.print(`done in ${seconds.toFixed(0)} s`);
  return { machine, startedAt: startedAt.toISOString(), seconds, scenarios: results };
}

async function runScenario(
  scenario: Scenario,
  options: BenchOptions,
): Promise<BenchReport['scenarios'][number]> {
  if (scenario.kind === 'standalone') return runStandalone(scenario, options);
  const obstacle = scenario.obstacle();
  if (obstacle !== undefined) {
    options.print(`  left out: ${obstacle}`);
    return { name: scenario.name, skipped: obstacle };
  }
  return runComparison(scenario, options);
}

async function runStandalone(
  { name, question, run }: Standalone,
  { print }: BenchOptions,
): Promise<StandaloneResult> {
  const foreign = watchForeignCpu();
  const lines: string[] = [];
  const printLine = (line: string): void => {
    lines.push(line);
    print(`  ${line}`);
  };
  try {
    await run(printLine);
  } catch (error) {
    printLine(`failed: ${messageOf(error)}`);
  }
  const foreignCores = foreign();
  print(`  CPU used by others meanwhile: ${foreignCores.toFixed(2)} cores`);
  return { name, question, foreignCores, lines };
}

async function runComparison(
  scenario: Comparison,
  options: BenchOptions,
): Promise<ComparisonResult> {
  const { print } = options;
  const routes = options.routes ?? scenario.routes;
  const repeats = options.repeats ?? scenario.repeats;
  const warmUpRoutes = Math.floor(routes * scenario.warmUpShare);
  const warmUp = warmUpRoutes > 0 ? `one run of ${warmUpRoutes} routes each` : 'none';
  const input = scenario.input(routes);
  print(`  input: ${input}`);
  print(`  warm-up: ${warmUp}; repeats: ${repeats}, median (lowest–highest)`);

  const { entrants, leftOut } = await whoTakesPart(scenario, options.only);
  if (warmUpRoutes > 0) await everybody(entrants, (entrant) => entrant.warmUp(warmUpRoutes));
  for (let round = 0; round < repeats; round++) {
    // one of each per round, so that a noisy minute hits all alike
    await everybody(entrants, (entrant) => entrant.measure(round, routes));
  }
  const contestants = entrants.map((entrant) => entrant.result());
  const result: ComparisonResult = {
    name: scenario.name,
    question: scenario.question,
    input,
    routes,
    warmUp,
    repeats,
    contestants,
    leftOut,
    goals: judgeGoals(scenario.goals, contestants),
  };
  for (const line of formatComparison(result, [...scenario.metrics, FOREIGN_CPU])) print(line);
  return result;
}

async function everybody(
  entrants: readonly Entrant[],
  act: (entrant: Entrant) => Promise<void>,
): Promise<void> {
  for (const entrant of entrants) await act(entrant);
}

/** A contestant's runs so far. One failure ends its part, not the others'. */
class Entrant {
  readonly #contestant: Contestant;
  readonly #version: string;
  readonly #samples: Sample[] = [];
  #failure: string | undefined;

  constructor(contestant: Contestant, version: string) {
    this.#contestant = contestant;
    this.#version = version;
  }

  async warmUp(routes: number): Promise<void> {
    await this.#attempt(routes);
  }

  async measure(round: number, routes: number): Promise<void> {
    if (round >= (this.#contestant.maxRepeats ?? Number.POSITIVE_INFINITY)) return;
    const sample = await this.#attempt(routes);
    if (sample) this.#samples.push(sample);
  }

  async #attempt(routes: number): Promise<Sample | undefined> {
    if (this.#failure !== undefined) return undefined;
    try {
      return await this.#contestant.run({ routes });
    } catch (error) {
      this.#failure = messageOf(error);
      return undefined;
    }
  }

  result(): ContestantResult {
    const { name } = this.#contestant;
    const result = { name, version: this.#version, samples: this.#samples };
    return this.#failure === undefined ? result : { ...result, failure: this.#failure };
  }
}

async function whoTakesPart(
  scenario: Comparison,
  only: readonly string[] | undefined,
): Promise<{ entrants: Entrant[]; leftOut: string[] }> {
  const entrants: Entrant[] = [];
  const leftOut: string[] = [];
  for (const contestant of scenario.contestants) {
    if (only && !only.includes(contestant.name.toLowerCase())) continue;
    const version = await contestant.version();
    if (version === undefined) leftOut.push(`${contestant.name}: not installed`);
    else entrants.push(new Entrant(contestant, version));
  }
  return { entrants, leftOut };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
