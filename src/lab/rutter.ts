// This very program as a child: how to start it, and how a person would type it.
import { dirname, extname, join } from 'node:path';

/** main.ts in a checkout, main.js in an installed package. */
const main = join(dirname(import.meta.dirname), `main${extname(import.meta.filename)}`);

/** Program and arguments that run `rutter ARGS` as we are running. */
export function rutterCommand(args: readonly string[]): [string, string[]] {
  return [process.execPath, [...process.execArgv, main, ...args]];
}

/** What to type for `rutter ARGS`. */
export function rutterWords(args: string): string {
  return extname(main) === '.ts' ? `npm run -s rutter -- ${args}` : `rutter ${args}`;
}
