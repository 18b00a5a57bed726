// Sessions with real daemons into the route core: 10 000 routes per family with their attributes, and ECMP from two peers.
//
//   feeder (AS 64999) ──► BIRD (AS 65001) ──► ┐
//   feeder (AS 64999) ──► FRR  (AS 65001) ──► ┴─ rutter (AS 64512) ─► core
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import { PeerReceiver } from '../../src/agent/peer-receiver.ts';
import { describeAttributes } from '../../src/bgp/attributes/describe.ts';
import { Speaker } from '../../src/bgp/speaker.ts';
import { loadCore } from '../../src/core/core.ts';
import { FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import type { WalkCursor } from '../../src/core/walk.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { BirdDaemon } from './bgp-bird-daemon.ts';
import { FrrDaemon } from './bgp-frr-daemon.ts';
import { daemonAsn, feed, feederAsn, rutterAsn, Speakers, textOf } from './bgp-interop.ts';
import { type BgpNetwork, bgpNetwork } from './bgp-network.ts';

const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
const routesPerFamily = 10_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const setup = { daemonConnects: false, overIpv6: false };

describe.runIf(process.getuid?.() === 0)('sessions into the core (needs root)', () => {
  const daemons = [
    { name: 'bird', id: 1, daemon: new BirdDaemon(), net: 46 },
    { name: 'frr', id: 2, daemon: new FrrDaemon(), net: 47 },
  ] as const;
  const networks = new Map<string, BgpNetwork>();
  const fed = [...feed('ipv4', routesPerFamily), ...feed('ipv6', routesPerFamily)];
  let core: RouteCore;
  let speaker: Speaker;

  const network = (name: string) => networks.get(name)!;
  const counted = (peer: number, family: AddressFamily) =>
    core.peerCounters(peer).received[families.indexOf(family as (typeof families)[number])]!;

  beforeAll(async () => {
    core = await loadCore();
    core.addNetwork(0, { med: 'deterministic', multipath: 4, multipathRelax: true });
    core.addFib(0, 0, { holdRemovals: false });
    speaker = new Speaker({ asn: rutterAsn, routerId: 0xc6120001, listen: [], log: quiet });
    for (const { name, id, net } of daemons) {
      const link = await bgpNetwork(`core-${name}`, net);
      networks.set(name, link);
      core.addPeer(id, {
        network: 0,
        address: link.address(link.ipv4(2)),
        asn: daemonAsn,
        localAsn: rutterAsn,
        localRouterId: 0xc6120001,
        interfaceIndex: 0,
        importPolicy: POLICY_ACCEPT,
        enforceFirstAs: true,
        maxPrefixes: {},
      });
      const receiver = new PeerReceiver(core, id, {
        onChanged: () => undefined,
        onOpen: () => undefined,
        onEndOfRib: () => undefined,
      });
      speaker.addPeer(
        {
          name,
          address: link.address(link.ipv4(2)),
          localAddress: link.address(link.ipv4(1)),
          asn: daemonAsn,
          families,
          connectRetryMs: 500,
        },
        receiver,
      );
    }
  });
  afterAll(async () => {
    await speaker?.stop();
    for (const link of networks.values()) await link[Symbol.asyncDispose]();
  });

  it('learns 10 000 routes per family from two peers, shares the load, and loses one of them', async () => {
    await using feeders = new AsyncDisposableStack();
    for (const { name, daemon } of daemons) {
      await daemon.start(network(name), setup);
      const feeder = feeders.use(new Speakers(network(name)));
      const { speaker: source } = await feeder.start(3, feederAsn, setup);
      source.advertise('all', fed);
      await waitUntil(
        async () =>
          (await daemon.seenCount('ipv4')) >= routesPerFamily &&
          (await daemon.seenCount('ipv6')) >= routesPerFamily,
        { what: `the feed at ${name}`, timeoutMs: 60_000, intervalMs: 200 },
      );
    }
    await speaker.start();
    await waitUntil(
      () =>
        [1, 2].every((peer) =>
          families.every((family) => counted(peer, family) >= routesPerFamily),
        ),
      { what: 'all routes of both peers', timeoutMs: 60_000 },
    );
    settle(core);
    const rows = new Map(families.flatMap((family) => routes(core, family)));
    for (const route of fed) {
      const paths = rows.get(textOf(route))!;
      expect(paths, textOf(route)).toHaveLength(2);
      expect(paths.filter(({ best }) => best)).toHaveLength(1);
      expect(paths.every(({ best, multipath }) => best || multipath)).toBe(true);
      for (const { attributes } of paths) {
        const context = { fourOctetAs: true, addPath: new Set<string>() };
        expect(describeAttributes(attributes.bytes, context, 0).attributes).toMatchObject({
          origin: route.origin,
          asPath: [daemonAsn, feederAsn, ...route.asPath!],
          communities: [`${feederAsn}:${route.communities![0]! & 0xffff}`],
          largeCommunities: [route.largeCommunities![0]!.join(':')],
        });
      }
    }
    const entries = drain(core);
    const both = fed.filter((route) => entries.get(textOf(route))?.length === 2);
    expect(both).toHaveLength(fed.length);

    await daemons[1].daemon.stop();
    await waitUntil(() => speaker.peers()[1]!.state !== 'established', { what: 'the loss of FRR' });
    settle(core);
    const after = drain(core);
    expect(after.size).toBeGreaterThanOrEqual(fed.length);
    for (const route of fed) {
      expect(after.get(textOf(route)), textOf(route)).toHaveLength(1);
    }
    const [nextHop] = after.get(textOf(fed[0]!))!;
    expect([network('bird').ipv4(2), network('bird').ipv4(3)]).toContain(nextHop);
    expect(counted(2, 'ipv4-unicast')).toBe(0);
    await daemons[0].daemon.stop();
  });
});

function settle(core: RouteCore): void {
  while (core.work(100_000));
}

/** Rows of Adj-RIB-In by prefix. */
function routes(core: RouteCore, family: AddressFamily): [string, RouteRow[]][] {
  const rows = new Map<string, RouteRow[]>();
  let cursor: WalkCursor | undefined;
  do {
    const query = { network: 0, family, stage: 'adj-rib-in', match: { kind: 'all' } } as const;
    const page = core.routes(query, cursor, 1000);
    for (const row of page.rows) {
      const key = formatPrefix(row.prefix!);
      rows.set(key, [...(rows.get(key) ?? []), row]);
    }
    cursor = page.next;
  } while (cursor);
  return [...rows];
}

/** Takes every change and says it is in place: next hops by prefix, nothing for a removal. */
function drain(core: RouteCore): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  for (;;) {
    const { buffer, count, byteLength } = core.drain(0, 1000);
    if (count === 0) return entries;
    const batch = new FibBatch(buffer, count, byteLength);
    for (let i = 0; i < count; i++) {
      const { prefix, to } = batch.change(i);
      const nextHops = to?.members.map(({ address }) => formatIpAddress(address)) ?? [];
      entries.set(formatPrefix(prefix), nextHops);
    }
    core.acknowledge(0, []);
  }
}
