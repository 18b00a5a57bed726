// The next-hop tracker on a real kernel: what resolves, what does not, and when that changes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NextHopEvent } from '../../src/core/next-hop-events.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { NextHopTracker } from '../../src/networks/next-hop-tracker.ts';
import { until } from '../sinks/sink-listener.ts';
import { HostPlace } from './host-place.ts';

describe('NextHopTracker', () => {
  let place: HostPlace;
  let tracker: NextHopTracker;
  /** Next hop → `resolved`, with its metric, or `unresolved`. */
  const told = new Map<string, string>();
  const names: string[] = [];
  let toldCount = 0;

  beforeEach(async () => {
    place = await HostPlace.create();
    told.clear();
    names.length = 0;
    toldCount = 0;
    tracker = new NextHopTracker({
      core: {
        setNextHop(id, { resolved, metric }) {
          toldCount++;
          told.set(names[id]!, resolved ? `resolved ${metric}` : 'unresolved');
        },
      },
      protocol: 114,
      log: { warn: () => undefined },
      onChanged: () => undefined,
      namespace: place.namespace,
    });
    await tracker.start();
  });

  afterEach(async () => {
    await tracker.stop();
    await place.dispose();
  });

  function add(text: string, interfaceIndex = 0): void {
    const event: NextHopEvent = {
      id: names.length,
      network: 0,
      address: parseIpAddress(text)!,
      interfaceIndex,
      kind: 'added',
    };
    names.push(text);
    tracker.take([event]);
  }

  const becomes = (text: string, state: string): Promise<void> =>
    until(() => told.get(text) === state, `${text} ${state}`, 2000);

  it('resolves through connected and static routes, with their metric', async () => {
    await place.ip('route add 192.0.2.0/24 via 10.1.1.2 metric 7');
    await place.ip('route add blackhole 198.51.100.0/24');
    add('10.1.1.2');
    add('2001:db8:1::2');
    add('192.0.2.9');
    add('198.51.100.1');
    add('203.0.113.1');
    add('10.1.1.1');
    await until(() => told.size === 6, 'every answer');
    expect(Object.fromEntries(told)).toEqual({
      '10.1.1.2': 'resolved 0',
      '2001:db8:1::2': 'resolved 256',
      '192.0.2.9': 'resolved 7',
      '198.51.100.1': 'unresolved', // a blackhole
      '203.0.113.1': 'unresolved', // no route
      '10.1.1.1': 'unresolved', // our own address
    });
  });

  it('hears of routes, links and addresses that change', async () => {
    add('192.0.2.9');
    add('10.1.2.2');
    add('10.55.0.2');
    await becomes('192.0.2.9', 'unresolved');
    await becomes('10.1.2.2', 'resolved 0');
    await place.ip('route add 192.0.2.0/24 via 10.1.1.2');
    await becomes('192.0.2.9', 'resolved 0');
    await place.ip('route del 192.0.2.0/24');
    await becomes('192.0.2.9', 'unresolved');
    await place.neighbourIp('link set dn1 down');
    await becomes('10.1.2.2', 'unresolved');
    await place.neighbourIp('link set dn1 up');
    await becomes('10.1.2.2', 'resolved 0');
    await place.ip('address add 10.55.0.1/24 dev up0');
    await becomes('10.55.0.2', 'resolved 0');
  });

  it('follows link-local next hops by their link', async () => {
    add('fe80::2', await place.interfaceIndex('up1'));
    await becomes('fe80::2', 'resolved 0');
    await place.neighbourIp('link set dn1 down');
    await becomes('fe80::2', 'unresolved');
  });

  it('does not resolve through routes of our own, and looks behind them', async () => {
    await place.ip('route add 192.0.2.0/24 via 10.1.1.2 proto 114');
    await place.ip('route add 10.1.1.2/32 via 10.1.2.2 proto 114');
    add('192.0.2.9');
    add('10.1.1.2');
    await becomes('192.0.2.9', 'unresolved');
    await becomes('10.1.1.2', 'resolved 0');
  });

  it('tells only changes, and nothing of what was removed', async () => {
    add('192.0.2.9');
    add('203.0.113.9');
    await until(() => told.size === 2, 'both');
    const [event] = names.map((_, id): NextHopEvent => {
      const address = parseIpAddress('192.0.2.9')!;
      return { id, network: 0, address, interfaceIndex: 0, kind: 'removed' };
    });
    tracker.take([event!]);
    await place.ip('route add default via 10.1.1.2');
    await becomes('203.0.113.9', 'resolved 0');
    expect(toldCount).toBe(3);
    expect(told.get('192.0.2.9')).toBe('unresolved');
  });

  it('stops following a flood of routes and is right again soon after', async () => {
    add('192.0.2.9');
    await becomes('192.0.2.9', 'unresolved');
    const flood = Array.from(
      { length: 5000 },
      (_, i) => `route add blackhole 10.200.${i >> 8}.${i & 255}/32 proto 114`,
    );
    await place.batch([...flood, 'route add 192.0.2.0/24 via 10.1.1.2']);
    await becomes('192.0.2.9', 'resolved 0');
  });
});
