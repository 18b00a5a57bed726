// `rutter bench`: the benchmark harness of bench/, with the same machine, input and peers in one run.
import { Command, InvalidArgumentError, Option } from 'commander';

interface BenchFlags {
  readonly routes?: number;
  readonly repeats?: number;
  readonly at?: readonly string[];
  readonly only?: readonly string[];
  readonly out: string;
  readonly output: 'text' | 'json';
  readonly small?: true;
  readonly list?: true;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure Rutter beside its peers on the same input')
    .argument('[names...]', 'scenarios; all of them without a name')
    .option('--routes <n>', "routes in the feed, instead of each scenario's own", parseCount)
    .option('--repeats <n>', 'measured runs of each', parseCount)
    .option('--only <names>', 'only these contestants, comma-separated', parseNames)
    .option(
      '--at <points>',
      'only these points of a sweep, comma-separated: names as the report prints them, or sizes and rates',
      parseNames,
    )
    .option('--small', 'a quick look at small sizes')
    .option(
      '--out <dir>',
      'where result.json and report.html go, in a folder per run',
      'build/bench',
    )
    .addOption(
      new Option('-o, --output <format>', 'what goes to standard output')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('--list', 'the scenarios and their questions')
    .action(runBench);
}

async function runBench(
  names: readonly string[],
  flags: BenchFlags,
  command: Command,
): Promise<void> {
  // loaded only here: no other command pays for it
  const { scenarios } = await import('../../bench/scenarios.ts');
  for (const name of names) {
    if (scenarios.some((scenario) => scenario.name === name)) continue;
    const known = scenarios.map((scenario) => scenario.name).join(', ');
    command.error(`error: scenario ${name}, expected one of ${known}`);
  }
  const chosen = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
  if (flags.list) {
    for (const scenario of chosen) console.log(`${scenario.name.padEnd(18)}${scenario.question}`);
    return;
  }
  const { pointNames, unknownPoints } = await import('../../bench/harness/points.ts');
  for (const point of unknownPoints(chosen, flags.at ?? [])) {
    command.error(`error: point ${point}, expected one of ${pointNames(chosen).join(', ')}`);
  }
  const { runScenarios } = await import('../../bench/harness/run.ts');
  const { writeResult } = await import('../../bench/harness/write.ts');
  const { out, output, small = false, list: _list, ...options } = flags;
  // With JSON on standard output, what happens meanwhile is told on standard error.
  const print = (line: string): void =>
    output === 'json' ? console.error(line) : console.log(line);
  const result = await runScenarios(chosen, { ...options, isSmall: small, print });
  const [json, report] = await writeResult(result, out);
  print(`${report} and ${json}`);
  if (output === 'json') console.log(JSON.stringify(result, undefined, 2));
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 up');
  return Number(text);
}

function parseNames(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim().toLowerCase());
}
