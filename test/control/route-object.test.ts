// Rows of the core as route objects: every field by its contract name.
import { describe, expect, it } from 'vitest';
import { entryObject, type RouteNames, routeObject } from '../../src/control/route-object.ts';
import type { FibRow } from '../../src/core/fib-rows.ts';
import type { RouteRow, StoredAttributes } from '../../src/core/route-rows.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';

const names: RouteNames = {
  network: 'default',
  source: (id) => `network-${id}`,
  peer: (id) => (id === 1 ? 'tor-a' : `peer ${id}`),
  target: (fib) => (['memory', 'ovn', 'host'] as const)[fib],
};

const attributes = Uint8Array.from([
  ...[0x40, 1, 1, 0],
  ...[0x40, 2, 16, 2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xe7, 1, 1, 0, 0, 0, 9],
  ...[0x80, 4, 4, 0, 0, 0, 0],
  ...[0x40, 5, 4, 0, 0, 0, 100],
  ...[0xc0, 8, 8, 0xfd, 0xe9, 0, 100, 0xff, 0xff, 0xff, 1],
  ...[0xc0, 16, 8, 0, 2, 0xfd, 0xe8, 0, 0, 0, 101],
  ...[0xc0, 32, 12, 0, 0, 0xfd, 0xe9, 0, 0, 0, 1, 0, 0, 0, 2],
]);

const stored: StoredAttributes = {
  id: 7,
  bytes: attributes,
  nextHop: parseIpAddress('172.18.0.2')!,
  linkLocalNextHop: undefined,
  shareWeight: 1,
  weight: 0,
};

const row: RouteRow = {
  family: 'ipv4-unicast',
  prefix: parsePrefix('203.0.113.0/24'),
  nlri: undefined,
  peer: 1,
  importedFrom: undefined,
  pathId: 0,
  best: true,
  multipath: false,
  stale: false,
  reason: 'shorter AS_PATH',
  since: 1_795_356_000,
  attributes: stored,
  received: stored,
  fibStates: [
    { fib: 1, state: 'installed', carrier: 24 },
    { fib: 2, state: 'absent', carrier: undefined },
  ],
};

describe('a route', () => {
  it('names the entry that carries it, where it is another', () => {
    const carried = (carrier: number | 'parts' | undefined) =>
      routeObject({ ...row, fibStates: [{ fib: 1, state: 'installed', carrier }] }, names);
    expect(carried(16).carriedBy).toEqual({ ovn: '203.0.0.0/16' });
    expect(carried('parts').carriedBy).toEqual({ ovn: 'parts' });
    expect(carried(24)).not.toHaveProperty('carriedBy');
    expect(carried(undefined)).not.toHaveProperty('carriedBy');
  });

  it('names the network it was imported from', () => {
    expect(routeObject({ ...row, importedFrom: 3 }, names)).toMatchObject({
      peer: 'tor-a',
      importedFrom: 'network-3',
    });
    expect(routeObject(row, names)).not.toHaveProperty('importedFrom');
  });

  it('has the fields of the contract, in its order', () => {
    expect(JSON.stringify(routeObject(row, names))).toBe(
      JSON.stringify({
        network: 'default',
        family: 'ipv4-unicast',
        prefix: '203.0.113.0/24',
        best: true,
        peer: 'tor-a',
        nextHops: [{ address: '172.18.0.2', weight: 1 }],
        origin: 'igp',
        asPath: [65001, 64999, { set: [9] }],
        med: 0,
        localPref: 100,
        communities: ['65001:100', '65535:65281'],
        largeCommunities: ['65001:1:2'],
        extendedCommunities: ['route-target 65000:101'],
        since: '2026-11-22T14:00:00Z',
        installed: { ovn: 'yes', host: 'no' },
        reason: 'shorter AS_PATH',
      }),
    );
  });

  it('says what is special about a path', () => {
    const special = {
      ...row,
      best: false,
      multipath: true,
      stale: true,
      pathId: 5,
      peer: 9,
      fibStates: [],
    };
    const object = routeObject(special, names);
    expect(object).toMatchObject({
      best: false,
      multipath: true,
      stale: true,
      pathId: 5,
      peer: 'peer 9',
    });
    expect(object.installed).toBeUndefined();
  });

  it('shows both addresses of an IPv6 next hop', () => {
    const nextHop = parseIpAddress('2001:db8::1')!;
    const linkLocalNextHop = parseIpAddress('fe80::1')!;
    const shared = { ...row.attributes, id: 8, nextHop, linkLocalNextHop };
    expect(routeObject({ ...row, attributes: shared }, names).nextHops).toEqual([
      { address: '2001:db8::1', linkLocal: 'fe80::1', weight: 1 },
    ]);
  });

  it('of our own has no next hop and no attributes', () => {
    const object = routeObject({ ...row, peer: 0 }, names);
    expect(object).toMatchObject({ peer: 'local', nextHops: [] });
    expect(object.asPath).toBeUndefined();
  });

  it('follows an attribute set id that was given to other attributes', () => {
    const other = { ...row.attributes, bytes: attributes.slice(0, 4) };
    expect(routeObject(row, names).med).toBe(0);
    expect(routeObject({ ...row, attributes: other }, names)).toMatchObject({
      origin: 'igp',
      asPath: [],
    });
    const moved = { ...other, nextHop: parseIpAddress('172.18.0.3')! };
    expect(routeObject({ ...row, attributes: moved }, names).nextHops[0]?.address).toBe(
      '172.18.0.3',
    );
  });

  it('of EVPN is named by its key bytes', () => {
    const evpn = {
      ...row,
      family: 'l2vpn-evpn' as const,
      prefix: undefined,
      nlri: Uint8Array.of(3, 0, 1),
    };
    expect(routeObject(evpn, names).prefix).toBe('030001');
  });
});

describe('an entry', () => {
  const hop = (text: string, weight = 1) => ({
    address: parseIpAddress(text)!,
    weight,
    interfaceIndex: 0,
  });
  const entry: FibRow = {
    prefix: parsePrefix('203.0.113.0/24')!,
    family: 'ipv4-unicast',
    state: 'installed',
    desired: [hop('172.18.0.2'), hop('172.18.0.3', 2)],
    installed: [hop('172.18.0.2'), hop('172.18.0.3', 2)],
    routeCount: 0,
    hasMoreRoutes: false,
  };
  const target = { network: 'default', target: 'ovn' } as const;

  it('says which routes it stands for', () => {
    const routes = [parsePrefix('203.0.113.0/25')!, parsePrefix('203.0.113.128/25')!];
    expect(entryObject({ ...entry, routeCount: 2 }, { ...target, routes })).toMatchObject({
      routeCount: 2,
      routes: ['203.0.113.0/25', '203.0.113.128/25'],
    });
    expect(entryObject({ ...entry, routeCount: 65536, hasMoreRoutes: true }, target)).toMatchObject(
      { routeCount: 65536, moreRoutes: true },
    );
  });

  it('says what should be there', () => {
    expect(entryObject(entry, target)).toEqual({
      network: 'default',
      family: 'ipv4-unicast',
      prefix: '203.0.113.0/24',
      target: 'ovn',
      nextHops: [
        { address: '172.18.0.2', weight: 1 },
        { address: '172.18.0.3', weight: 2 },
      ],
      installed: 'yes',
    });
  });

  it('says what is there instead, and why', () => {
    const why = { code: 'collision', message: 'row of someone else', attempts: 2 };
    const failure = { ...why, since: 1_700_000_000_500, retryAt: 1_700_000_060_000 };
    const pending: FibRow = { ...entry, state: 'refused', installed: [hop('172.18.0.9')] };
    expect(entryObject(pending, { ...target, failure })).toMatchObject({
      installed: 'refused',
      programmed: [{ address: '172.18.0.9', weight: 1 }],
      failure: { ...why, since: '2023-11-14T22:13:20Z', retryAt: '2023-11-14T22:14:20Z' },
    });
  });

  it('tells discard from nothing', () => {
    expect(entryObject({ ...entry, desired: [], installed: [] }, target)).toMatchObject({
      discard: true,
    });
    const held = entryObject({ ...entry, state: 'held', desired: undefined }, target);
    expect(held).toMatchObject({ nextHops: [], installed: 'held' });
    expect(held.discard).toBeUndefined();
    expect(held.programmed).toHaveLength(2);
  });
});
