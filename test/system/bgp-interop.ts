// The suite every real BGP daemon goes through: sessions both ways round, 10 000 routes per family, withdrawals, a restart, and
// what the daemon says of our announcements. bgp-frr, bgp-bird and bgp-gobgp run it, each with the daemon's own extras.
//
// The routes come from a second speaker of ours (the feeder, another AS) through the daemon, with a few of the daemon's own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AdvertisedRoute,
  type PeerEvents,
  type PeerOptions,
  Speaker,
} from '../../src/bgp/speaker.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { type Prefix, parsePrefix } from '../../src/net/prefix.ts';
import { type BgpNetwork, bgpNetwork } from './bgp-network.ts';
import { LearnedRoutes } from './bgp-routes.ts';

export const rutterAsn = 64512;
export const feederAsn = 64999;
export const daemonAsn = 65001;
/** The port our speakers listen on. */
export const rutterPort = 1790;
const routesPerFamily = 10_000;

/** How the daemon's session with us is set up. */
export interface SessionSetup {
  /** The daemon opens the connection, to our port; otherwise it waits for ours. */
  readonly daemonConnects: boolean;
  /** Over IPv6 instead of IPv4. */
  readonly overIpv6: boolean;
  readonly password?: string | undefined;
  readonly ttlSecurity?: boolean | undefined;
  /** Instead of the link's own addresses, where the daemon's suite knows how. */
  readonly linkLocal?:
    | { readonly daemon: string; readonly rutter: string; readonly interface: string }
    | undefined;
  /** More lines for the daemon's session with us, in its own words. */
  readonly lines?: string | undefined;
}

/** What the daemon says of a route it learned from us. */
export interface SeenRoute {
  readonly asPath: readonly number[];
  readonly nextHop: string;
  readonly med: number | undefined;
  readonly communities: readonly string[];
}

export interface Daemon {
  start(network: BgpNetwork, setup: SessionSetup): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** What it learned from us for the prefix, or undefined. */
  seen(prefix: string): Promise<SeenRoute | undefined>;
  /** How many prefixes it learned from us, per family. */
  seenCount(family: 'ipv4' | 'ipv6'): Promise<number>;
}

/** A route every daemon originates itself: 203.0.113.0/24 and 2001:db8:113::/48, with MED 77 and community 65001:113. */
export const daemonPrefixes = ['203.0.113.0/24', '2001:db8:113::/48'] as const;

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

export function prefix(text: string): Prefix {
  return parsePrefix(text)!;
}

/** Speakers of one test, stopped at its end. */
export class Speakers implements AsyncDisposable {
  readonly #network: BgpNetwork;
  readonly #running: Speaker[] = [];

  constructor(network: BgpNetwork) {
    this.#network = network;
  }

  /** A speaker on host address `host` of the link, with the daemon as its only peer. */
  async start(
    host: number,
    asn: number,
    setup: SessionSetup,
    more: Partial<PeerOptions> = {},
    events: PeerEvents = {},
  ): Promise<{ speaker: Speaker; routes: LearnedRoutes }> {
    const { address, ipv4, ipv6 } = this.#network;
    const text = setup.overIpv6 ? ipv6 : ipv4;
    const routes = new LearnedRoutes();
    const speaker = new Speaker({
      asn,
      routerId: 0xc6120000 + host,
      listen: [{ address: address(text(host)), port: rutterPort }],
      hostName: `speaker-${host}`,
      log: process.env['RUTTER_TEST_LOG'] ? console : quiet,
    });
    speaker.addPeer(
      {
        name: 'daemon',
        address: address(text(2)),
        localAddress: address(text(host)),
        asn: daemonAsn,
        passive: setup.daemonConnects,
        families: ['ipv4-unicast', 'ipv6-unicast'],
        connectRetryMs: 500,
        password: setup.password,
        ttlSecurity: setup.ttlSecurity ? 1 : undefined,
        // BIRD sends End-of-RIB only to peers that announce graceful restart
        gracefulRestart: {
          restartTimeSeconds: 120,
          restarting: false,
          forwardingPreserved: false,
        },
        nextHops: {
          'ipv4-unicast': address(ipv4(host)),
          'ipv6-unicast': address(ipv6(host)),
        },
        ...more,
      },
      routes,
      events,
    );
    this.#running.push(speaker);
    await speaker.start();
    return { speaker, routes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const speaker of this.#running.splice(0)) await speaker.stop();
  }
}

export async function untilEstablished(speaker: Speaker, timeoutMs = 30_000): Promise<void> {
  const what = 'the session to be established';
  await waitUntil(() => speaker.peers()[0]?.state === 'established', { what, timeoutMs }).catch(
    (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(speaker.peers()[0])}`);
    },
  );
}

/** `count` prefixes of a family with attributes that change from one to the next. */
export function feed(family: 'ipv4' | 'ipv6', count: number): AdvertisedRoute[] {
  return Array.from({ length: count }, (_, i) => ({
    prefix: prefix(
      family === 'ipv4'
        ? `10.${i >> 8}.${i & 255}.0/24`
        : `2001:db8:${(i + 4096).toString(16)}::/48`,
    ),
    origin: i % 3 === 0 ? 'incomplete' : 'igp',
    asPath: [64600 + (i % 50), 4_200_000_000],
    communities: [((feederAsn << 16) | (i % 100)) >>> 0],
    largeCommunities: [[feederAsn, i % 10, 7]],
  }));
}

export function testDaemon(
  name: string,
  label: string,
  net: number,
  makeDaemon: () => Daemon,
): void {
  const isRoot = process.getuid?.() === 0;

  describe.runIf(isRoot)(`${name} (needs root)`, () => {
    let network: BgpNetwork;
    let daemon: Daemon;
    beforeAll(async () => {
      network = await bgpNetwork(label, net);
      daemon = makeDaemon();
    });
    afterAll(async () => {
      await network?.[Symbol.asyncDispose]();
    });

    describe.each([
      { daemonConnects: false, overIpv6: false },
      { daemonConnects: true, overIpv6: false },
      { daemonConnects: false, overIpv6: true },
      { daemonConnects: true, overIpv6: true },
    ])('daemon connects: $daemonConnects, over IPv6: $overIpv6', (setup) => {
      it('establishes a session, learns its routes and tells it ours', async () => {
        await using speakers = new Speakers(network);
        await daemon.start(network, setup);
        try {
          const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
          speaker.advertise('all', [
            { prefix: prefix('10.244.1.0/24'), med: 5, communities: [(rutterAsn << 16) | 9] },
            { prefix: prefix('fd00:10:244:1::/64') },
          ]);
          await untilEstablished(speaker);
          const [ours4, ours6] = ['10.244.1.0/24', 'fd00:10:244:1::/64'] as const;
          await waitUntil(
            async () =>
              (await daemon.seen(ours4)) !== undefined && (await daemon.seen(ours6)) !== undefined,
            { what: 'our prefixes at the daemon' },
          );
          expect(await daemon.seen(ours4)).toEqual({
            asPath: [rutterAsn],
            nextHop: network.ipv4(1),
            med: 5,
            communities: [`${rutterAsn}:9`],
          });
          expect(await daemon.seen(ours6)).toMatchObject({
            asPath: [rutterAsn],
            nextHop: network.ipv6(1),
          });
          const [theirs4, theirs6] = daemonPrefixes;
          await waitUntil(
            () => routes.get(theirs4) !== undefined && routes.get(theirs6) !== undefined,
            {
              what: 'the daemon’s prefixes',
            },
          );
          const expected = { asPath: [daemonAsn], med: 77, communities: ['65001:113'] };
          expect(routes.get(theirs4)).toMatchObject(expected);
          // RFC 8950: over IPv6 the daemon may name its IPv6 address
          const nextHops = setup.overIpv6 ? [network.ipv4(2), network.ipv6(2)] : [network.ipv4(2)];
          expect(nextHops).toContain(routes.get(theirs4)!.nextHop);
          expect(routes.get(theirs6)).toMatchObject({ ...expected, nextHop: network.ipv6(2) });
          await waitUntil(() => speaker.peers()[0]!.endOfRib.length === 2, { what: 'End-of-RIB' });
          speaker.withdraw('all', [prefix('10.244.1.0/24')]);
          await waitUntil(async () => (await daemon.seen(ours4)) === undefined, {
            what: 'our prefix gone at the daemon',
          });
          expect(await daemon.seen(ours6)).toBeDefined();
        } finally {
          await daemon.stop();
        }
      });
    });

    it('learns 10 000 routes per family, withdrawals, and again after a restart of the daemon', async () => {
      await using speakers = new Speakers(network);
      const setup = { daemonConnects: false, overIpv6: false };
      await daemon.start(network, setup);
      const feeder = await speakers.start(3, feederAsn, setup);
      const fed = { ipv4: feed('ipv4', routesPerFamily), ipv6: feed('ipv6', routesPerFamily) };
      feeder.speaker.advertise('all', [...fed.ipv4, ...fed.ipv6]);
      await untilEstablished(feeder.speaker);
      await waitUntil(
        async () =>
          (await daemon.seenCount('ipv4')) >= routesPerFamily &&
          (await daemon.seenCount('ipv6')) >= routesPerFamily,
        { what: 'the feed at the daemon', timeoutMs: 60_000, intervalMs: 200 },
      );
      const { speaker, routes } = await speakers.start(1, rutterAsn, setup);
      await untilEstablished(speaker);
      const held = (list: readonly AdvertisedRoute[]) =>
        list.reduce((count, route) => count + (routes.get(textOf(route)) ? 1 : 0), 0);
      const all = [...fed.ipv4, ...fed.ipv6];
      const rest = [...fed.ipv4.slice(4000), ...fed.ipv6.slice(4000)];
      const hasAll = () => held(all) === all.length;
      const hasRest = () => held(rest) === rest.length && held(all) === rest.length;
      const start = performance.now();
      await waitUntil(hasAll, { what: 'all routes', timeoutMs: 60_000 });
      console.info(
        `${name}: 20 000 routes learned ${Math.round(performance.now() - start)} ms after Established`,
      );
      for (const [family, host] of [
        ['ipv4', network.ipv4],
        ['ipv6', network.ipv6],
      ] as const) {
        for (const route of fed[family]) {
          const text = textOf(route);
          const learned = routes.get(text);
          expect(learned, text).toMatchObject({
            origin: route.origin,
            asPath: [daemonAsn, feederAsn, ...route.asPath!],
            communities: [`${feederAsn}:${route.communities![0]! & 0xffff}`],
            largeCommunities: [route.largeCommunities![0]!.join(':')],
          });
          // GoBGP's IPv6 next hop over an IPv4 session is its IPv4 address, mapped
          expect([host(2), host(3), `::ffff:${network.ipv4(2)}`]).toContain(learned!.nextHop);
        }
      }
      feeder.speaker.withdraw(
        'all',
        fed.ipv4.slice(0, 4000).map((route) => route.prefix),
      );
      feeder.speaker.withdraw(
        'all',
        fed.ipv6.slice(0, 4000).map((route) => route.prefix),
      );
      await waitUntil(hasRest, {
        what: 'the withdrawals',
        timeoutMs: 60_000,
      });
      expect(routes.get(textOf(fed.ipv4[3999]!))).toBeUndefined();
      expect(routes.get(textOf(fed.ipv4[4000]!))).toBeDefined();

      await daemon.stop();
      await waitUntil(() => speaker.peers()[0]!.state !== 'established', {
        what: 'the session to end',
      });
      expect(routes.count('ipv4-unicast')).toBe(0);
      await daemon.start(network, setup);
      await untilEstablished(speaker, 60_000);
      await waitUntil(hasRest, {
        what: 'the routes after the restart',
        timeoutMs: 60_000,
      });
      expect(speaker.peers()[0]).toMatchObject({ establishedCount: 2, state: 'established' });
      await speaker.stop({ shutdownText: 'test over' });
      await daemon.stop();
    });
  });
}

/** A fed route's prefix as text. */
export function textOf({ prefix: { address, length } }: AdvertisedRoute): string {
  const text = address.length === 4 ? address.join('.') : undefined;
  if (text) return `${text}/${length}`;
  const words = [0, 1, 2].map((i) => ((address[i * 2]! << 8) | address[i * 2 + 1]!).toString(16));
  return `${words.join(':')}::/${length}`;
}
