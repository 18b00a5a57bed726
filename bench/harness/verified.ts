// The last word of a scenario that programs something: what is in OVN and in the kernel forwards as the routes say, or the run has failed.
import { execFile } from 'node:child_process';
import type { Metric, Sample } from './scenario.ts';

/** Places that were found right; one that was not fails the run. */
export const VERIFIED: Metric = {
  key: 'verified',
  title: 'places verified',
  unit: 'count',
  isContext: true,
};

/** What `rutter verify -o json` prints of a range. */
interface Range {
  readonly network: string;
  readonly target: string;
  readonly first: string;
  readonly last: string;
  readonly expected: string;
  readonly actual: string;
}

/** `placeCount`: how many there are. `command`: `rutter verify -o json`, where the agent's kernel is. Rejects when a place forwards otherwise. */
export async function verified(
  placeCount: number,
  [command, args]: readonly [string, readonly string[]],
): Promise<Sample> {
  const ranges = JSON.parse(await outputOf(command, args)) as readonly Range[];
  const [range] = ranges;
  if (range === undefined) return { [VERIFIED.key]: placeCount };
  const { network, target, first, last, expected, actual } = range;
  throw new Error(
    `verify: ${ranges.length} ranges are forwarded otherwise than routed, the first ${network}/${target} ${first} to ${last}: ${actual}, expected ${expected}`,
  );
}

/** Exit code 3 says that there are differences: they are what was asked for. */
function outputOf(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error === null || error.code === 3) resolve(stdout);
      else reject(new Error(`verify: exit code ${error.code}: ${stderr.trim()}`));
    });
  });
}
