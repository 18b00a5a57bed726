// The clock of restless prefixes.
import { afterEach, expect, it, vi } from 'vitest';
import { RestTimer } from '../../src/agent/rest-timer.ts';

afterEach(() => {
  vi.useRealTimers();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('looks when sockets have been read, not when its time is up: what waits in them is no rest', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const log: string[] = [];
  let restless = 1;
  const core = {
    restlessPrefixCount: () => restless,
    passRestedPrefixes: () => {
      log.push('look');
      restless = 0;
      return false;
    },
  };
  const timer = new RestTimer(core, () => log.push('passed'));
  timer.arm();
  vi.advanceTimersByTime(1000);
  expect(log).toEqual([]);
  await turn();
  expect(log).toEqual(['look', 'passed']);
  expect(vi.getTimerCount()).toBe(0); // nothing is restless any more
});

it('looks no more once it is stopped, however late', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const passRestedPrefixes = vi.fn(() => true);
  const timer = new RestTimer({ restlessPrefixCount: () => 1, passRestedPrefixes }, () => {});
  timer.arm();
  vi.advanceTimersByTime(1000);
  timer.stop();
  await turn();
  expect(passRestedPrefixes).not.toHaveBeenCalled();
});
