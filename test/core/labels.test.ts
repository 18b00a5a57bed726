// What a Loc-RIB forwards, page by page: the same whether a FIB aggregates it, holds it as it is, or there is none.
import { expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { WalkCursor } from '../../src/core/walk.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement } from './updates.ts';

async function newCore(): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 2, multipathRelax: true });
  core.trackNextHops(1, false);
  for (const peer of [1, 2]) {
    addOpenPeer(core, peer, {
      asn: 65_000 + peer,
      localAsn: 64512,
      localRouterId: 9,
      maxMessageBytes: 65_535,
    });
  }
  return core;
}

function announce(core: RouteCore, peer: number, prefixes: readonly string[]): void {
  const attributes = { asPath: [65_000 + peer], nextHop: `10.0.0.${peer}` };
  core.receive(peer, announcement({ attributes, prefixes }), 1);
}

function labels(core: RouteCore, limit: number): string[] {
  const found: string[] = [];
  let cursor: WalkCursor | undefined;
  do {
    const page = core.labels(1, 'ipv4-unicast', cursor, limit);
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    for (const { prefix, nextHops } of page.rows) {
      const hops = nextHops.map(({ address, weight }) => `${formatIpAddress(address)}*${weight}`);
      found.push(`${formatPrefix(prefix)} ${hops.join(' ')}`);
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

it('gives every prefix that forwards, with its whole next-hop set, in order', async () => {
  const core = await newCore();
  announce(core, 1, ['10.2.0.0/16', '10.1.0.0/16', '10.1.0.0/24']);
  announce(core, 2, ['10.1.0.0/16']);
  core.originate(1, parsePrefix('10.3.0.0/16')!, 1); // Our own: nothing is forwarded by it.
  while (core.work(1000));
  const wanted = [
    '10.1.0.0/16 10.0.0.1*1 10.0.0.2*1',
    '10.1.0.0/24 10.0.0.1*1',
    '10.2.0.0/16 10.0.0.1*1',
  ];
  for (const limit of [1, 2, 3, 100]) expect(labels(core, limit)).toEqual(wanted);
  expect(core.labels(1, 'ipv6-unicast', undefined, 10)).toEqual({ rows: [], next: undefined });
  expect(() => core.labels(7, 'ipv4-unicast', undefined, 10)).toThrow('network 7 is not known');
});

it('pages through a table whose prefixes mostly forward nothing', async () => {
  const core = await newCore();
  for (let i = 0; i < 20_000; i++) {
    core.originate(1, parsePrefix(`20.${i >> 8}.${i & 255}.0/24`)!, 1);
  }
  announce(core, 1, ['30.0.0.0/8']);
  while (core.work(1000));
  expect(labels(core, 500)).toEqual(['30.0.0.0/8 10.0.0.1*1']);
});
