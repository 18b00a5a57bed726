// Runs one program to its end, with an argument list, optionally inside a network namespace.
import { execFile } from 'node:child_process';

export interface ExecuteOptions {
  /** Network namespace to run in. */
  readonly namespace?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Written to the program's standard input. */
  readonly input?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A program that ended with an exit code other than 0, or could not be started. */
class ExecuteError extends Error {
  readonly code = 'EXECUTE_FAILED';
  readonly exitCode: number | string | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    command: string,
    outcome: { exitCode: number | string | null; stdout: string; stderr: string },
  ) {
    const said = outcome.stderr.trim() || outcome.stdout.trim();
    super(`${command}: exit code ${outcome.exitCode}, expected 0${said ? `: ${said}` : ''}`);
    this.exitCode = outcome.exitCode;
    this.stdout = outcome.stdout;
    this.stderr = outcome.stderr;
  }
}

/** The argument list that runs a program in a namespace. `ip` replaces itself, so the process id is the program's. */
export function inNamespace(
  namespace: string | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  if (namespace === undefined) return [command, [...args]];
  return ['ip', ['netns', 'exec', namespace, command, ...args]];
}

/** Standard output of a program that ended with 0; rejects with ExecuteError otherwise. */
export async function execute(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const [file, list] = inNamespace(options.namespace, command, args);
  const settings = {
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
    maxBuffer: 512 * 1024 * 1024,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(file, list, settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const exitCode = error.code ?? error.signal ?? null;
      const text = stderr || (typeof error.code === 'string' ? error.message : '');
      reject(new ExecuteError([command, ...args].join(' '), { exitCode, stdout, stderr: text }));
    });
    // A program that ends before it has read everything is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
