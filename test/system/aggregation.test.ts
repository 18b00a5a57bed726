// Aggregated tables in a real Northbound database and a real kernel: what is in place, and how it gives way to others' routes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OvsdbServer } from '../../bench/ovsdb-server.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { Reconciler } from '../../src/sinks/reconciler.ts';
import type { SinkOptions } from '../../src/workers/messages.ts';
import { SinkWorker } from '../../src/workers/pool.ts';
import { addOpenPeer } from '../core/open-peer.ts';
import { announcement, join, withdrawal } from '../core/updates.ts';
import { until } from '../sinks/sink-listener.ts';
import { HostPlace, isOwn, METRIC, TABLE } from './host-place.ts';
import { listRoutes, PORT, ROUTER, startNorthbound } from './ovn-sink-fixture.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A core with one peer and one aggregated FIB, and the target that follows it. */
class Loop {
  readonly core: RouteCore;
  readonly #reconciler: Reconciler;

  private constructor(core: RouteCore, sink: SinkOptions) {
    this.core = core;
    const kind = sink.kind === 'host' ? 'host' : 'ovn';
    core.addNetwork(0, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.addFib(0, 0, {
      holdRemovals: true,
      aggregation: 'exact',
      cost: kind === 'ovn' ? 'next-hops' : 'entries',
    });
    addOpenPeer(core, 1, {
      network: 0,
      address: parseIpAddress('10.1.1.2')!,
      localAsn: 64512,
      routerId: 2,
    });
    this.#reconciler = new Reconciler({
      core,
      fib: 0,
      name: `default/${kind}`,
      kind,
      worker: new SinkWorker(sink),
      log: quiet,
      onWork: () => this.#turn(),
      waitsForFirstSync: true,
    });
  }

  static async start(sink: SinkOptions): Promise<Loop> {
    const loop = new Loop(await loadCore(), sink);
    await loop.#reconciler.start();
    return loop;
  }

  /** Every source has been heard. */
  release(): void {
    while (this.core.work(100_000));
    this.#reconciler.releaseRemovals();
  }

  get status() {
    return this.#reconciler.status();
  }

  announce(nextHop: string, ...prefixes: string[]): void {
    this.core.receive(1, announcement({ attributes: { asPath: [65001], nextHop }, prefixes }), 1);
    this.#turn();
  }

  withdraw(...prefixes: string[]): void {
    this.core.receive(1, join(withdrawal(prefixes)), 2);
    this.#turn();
  }

  #turn(): void {
    while (this.core.work(100_000));
    this.#reconciler.kick();
  }

  stop(): Promise<void> {
    return this.#reconciler.stop();
  }
}

const quarters = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24'];

describe('rows of a router', () => {
  const VIA = '172.18.0.2';
  const OTHER = '172.18.0.3';
  let server: OvsdbServer;
  let loop: Loop;

  const start = () =>
    Loop.start({
      kind: 'ovn',
      remotes: [server.remote],
      owner: 'node',
      network: 'default',
      router: ROUTER,
      outputPort: PORT,
      maxRoutes: 1000,
      collision: 'skip',
    });

  beforeEach(async () => {
    server = await startNorthbound();
    loop = await start();
    loop.release();
  });

  afterEach(async () => {
    await loop.stop();
    await server.stop();
  });

  const untilRows = (what: string, ...rows: string[]) =>
    until(() => JSON.stringify(listRoutes(server)) === JSON.stringify(rows.toSorted()), what);

  it('are as few as can be, and more when a route goes', async () => {
    loop.announce(VIA, ...quarters);
    await untilRows('one row', `10.0.0.0/22 via ${VIA}`);
    loop.withdraw('10.0.1.0/24');
    await untilRows('two rows', `10.0.0.0/24 via ${VIA}`, `10.0.2.0/23 via ${VIA}`);
  });

  it.each([
    [VIA, OTHER],
    [OTHER, VIA],
  ])('are left alone by a restart, where others would do as well: %s', async (most, few) => {
    // Two of four each: a row of either and two exceptions. The one that was there first stays.
    loop.announce(few, '10.0.0.0/24');
    loop.announce(most, '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24');
    await untilRows('two rows', `10.0.0.0/22 via ${most}`, `10.0.0.0/24 via ${few}`);
    loop.announce(few, '10.0.3.0/24');
    const rows = [`10.0.0.0/22 via ${most}`, `10.0.0.0/24 via ${few}`, `10.0.3.0/24 via ${few}`];
    await untilRows('three rows', ...rows);
    await loop.stop();

    loop = await start();
    loop.announce(VIA, ...quarters.filter((_, i) => (i % 3 === 0) === (few === VIA)));
    await until(() => loop.status.ownedCount === 3, 'the rows are read');
    loop.announce(OTHER, ...quarters.filter((_, i) => (i % 3 === 0) === (few === OTHER)));
    loop.release();
    // The next thing written comes after whatever the restart would have written.
    loop.announce(VIA, '10.9.0.0/16');
    await untilRows('one row more', ...rows, `10.9.0.0/16 via ${VIA}`);
    await until(() => loop.status.writtenCount > 0, 'the answer');
    expect(loop.status.writtenCount).toBe(1);
  });

  it('give way to a row of somebody else, and close up when it goes', async () => {
    loop.announce(VIA, '10.0.0.0/22', '10.0.1.128/25');
    await untilRows('one row', `10.0.0.0/22 via ${VIA}`);
    server.nbctl('lr-route-add', ROUTER, '10.0.1.0/24', '172.18.0.9');
    const theirs = '10.0.1.0/24 via 172.18.0.9';
    await untilRows(
      'a row inside theirs',
      `10.0.0.0/22 via ${VIA}`,
      theirs,
      `10.0.1.128/25 via ${VIA}`,
    );
    server.nbctl('lr-route-del', ROUTER, '10.0.1.0/24');
    await untilRows('one row again', `10.0.0.0/22 via ${VIA}`);
  });

  it('give way to the network of a port', async () => {
    loop.announce(VIA, '10.0.0.0/22', '10.0.1.128/25');
    await untilRows('one row', `10.0.0.0/22 via ${VIA}`);
    server.nbctl('lrp-add', ROUTER, 'inside', '02:00:00:00:00:02', '10.0.1.1/24');
    await untilRows('two rows', `10.0.0.0/22 via ${VIA}`, `10.0.1.128/25 via ${VIA}`);
    server.nbctl('lrp-del', 'inside');
    await untilRows('one row again', `10.0.0.0/22 via ${VIA}`);
  });
});

describe('routes of a kernel table', () => {
  const VIA = '10.1.1.2';
  let place: HostPlace;
  let loop: Loop;

  beforeEach(async () => {
    place = await HostPlace.create();
    loop = await Loop.start({ kind: 'host', ...place.options({ tellsForeign: true }) });
    loop.release();
  });

  afterEach(async () => {
    await loop.stop();
    await place.dispose();
  });

  const untilOurs = (what: string, ...prefixes: string[]) =>
    until(async () => {
      const ours = (await place.routes()).filter(isOwn).map((line) => line.split(' ')[0]!);
      return JSON.stringify(ours.sort()) === JSON.stringify(prefixes.toSorted());
    }, what);

  it('are as few as can be', async () => {
    loop.announce(VIA, ...quarters);
    await untilOurs('one route', '10.0.0.0/22');
  });

  it.each([
    ['a better', METRIC - 1, ['10.0.0.0/22', '10.0.1.128/25']],
    ['a worse', METRIC + 1, ['10.0.0.0/22', '10.0.1.0/24']],
  ])('give way to somebody else’s with %s metric', async (_, metric, prefixes) => {
    loop.announce(VIA, '10.0.0.0/22', '10.0.1.0/24', '10.0.1.128/25');
    await untilOurs('one route', '10.0.0.0/22');
    const theirs = `blackhole 10.0.1.0/24 table ${TABLE} metric ${metric}`;
    await place.ip(`route add ${theirs}`);
    // Ours at their prefix is always there: it is for the kernel to choose.
    await untilOurs('theirs stayed clear of', ...new Set([...prefixes, '10.0.1.0/24']));
    await place.ip(`route del ${theirs}`);
    await untilOurs('one route again', '10.0.0.0/22');
  });
});
