// A scenario's last word: right places are counted, a wrong one fails the run and is named.
import { describe, expect, it } from 'vitest';
import { verified } from '../../../bench/harness/verified.ts';

/** A program that prints this and ends so, in the place of `rutter verify`. */
function program(printed: unknown, exitCode: number, complaint = ''): [string, string[]] {
  const script = `process.stdout.write(${JSON.stringify(JSON.stringify(printed))});
    process.stderr.write(${JSON.stringify(complaint)});
    process.exitCode = ${exitCode};`;
  return [process.execPath, ['-e', script]];
}

const range = {
  ...{ network: 'default', target: 'ovn', first: '10.0.0.0', last: '10.0.0.255' },
  ...{ expected: '10.77.0.3', actual: 'none' },
};

describe('verified', () => {
  it('counts the places that are right', async () => {
    expect(await verified(2, program([], 0))).toEqual({ verified: 2 });
  });

  it('fails the run when addresses are forwarded otherwise', async () => {
    await expect(verified(2, program([range, range], 3))).rejects.toThrow(
      'verify: 2 ranges are forwarded otherwise than routed, the first default/ovn 10.0.0.0 to 10.0.0.255: none, expected 10.77.0.3',
    );
  });

  it('fails the run when it cannot be told', async () => {
    const cannot = program([], 1, 'no agent answers\n');
    await expect(verified(2, cannot)).rejects.toThrow('verify: exit code 1: no agent answers');
  });
});
