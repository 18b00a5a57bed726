// Retries of refused prefixes.
import { expect, it } from 'vitest';
import { parsePrefix } from '../../src/net/prefix.ts';
import { Failures } from '../../src/sinks/failures.ts';

const prefix = (text: string) => parsePrefix(text)!;
const rejected = { code: 'rejected', message: 'no' };

it('spreads retries by a quarter either way', () => {
  for (const [chance, at] of [
    [0, 750],
    [0.5, 1000],
    [1, 1250],
  ] as const) {
    const failures = new Failures();
    failures.refuse(prefix('10.0.0.0/8'), rejected, 0, chance);
    expect(failures.nextRetry()).toBe(at);
  }
});

it('takes those that are due together, each once', () => {
  const failures = new Failures();
  failures.refuse(prefix('10.0.0.0/8'), rejected, 0, 0.5);
  failures.refuse(prefix('11.0.0.0/8'), rejected, 200, 0.5);
  failures.refuse(prefix('12.0.0.0/8'), rejected, 900, 0.5);
  expect(failures.takeDue(700)).toEqual([]);
  expect(failures.takeDue(1000)).toHaveLength(2);
  expect(failures.takeDue(1000)).toEqual([]);
  expect(failures.nextRetry()).toBe(1900);
  failures.dropTried();
  expect(failures.size).toBe(1);
});

it('remembers since when, over changed reasons', () => {
  const failures = new Failures();
  failures.refuse(prefix('10.0.0.0/8'), rejected, 5, 0.5);
  failures.refuse(prefix('10.0.0.0/8'), { code: 'limit', message: 'full' }, 9, 0.5);
  expect(failures.get(prefix('10.0.0.0/8'))).toMatchObject({
    code: 'limit',
    since: 5,
    attempts: 2,
  });
  failures.clear(prefix('10.0.0.0/8'));
  expect(failures.size).toBe(0);
});

it.each(['collision', 'waiting-for-foreign', 'limit', 'unreachable-next-hop'])(
  'leaves %s alone for ten minutes: the sink says when its reason is gone',
  (code) => {
    const failures = new Failures();
    failures.refuse(prefix('10.0.0.0/8'), { code, message: 'no' }, 0, 0.5);
    expect(failures.nextRetry()).toBe(600_000);
  },
);

it('counts by code, whichever way a prefix leaves', () => {
  const failures = new Failures();
  const full = { code: 'limit', message: 'no room' };
  failures.refuse(prefix('10.0.0.0/8'), rejected, 0, 0.5);
  failures.refuse(prefix('10.0.0.0/8'), full, 0, 0.5);
  failures.refuse(prefix('11.0.0.0/8'), full, 0, 0.5);
  failures.refuse(prefix('12.0.0.0/8'), rejected, 0, 0.5);
  expect(Object.fromEntries(failures.counts)).toEqual({ limit: 2, rejected: 1 });
  expect(failures.first('limit')?.message).toBe('no room');
  failures.clear(prefix('10.0.0.0/8'));
  failures.release(prefix('11.0.0.0/8'));
  failures.dropTried();
  expect(Object.fromEntries(failures.counts)).toEqual({ rejected: 1 });
  expect(failures.first('limit')).toBeUndefined();
});
