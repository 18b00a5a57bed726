// Interop with FRR: the common suite, TCP-MD5, GTSM, graceful restart of its bgpd.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/lab/processes.ts';
import { FrrDaemon } from './bgp-frr-daemon.ts';
import {
  daemonAsn,
  feederAsn,
  prefix,
  rutterAsn,
  type SessionSetup,
  Speakers,
  testDaemon,
  untilEstablished,
} from './bgp-interop.ts';
import { type BgpNetwork, bgpNetwork } from './bgp-network.ts';

testDaemon('FRR', 'frrtest', 41, () => new FrrDaemon());

describe.runIf(process.getuid?.() === 0)('FRR, more (needs root)', () => {
  let network: BgpNetwork;
  const frr = new FrrDaemon();
  const setup: SessionSetup = { daemonConnects: false, overIpv6: false };
  beforeAll(async () => {
    network = await bgpNetwork('frrmore', 44);
  });
  afterEach(() => frr.stop());
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
      await frr.start(network, secured);
      const wrong = await speakers.start(3, feederAsn, { ...secured, password: 'wrong' });
      const { speaker } = await speakers.start(1, rutterAsn, secured);
      await untilEstablished(speaker);
      const status = JSON.stringify(wrong.speaker.peers());
      expect(wrong.speaker.peers()[0]!.establishedCount).toBe(0);
      expect(status).not.toContain('wrong');
    },
  );

  it('keeps the routes of a bgpd that was killed, until its End-of-RIB (RFC 4724)', async () => {
    await using speakers = new Speakers(network);
    const lines = ' neighbor PEER graceful-restart\n bgp graceful-restart preserve-fw-state';
    await frr.start(network, { ...setup, lines });
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
    await untilEstablished(speaker);
    await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
    expect(speaker.peers()[0]!.gracefulRestart!.families).toContain('ipv4-unicast');
    await frr.crash();
    await waitUntil(() => speaker.peers()[0]!.establishedCount === 2, { what: 'the new session' });
    expect(routes.get('203.0.113.0/24')).toBeDefined();
    await waitUntil(() => speaker.peers()[0]!.staleFamilies.length === 0, {
      what: 'no stale routes',
    });
    expect(routes.get('203.0.113.0/24')).toBeDefined();
    expect(routes.calls).toContain('close ipv4-unicast ipv6-unicast');
    expect(routes.calls).toContain('endRefresh ipv4-unicast');
  });

  it('keeps our routes while we restart (RFC 4724 §4.1)', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    const ours = [{ prefix: prefix('10.244.1.0/24') }];
    const gracefulRestart = {
      restartTimeSeconds: 60,
      restarting: true,
      forwardingPreserved: true,
    };
    const first = await speakers.start(1, rutterAsn, setup, { gracefulRestart });
    first.speaker.advertise('all', ours);
    await untilEstablished(first.speaker);
    await waitUntil(async () => (await frr.seen('10.244.1.0/24')) !== undefined, { what: 'ours' });
    await first.speaker.stop({ restarting: true });
    const show = () => frr.vtysh('show bgp ipv4 unicast 10.244.1.0/24');
    await waitUntil(async () => (await show()).includes('stale'), { what: 'a stale route' });
    const second = await speakers.start(1, rutterAsn, setup, { gracefulRestart });
    second.speaker.advertise('all', ours);
    let wasLost = false;
    await waitUntil(
      async () => {
        const shown = await show();
        wasLost ||= !shown.includes(network.ipv4(1));
        return second.speaker.peers()[0]!.state === 'established' && !shown.includes('stale');
      },
      { what: 'a fresh route' },
    );
    expect(wasLost).toBe(false);
  });

  it('sends IPv4 with IPv6 next hops over a link-local session (RFC 8950)', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    const linkLocal = await network.linkLocal();
    const ours = await network.nearLinkLocal();
    await frr.configure(`
router bgp ${daemonAsn}
 neighbor ${ours} remote-as external
 neighbor ${ours} interface eth0
 neighbor ${ours} passive
 neighbor ${ours} capability extended-nexthop
 address-family ipv4 unicast
  neighbor ${ours} activate
 exit-address-family
 address-family ipv6 unicast
  neighbor ${ours} activate
 exit-address-family
`);
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup, {
      address: network.address(linkLocal),
      interface: network.device,
      localAddress: network.address(ours),
      nextHops: {},
    });
    speaker.advertise('all', [
      { prefix: prefix('10.244.1.0/24') },
      { prefix: prefix('fd00:244::/64') },
    ]);
    await untilEstablished(speaker);
    expect(speaker.peers()[0]!.capabilities).toContain('extended-next-hop');
    await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
    expect(routes.get('203.0.113.0/24')!.nextHop).toContain(':');
    await waitUntil(
      async () => (await frr.vtysh('show bgp ipv4 unicast')).includes('10.244.1.0/24'),
      {
        what: 'our prefix at FRR',
      },
    );
    const shown = await frr.vtysh('show bgp ipv4 unicast 10.244.1.0/24');
    expect(shown).toContain(ours);
    expect(shown).not.toContain('inaccessible');
    expect(await frr.vtysh('show bgp ipv6 unicast fd00:244::/64')).toContain(ours);
  });

  it('carries the texts of shutdowns both ways (RFC 9003)', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    const { speaker } = await speakers.start(1, rutterAsn, setup, { gracefulRestart: undefined });
    await untilEstablished(speaker);
    await frr.configure(`
router bgp ${daemonAsn}
 neighbor ${network.ipv4(1)} shutdown message maintenance until ten
`);
    await waitUntil(() => speaker.peers()[0]!.lastNotification !== undefined, {
      what: 'the NOTIFICATION',
    });
    expect(speaker.peers()[0]!.lastNotification).toMatchObject({
      direction: 'received',
      shutdownText: 'maintenance until ten',
    });
    await frr.configure(`
router bgp ${daemonAsn}
 no neighbor ${network.ipv4(1)} shutdown
`);
    await untilEstablished(speaker);
    await speaker.stop({ shutdownText: 'rutter is leaving' });
    const show = `show bgp neighbors ${network.ipv4(1)} json`;
    await waitUntil(async () => (await frr.vtysh(show)).includes('rutter is leaving'), {
      what: 'our text at FRR',
    });
  });

  it('is told that a shutdown is for good where it would keep our routes (RFC 8538)', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    const { speaker } = await speakers.start(1, rutterAsn, setup);
    await untilEstablished(speaker);
    await speaker.stop();
    await waitUntil(
      async () =>
        (await frr.vtysh(`show bgp neighbors ${network.ipv4(1)}`)).includes(
          'Cease/Administrative Shutdown/Hard Reset',
        ),
      { what: 'the Hard Reset at FRR' },
    );
  });

  it('answers a soft clear with its routes again, and takes a refresh', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
    speaker.advertise('all', [{ prefix: prefix('10.244.1.0/24') }]);
    await untilEstablished(speaker);
    await waitUntil(async () => (await frr.seen('10.244.1.0/24')) !== undefined, {
      what: 'our prefix',
    });
    const before = speaker.peers()[0]!.messages;
    await frr.vtysh(`clear bgp ipv4 unicast ${network.ipv4(1)} soft in`);
    await waitUntil(() => speaker.peers()[0]!.messages.sent.update > before.sent.update, {
      what: 'our routes again',
    });
    expect(speaker.peers()[0]!.messages.received.routeRefresh).toBe(
      before.received.routeRefresh + 1,
    );
    await frr.vtysh(`clear bgp ipv4 unicast ${network.ipv4(1)} soft out`);
    await waitUntil(() => speaker.peers()[0]!.messages.received.update > before.received.update, {
      what: 'its routes again',
    });
    expect(await frr.seen('10.244.1.0/24')).toBeDefined();
    expect(routes.get('203.0.113.0/24')).toBeDefined();
  });

  it('takes every path of a prefix with ADD-PATH (RFC 7911)', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    await frr.configure(`
router bgp ${daemonAsn}
 address-family ipv4 unicast
  neighbor ${network.ipv4(1)} addpath-tx-all-paths
 exit-address-family
`);
    const feeder = await speakers.start(3, feederAsn, setup);
    feeder.speaker.advertise('all', [{ prefix: prefix('203.0.113.0/24') }]);
    await untilEstablished(feeder.speaker);
    const { speaker, routes } = await speakers.start(1, rutterAsn, setup, {
      addPathReceive: ['ipv4-unicast'],
    });
    await untilEstablished(speaker);
    expect(speaker.peers()[0]!.addPathReceive).toEqual(['ipv4-unicast']);
    await waitUntil(() => routes.paths('203.0.113.0/24').length === 2, { what: 'two paths' });
    const paths = routes.paths('203.0.113.0/24').map((route) => route.asPath);
    expect(paths).toContainEqual([daemonAsn]);
    expect(paths).toContainEqual([daemonAsn, feederAsn]);
  });

  it('speaks iBGP', async () => {
    await using speakers = new Speakers(network);
    await frr.start(network, setup);
    await frr.configure(`
router bgp ${daemonAsn}
 neighbor ${network.ipv4(4)} remote-as ${daemonAsn}
 neighbor ${network.ipv4(4)} passive
 address-family ipv4 unicast
  neighbor ${network.ipv4(4)} activate
 exit-address-family
`);
    const { speaker, routes } = await speakers.start(4, daemonAsn, setup, {
      asn: 'internal',
      families: ['ipv4-unicast'],
    });
    speaker.advertise('all', [{ prefix: prefix('10.244.9.0/24'), localPref: 321 }]);
    await untilEstablished(speaker);
    await waitUntil(() => routes.get('203.0.113.0/24') !== undefined, { what: 'the route' });
    expect(routes.get('203.0.113.0/24')).toMatchObject({ asPath: [], localPref: 100, med: 77 });
    const show = 'show bgp ipv4 unicast 10.244.9.0/24 json';
    await waitUntil(async () => (await frr.vtysh(show)).includes('321'), { what: 'our prefix' });
    expect(await frr.vtyshJson(show)).toMatchObject({ paths: [{ locPrf: 321 }] });
  });
});
