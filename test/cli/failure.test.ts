import { readFile } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { reportFailure } from '../../src/cli/failure.ts';

afterEach(() => vi.restoreAllMocks());

function report(error: unknown): string {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  expect(reportFailure(error)).toBe(1);
  return text;
}

it('says one clause, with the cause where it adds something', () => {
  expect(report(new Error('no peer x'))).toBe('rutter: no peer x\n');
  const cause = new Error('table is gone');
  expect(report(new Error('not read', { cause }))).toBe('rutter: not read: table is gone\n');
  expect(report(new Error('not read: table is gone', { cause }))).toBe(
    'rutter: not read: table is gone\n',
  );
});

it("says the system's errors in words", async () => {
  const missing = await readFile('/nowhere/file').catch((error: Error) => error);
  expect(report(missing)).toBe('rutter: /nowhere/file: no such file or directory\n');
  const busy = Object.assign(new Error('listen EADDRINUSE: …'), { errno: -98 });
  expect(report(new Error('http.listen: cannot listen on ::1:80', { cause: busy }))).toBe(
    'rutter: http.listen: cannot listen on ::1:80: address already in use\n',
  );
});

it('shows a defect of ours with its stack', () => {
  expect(report(new TypeError('x is not a function'))).toContain('failure.test.ts');
});
