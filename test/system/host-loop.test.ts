// The closed loop on a real kernel: UPDATE bytes ► core ► reconciler ► worker thread ► kernel, and back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { NextHopTracker } from '../../src/networks/next-hop-tracker.ts';
import { Reconciler } from '../../src/sinks/reconciler.ts';
import { SinkWorker } from '../../src/workers/pool.ts';
import { addOpenPeer } from '../core/open-peer.ts';
import { announcement, join, withdrawal } from '../core/updates.ts';
import { until } from '../sinks/sink-listener.ts';
import { HostPlace, isOwn, METRIC, PROTOCOL, TABLE } from './host-place.ts';

const GATEWAYS = ['10.1.1.2', '10.1.2.2'] as const;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Core, next-hop tracker, reconciler and worker, with a peer behind each link. */
class Loop {
  readonly core: RouteCore;
  readonly reconciler: Reconciler;
  readonly #tracker: NextHopTracker;

  private constructor(core: RouteCore, place: HostPlace) {
    this.core = core;
    core.addNetwork(0, { med: 'deterministic', multipath: 2, multipathRelax: true });
    core.trackNextHops(0, true);
    core.addFib(0, 0, { holdRemovals: true });
    for (const [i, gateway] of GATEWAYS.entries()) this.#addPeer(i + 1, gateway);
    this.#tracker = new NextHopTracker({
      core,
      protocol: PROTOCOL,
      log: quiet,
      onChanged: () => this.turn(),
      namespace: place.namespace,
    });
    this.reconciler = new Reconciler({
      core,
      fib: 0,
      name: 'default/host',
      kind: 'host',
      worker: new SinkWorker({ kind: 'host', ...place.options() }),
      log: quiet,
      onWork: () => this.turn(),
    });
  }

  static async start(place: HostPlace): Promise<Loop> {
    const loop = new Loop(await loadCore(), place);
    await loop.#tracker.start();
    await loop.reconciler.start();
    return loop;
  }

  announce(peer: number, prefixes: readonly string[]): void {
    const attributes = { asPath: [65000 + peer], nextHop: GATEWAYS[peer - 1]! };
    for (let i = 0; i < prefixes.length; i += 500) {
      const slice = prefixes.slice(i, i + 500);
      this.core.receive(peer, announcement({ attributes, prefixes: slice }), 1);
    }
    this.turn();
  }

  withdraw(peer: number, prefixes: readonly string[]): void {
    this.core.receive(peer, join(withdrawal(prefixes)), 2);
    this.turn();
  }

  /** What the agent does after anything that changed the core. */
  turn(): void {
    while (this.core.work(100_000));
    this.#tracker.take(this.core.takeNextHopEvents());
    this.reconciler.kick();
  }

  async stop(): Promise<void> {
    await this.reconciler.stop();
    await this.#tracker.stop();
  }

  #addPeer(peer: number, gateway: string): void {
    addOpenPeer(this.core, peer, {
      network: 0,
      address: parseIpAddress(gateway)!,
      asn: 65000 + peer,
      localAsn: 64512,
      localRouterId: 0x0a000001,
      routerId: 0x0a000100 + peer,
      maxMessageBytes: 65_535,
    });
  }
}

describe('routes from a peer to the kernel', () => {
  let place: HostPlace;
  let loop: Loop;

  beforeEach(async () => {
    place = await HostPlace.create();
    loop = await Loop.start(place);
  });

  afterEach(async () => {
    await loop.stop();
    await place.dispose();
  });

  const ours = async (): Promise<string[]> => (await place.routes()).filter(isOwn);
  const some = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `20.${i >> 8}.${i & 255}.0/24`);

  it('go in, change to ECMP and back, and go out', async () => {
    loop.reconciler.releaseRemovals();
    loop.announce(1, some(20_000));
    await until(async () => (await ours()).length === 20_000, '20 000 routes');
    loop.announce(2, some(100));
    const shared = async () => (await ours()).filter((line) => line.includes('nexthop')).length;
    await until(async () => (await shared()) === 100, '100 routes with two next hops');
    loop.withdraw(1, some(100));
    await until(async () => (await shared()) === 0, 'no route with two next hops');
    expect(await ours()).toHaveLength(20_000);
    loop.withdraw(2, some(50));
    await until(async () => (await ours()).length === 19_950, '19 950 routes');
    expect(loop.core.fibCounters(0)).toMatchObject({ pendingCount: 0, refusedCount: 0 });
  });

  it('come back within a second when somebody deletes them', async () => {
    loop.announce(1, some(500));
    await until(async () => (await ours()).length === 500, '500 routes');
    await place.ip(`route del 20.0.7.0/24 table ${TABLE}`);
    await place.ip(`route replace blackhole 20.0.8.0/24 table ${TABLE} proto 114 metric ${METRIC}`);
    const whole = async () => (await ours()).filter((line) => line.includes('via 10.1.1.2'));
    await until(async () => (await whole()).length === 500, 'every route', 1000);
  });

  it('leave with their link and come back with it', async () => {
    loop.announce(1, some(500));
    loop.announce(2, ['30.0.0.0/24']);
    await until(async () => (await ours()).length === 501, '501 routes');
    await place.neighbourIp('link set dn0 down');
    await until(async () => (await ours()).length === 1, 'one route');
    await place.neighbourIp('link set dn0 up');
    await until(async () => (await ours()).length === 501, '501 routes again');
    await until(() => loop.core.fibCounters(0).pendingCount === 0, 'nothing pending');
  });

  it('stay through a restart, which writes nothing; what is left over goes after the release', async () => {
    loop.announce(1, some(5000));
    await until(async () => (await ours()).length === 5000, '5000 routes');
    await loop.stop();
    const watch = await place.watchRoutes();
    loop = await Loop.start(place);
    await until(() => loop.reconciler.status().state === 'ready', 'ready');
    loop.announce(1, some(4990));
    const isSettled = () => {
      const { pendingCount, heldCount } = loop.core.fibCounters(0);
      return pendingCount === 0 && heldCount === 10;
    };
    await until(isSettled, 'ten held removals');
    expect(await watch.stop()).toEqual([]);
    loop.reconciler.releaseRemovals();
    await until(async () => (await ours()).length === 4990, '4990 routes');
  });

  it('are refused where somebody else has the prefix, and go in when it is free', async () => {
    await place.ip(`route add 20.0.3.0/24 via ${GATEWAYS[1]} table ${TABLE} metric ${METRIC}`);
    loop.announce(1, some(10));
    await until(async () => (await ours()).length === 9, 'nine routes');
    const failure = () => loop.reconciler.failure(parsePrefix('20.0.3.0/24')!);
    await until(() => failure()?.code === 'collision', 'the collision');
    expect(loop.reconciler.status().failureCount).toBe(1);
    await place.ip(`route del 20.0.3.0/24 table ${TABLE}`);
    await until(async () => (await ours()).length === 10, 'ten routes', 2000);
    expect(failure()).toBeUndefined();
  });
});
