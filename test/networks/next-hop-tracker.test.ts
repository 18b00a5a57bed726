// Where there is no iproute2, nobody can be asked: every next hop counts as resolved.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NextHopTracker } from '../../src/networks/next-hop-tracker.ts';

const path = process.env['PATH'];

beforeEach(() => {
  process.env['PATH'] = '/nonexistent';
});

afterEach(() => {
  process.env['PATH'] = path;
});

it('resolves everything without iproute2', async () => {
  const answered = Promise.withResolvers<object>();
  const warnings: string[] = [];
  const tracker = new NextHopTracker({
    core: { setNextHop: (id, state) => answered.resolve({ id, ...state }) },
    protocol: 114,
    log: { warn: (_fields, event) => void warnings.push(event) },
    onChanged: () => undefined,
  });
  await tracker.start();
  const address = Uint8Array.of(192, 0, 2, 1);
  tracker.take([{ id: 5, network: 0, address, interfaceIndex: 0, kind: 'added' }]);
  expect(await answered.promise).toEqual({ id: 5, resolved: true, metric: 0 });
  expect(warnings).toEqual(['next hops are not tracked']);
  await tracker.stop();
});
