// What a peer could do on purpose to fill the core's memory or to hold the loop, attack by attack.
import { beforeEach, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { CorePeer } from '../../src/core/peers.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { CoreSession } from '../../src/core/sessions.ts';
import { announcement } from '../core/updates.ts';

const LIMIT = 10;

const peer: CorePeer = {
  network: 1,
  address: Uint8Array.of(10, 0, 0, 2),
  asn: 65001,
  localAsn: 65000,
  localRouterId: 1,
  interfaceIndex: 0,
  importPolicy: POLICY_ACCEPT,
  enforceFirstAs: true,
  maxPrefixes: { 'ipv4-unicast': LIMIT },
};

const session: CoreSession = {
  routerId: 2,
  fourOctetAs: true,
  maxMessageBytes: 4096,
  families: ['ipv4-unicast'],
  addPath: [],
};

const attributes = { asPath: [65001], nextHop: '10.0.0.2' };

let core: RouteCore;
beforeEach(async () => {
  core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  core.addPeer(1, peer);
  core.openPeer(1, session);
});

/** As many routes as the limit allows, other ones in every round. */
function announceRound(round: number) {
  const prefixes = Array.from({ length: LIMIT }, (_, i) => `10.${round}.${i}.0/24`);
  return core.receive(1, announcement({ attributes, prefixes }), 1);
}

describe('a prefix limit', () => {
  it('holds against a peer that begins refresh after refresh with other routes each time', () => {
    for (let round = 0; round < 100; round++) {
      announceRound(round);
      core.beginRefresh(1, 'ipv4-unicast');
    }
    expect(core.peerCounters(1).received[0]).toBe(2 * LIMIT);
    expect(announceRound(100)).toMatchObject({ announcedCount: 0, limitHitMask: 1 });
  });

  it('holds against a peer that restarts again and again', () => {
    for (let round = 0; round < 100; round++) {
      announceRound(round);
      core.closePeer(1, ['ipv4-unicast']);
      core.openPeer(1, session);
    }
    expect(core.peerCounters(1).received[0]).toBe(2 * LIMIT);
  });

  it('lets a restarted peer send all its routes anew before the old ones are gone', () => {
    announceRound(1);
    core.closePeer(1, ['ipv4-unicast']);
    core.openPeer(1, session);
    expect(announceRound(2)).toMatchObject({ announcedCount: LIMIT, limitHitMask: 0 });
    core.endRefresh(1, 'ipv4-unicast');
    while (core.work(1000));
    expect(core.peerCounters(1).received[0]).toBe(LIMIT);
  });
});

describe('paths to one prefix (RFC 7911)', () => {
  it('are refused past some number, which is not the limit of the session', () => {
    core.addPeer(1, { ...peer, maxPrefixes: { 'ipv4-unicast': 1000 } });
    core.openPeer(1, { ...session, addPath: ['ipv4-unicast'] });
    let limitHitMask = 0;
    for (let pathId = 1; pathId <= 100; pathId++) {
      const message = announcement({ attributes, prefixes: ['10.0.0.0/8'], pathId });
      limitHitMask |= core.receive(1, message, 1).limitHitMask;
    }
    expect(core.memory().routeCount).toBeLessThan(100);
    expect(limitHitMask).toBe(0);
  });
});
