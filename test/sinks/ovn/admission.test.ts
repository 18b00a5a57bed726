// What may be written: bars, the cap and whose turn it is.
import { beforeEach, describe, expect, it } from 'vitest';
import { Admission } from '../../../src/sinks/ovn/admission.ts';
import { ConnectedNetworks } from '../../../src/sinks/ovn/connected.ts';
import { forwardsAcrossFamilies, mixesFamilies } from '../../../src/sinks/ovn/next-hop-family.ts';
import { RouterRows, type TouchedPrefixes } from '../../../src/sinks/ovn/router-rows.ts';
import type { RouteRow } from '../../../src/sinks/ovn/row.ts';

const HOP = ['172.18.0.2'];
const touchNothing = (): TouchedPrefixes => ({ owned: new Set(), foreign: new Set() });

function row(uuid: string, prefix: string, isOurs: boolean, nexthop = '192.0.2.1'): RouteRow {
  return { uuid, prefix, nexthop, isOurs, isSound: isOurs, competes: !isOurs, owner: 'x' };
}

let rows: RouterRows;
let schemaVersion: string;
beforeEach(() => {
  rows = new RouterRows();
  schemaVersion = '7.0.0';
});

function newAdmission(
  collision: 'skip' | 'replace-when-gone' | 'share' = 'skip',
  maxRoutes = 3,
): Admission {
  return new Admission({
    rows,
    options: { collision, maxRoutes },
    schemaVersion: () => schemaVersion,
  });
}

function have(uuid: string, prefix: string, isOurs = true, nexthop?: string): void {
  rows.set(uuid, row(uuid, prefix, isOurs, nexthop), touchNothing());
}

const lose = (uuid: string): void => rows.set(uuid, undefined, touchNothing());

describe('a bar', () => {
  it.each([
    ['skip', 'collision'],
    ['replace-when-gone', 'waiting-for-foreign'],
    ['share', undefined],
  ] as const)('under %s is, for a row of others, %s', (policy, code) => {
    have('f', '10.0.0.0/8', false);
    const admission = newAdmission(policy);
    expect(admission.bar('10.0.0.0/8', HOP)?.code).toBe(code);
    expect(admission.bar('10.0.0.0/9', HOP)).toBeUndefined();
  });

  it('names the row, its next hop and its owner', () => {
    have('f', '10.0.0.0/8', false);
    expect(newAdmission().bar('10.0.0.0/8', HOP)?.message).toBe(
      'row f via 192.0.2.1 (owner: x) has 10.0.0.0/8, expected no other writer',
    );
  });

  it('is a discard on either side, also where rows are shared', () => {
    have('f', '10.0.0.0/8', false);
    have('g', '11.0.0.0/8', false);
    have('h', '11.0.0.0/8', false, 'discard');
    const admission = newAdmission('share');
    expect(admission.bar('10.0.0.0/8', ['discard'])?.code).toBe('collision');
    expect(admission.bar('11.0.0.0/8', HOP)?.message).toMatch(/^row h via discard/);
    expect(admission.bar('12.0.0.0/8', ['discard'])).toBeUndefined();
  });

  it('is a network of the router, under every policy', () => {
    const ports = new Map([['p', { name: 'out', networks: new Set(['10.0.0.7/8']) }]]);
    expect(rows.connected.update(new Set(['p']), ports)).toEqual(['10.0.0.0/8']);
    expect(newAdmission('share').bar('10.0.0.0/8', HOP)).toEqual({
      code: 'connected',
      message: '10.0.0.0/8 is the network of port out, which wins over any static route',
    });
  });

  it('is a next hop of the other family, until the schema is of an OVN that can do it', () => {
    const admission = newAdmission();
    expect(admission.bar('10.0.0.0/8', ['fd00::1'])).toEqual({
      code: 'next-hop-family',
      message:
        "10.0.0.0/8 via fd00::1, but OVN with schema 7.0.0 forwards by next hops of the prefix's family only",
    });
    admission.noteBar('10.0.0.0/8', ['fd00::1']);
    expect(admission.takeCleared()).toEqual([]);
    schemaVersion = '7.18.0';
    expect(admission.bar('10.0.0.0/8', ['fd00::1'])).toBeUndefined();
    expect(admission.takeCleared()).toEqual(['10.0.0.0/8']);
  });

  it('is cleared once, and only when every competing row is gone', () => {
    have('f', '10.0.0.0/8', false);
    have('g', '10.0.0.0/8', false);
    const admission = newAdmission();
    admission.noteBar('10.0.0.0/8', HOP);
    lose('f');
    expect(admission.takeCleared(['10.0.0.0/8'])).toEqual([]);
    lose('g');
    expect(admission.takeCleared(['10.0.0.0/8', '10.0.0.0/9'])).toEqual(['10.0.0.0/8']);
    expect(admission.takeCleared()).toEqual([]);
  });
});

describe('next hops of the other family', () => {
  it.each([
    ['10.0.0.0/8', ['10.1.1.1', '10.1.1.2'], false],
    ['10.0.0.0/8', ['10.1.1.1', 'fe80::1'], true],
    ['2001:db8::/32', ['fd00::1'], false],
    ['2001:db8::/32', ['10.1.1.1'], true],
    ['2001:db8::/32', ['discard'], false],
    ['10.0.0.0/8', [], false],
  ])('%s via %j: %s', (prefix, nexthops, mixed) => {
    expect(mixesFamilies(prefix, nexthops)).toBe(mixed);
  });

  it.each([
    ['7.0.0', false], // 23.03
    ['7.11.0', false], // 25.03
    ['7.17.9', false],
    ['7.18.0', true], // 26.03
    ['7.100.1', true],
    ['8.0.0', true],
    ['', false],
  ])('schema %s forwards by them: %s', (version, can) => {
    expect(forwardsAcrossFamilies(version)).toBe(can);
  });
});

describe('ConnectedNetworks', () => {
  it('says which prefixes became connected or ceased to be', () => {
    const connected = new ConnectedNetworks();
    const port = (name: string, ...networks: string[]) => ({ name, networks: new Set(networks) });
    const ports = new Map([
      ['p', port('out', '172.18.0.254/16', 'fd00::254/64')],
      ['q', port('in', '10.244.0.1/16')],
      ['r', port('elsewhere', '10.9.0.1/16')],
    ]);
    expect(connected.update(new Set(['p', 'q']), ports)).toEqual([
      '172.18.0.0/16',
      'fd00::/64',
      '10.244.0.0/16',
    ]);
    expect(connected.update(new Set(['p', 'q']), ports)).toEqual([]);
    expect(connected.port('fd00::/64')).toBe('out');
    expect(connected.update(new Set(['q', 'r', 'unknown']), ports)).toEqual([
      '172.18.0.0/16',
      'fd00::/64',
      '10.9.0.0/16',
    ]);
    expect(connected.port('fd00::/64')).toBeUndefined();
  });
});

describe('the cap', () => {
  const record = (prefix: string, nexthops: readonly string[] = HOP, index = 0) => ({
    index,
    prefix,
    nexthops,
  });

  it('counts rows that are on their way', () => {
    have('a', '10.0.0.0/8');
    const admission = newAdmission();
    expect(admission.limit('10.1.0.0/16', 2, 0)).toBeUndefined();
    expect(admission.limit('10.1.0.0/16', 2, 1)).toEqual({
      code: 'limit',
      message: '2 more beside 2 rows, expected at most 3',
    });
    expect(admission.limit('10.1.0.0/16', 0, 99)).toBeUndefined();
    expect(admission.limit('10.1.0.0/16', -1, 99)).toBeUndefined();
  });

  it('leaves a batch that fits in its order', () => {
    const records = [record('10.1.0.0/24'), record('10.0.0.0/8'), record('10.1.0.0/16')];
    expect(newAdmission().begin(records, 0)).toBe(records);
  });

  it('puts removals first where not all fit, leaves the others in their order, and gives room to shorter prefixes first', () => {
    have('a', '10.9.0.0/24');
    const admission = newAdmission('skip', 4);
    const records = [
      record('10.1.0.0/24'),
      record('10.2.0.0/16', [...HOP, '172.18.0.3']),
      record('10.9.0.0/24', ['172.18.0.3']),
      record('10.3.0.0/16'),
      record('10.9.1.0/24', []),
    ];
    const order = admission.begin(records, 0).map(({ prefix }) => prefix);
    expect(order).toEqual([
      '10.9.1.0/24',
      ...['10.1.0.0/24', '10.2.0.0/16', '10.9.0.0/24', '10.3.0.0/16'],
    ]);
    expect(admission.limit('10.1.0.0/24', 1, 0)?.code).toBe('limit');
    expect(admission.limit('10.2.0.0/16', 2, 0)).toBeUndefined();
    expect(admission.limit('10.3.0.0/16', 1, 0)).toBeUndefined();
  });

  it('invites in order, keeps the room free for who was invited, and forgets who does not come', () => {
    for (const uuid of ['a', 'b', 'c']) have(uuid, `10.0.${uuid.charCodeAt(0)}.0/24`);
    const admission = newAdmission();
    admission.noteLimit('10.4.0.0/24', 1);
    admission.noteLimit('10.1.0.0/24', 1);
    admission.noteLimit('10.2.0.0/16', 1);
    expect(admission.invite()).toEqual([]);
    lose('a');
    lose('b');
    expect(admission.invite()).toEqual(['10.2.0.0/16', '10.1.0.0/24']);
    expect(admission.invite()).toEqual([]);
    expect(admission.limit('10.0.0.0/8', 1, 0)?.code).toBe('limit');
    expect(admission.limit('10.2.0.0/16', 1, 0)).toBeUndefined();
    expect(admission.lapse()).toBe(true);
    expect(admission.limit('10.0.0.0/8', 1, 0)).toBeUndefined();
    expect(admission.lapse()).toBe(false);
    expect(admission.invite()).toEqual(['10.4.0.0/24']);
  });

  it('lets nobody in while a backlog that does not fit has not been seen, but the invited', () => {
    const admission = newAdmission('skip', 2);
    const late = [record('10.1.0.0/24'), record('10.2.0.0/24')];
    admission.begin(late, 2);
    for (const { prefix } of late) {
      expect(admission.limit(prefix, 1, 0)?.message).toMatch(/expected its turn/);
      admission.noteLimit(prefix, 1);
    }
    admission.end(2, 2);
    expect(admission.invite()).toEqual([]);
    const early = [record('10.0.0.0/8'), record('10.3.0.0/24')];
    admission.begin(early, 0);
    for (const { prefix } of early) {
      expect(admission.limit(prefix, 1, 0)?.code).toBe('limit');
      admission.noteLimit(prefix, 1);
    }
    admission.end(2, 0);
    expect(admission.invite()).toEqual(['10.0.0.0/8', '10.1.0.0/24']);
    admission.begin([record('10.0.0.0/8'), record('10.9.0.0/16')], 5);
    expect(admission.limit('10.9.0.0/16', 1, 0)?.code).toBe('limit');
    expect(admission.limit('10.0.0.0/8', 1, 0)).toBeUndefined();
  });

  it('sees the end of a backlog that never empties', () => {
    const admission = newAdmission('skip', 1);
    admission.begin([record('10.1.0.0/24')], 2);
    admission.noteLimit('10.1.0.0/24', 1);
    for (let batch = 0; batch < 3; batch++) {
      expect(admission.invite()).toEqual([]);
      admission.begin([record('10.2.0.0/24')], 2);
      admission.noteLimit('10.2.0.0/24', 1);
      admission.end(1, 2);
    }
    expect(admission.invite()).toEqual(['10.1.0.0/24']);
  });
});
