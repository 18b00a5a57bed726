// The version of a program, or undefined when it is not on this machine.
import { spawnSync } from 'node:child_process';

/** The first dotted number in what the program prints, on either stream. */
export function installedVersion(command: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  if (error) return undefined;
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown version';
}
