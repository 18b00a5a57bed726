// What a person sees while the lab comes up: one line per step with the time it took.

export interface Steps {
  /** Runs one step; its line ends with what `detail` makes of the result, and the time. */
  run<Result>(
    title: string,
    work: () => Promise<Result>,
    detail?: (result: Result) => string,
  ): Promise<Result>;
  /** A heading, or a line by itself. */
  say(line: string): void;
  /** Text as another program printed it, indented. */
  quote(text: string): void;
}

export interface StepsOutput {
  write(text: string): unknown;
  /** On a terminal a step's line is shown while it runs, then overwritten. */
  readonly isTTY?: boolean;
}

/** No step begins after `stopped` has fired. */
export function createSteps(
  output: StepsOutput,
  stopped?: AbortSignal,
  now: () => number = () => performance.now(),
): Steps {
  const line = (text: string) => output.write(`${text}\n`);
  return {
    say: line,
    quote: (text) => {
      for (const each of text.trimEnd().split('\n')) line(each === '' ? '' : `      ${each}`);
    },
    run: async (title, work, detail) => {
      stopped?.throwIfAborted();
      const began = now();
      if (output.isTTY) output.write(`  … ${title}`);
      const rewind = output.isTTY ? '\r\u001b[2K' : '';
      const outcome = (mark: string, text: string) =>
        line(`${rewind}  ${mark} ${text}  ${((now() - began) / 1000).toFixed(1)} s`);
      try {
        const result = await work();
        const more = detail?.(result);
        outcome('✓', more ? `${title}: ${more}` : title);
        return result;
      } catch (error) {
        outcome('✗', title);
        throw error;
      }
    },
  };
}
