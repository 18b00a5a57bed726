// Runs `ip` with an argument list and reads what it prints, line by line or as JSON.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { LineSplitter } from './line-splitter.ts';

/** `ip` could not be started, or ended with a reason. */
export class IpError extends Error {
  readonly code: 'ip-not-found' | 'ip-failed';

  constructor(code: 'ip-not-found' | 'ip-failed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A listing of a table nobody has written to yet: nothing is in it, and that is no error. */
const emptyTable = /^Error: ipv[46]: FIB table does not exist\.$/;

/** The argument list for a network namespace; undefined is our own. */
export function ipArguments(namespace: string | undefined, args: readonly string[]): string[] {
  return namespace === undefined ? [...args] : ['-n', namespace, ...args];
}

/** A table changed in such a way while it was listed that routes may be missing. */
const interrupted = /^Dump was interrupted/;

/** Feeds every line of `ip ARGS` to `onLine`; resolves when it has ended well, with whether the listing is whole. */
export async function readIpLines(
  namespace: string | undefined,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<{ readonly isWhole: boolean }> {
  const child = spawn('ip', ipArguments(namespace, args), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child);
  const lines = new LineSplitter(onLine);
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => lines.push(chunk));
  const complaints: string[] = [];
  const errors = new LineSplitter((line) => complaints.push(line));
  child.stderr.setEncoding('latin1').on('data', (chunk: string) => errors.push(chunk));
  const exitCode = await ended;
  lines.end();
  errors.end();
  if (exitCode === 0 || complaints.some((line) => emptyTable.test(line))) {
    return { isWhole: !complaints.some((line) => interrupted.test(line)) };
  }
  throw new IpError('ip-failed', `ip ${args.join(' ')}: ${complaints.join('; ') || exitCode}`);
}

/** What `ip -json ARGS` prints; an empty list when it prints nothing. */
export async function readIpJson(
  namespace: string | undefined,
  args: readonly string[],
): Promise<readonly unknown[]> {
  const lines: string[] = [];
  await readIpLines(namespace, ['-json', ...args], (line) => lines.push(line));
  const text = lines.join('\n').trim();
  return text === '' ? [] : (JSON.parse(text) as unknown[]);
}

/** Resolves with the exit code once the output has been read to its end; rejects when the program could not be started. */
export async function endOf(child: ChildProcess): Promise<number | string> {
  try {
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null];
    return exitCode ?? signal ?? 'unknown';
  } catch (cause) {
    throw new IpError('ip-not-found', `ip cannot be started: ${(cause as Error).message}`, {
      cause,
    });
  }
}
