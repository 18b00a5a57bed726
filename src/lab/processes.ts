// Long-running children: started in a namespace, waited for until ready, stopped by their own ids, output kept in files.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { inNamespace } from './execute.ts';

export interface ProcessOptions {
  /** Names the output file: `<directory>/<name>.log`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly namespace?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Asked every 20 ms until it says true; a rejection counts as false. */
  readonly ready?: (() => Promise<boolean>) | undefined;
  /** Default 15 s. */
  readonly readyTimeoutMs?: number | undefined;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** Standard output and standard error, in one file. */
  readonly outputFile: string;
  /** Resolves when the process has ended: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly hasEnded: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Sends the signal (default SIGTERM) and waits; SIGKILL after five seconds. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Children that end together: the last one started is stopped first. */
export class Processes implements AsyncDisposable {
  readonly #directory: string;
  readonly #running: RunningProcess[] = [];

  /** `directory` must exist; it receives the output files. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts a child and resolves when it is ready; rejects with the end of its output when it ends first or takes too long. */
  async start(options: ProcessOptions): Promise<RunningProcess> {
    const running = await launch(options, `${this.#directory}/${options.name}.log`);
    this.#running.push(running);
    await untilReady(running, options);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.splice(0).reverse()) await running.stop();
  }
}

async function launch(options: ProcessOptions, outputFile: string): Promise<RunningProcess> {
  const [file, args] = inNamespace(options.namespace, options.command, options.args);
  const output = openSync(outputFile, 'a');
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', output, output],
    // A group of its own: Ctrl-C at the terminal reaches only us, and we stop the children in order.
    detached: true,
  });
  closeSync(output);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return describe(child, options.name, outputFile);
}

function describe(child: ChildProcess, name: string, outputFile: string): RunningProcess {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
  });
  const signal = (which: NodeJS.Signals) => void child.kill(which);
  const stop = async (which: NodeJS.Signals = 'SIGTERM') => {
    if (hasEnded()) return;
    child.kill(which);
    const giveUp = new AbortController();
    const kill = delay(5000, undefined, { signal: giveUp.signal }).then(
      () => child.kill('SIGKILL'),
      () => false,
    );
    await ended;
    giveUp.abort();
    await kill;
  };
  return { name, pid: child.pid!, outputFile, ended, hasEnded, signal, stop };
}

async function untilReady(running: RunningProcess, options: ProcessOptions): Promise<void> {
  const ready = options.ready;
  if (ready === undefined) return;
  const isSettled = async () => running.hasEnded() || (await ready().catch(() => false));
  const wait = { what: `${options.name} to be ready`, timeoutMs: options.readyTimeoutMs ?? 15_000 };
  await waitUntil(isSettled, wait).catch(async (error: Error) => {
    throw new Error(`${error.message}${await lastOutput(running)}`);
  });
  if (!running.hasEnded()) return;
  const result = await running.ended;
  throw new Error(
    `${options.name} ended with ${result} before it was ready${await lastOutput(running)}`,
  );
}

async function lastOutput(running: RunningProcess): Promise<string> {
  const text = await readFile(running.outputFile, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-12);
  return lines[0] === '' ? '' : `; its last output:\n${lines.join('\n')}`;
}

export interface WaitOptions {
  readonly what: string;
  /** Default 15 s. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Gives up at once when it fires. */
  readonly stopped?: AbortSignal;
}

/** Asks until the answer is true; rejects when it takes too long. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: WaitOptions,
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    options.stopped?.throwIfAborted();
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${options.what}`);
    }
    await delay(options.intervalMs ?? 20);
  }
}
