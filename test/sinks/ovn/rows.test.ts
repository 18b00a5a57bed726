// What a row says and is called: row.ts, row-id.ts, uuid-v5.ts, lock-name.ts, target.ts.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAMILY_L2VPN_EVPN, FIB_CHANGE_FAMILY, FIB_CHANGE_SIZE } from '../../../assembly/abi.ts';
import { buildBatch } from '../../../bench/ovsdb-batch.ts';
import { FibBatch, type NextHopSet } from '../../../src/core/records.ts';
import { parseIpAddress } from '../../../src/net/ip-address.ts';
import type { Row } from '../../../src/ovsdb/monitor.ts';
import { readBatch } from '../../../src/sinks/ovn/batch.ts';
import { lockName } from '../../../src/sinks/ovn/lock-name.ts';
import {
  observedSet,
  type RouteRow,
  readRow,
  rowCounts,
  wantedNextHops,
} from '../../../src/sinks/ovn/row.ts';
import { rowId } from '../../../src/sinks/ovn/row-id.ts';
import { findTarget } from '../../../src/sinks/ovn/target.ts';
import { uuidV5 } from '../../../src/sinks/ovn/uuid-v5.ts';

const identity = { owner: 'node', network: 'default', outputPort: 'out' };
const ourIds = new Map([
  ['rutter/owner', 'node'],
  ['rutter/network', 'default'],
]);

function databaseRow(change: { [column: string]: Row[string] } = {}): Row {
  return {
    ip_prefix: '10.0.0.0/8',
    nexthop: '10.1.1.1',
    output_port: 'out',
    policy: undefined,
    route_table: '',
    bfd: undefined,
    options: new Map(),
    external_ids: ourIds,
    ...change,
  };
}

function nextHopSet(...members: [address: string, weight: number][]): NextHopSet {
  return {
    id: 1,
    discard: false,
    members: members.map(([text, weight]) => ({
      address: parseIpAddress(text)!,
      weight,
      interfaceIndex: 0,
    })),
  };
}

const NO_SESSIONS = new Map<string, Row>();

function rowsVia(...nexthops: string[]): RouteRow[] {
  return nexthops.map((nexthop, i) =>
    readRow(`u${i}`, databaseRow({ nexthop }), identity, NO_SESSIONS),
  );
}

describe('readRow', () => {
  it('knows a row of ours as we write it', () => {
    expect(readRow('u', databaseRow(), identity, NO_SESSIONS)).toEqual({
      uuid: 'u',
      prefix: '10.0.0.0/8',
      nexthop: '10.1.1.1',
      isOurs: true,
      isSound: true,
      competes: false,
      owner: 'node',
    });
  });

  it.each<[string, { [column: string]: Row[string] }]>([
    ['another output port', { output_port: 'other' }],
    ['no output port', { output_port: undefined }],
    ['another route table', { route_table: 'blue' }],
    ['policy by source', { policy: 'src-ip' }],
    ['host bits', { ip_prefix: '10.0.0.1/8' }],
    ['a BFD session', { bfd: 'some-uuid' }],
    ['an option', { options: new Map([['ecmp_symmetric_reply', 'true']]) }],
    ['a selection field', { selection_fields: new Set(['ip_src']) }],
    ['no prefix', { ip_prefix: 'nonsense' }],
  ])('calls a row of ours with %s not sound', (_, change) => {
    expect(readRow('u', databaseRow(change), identity, NO_SESSIONS)).toMatchObject({
      isOurs: true,
      isSound: false,
    });
  });

  it.each<[string, Map<string, string>]>([
    ['no owner', new Map()],
    ['another node', new Map([...ourIds, ['rutter/owner', 'other']])],
    ['another network', new Map([...ourIds, ['rutter/network', 'blue']])],
    ["OVN-Kubernetes' importer", new Map([['k8s.ovn.org/owner-controller', 'RouteImport']])],
  ])('leaves a row of %s alone, and lets it compete', (_, external_ids) => {
    const row = readRow(
      'u',
      databaseRow({ external_ids, ip_prefix: '10.7.0.5/8' }),
      identity,
      NO_SESSIONS,
    );
    expect(row).toMatchObject({ isOurs: false, competes: true, prefix: '10.0.0.0/8' });
  });

  it.each<[string, { [column: string]: Row[string] }]>([
    ['another route table', { route_table: 'blue' }],
    ['policy by source', { policy: 'src-ip' }],
  ])('sees no competition in a foreign row with %s', (_, change) => {
    const row = readRow(
      'u',
      databaseRow({ external_ids: new Map(), ...change }),
      identity,
      NO_SESSIONS,
    );
    expect(row.competes).toBe(false);
  });

  it.each<[string, boolean, { [column: string]: Row[string] }]>([
    ['down', false, { dst_ip: '10.1.1.1', status: 'down' }],
    [
      'admin_down, as northd makes it when it first sees it',
      false,
      { dst_ip: '10.1.1.1', status: 'admin_down' },
    ],
    ['coming up', true, { dst_ip: '10.1.1.1', status: 'init' }],
    ['up', true, { dst_ip: '10.1.1.1', status: 'up' }],
    ['down, with another next hop', true, { dst_ip: '10.1.1.2', status: 'down' }],
  ])(
    'of a foreign row whose BFD session is %s says that it competes: %s',
    (_, competes, session) => {
      const change = { external_ids: new Map(), bfd: 's' };
      const row = readRow('u', databaseRow(change), identity, new Map([['s', session]]));
      expect(row.competes).toBe(competes);
    },
  );
});

describe('wantedNextHops', () => {
  it('repeats a next hop for its weight', () => {
    expect(wantedNextHops(nextHopSet(['10.0.0.1', 10], ['10.0.0.2', 20]))).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.2',
    ]);
  });

  it('says discard for the bin and nothing for no route', () => {
    expect(wantedNextHops({ id: 1, discard: true, members: [] })).toEqual(['discard']);
    expect(wantedNextHops(undefined)).toEqual([]);
  });
});

describe('rowCounts', () => {
  it('is between 1 and 8, in proportion, and equal for equal weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 65535 }), { minLength: 1, maxLength: 16 }),
        (weights) => {
          const counts = rowCounts(weights);
          const most = Math.max(...weights);
          for (const [i, weight] of weights.entries()) {
            expect(counts[i]).toBeGreaterThanOrEqual(1);
            expect(counts[i]).toBeLessThanOrEqual(8);
            // Within half a row of the exact share, where a share is at least a row.
            const scale = Math.max(...counts) / most;
            if (weight * scale >= 1)
              expect(Math.abs(counts[i]! - weight * scale)).toBeLessThanOrEqual(0.51);
          }
        },
      ),
    );
  });

  it('gives one row each to equal weights, however large', () => {
    expect(rowCounts([65535, 65535, 65535])).toEqual([1, 1, 1]);
  });
});

describe('observedSet', () => {
  it('reads back what wantedNextHops writes', () => {
    const weight = fc.integer({ min: 1, max: 8 });
    const addresses = fc.uniqueArray(fc.integer({ min: 1, max: 250 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(addresses, fc.array(weight, { minLength: 8, maxLength: 8 }), (hosts, weights) => {
        // A weight of 1 among them keeps the numbers as they are: nothing to divide by.
        const members = hosts
          .sort((a, b) => a - b)
          .map((host, i): [string, number] => [`10.0.0.${host}`, i === 0 ? 1 : weights[i]!]);
        const set = nextHopSet(...members);
        const { discard, members: observed } = observedSet(rowsVia(...wantedNextHops(set)))!;
        expect({ discard, observed }).toEqual({ discard: false, observed: set.members });
      }),
    );
  });

  it('is nothing without rows and the bin for one discard row', () => {
    expect(observedSet([])).toBeUndefined();
    expect(observedSet(rowsVia('discard'))).toEqual({ discard: true, members: [] });
  });

  it.each<[string, RouteRow[]]>([
    ['an edited row', [readRow('u', databaseRow({ output_port: 'x' }), identity, NO_SESSIONS)]],
    ['a row beside the bin', rowsVia('discard', '10.0.0.1')],
    ['the bin twice', rowsVia('discard', 'discard')],
    ['a next hop that is no address', rowsVia('nonsense')],
  ])('is a next hop nobody can want for %s', (_, rows) => {
    expect(observedSet(rows)?.members.map(({ address }) => [...address])).toEqual([[0, 0, 0, 0]]);
  });
});

describe('names', () => {
  it('makes UUIDs of version 5 (RFC 9562 §5.5)', () => {
    const uuid = uuidV5(['a', 'b']);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const namespace = Buffer.from('8f0f4c1be7b64d3b9c5a2d6e0f7a4b19', 'hex');
    const digest = createHash('sha1').update(namespace).update('a\0b').digest('hex');
    expect(uuid.slice(0, 8)).toBe(digest.slice(0, 8));
    expect(uuid.slice(-12)).toBe(digest.slice(20, 32));
    expect(() => uuidV5(['x'.repeat(5000)])).toThrow(RangeError);
  });

  it('keeps names apart', () => {
    const key = { owner: 'n', router: 'r', routeTable: '', prefix: '10.0.0.0/8', member: 0 };
    const ids = [
      key,
      { ...key, owner: 'm' },
      { ...key, router: 's' },
      { ...key, routeTable: 't' },
      { ...key, prefix: '10.0.0.0/9' },
      { ...key, member: 1 },
    ].map(rowId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(rowId(key)).toBe(ids[0]);
  });

  it('makes a lock an RFC 7047 <id>, and keeps apart what is spelled alike', () => {
    const name = lockName({ owner: 'worker-1.example', router: 'GR_worker-1', network: 'default' });
    expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
    expect(name).toContain('worker_1_example_GR_worker_1_default');
    expect(
      lockName({ owner: 'worker_1.example', router: 'GR_worker-1', network: 'default' }),
    ).not.toBe(name);
  });
});

describe('findTarget', () => {
  const names = { router: 'gr', outputPort: 'out' };
  const router = (name: string, ports: string[]): Row => ({ name, ports: new Set(ports) });
  const ports = new Map<string, Row>([
    ['p', { name: 'out' }],
    ['q', { name: 'other' }],
  ]);

  it('finds the router with the port on it', () => {
    const routers = new Map([['r', router('gr', ['q', 'p'])]]);
    expect(findTarget(routers, ports, names)).toEqual({ found: true, routerUuid: 'r' });
  });

  it.each<[string, [string, Row][], string]>([
    ['no router', [], 'no Logical_Router named gr'],
    [
      'two routers',
      [
        ['r', router('gr', ['p'])],
        ['s', router('gr', [])],
      ],
      '2 Logical_Routers named gr, expected one',
    ],
    ['no port', [['r', router('gr', ['q'])]], 'router gr has no port out'],
    [
      'a port on another router',
      [
        ['r', router('gr', [])],
        ['s', router('x', ['p'])],
      ],
      'router gr has no port out',
    ],
  ])('waits with %s', (_, routers, reason) => {
    expect(findTarget(new Map(routers), ports, names)).toMatchObject({ found: false, reason });
  });
});

describe('readBatch', () => {
  it('keeps the order of records of one prefix, and refuses families without static routes', () => {
    const batch = buildBatch([
      { prefix: '10.0.0.0/8', to: ['10.1.1.1'] },
      { prefix: '10.1.0.0/16', to: 'discard' },
      { prefix: '10.0.0.0/8' },
      { prefix: '2001:db8::/32', to: ['fd00::1'] },
      { prefix: '10.0.0.0/8', to: ['10.1.1.2'] },
    ]);
    const { waves, prefixes, failures } = readBatch(batch);
    expect(waves.map((wave) => wave.map(({ index }) => index))).toEqual([[0, 1, 3], [2], [4]]);
    expect(waves[0]![1]).toEqual({ index: 1, prefix: '10.1.0.0/16', nexthops: ['discard'] });
    expect(waves[1]![0]!.nexthops).toEqual([]);
    expect([...prefixes]).toEqual(['10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32']);
    expect(failures).toEqual([]);
    const evpn = new ArrayBuffer(FIB_CHANGE_SIZE);
    new Uint8Array(evpn)[FIB_CHANGE_FAMILY] = FAMILY_L2VPN_EVPN;
    expect(readBatch(new FibBatch(evpn, 1, FIB_CHANGE_SIZE)).failures).toEqual([
      { index: 0, code: 'rejected', message: 'l2vpn-evpn has no static routes' },
    ]);
  });
});
