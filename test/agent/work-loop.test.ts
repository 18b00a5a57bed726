// The work loop over a core that has a number of slices to do.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { WorkLoop } from '../../src/agent/work-loop.ts';
import type { RouteCore } from '../../src/core/route-core.ts';

function start(slices: number) {
  const state = { slices, areNextHopsKnown: true, log: [] as string[] };
  const loop = new WorkLoop({
    core: {
      work: () => {
        state.log.push('work');
        return --state.slices > 0;
      },
      takeNextHopEvents: () => [],
      pendingFibs: () => [0],
      restlessPrefixCount: () => 0,
    } as Partial<RouteCore> as RouteCore,
    onNextHops: () => undefined,
    onPending: () => undefined,
    areNextHopsKnown: () => state.areNextHopsKnown,
  });
  return { loop, state };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

it('is at rest when nothing is deferred any more', async () => {
  const { loop, state } = start(3);
  loop.atRest(() => state.log.push('rest'));
  await turns(5);
  expect(state.log).toEqual(['work', 'work', 'work', 'rest']);
});

it('is not at rest while a next hop has not been looked for', async () => {
  const { loop, state } = start(1);
  state.areNextHopsKnown = false;
  loop.atRest(() => state.log.push('rest'));
  await turns(5);
  expect(state.log).toEqual(['work']);
  state.areNextHopsKnown = true;
  loop.wake();
  await turns(2);
  expect(state.log).toEqual(['work', 'work', 'rest']);
});

it('does nothing after stop', async () => {
  const { loop, state } = start(1);
  loop.atRest(() => state.log.push('rest'));
  loop.stop();
  await turns(3);
  expect(state.log).toEqual([]);
});
