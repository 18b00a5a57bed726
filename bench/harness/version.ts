// The version under test: the package's, and in a checkout the commit it stands at.
import { execFileSync } from 'node:child_process';
import { packageVersion } from '../../src/cli/version.ts';

export function productVersion(): string {
  const version = `rutter ${packageVersion()}`;
  try {
    const options = { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' } as const;
    const commit = execFileSync('git', ['describe', '--always', '--dirty'], options).trim();
    return `${version} at ${commit}`;
  } catch {
    return version; // an installed package, or a machine without git
  }
}
