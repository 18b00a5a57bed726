// A command that failed: one clause on stderr, exit code 1.

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
  if (!(cause instanceof Error) || error.message.includes(cause.message)) return error.message;
  return `${error.message}: ${cause.message}`;
}
