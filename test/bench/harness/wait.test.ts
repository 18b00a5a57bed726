// Waiting for a count.
import { describe, expect, it } from 'vitest';
import { pauseMs, untilCount } from '../../../bench/harness/wait.ts';

describe('untilCount', () => {
  it.each([
    ['nothing has happened yet', 200, 5000, 0, 1000, 200],
    ['the target is far', 200, 1000, 10, 990, 1000],
    ['a second is left', 200, 1000, 500, 500, 250],
    ['the target is near', 200, 1000, 990, 10, 200],
  ])('%s', (_name, intervalMs, elapsedMs, done, left, expected) => {
    expect(pauseMs(intervalMs, elapsedMs, done, left)).toBe(expected);
  });

  it('ends at the target, and says how far it came when it does not', async () => {
    let count = 0;
    const options = { what: 'things', target: 3, intervalMs: 1, deadlineMs: 60_000 };
    await untilCount(() => ++count, options);
    expect(count).toBe(3);
    await expect(untilCount(() => 2, { ...options, deadlineMs: -1 })).rejects.toThrow(
      'things: 2 of 3',
    );
  });
});
