// Routes that outlive their announcement: refreshes (RFC 7313), restarts (RFC 4724), and sweeps in slices.
import { beforeEach, describe, expect, it } from 'vitest';
import { POLICY_REJECT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { corePeer, coreSession } from './open-peer.ts';
import { announcement } from './updates.ts';

const peer = corePeer(1);
const session = coreSession(1);

let core: RouteCore;
beforeEach(async () => {
  core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  core.addPeer(1, peer);
  core.openPeer(1, session);
});

function announce(...prefixes: string[]): void {
  const nextHop = prefixes[0]!.includes(':') ? '2001:db8::1' : '192.0.2.1';
  core.receive(1, announcement({ attributes: { asPath: [65001], nextHop }, prefixes }), 1);
}

/** Prefixes of the table, the stale ones marked. */
function table(family: 'ipv4-unicast' | 'ipv6-unicast' = 'ipv4-unicast'): string[] {
  const query = { network: 1, family, stage: 'loc-rib', match: { kind: 'all' } } as const;
  const { rows } = core.routes(query, undefined, 100);
  return rows.map(({ prefix, stale }) => formatPrefix(prefix!) + (stale ? ' stale' : ''));
}

function finish(): void {
  while (core.work(10));
}

describe('a refresh', () => {
  it('makes routes stale and removes those that were not sent again', () => {
    announce('10.0.0.0/8', '10.1.0.0/16');
    core.beginRefresh(1, 'ipv4-unicast');
    expect(table()).toEqual(['10.0.0.0/8 stale', '10.1.0.0/16 stale']);
    announce('10.1.0.0/16');
    expect(table()).toEqual(['10.0.0.0/8 stale', '10.1.0.0/16']);
    core.endRefresh(1, 'ipv4-unicast');
    finish();
    expect(table()).toEqual(['10.1.0.0/16']);
  });

  it('that begins while an older one is swept away does not take what came between', () => {
    announce('10.0.0.0/8', '10.1.0.0/16');
    core.beginRefresh(1, 'ipv4-unicast');
    announce('10.1.0.0/16');
    core.endRefresh(1, 'ipv4-unicast');
    core.beginRefresh(1, 'ipv4-unicast');
    finish();
    expect(table()).toEqual(['10.1.0.0/16 stale']);
    core.endRefresh(1, 'ipv4-unicast');
    finish();
    expect(table()).toEqual([]);
  });

  it('begun a thousand times without an end still knows the old from the new', () => {
    announce('10.0.0.0/8');
    for (let i = 0; i < 1000; i++) core.beginRefresh(1, 'ipv4-unicast');
    announce('10.1.0.0/16');
    core.endRefresh(1, 'ipv4-unicast');
    finish();
    expect(table()).toEqual(['10.1.0.0/16']);
  });
});

describe('the end of a session', () => {
  it('keeps routes of the families it is told to, as stale, and withdraws the others', () => {
    announce('10.0.0.0/8', '10.1.0.0/16');
    announce('2001:db8::/32');
    core.closePeer(1, ['ipv4-unicast']);
    finish();
    expect(table()).toEqual(['10.0.0.0/8 stale', '10.1.0.0/16 stale']);
    expect(table('ipv6-unicast')).toEqual([]);
    core.openPeer(1, session);
    announce('10.0.0.0/8');
    core.endRefresh(1, 'ipv4-unicast');
    finish();
    expect(table()).toEqual(['10.0.0.0/8']);
  });

  it('spares what a new session has announced before the sweep got there', () => {
    announce('10.0.0.0/8', '10.1.0.0/16');
    core.closePeer(1, []);
    core.openPeer(1, session);
    announce('10.1.0.0/16');
    finish();
    expect(table()).toEqual(['10.1.0.0/16']);
  });

  it('must be worked off before the peer can be removed', () => {
    announce('10.0.0.0/8');
    core.closePeer(1, []);
    expect(() => core.removePeer(1)).toThrow('still has routes');
    finish();
    core.removePeer(1);
    expect(() => core.peerCounters(1)).toThrow('not known');
  });
});

describe('an import policy', () => {
  it('that changes is applied to what is in Adj-RIB-In already (RFC 8212)', () => {
    core.updatePeer(1, { ...peer, importPolicy: POLICY_REJECT });
    announce('10.0.0.0/8');
    expect(table()).toEqual([]);
    expect(core.peerCounters(1)).toMatchObject({ received: [1, 0, 0], accepted: [0, 0, 0] });
    core.updatePeer(1, peer);
    finish();
    expect(table()).toEqual(['10.0.0.0/8']);
    expect(core.peerCounters(1)).toMatchObject({ accepted: [1, 0, 0], best: [1, 0, 0] });
  });
});

describe('work()', () => {
  it('does as much as it is given, so that the loop is not held', () => {
    const count = 20_000;
    for (let i = 0; i < count; i += 1000) {
      announce(
        ...Array.from({ length: 1000 }, (_, j) => `10.${(i + j) >> 8}.${(i + j) & 255}.0/24`),
      );
    }
    core.closePeer(1, []);
    let slices = 0;
    let before = count;
    while (core.work(100)) {
      slices++;
      const { routeCount } = core.memory();
      expect(before - routeCount).toBeLessThanOrEqual(100);
      before = routeCount;
    }
    expect(core.memory().routeCount).toBe(0);
    expect(slices).toBeGreaterThan(count / 100);
  });
});
