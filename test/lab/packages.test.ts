// The package lists, and what the installer finds on this machine.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { debianPackages, forbidServiceStart, missingPackages } from '../../src/lab/packages.ts';

async function isDebian(): Promise<boolean> {
  return execute('dpkg', ['--version']).then(
    () => true,
    () => false,
  );
}

async function isInstalled(name: string): Promise<boolean> {
  const text = await execute('dpkg', ['--status', name]).catch(() => '');
  return text.includes('Status: install ok installed');
}

const onDebian = await isDebian();

describe('the Debian packages', () => {
  it('of the tests hold everything the lab needs', () => {
    expect(debianPackages.test).toEqual(expect.arrayContaining([...debianPackages.lab]));
  });

  it.runIf(onDebian)('are missing where dpkg does not know them as installed', async () => {
    const installed = await Promise.all(debianPackages.test.map(isInstalled));
    const expected = debianPackages.test.filter((_, index) => !installed[index]);
    expect(await missingPackages('test')).toEqual(expected);
  });
});

describe('the word to Debian that no service may start', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rutter-policy-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is an executable that answers 101, and is gone afterwards', async () => {
    const path = join(directory, 'policy-rc.d');
    {
      await using _guard = await forbidServiceStart(path);
      expect((await stat(path)).mode & 0o111).toBe(0o111);
      expect(() => execFileSync(path, { stdio: 'ignore' })).toThrow(
        expect.objectContaining({ status: 101 }),
      );
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves one alone that is there already', async () => {
    const path = join(directory, 'policy-rc.d');
    await writeFile(path, 'mine');
    {
      await using _guard = await forbidServiceStart(path);
      expect(await readFile(path, 'utf8')).toBe('mine');
    }
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});
