// Messages in their order, a slice per turn.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Inbox } from '../../src/workers/inbox.ts';

/** Holds the loop for this long. */
function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('hands a message on at once when nothing waits', () => {
  const taken: number[] = [];
  const inbox = new Inbox<number>((message) => taken.push(message));
  inbox.put(1);
  expect(taken).toEqual([1]);
});

it('spreads a heap over turns of the loop and keeps the order', async () => {
  const taken: number[] = [];
  const inbox = new Inbox<number>((message) => {
    taken.push(message);
    hold(2);
  });
  const all = Array.from({ length: 20 }, (_, i) => i);
  for (const message of all) inbox.put(message);
  expect(taken).toEqual([0]);
  let turns = 0;
  while (taken.length < all.length) {
    const before = taken.length;
    await nextTurn();
    turns++;
    expect(taken.length - before).toBeLessThanOrEqual(6);
  }
  expect(turns).toBeGreaterThan(4);
  expect(taken).toEqual(all);
});

it('keeps a message that is put while another is taken behind those that wait', async () => {
  const taken: string[] = [];
  const inbox = new Inbox<string>((message) => {
    taken.push(message);
    if (message === 'a') inbox.put('b');
  });
  inbox.put('a');
  inbox.put('c');
  await nextTurn();
  expect(taken).toEqual(['a', 'b', 'c']);
});
