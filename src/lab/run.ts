// What the two kinds of lab share: an agent that is up, a look at what it learned, and the way down.
import { readFile, rm } from 'node:fs/promises';
import type { LabRecord } from './lab-record.ts';
import type { RunningProcess } from './processes.ts';
import { rutterWords } from './rutter.ts';
import type { Steps } from './steps.ts';

export interface LabRun {
  readonly name: string;
  /** End after the checks instead of waiting for Ctrl-C. */
  readonly once: boolean;
  /** Bringing up: no step begins once `stopped` has fired. */
  readonly steps: Steps;
  /** Cleaning up: always goes to its end. */
  readonly cleaningSteps: Steps;
  /** Fires at Ctrl-C or SIGTERM. */
  readonly stopped: AbortSignal;
}

/** Runs `bringUp` with a stack that it puts every part on; takes everything down again whatever happens. */
export async function runAndCleanUp(
  run: LabRun,
  record: LabRecord,
  bringUp: (cleanup: AsyncDisposableStack) => Promise<boolean>,
): Promise<boolean> {
  const cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(record.directory, { recursive: true, force: true }));
  try {
    return await bringUp(cleanup);
  } catch (error) {
    if (!run.stopped.aborted) throw error;
    run.steps.say('  stopped before everything was up');
    return false;
  } finally {
    run.cleaningSteps.say('');
    await run.cleaningSteps.run('clean-up', () => cleanup.disposeAsync());
  }
}

/** Waits for Ctrl-C; says so when the agent ends before that. */
export async function stayUp(run: LabRun, agent: RunningProcess): Promise<void> {
  run.steps.say('\n  The lab stays up until Ctrl-C.\n');
  const interrupted = new Promise<void>((resolve) => {
    if (run.stopped.aborted) resolve();
    run.stopped.addEventListener('abort', () => resolve(), { once: true });
  });
  // A signal listener alone does not keep the process running.
  const alive = setInterval(() => undefined, 60_000);
  const ended = agent.ended.then((result) => {
    if (!run.stopped.aborted) run.steps.say(`  the agent ended with ${result}`);
  });
  try {
    await Promise.race([interrupted, ended.then(() => interrupted)]);
  } finally {
    clearInterval(alive);
  }
}

/** The end of the agent's log, for a check that failed. */
export async function quoteAgentLog(steps: Steps, agent: RunningProcess): Promise<void> {
  const text = await readFile(agent.outputFile, 'utf8');
  steps.say("\n  The agent's last words:");
  steps.quote(text.trimEnd().split('\n').slice(-15).join('\n'));
}

/** Commands for a person to go on with: what it does, and what to type. */
export function sayCommands(steps: Steps, rows: readonly (readonly [string, string])[]): void {
  steps.say('\n  Try next, in another terminal:');
  for (const [purpose, command] of rows) steps.say(`\n    # ${purpose}\n    ${command}`);
}

/** `rutter ARGS` about this lab's agent, as a person types it. */
export function typed(record: LabRecord, args: string): string {
  return rutterWords(`${args} --socket ${record.controlSocket}`);
}
