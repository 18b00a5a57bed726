// `rutter policy test` as a process: the shipped examples pass, a difference is exit code 3 with what was seen and which clause.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const config = join(root, 'examples', 'policies.yaml');
const folder = mkdtempSync(join(tmpdir(), 'rutter-policy-'));

afterAll(() => rmSync(folder, { recursive: true }));

function run(examples: string, ...more: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'src', 'main.ts'), 'policy', 'test', examples, '--config', config, ...more],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

function write(text: string): string {
  const file = join(folder, 'examples.yaml');
  writeFileSync(file, text);
  return file;
}

describe('rutter policy test', () => {
  it('finds the shipped policies to do what their examples say', () => {
    const { status, stdout } = run(join(root, 'examples', 'policies.test.yaml'));
    expect(stdout).toMatch(/^(ok {4}fabric: .+\n){7}$/);
    expect(status).toBe(0);
  });

  it('exits 3 on a difference, with the values and the clauses that were tried', () => {
    const file = write(
      'tests: [{ policy: fabric, route: { prefix: 172.20.2.0/24, asPath: [65001, 64999], communities: ["65001:1"] }, expect: { action: accept, localPref: 100 } }]',
    );
    const { status, stdout } = run(file);
    expect(stdout).toBe(
      `FAIL  fabric: 1
      localPref: expected 100, seen 50
      clause 1  no match: prefixes
      clause 2  matched: asPath.contains  set localPref=50, communities add 64512:50  → next
      clause 3  matched: communities.any, prefixes  set med=0  → accept
`,
    );
    expect(status).toBe(3);
    const [result] = JSON.parse(run(file, '-o', 'json').stdout);
    expect(result).toMatchObject({
      passed: false,
      differences: [{ field: 'localPref', expected: '100', seen: '50' }],
    });
  });

  it.each([
    [
      'tests: [{ policy: fabrik, route: { prefix: 10.0.0.0/8 }, expect: { action: reject } }]',
      /tests\[0\]\.policy: must be one of accept, reject, fabric, is fabrik/,
    ],
    [
      'tests: [{ policy: fabric, route: { prefix: 10.0.0.1/8 }, expect: { action: reject } }]',
      /tests\[0\]\.route\.prefix: must have its host bits clear/,
    ],
    ['tests: [{ policy: fabric', /not YAML/],
    ['tests: []', /tests: /],
  ])('exits 2 on %s', (text, message) => {
    const { status, stderr } = run(write(text));
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
