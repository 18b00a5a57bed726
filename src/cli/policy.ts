// `rutter policy test`: tries a policy on the examples written beside it. Needs no agent.
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { readConfigFile } from '../config/file.ts';
import { formatProblem } from '../config/problem.ts';
import { loadCore } from '../core/core.ts';
import { clauseLine } from './explain.ts';
import { type OutputFormat, outputOption, printList } from './output.ts';
import { type ExampleResult, readExamples, tryExamples } from './policy-examples.ts';

const BAD_USAGE = 2;
const DIFFERENCES_FOUND = 3;

interface PolicyTestOptions {
  readonly config: string;
  readonly output: OutputFormat;
}

export function policyCommand(): Command {
  const policy = new Command('policy').description('policies without an agent');
  policy
    .command('test')
    .description('try policies on examples; exit code 3 where one does something else')
    .argument('<file>', 'YAML: tests, each with a policy, a route and what is expected')
    .requiredOption('--config <file>', 'the configuration that has the policies')
    .addOption(outputOption())
    .action(test);
  return policy;
}

async function test(file: string, { config: path, output }: PolicyTestOptions): Promise<void> {
  const { config, problems } = await readConfigFile(path);
  if (config === undefined) {
    for (const problem of problems) process.stderr.write(`${path}: ${formatProblem(problem)}\n`);
    process.exitCode = BAD_USAGE;
    return;
  }
  const yaml = await readFile(file, 'utf8');
  const results = await tryFile(yaml, file, config);
  if (results === undefined) return;
  if (output === 'table') for (const result of results) process.stdout.write(resultText(result));
  else await printList(results, listing, output);
  if (results.some(({ passed }) => !passed)) process.exitCode = DIFFERENCES_FOUND;
}

/** Undefined, with the exit code set, when the examples cannot be read. */
async function tryFile(
  yaml: string,
  file: string,
  config: Parameters<typeof tryExamples>[1],
): Promise<readonly ExampleResult[] | undefined> {
  try {
    const examples = readExamples(yaml);
    return tryExamples(await loadCore({ maximumBytes: 64 << 20 }), config, examples);
  } catch (error) {
    process.stderr.write(`${file}: ${(error as Error).message}\n`);
    process.exitCode = BAD_USAGE;
    return undefined;
  }
}

const listing = {
  columns: [],
  fields: ['example', 'policy', 'passed', 'differences'] as const,
};

function resultText({ example, policy, passed, differences, clauses }: ExampleResult): string {
  const heading = `${passed ? 'ok  ' : 'FAIL'}  ${policy}: ${example}`;
  if (passed) return `${heading}\n`;
  const lines = [
    heading,
    ...differences.map(
      ({ field, expected, seen }) => `      ${field}: expected ${expected}, seen ${seen}`,
    ),
    ...clauses.map((clause) => `  ${clauseLine(clause)}`),
  ];
  return `${lines.join('\n')}\n`;
}
