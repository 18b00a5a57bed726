// Turns at one database: one at a time, bad news first, and no window for those who find it idle.
import { expect, it } from 'vitest';
import { Turns } from '../../src/sinks/turns.ts';

function start() {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  const turns = new Turns({
    now: () => now,
    setTimer(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return { cancel: () => drop(timer) };
    },
  });
  const drop = (timer: (typeof timers)[0]): void => {
    timers = timers.filter((each) => each !== timer);
  };
  const order: string[] = [];
  const ask = (name: string, isUrgent = false) => {
    const request = { isBad: isUrgent, isUrgent: () => request.isBad };
    void turns.take(request).then((isMine) => order.push(isMine ? name : `${name} gave up`));
    return request;
  };
  const advance = async (ms: number) => {
    now += ms;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      drop(timer);
      timer.callback();
    }
    await settled();
  };
  return { turns, order, ask, advance, timerCount: () => timers.length };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

it('gives an idle database at once, and one turn at a time in order', async () => {
  const { turns, order, ask } = start();
  const first = ask('first');
  const second = ask('second');
  ask('third');
  await settled();
  expect(order).toEqual(['first']);
  expect(turns.isContested).toBe(true);
  turns.end(first, 0);
  await settled();
  turns.end(second, 0);
  await settled();
  expect(order).toEqual(['first', 'second', 'third']);
  expect(turns.isContested).toBe(false);
});

it('lets bad news pass those who have waited longer', async () => {
  const { turns, order, ask } = start();
  const first = ask('first');
  ask('patient');
  ask('bad news', true);
  turns.end(first, 0);
  await settled();
  expect(order).toEqual(['first', 'bad news']);
});

it('keeps a window after a turn, for all but bad news', async () => {
  const { turns, order, ask, advance } = start();
  turns.end(ask('first'), 1000);
  const second = ask('second');
  await advance(999);
  expect(order).toEqual(['first']);
  const bad = ask('bad news', true);
  await settled();
  expect(order).toEqual(['first', 'bad news']);
  turns.end(bad, 0);
  await advance(1);
  expect(order).toEqual(['first', 'bad news', 'second']);
  turns.end(second, 1000);
  await advance(5000);
  ask('late');
  await settled();
  expect(order.at(-1)).toBe('late');
});

it('gives the turn when what waits becomes bad news', async () => {
  const { turns, order, ask } = start();
  turns.end(ask('first'), 1000);
  const second = ask('second');
  await settled();
  second.isBad = true;
  turns.look();
  await settled();
  expect(order).toEqual(['first', 'second']);
});

it('lets a request be given up, and leaves no timer behind', async () => {
  const { turns, order, ask, timerCount } = start();
  turns.end(ask('first'), 1000);
  const second = ask('second');
  expect(timerCount()).toBe(1);
  turns.giveUp(second);
  await settled();
  expect(order).toEqual(['first', 'second gave up']);
  expect(timerCount()).toBe(0);
  turns.end(second, 1000); // not its turn: nothing happens
  ask('bad news', true);
  await settled();
  expect(order.at(-1)).toBe('bad news');
});
