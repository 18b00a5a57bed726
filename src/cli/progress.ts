// A progress bar on a terminal, and nothing in a pipe. Goes to stderr, so that stdout stays the command's result.
import { SingleBar } from 'cli-progress';

export interface Progress {
  advance(byteCount: number): void;
  stop(): void;
}

/** `totalBytes` undefined: the length is not known (standard input), so there is no bar. */
export function startProgress(
  label: string,
  totalBytes: number | undefined,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!stream.isTTY || totalBytes === undefined) return { advance: () => {}, stop: () => {} };
  const bar = new SingleBar({
    stream,
    format: `${label} {bar} {percentage}%  {duration_formatted}`,
    clearOnComplete: true,
    hideCursor: true,
    etaBuffer: 50,
  });
  bar.start(totalBytes, 0);
  return {
    advance: (byteCount) => bar.increment(byteCount),
    stop: () => bar.stop(),
  };
}
