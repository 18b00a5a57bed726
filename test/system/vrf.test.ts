// VRF devices and the sessions inside them, on a kernel that has VRFs: this machine's, or else user-mode-linux.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { runInUml } from '../../src/lab/uml.ts';
import { vrfCases } from './vrf-cases.ts';
import type { VrfResult } from './vrf-run.ts';
import { VrfSite } from './vrf-site.ts';

const isRoot = process.getuid?.() === 0;
/** About a minute on a machine of its own; system calls are slow in there, and slower beside others. */
const TIME_LIMIT_MS = 600_000;

const kernelHasVrf = isRoot && (await canMakeVrf());

if (!isRoot) console.warn('the VRF tests are skipped: they need root');
else if (kernelHasVrf) describe('VRFs on this kernel', onThisKernel);
else describe('VRFs in user-mode-linux', inUml);

function onThisKernel(): void {
  let site: VrfSite;
  beforeAll(async () => {
    site = await VrfSite.open();
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  for (const { name, run } of vrfCases) it(name, () => run(site));
}

function inUml(): void {
  let directory: string;
  let results: string;
  let hasEnded = false;
  let run: Promise<string>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rutter-uml-'));
    results = join(directory, 'results');
    run = runInUml({
      directory,
      modules: ['vrf', 'veth'],
      command: process.execPath,
      args: [join(import.meta.dirname, 'vrf-run.ts'), results],
      memory: '2G',
      timeoutMs: TIME_LIMIT_MS,
    }).then(
      ({ exitCode, output }) => `exit code ${exitCode}\n${output}`,
      (error: Error) => error.message,
    );
    void run.then(() => {
      hasEnded = true;
    });
  });

  afterAll(async () => {
    await run;
    await rm(directory, { recursive: true, force: true });
  }, TIME_LIMIT_MS);

  const resultOf = async (name: string) =>
    (await readResults(results)).find((each) => each.name === name);

  for (const { name } of vrfCases) {
    it(
      name,
      async () => {
        const isKnown = async () => hasEnded || (await resultOf(name)) !== undefined;
        await waitUntil(isKnown, { what: name, timeoutMs: TIME_LIMIT_MS, intervalMs: 200 });
        const result = await resultOf(name);
        if (result === undefined) throw new Error(`did not run: ${await run}`);
        if (result.error !== undefined) throw new Error(result.error);
      },
      TIME_LIMIT_MS,
    );
  }

  it(
    'ends by itself',
    async () => {
      expect(await run).toMatch(/^exit code 0\n/);
    },
    TIME_LIMIT_MS,
  );
}

async function readResults(file: string): Promise<VrfResult[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as VrfResult);
}

async function canMakeVrf(): Promise<boolean> {
  await using namespaces = new NetworkNamespaces(`vrf-probe-${process.pid}`);
  const namespace = await namespaces.add('probe');
  return execute('ip', ['-n', namespace, 'link', 'add', 'red', 'type', 'vrf', 'table', '10']).then(
    () => true,
    () => false,
  );
}
