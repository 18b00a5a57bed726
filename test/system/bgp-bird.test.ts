// Interop with BIRD 2: the common suite, TCP-MD5 and GTSM.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Speaker } from '../../src/bgp/speaker.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { BirdDaemon } from './bgp-bird-daemon.ts';
import {
  daemonAsn,
  feederAsn,
  prefix,
  rutterAsn,
  rutterPort,
  type SessionSetup,
  Speakers,
  testDaemon,
  untilEstablished,
} from './bgp-interop.ts';
import { type BgpNetwork, bgpNetwork } from './bgp-network.ts';
import { LearnedRoutes } from './bgp-routes.ts';

testDaemon('BIRD 2', 'birdtest', 42, () => new BirdDaemon());

describe.runIf(process.getuid?.() === 0)('BIRD 2, more (needs root)', () => {
  let network: BgpNetwork;
  const bird = new BirdDaemon();
  const setup: SessionSetup = { daemonConnects: false, overIpv6: false };
  beforeAll(async () => {
    network = await bgpNetwork('birdmore', 45);
  });
  afterEach(() => bird.stop());
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
  });

  it.each([
    { daemonConnects: false, overIpv6: false },
    { daemonConnects: true, overIpv6: false },
    { daemonConnects: false, overIpv6: true },
    { daemonConnects: true, overIpv6: true },
  ])(
    'signs with TCP-MD5 and checks the hops, daemon connects: $daemonConnects, IPv6: $overIpv6',
    async (how) => {
      await using speakers = new Speakers(network);
      const secured = { ...how, password: 'open-sesame', ttlSecurity: true };
      await bird.start(network, secured);
      const { speaker } = await speakers.start(1, rutterAsn, secured);
      await untilEstablished(speaker);
    },
  );

  it('drops a peer that is further away than it may be (RFC 5082)', async () => {
    await using speakers = new Speakers(network);
    // BIRD sends with a hop limit of 1, as eBGP does without GTSM
    await bird.start(network, setup);
    const { speaker } = await speakers.start(1, rutterAsn, { ...setup, ttlSecurity: true });
    const sentOpens = () => speaker.peers()[0]!.messages.sent.open;
    await waitUntil(() => sentOpens() > 0, { what: 'our OPEN' });
    await delay(2000);
    expect(speaker.peers()[0]!.messages.received.total).toBe(0);
  });

  it('has one session when both connect at once (RFC 4271 §6.8)', async () => {
    await using speakers = new Speakers(network);
    for (let round = 0; round < 5; round++) {
      await bird.start(network, { ...setup, daemonConnects: true });
      const { speaker, routes } = await speakers.start(1, rutterAsn, setup, {
        connectRetryMs: 1000,
      });
      await untilEstablished(speaker);
      await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
      await speaker.stop();
      await bird.stop();
    }
  });

  it('sends IPv4 with IPv6 next hops over IPv6 (RFC 8950)', async () => {
    await using speakers = new Speakers(network);
    const overIpv6 = { daemonConnects: false, overIpv6: true };
    await bird.start(network, overIpv6);
    const { speaker, routes } = await speakers.start(1, rutterAsn, overIpv6, { nextHops: {} });
    speaker.advertise('all', [{ prefix: prefix('10.244.1.0/24') }]);
    await untilEstablished(speaker);
    await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
    expect(routes.get('203.0.113.0/24')!.nextHop).toBe(network.ipv6(2));
    await waitUntil(async () => (await bird.seen('10.244.1.0/24')) !== undefined, { what: 'ours' });
    expect((await bird.seen('10.244.1.0/24'))!.nextHop).toBe(network.ipv6(1));
  });

  it('takes a connection from a link-local address', async () => {
    const linkLocal = {
      daemon: await network.linkLocal(),
      rutter: await network.nearLinkLocal(),
      interface: 'eth0',
    };
    const routes = new LearnedRoutes();
    const speaker = new Speaker({
      asn: rutterAsn,
      routerId: 0xc6120001,
      listen: [{ address: network.address('::'), port: rutterPort }],
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
    speaker.addPeer(
      {
        name: 'daemon',
        address: network.address(linkLocal.daemon),
        interface: network.device,
        asn: daemonAsn,
        passive: true,
        families: ['ipv6-unicast'],
        password: 'open-sesame',
      },
      routes,
    );
    await speaker.start();
    try {
      await bird.start(network, {
        daemonConnects: true,
        overIpv6: true,
        password: 'open-sesame',
        linkLocal,
      });
      await untilEstablished(speaker);
      await waitUntil(() => routes.get('2001:db8:113::/48') !== undefined, { what: 'the route' });
    } finally {
      await speaker.stop();
    }
  });

  it('keeps the routes of a BIRD that was killed, until its End-of-RIB (RFC 4724)', async () => {
    await using speakers = new Speakers(network);
    const lines = 'graceful restart on;';
    await bird.start(network, { ...setup, lines });
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
    await untilEstablished(speaker);
    await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
    await bird.stop('SIGKILL');
    await waitUntil(() => speaker.peers()[0]!.state !== 'established', { what: 'the loss' });
    expect(routes.get('203.0.113.0/24')).toBeDefined();
    expect(speaker.peers()[0]!.staleFamilies).toEqual(['ipv4-unicast', 'ipv6-unicast']);
    await bird.start(network, { ...setup, lines }, true);
    let wasLost = false;
    const isFresh = () => {
      wasLost ||= routes.get('203.0.113.0/24') === undefined;
      const { state, staleFamilies } = speaker.peers()[0]!;
      return state === 'established' && staleFamilies.length === 0;
    };
    await waitUntil(isFresh, { what: 'no stale routes', intervalMs: 1 });
    expect(wasLost).toBe(false);
    expect(routes.calls).toContain('endRefresh ipv6-unicast');
  });

  it('refreshes inside BoRR and EoRR, both ways (RFC 7313)', async () => {
    await using speakers = new Speakers(network);
    await bird.start(network, setup);
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
    speaker.advertise('all', [{ prefix: prefix('10.244.1.0/24') }]);
    await untilEstablished(speaker);
    expect(speaker.peers()[0]!.capabilities).toContain('enhanced-route-refresh');
    await waitUntil(async () => (await bird.seen('10.244.1.0/24')) !== undefined, { what: 'ours' });
    await bird.birdc('reload in rutter');
    await waitUntil(() => speaker.peers()[0]!.messages.sent.routeRefresh >= 4, {
      what: 'BoRR and EoRR of two families from us',
    });
    await bird.birdc('reload out rutter');
    await waitUntil(() => routes.calls.includes('endRefresh ipv6-unicast'), { what: 'its EoRR' });
    expect(routes.calls).toContain('beginRefresh ipv4-unicast');
    expect(routes.get('203.0.113.0/24')).toBeDefined();
    expect(await bird.seen('10.244.1.0/24')).toBeDefined();
  });

  it('is bound to a device (SO_BINDTODEVICE), both ways round', async () => {
    await using speakers = new Speakers(network);
    for (const daemonConnects of [false, true]) {
      await bird.start(network, { daemonConnects, overIpv6: false });
      const how = { daemonConnects, overIpv6: false };
      const bound = await speakers.start(1, rutterAsn, how, { bindDevice: network.device });
      await untilEstablished(bound.speaker);
      await bound.speaker.stop();
      await bird.stop();
    }
    await bird.start(network, setup);
    const elsewhere = await speakers.start(1, rutterAsn, setup, { bindDevice: 'lo' });
    await waitUntil(() => elsewhere.speaker.peers()[0]!.lastError !== undefined, {
      what: 'a failure',
    });
    const missing = await speakers.start(3, feederAsn, setup, { bindDevice: 'no-such-dev' });
    await waitUntil(() => missing.speaker.peers()[0]!.lastError !== undefined, {
      what: 'a failure',
    });
    expect(elsewhere.speaker.peers()[0]!.lastError!.reason).toBe(
      'no answer within the connect retry time',
    );
    expect(missing.speaker.peers()[0]!.lastError!.reason).toBe(
      'SO_BINDTODEVICE no-such-dev: ENODEV',
    );
  });
});
