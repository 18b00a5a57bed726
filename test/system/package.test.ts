// The package as a user gets it: packed, installed somewhere else, run from there.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';

const root = join(import.meta.dirname, '../..');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rutter-package-'));
  await execute('npm', ['pack', '--prefix', root, '--pack-destination', directory, root], {
    timeoutMs: 300_000,
  });
  const [archive] = await readdir(directory);
  await execute(
    'npm',
    ['install', '--prefix', directory, '--no-save', '--prefer-offline', join(directory, archive!)],
    { timeoutMs: 300_000 },
  );
}, 600_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

const rutter = (...args: string[]) => execute(join(directory, 'node_modules/.bin/rutter'), args);

it('runs', async () => {
  expect(await rutter('--version')).toMatch(/^\d+\.\d+\.\d+/);
  expect(await rutter('--help')).toContain('node-local BGP route agent for OVN');
});

it('brings the route core: decodes a message with its verdict', async () => {
  const keepalive = `${'ff'.repeat(16)}001304`;
  expect(await rutter('decode', '--hex', keepalive, '-o', 'jsonl')).toContain('keepalive');
  const endOfRib = `${'ff'.repeat(16)}00170200000000`;
  expect(await rutter('decode', '--hex', endOfRib, '-o', 'jsonl')).toContain('accept');
});

it('brings the examples, and they are valid', async () => {
  const examples = join(directory, 'node_modules/rutter/examples');
  const names = await readdir(examples);
  for (const name of names.filter((each) => !each.endsWith('.test.yaml'))) {
    expect(await rutter('check-config', join(examples, name))).toContain('bgp:');
  }
  const [policies, tests] = ['policies.yaml', 'policies.test.yaml'];
  const args = ['policy', 'test', join(examples, tests), '--config', join(examples, policies)];
  expect(await rutter(...args)).not.toContain('FAIL');
});

it('brings the agent and its workers: learns from the built-in peer', async () => {
  expect(await rutter('lab', 'up', '--sample', '--once')).toMatch(/learned|routes/i);
}, 60_000);
