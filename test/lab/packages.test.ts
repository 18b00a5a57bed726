// The package lists, and what the installer finds on this machine.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { debianPackages, missingPackages } from '../../src/lab/packages.ts';

function isDebian(): boolean {
  try {
    execFileSync('dpkg-query', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the Debian packages', () => {
  it('of the tests hold everything the lab needs', () => {
    expect(debianPackages.test).toEqual(expect.arrayContaining([...debianPackages.lab]));
  });

  it.runIf(isDebian())(
    'are missing exactly where dpkg does not know them as installed',
    async () => {
      const installed = (name: string) => {
        try {
          return execFileSync('dpkg', ['--status', name], { stdio: ['ignore', 'pipe', 'ignore'] })
            .toString()
            .includes('Status: install ok installed');
        } catch {
          return false;
        }
      };
      const expected = debianPackages.test.filter((name) => !installed(name));
      expect(await missingPackages('test')).toEqual(expected);
    },
  );
});
