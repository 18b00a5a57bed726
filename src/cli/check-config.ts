// `rutter check-config`: the whole effective configuration, or everything that is wrong with it.
import { Command } from 'commander';
import { configJsonSchema, effectiveConfig } from '../config/effective.ts';
import { readConfigFile } from '../config/file.ts';
import { followedTables } from '../config/followed-tables.ts';
import { formatProblem } from '../config/problem.ts';

/** Bad usage or configuration. */
const EXIT_BAD_CONFIG = 2;

export function checkConfigCommand(): Command {
  return new Command('check-config')
    .description('print the whole effective configuration, or all its problems')
    .argument('[file]', 'configuration file (YAML)')
    .option('--schema', 'print the JSON Schema of the file instead')
    .action(checkConfig);
}

async function checkConfig(
  file: string | undefined,
  { schema }: { readonly schema?: true },
  command: Command,
): Promise<void> {
  if (schema) {
    process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    return;
  }
  if (file === undefined) command.error("error: missing required argument 'file'");
  const { config, problems } = await readConfigFile(file);
  if (config !== undefined) {
    process.stdout.write(effectiveConfig(config));
    for (const { name, network } of followedTables(config)) {
      process.stderr.write(`${file}: network ${network} follows ${name}, and does not write it\n`);
    }
    return;
  }
  for (const problem of problems) process.stderr.write(`${file}: ${formatProblem(problem)}\n`);
  process.exitCode = EXIT_BAD_CONFIG;
}
