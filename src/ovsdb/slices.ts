// Long work cut into slices, so that nothing else on its thread waits for the end of it. Whoever has such work in hand does a slice per turn of the
// event loop, or the rest at once.

/** Yields between two slices of a few milliseconds; what it returns is the result. */
export type Sliced<Result> = Generator<void, Result>;

/** The result of all slices at once. */
export function finish<Result>(work: Sliced<Result>): Result {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

/** Work that is short enough for one slice. */
export function atOnce<Args extends readonly unknown[], Result>(
  work: (...args: Args) => Result,
): (...args: Args) => Sliced<Result> {
  // biome-ignore lint/correctness/useYield: there is nothing to cut
  return function* (...args) {
    return work(...args);
  };
}
