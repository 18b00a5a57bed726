#!/usr/bin/env node
// The executable: reads the command line, runs one command, sets the exit code.
//
// Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 differences found.
import { Command, CommanderError } from 'commander';
import { agentCommand } from './cli/agent.ts';
import { benchCommand } from './cli/bench.ts';
import { checkConfigCommand } from './cli/check-config.ts';
import { completionCommand } from './cli/completion.ts';
import { decodeCommand } from './cli/decode.ts';
import { driftCommand } from './cli/drift.ts';
import { explainCommand } from './cli/explain.ts';
import { reportFailure } from './cli/failure.ts';
import { labCommand } from './cli/lab.ts';
import { lookupCommand } from './cli/lookup.ts';
import { networksCommand } from './cli/networks.ts';
import { flushCommand, releaseCommand } from './cli/operate.ts';
import { policyCommand } from './cli/policy.ts';
import { replayCommand } from './cli/replay.ts';
import { routesCommand } from './cli/routes.ts';
import { peersCommand, statusCommand } from './cli/status.ts';
import { verifyCommand } from './cli/verify.ts';
import { packageVersion } from './cli/version.ts';

const USAGE_ERROR = 2;

const program = new Command('rutter')
  .description('node-local BGP route agent for OVN')
  .version(packageVersion())
  .exitOverride()
  .showSuggestionAfterError()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'rutter: ')) });

for (const command of [
  agentCommand(),
  checkConfigCommand(),
  statusCommand(),
  peersCommand(),
  networksCommand(),
  routesCommand(),
  lookupCommand(),
  explainCommand(),
  policyCommand(),
  driftCommand(),
  verifyCommand(),
  flushCommand(),
  releaseCommand(),
  decodeCommand(),
  replayCommand(),
  labCommand(),
  benchCommand(),
]) {
  program.addCommand(command);
}
program.addCommand(completionCommand(program));
inheritSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR;
  } else {
    process.exitCode = reportFailure(error);
  }
}

/** Down to the last subcommand: a wrong use of any ends with the same words and code. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}
