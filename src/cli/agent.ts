// `rutter agent`: runs the agent until it is told to stop.
import { Command } from 'commander';
import { readConfigFile } from '../config/file.ts';
import { formatProblem } from '../config/problem.ts';

interface AgentCommandOptions {
  readonly config: string;
  readonly dryRun?: true;
  readonly flush?: true;
}

export function agentCommand(): Command {
  return new Command('agent')
    .description('run: speak BGP, learn, program OVN and the host, announce')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--dry-run', 'program nothing; `routes --stage fib` says what would be')
    .option('--flush', 'remove every route of ours when stopping (otherwise they stay)')
    .action(run);
}

async function run(options: AgentCommandOptions): Promise<void> {
  const { config, problems } = await readConfigFile(options.config);
  if (config === undefined) {
    for (const problem of problems) {
      process.stderr.write(`${options.config}: ${formatProblem(problem)}\n`);
    }
    process.exitCode = 2;
    return;
  }
  const [{ Agent }, { createLog }] = await Promise.all([
    import('../agent/agent.ts'),
    import('../observe/log.ts'),
  ]);
  const log = createLog(config.log.level);
  const agent = await Agent.create({ config, log, dryRun: options.dryRun === true });
  const stopped = untilSignal();
  await agent.start();
  log.info({ signal: await stopped }, 'stopping');
  await agent.stop({ flush: options.flush === true });
}

/** SIGTERM and SIGINT stop the agent; a second one ends it at once. */
function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
