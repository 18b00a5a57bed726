// `rutter bench`: the benchmark harness of bench/, with the same machine, input and peers in one run.
import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';

interface BenchFlags {
  readonly routes?: number;
  readonly repeats?: number;
  readonly only?: readonly string[];
  readonly json?: string;
  readonly list?: true;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure Rutter beside its peers on the same input')
    .argument('[name]', 'one scenario; all of them without a name')
    .option('--routes <n>', "routes in the feed, instead of each scenario's own", parseCount)
    .option('--repeats <n>', 'measured runs of each', parseCount)
    .option('--only <names>', 'only these contestants, comma-separated', parseNames)
    .option('--json <file>', 'write the results there as well')
    .option('--list', 'the scenarios and their questions')
    .action(runBench);
}

async function runBench(
  name: string | undefined,
  flags: BenchFlags,
  command: Command,
): Promise<void> {
  // loaded only here: no other command pays for it
  const { scenarios } = await import('../../bench/scenarios.ts');
  const chosen = scenarios.filter((scenario) => name === undefined || scenario.name === name);
  if (chosen.length === 0) {
    const known = scenarios.map((scenario) => scenario.name).join(', ');
    command.error(`error: scenario ${name}, expected one of ${known}`);
  }
  if (flags.list) {
    for (const scenario of chosen) console.log(`${scenario.name.padEnd(14)}${scenario.question}`);
    return;
  }
  const { runScenarios } = await import('../../bench/harness/run.ts');
  const { json, list: _list, ...options } = flags;
  const report = await runScenarios(chosen, { ...options, print: (line) => console.log(line) });
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 up');
  return Number(text);
}

function parseNames(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim().toLowerCase());
}
