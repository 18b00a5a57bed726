// The other kernel: boots, runs, tells how it ended, and is gone.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInUml } from '../../src/lab/uml.ts';

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)('a command in another kernel', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rutter-uml-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const run = (script: string, timeoutMs = 60_000) =>
    runInUml({ directory, modules: ['vrf'], command: 'sh', args: ['-c', script], timeoutMs });

  it('has VRF devices, and tells its exit code and what it printed', async () => {
    const script = 'ip link add red type vrf table 10; ip -d link show red; echo "$TMPDIR"; exit 7';
    const { exitCode, output } = await run(script);
    expect(output).toContain('vrf table 10');
    expect(output).toContain('/run/tmp\n');
    expect(exitCode).toBe(7);
  });

  it('is ended, with every process of the kernel, when it takes too long', async () => {
    await expect(run('sleep 600', 5000)).rejects.toThrow('not done in 5000 ms');
    expect(await processesNaming(directory)).toEqual([]);
  });
});

/** Command lines of this machine's processes that contain the text. */
async function processesNaming(text: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.filter((command) => command.includes(text));
}
