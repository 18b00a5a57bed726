// `rutter check-config` as a process: what it prints where, and its exit codes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';

const directory = mkdtempSync(join(tmpdir(), 'rutter-check-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const main = new URL('../../src/main.ts', import.meta.url).pathname;

function checkConfig(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'check-config', ...args]);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function file(text: string): string {
  const path = join(directory, 'config.yaml');
  writeFileSync(path, text);
  return path;
}

it('prints the whole effective configuration', () => {
  const { status, stdout, stderr } = checkConfig(
    file('node: n1\nbgp: { asn: 64512, routerId: 10.0.0.1 }\n'),
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(parse(stdout)).toMatchObject({
    node: 'n1',
    startup: { deadline: '2m' },
    host: { protocol: 114 },
  });
});

it('says which tables are followed and therefore not written', () => {
  const path = file(
    'bgp: { asn: 1, routerId: 1.1.1.1 }\nsources: [{ kind: kernel, tables: [main] }]\n',
  );
  expect(checkConfig(path)).toMatchObject({
    status: 0,
    stderr: `${path}: network default follows kernel:main, and does not write it\n`,
  });
});

it('prints every problem with its place and ends with 2', () => {
  const path = file('bgp: { asn: 0, routerId: 10.0.0.1 }\nspeed: 1\n');
  expect(checkConfig(path)).toEqual({
    status: 2,
    stdout: '',
    stderr: `${path}: 1:13 bgp.asn: must be ≥ 1, is 0\n${path}: 2:8 speed: unknown key\n`,
  });
});

it('says that a file cannot be read', () => {
  const path = join(directory, 'nothing.yaml');
  expect(checkConfig(path)).toEqual({
    status: 2,
    stdout: '',
    stderr: `${path}: cannot be read: no such file or directory\n`,
  });
});

it('prints the JSON Schema', () => {
  const { status, stdout } = checkConfig('--schema');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ title: 'Rutter configuration', required: ['bgp'] });
});

it('wants a file', () => {
  expect(checkConfig()).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("argument 'file'"),
  });
});
