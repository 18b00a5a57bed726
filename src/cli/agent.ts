// `rutter agent`: runs the agent until it is told to stop. SIGHUP reads the configuration again.
import { Command } from 'commander';
import type { Agent } from '../agent/agent.ts';
import { readConfigFile } from '../config/file.ts';
import { formatProblem } from '../config/problem.ts';
import type { Logger } from '../observe/log.ts';

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
    .addHelpText(
      'after',
      '\nSignals: SIGHUP reads the file again, SIGTERM and SIGINT stop the agent.',
    )
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
  const started = agent.start();
  const reloads = reloadOnSignal(agent, options.config, log, started);
  await started;
  log.info({ signal: await stopped }, 'stopping');
  await reloads.end();
  await agent.stop({ flush: options.flush === true });
}

/** SIGTERM and SIGINT stop the agent; a second one ends it at once. */
function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

/** One reload after the other. `end` waits for the last one; a later SIGHUP does nothing. */
function reloadOnSignal(
  agent: Agent,
  file: string,
  log: Logger,
  started: Promise<void>,
): { end(): Promise<void> } {
  let last = started.catch(() => undefined);
  let hasEnded = false;
  process.on('SIGHUP', () => {
    if (!hasEnded) last = last.then(() => reload(agent, file, log));
  });
  return {
    end() {
      hasEnded = true;
      return last;
    },
  };
}

/** A file with problems changes nothing. */
async function reload(agent: Agent, file: string, log: Logger): Promise<void> {
  const { config, problems } = await readConfigFile(file);
  if (config === undefined) {
    for (const problem of problems) log.error({ problem: formatProblem(problem) }, 'not reloaded');
    return;
  }
  await agent.reload(config).catch((error: Error) => {
    log.error({ reason: error.message }, 'not reloaded');
  });
}
