// A command that failed: one clause on stderr, exit code 1.
import { getSystemErrorMessage } from 'node:util';

const EXIT_FAILED = 1;

/** Prints what happened, with its cause, and returns the exit code. A defect of ours is shown with its stack. */
export function reportFailure(error: unknown): number {
  const isDefect =
    error instanceof TypeError || error instanceof RangeError || !(error instanceof Error);
  process.stderr.write(`rutter: ${isDefect ? describeDefect(error) : withCause(error)}\n`);
  return EXIT_FAILED;
}

function describeDefect(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function withCause(error: Error): string {
  const { cause } = error;
  const message = inWords(error);
  if (!(cause instanceof Error) || message.includes(cause.message)) return message;
  return `${message}: ${inWords(cause)}`;
}

/** The system's errors in its words, without its calls: "/nope: no such file or directory". */
function inWords(error: Error): string {
  const { errno, path } = error as NodeJS.ErrnoException;
  if (typeof errno !== 'number') return error.message;
  const words = getSystemErrorMessage(errno);
  return path === undefined ? words : `${path}: ${words}`;
}
