// A full router: what is let in, in which order, and what happens to the rest; the sink on a real Northbound database, alone and
// under a core with more routes than fit.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { Reconciler } from '../../src/sinks/reconciler.ts';
import { SinkWorker } from '../../src/workers/pool.ts';
import { addOpenPeer } from '../core/open-peer.ts';
import { announcement, join, withdrawal } from '../core/updates.ts';
import { NaiveWaitingList } from '../naive/waiting-list.ts';
import { listRoutes, PORT, ROUTER, SinkFixture, startNorthbound } from './ovn-sink-fixture.ts';

const VIA = '172.18.0.2';

let server: OvsdbServer;
beforeEach(async () => {
  server = await startNorthbound();
});
afterEach(() => server.stop());

const prefixesThere = (): string[] => listRoutes(server).map((route) => route.split(' ')[0]!);

describe('the sink on a full router', () => {
  let fixture: SinkFixture;
  const open = async (maxRoutes: number): Promise<void> => {
    fixture = await new SinkFixture({ remotes: [server.remote], maxRoutes }).open();
  };
  afterEach(() => fixture.sink.close());

  const to = [VIA];
  const released = (): string[] => fixture.heard('released').flatMap(({ prefixes }) => prefixes);

  it('takes shorter prefixes first, whatever their order in the batch', async () => {
    await open(3);
    const asked = ['10.1.1.0/24', '10.1.0.0/16', '2001:db8::/32', '10.0.0.0/8', '9.0.0.0/8'];
    const { failures } = await fixture.apply(
      asked.map((prefix) => ({ prefix, to: prefix.includes(':') ? ['fd00::1'] : to })),
    );
    expect(prefixesThere().sort()).toEqual(['10.0.0.0/8', '10.1.0.0/16', '9.0.0.0/8']);
    expect(failures.map(({ index, code }) => [asked[index], code])).toEqual([
      ['10.1.1.0/24', 'limit'],
      ['2001:db8::/32', 'limit'],
    ]);
  });

  it('keeps what is in when a shorter prefix comes later, and gives it the room that comes', async () => {
    await open(2);
    await fixture.apply([
      { prefix: '10.1.1.0/24', to },
      { prefix: '10.1.2.0/24', to },
    ]);
    const { failures } = await fixture.apply([
      { prefix: '10.1.3.0/24', to },
      { prefix: '10.0.0.0/8', to },
    ]);
    expect(failures.map(({ code }) => code)).toEqual(['limit', 'limit']);
    expect(prefixesThere()).toEqual(['10.1.1.0/24', '10.1.2.0/24']);
    await fixture.apply([{ prefix: '10.1.1.0/24' }]);
    await waitFor(() => released().length > 0, 'release');
    expect(released()).toEqual(['10.0.0.0/8']);
  });

  it('waits for the whole backlog before it lets anything in, and then takes the shortest of all', async () => {
    await open(2);
    const first = await fixture.apply([{ prefix: '10.1.1.0/24', to }], 2);
    expect(first.failures.map(({ code }) => code)).toEqual(['limit']);
    await fixture.apply([{ prefix: '10.1.0.0/16', to }], 1);
    expect(released()).toEqual([]);
    await fixture.apply([{ prefix: '10.0.0.0/8', to }], 0);
    await waitFor(() => released().length > 0, 'release');
    expect(released()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
    expect(prefixesThere()).toEqual([]);
    // A newcomer does not take the room that is kept for those who were told.
    const late = await fixture.apply([{ prefix: '9.0.0.0/8', to }], 5);
    expect(late.failures.map(({ code }) => code)).toEqual(['limit']);
    const { failures } = await fixture.apply([
      { prefix: '10.1.0.0/16', to },
      { prefix: '10.0.0.0/8', to },
    ]);
    expect(failures).toEqual([]);
  });

  it('gives the room to the next when those who were told do not want it any more', async () => {
    await open(1);
    await fixture.apply([{ prefix: '10.9.0.0/16', to }]);
    await fixture.apply([
      { prefix: '10.0.0.0/8', to },
      { prefix: '10.1.0.0/16', to },
    ]);
    await fixture.apply([{ prefix: '10.9.0.0/16' }]);
    await waitFor(() => released().includes('10.1.0.0/16'), 'the next');
    expect(released()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
  });

  it('leaves no row to a next hop that is gone, although the new ones do not all fit', async () => {
    await open(2);
    await fixture.apply([
      { prefix: '10.0.0.0/8', to: ['172.18.0.2'] },
      { prefix: '11.0.0.0/8', to: ['172.18.0.9'] },
    ]);
    const result = await fixture.apply([
      { prefix: '10.0.0.0/8', from: ['172.18.0.2'], to: ['172.18.0.3', '172.18.0.4'] },
    ]);
    expect(result.failures.map(({ code }) => code)).toEqual(['limit']);
    expect(listRoutes(server)).toEqual(['10.0.0.0/8 via 172.18.0.3', '11.0.0.0/8 via 172.18.0.9']);
    expect(fixture.observed.get('10.0.0.0/8')).toBe('172.18.0.3*1');
    await fixture.apply([{ prefix: '11.0.0.0/8', from: ['172.18.0.9'] }]);
    await waitFor(() => released().length > 0, 'release');
    await fixture.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.3', '172.18.0.4'] }]);
    expect(listRoutes(server)).toEqual(['10.0.0.0/8 via 172.18.0.3', '10.0.0.0/8 via 172.18.0.4']);
  });
});

describe('a core with more routes than fit', () => {
  const MOST = 1000;
  let core: RouteCore;
  let reconciler: Reconciler;
  const logged: object[] = [];

  const note = (fields: object, event: string): void => {
    logged.push({ ...fields, event });
  };

  function turn(): void {
    while (core.work(100_000));
    reconciler.kick();
  }

  beforeEach(async () => {
    logged.length = 0;
    core = await loadCore();
    core.addNetwork(0, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.trackNextHops(0, false);
    core.addFib(0, 0, { holdRemovals: false });
    addOpenPeer(core, 1, {
      network: 0,
      address: parseIpAddress(VIA)!,
      localAsn: 64512,
      routerId: 2,
      maxMessageBytes: 65_535,
      families: ['ipv4-unicast'],
    });
    reconciler = new Reconciler({
      core,
      fib: 0,
      name: 'default/ovn',
      kind: 'ovn',
      worker: new SinkWorker({
        kind: 'ovn',
        remotes: [server.remote],
        owner: 'node',
        network: 'default',
        router: ROUTER,
        outputPort: PORT,
        maxRoutes: MOST,
        collision: 'skip',
      }),
      log: { info: note, warn: note, error: note },
      onWork: turn,
    });
  });
  afterEach(() => reconciler.stop());

  /** 20 000 prefixes of /9 to /24, longest first. */
  const prefixes = Array.from({ length: 20_000 }, (_, i) => {
    const length = 24 - Math.floor(i / 1250);
    const text = `${20 + (i >> 8)}.${i & 255}.${(i * 7) & 255}.0/${length}`;
    const { address } = parsePrefix(text)!;
    return `${[...address].join('.')}/${length}`;
  });
  const wanted = [...new Set(prefixes)];

  const announce = (list: readonly string[]): void => {
    for (let i = 0; i < list.length; i += 500) {
      core.receive(
        1,
        announcement({
          attributes: { asPath: [65001], nextHop: VIA },
          prefixes: list.slice(i, i + 500),
        }),
        1,
      );
    }
    turn();
  };

  it('puts in the shortest of all, keeps to the cap, and follows withdrawals in the same order', async () => {
    announce(wanted);
    await reconciler.start();
    const twin = new NaiveWaitingList();
    for (const prefix of wanted) twin.add(prefix, 1);
    const first = twin.take(MOST).map(({ prefix }) => prefix);
    await waitFor(() => isAtRest(first.length), 'rest');
    expect(prefixesThere().sort()).toEqual([...first].sort());
    expect(reconciler.status().refusedByCode).toEqual({ limit: wanted.length - MOST });
    expect(reconciler.failure(parsePrefix(wanted[0]!)!)?.code).toBe('limit');
    expect(logged.filter((line) => 'code' in line)).toMatchObject([
      { event: 'records refused', code: 'limit' },
    ]);

    const gone = first.slice(10, 110);
    core.receive(1, join(withdrawal(gone)), 2);
    turn();
    const next = twin.take(gone.length).map(({ prefix }) => prefix);
    const then = [...first.filter((prefix) => !gone.includes(prefix)), ...next].sort();
    await waitFor(() => prefixesThere().sort().join() === then.join(), 'those whose turn it is');

    const all = core.fibCounters(0);
    expect(all.refusedCount).toBe(wanted.length - MOST - gone.length);
  });

  function isAtRest(installed: number): boolean {
    const { pendingCount, installedCount } = core.fibCounters(0);
    return pendingCount === 0 && installedCount === installed;
  }
});
