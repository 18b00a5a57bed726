// Which rows change: transaction.ts, router-rows.ts with foreign.ts, admission.ts, each against a slow twin.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/sinks/ovn/admission.ts';
import { RouterRows, type TouchedPrefixes } from '../../../src/sinks/ovn/router-rows.ts';
import type { RouteRow } from '../../../src/sinks/ovn/row.ts';
import {
  buildTransaction,
  changeCount,
  isInPlace,
  planRecord,
} from '../../../src/sinks/ovn/transaction.ts';

const letter = fc.constantFrom('a', 'b', 'c', 'd');

function ourRow(uuid: string, nexthop: string, isSound = true, prefix = '10.0.0.0/8'): RouteRow {
  return { uuid, prefix, nexthop, isOurs: true, isSound, competes: false, owner: 'n' };
}

function foreignRow(uuid: string, prefix = '10.0.0.0/8', competes = true): RouteRow {
  return {
    uuid,
    prefix,
    nexthop: '192.0.2.1',
    isOurs: false,
    isSound: false,
    competes,
    owner: 'x',
  };
}

const touchNothing = (): TouchedPrefixes => ({ owned: new Set(), foreign: new Set() });

describe('planRecord', () => {
  const existingRows = fc
    .array(fc.record({ nexthop: letter, isSound: fc.boolean(), member: fc.nat(9) }), {
      maxLength: 8,
    })
    .map((rows) => rows.map((row, i) => ourRow(`m${i}-${row.member}`, row.nexthop, row.isSound)));

  it('leads to exactly the rows wanted, with the fewest changes', () => {
    fc.assert(
      fc.property(existingRows, fc.array(letter, { maxLength: 8 }), (existing, wanted) => {
        const table = new Map(existing.map(({ uuid, nexthop }) => [uuid, nexthop]));
        const plan = planRecord(
          existing,
          wanted,
          (n) => `new${n}`,
          (uuid) => table.has(uuid),
        );
        for (const uuid of plan.deletes) expect(table.delete(uuid)).toBe(true);
        for (const { uuid, nexthop } of plan.updates) {
          expect(table.has(uuid)).toBe(true);
          table.set(uuid, nexthop);
        }
        for (const { uuid, nexthop } of plan.inserts) {
          expect(table.has(uuid)).toBe(false);
          table.set(uuid, nexthop);
        }
        expect([...table.values()].sort()).toEqual([...wanted].sort());
        expect(isInPlace(existing, wanted)).toBe(changeCount(plan) === 0);
        // Rows that stay as they are cannot be more: the common part of both lists.
        const sound = existing.filter(({ isSound }) => isSound).map(({ nexthop }) => nexthop);
        const kept = wanted.filter((nexthop) => {
          const place = sound.indexOf(nexthop);
          if (place >= 0) sound.splice(place, 1);
          return place >= 0;
        });
        const bad = existing.filter(({ isSound }) => !isSound).length;
        const good = existing.length - bad;
        expect(changeCount(plan)).toBe(Math.max(good, wanted.length) - kept.length + bad);
      }),
      { numRuns: 1000 },
    );
  });

  it('passes over an id that is taken, also by a row that goes in the same transaction', () => {
    const plan = planRecord(
      [ourRow('id0', 'a', false)],
      ['a'],
      (n) => `id${n}`,
      (uuid) => uuid === 'id0',
    );
    expect(plan).toEqual({
      inserts: [{ uuid: 'id1', nexthop: 'a' }],
      updates: [],
      deletes: ['id0'],
    });
  });
});

describe('buildTransaction', () => {
  it('asserts the lock, writes rows, and changes the set once', () => {
    const plans = [
      {
        prefix: '10.0.0.0/8',
        plan: { inserts: [{ uuid: 'i', nexthop: '10.1.1.1' }], updates: [], deletes: [] },
      },
      {
        prefix: '10.1.0.0/16',
        plan: { inserts: [], updates: [{ uuid: 'u', nexthop: '10.1.1.2' }], deletes: ['d'] },
      },
    ];
    const identity = { owner: 'n', network: 'default', outputPort: 'out' };
    const { operations } = buildTransaction(plans, { routerUuid: 'r', lock: 'l', identity });
    expect(operations).toEqual([
      { op: 'assert', lock: 'l' },
      {
        op: 'insert',
        table: 'Logical_Router_Static_Route',
        uuid: 'i',
        row: {
          ip_prefix: '10.0.0.0/8',
          nexthop: '10.1.1.1',
          output_port: 'out',
          external_ids: [
            'map',
            [
              ['rutter/network', 'default'],
              ['rutter/owner', 'n'],
            ],
          ],
        },
      },
      {
        op: 'update',
        table: 'Logical_Router_Static_Route',
        where: [['_uuid', '==', ['uuid', 'u']]],
        row: { nexthop: '10.1.1.2' },
      },
      {
        op: 'mutate',
        table: 'Logical_Router',
        where: [['_uuid', '==', ['uuid', 'r']]],
        mutations: [
          ['static_routes', 'delete', ['set', [['uuid', 'd']]]],
          ['static_routes', 'insert', ['set', [['uuid', 'i']]]],
        ],
      },
    ]);
  });
});

describe('RouterRows', () => {
  const prefix = fc.constantFrom('10.0.0.0/8', '10.0.0.0/9', '2001:db8::/32', undefined);
  const someRow: fc.Arbitrary<RouteRow | undefined> = fc.option(
    fc.record({
      uuid: letter,
      prefix,
      nexthop: letter,
      isOurs: fc.boolean(),
      isSound: fc.constant(true),
      competes: fc.boolean(),
      owner: fc.constant('o'),
    }),
    { nil: undefined },
  );

  it('finds what a walk over all rows finds, after any changes', () => {
    const change = fc.record({ uuid: letter, row: someRow });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const rows = new RouterRows();
        const twin = new Map<string, RouteRow>();
        for (const { uuid, row: shape } of changes) {
          const row = shape && { ...shape, uuid, competes: shape.competes && !shape.isOurs };
          const touched = touchNothing();
          const before = twin.get(uuid);
          rows.set(uuid, row, touched);
          if (row) twin.set(uuid, row);
          else twin.delete(uuid);
          const both = [before, row].filter((one) => one?.prefix !== undefined);
          const prefixesOf = (isOurs: boolean): Set<string> =>
            new Set(both.filter((one) => one!.isOurs === isOurs).map((one) => one!.prefix!));
          expect(touched).toEqual({ owned: prefixesOf(true), foreign: prefixesOf(false) });
        }
        const all = [...twin.values()];
        const ours = all.filter(({ isOurs }) => isOurs);
        expect(rows.ownedCount).toBe(ours.length);
        expect(rows.foreign.count).toBe(all.length - ours.length);
        expect(rows.unreadable()).toHaveLength(
          ours.filter((row) => row.prefix === undefined).length,
        );
        for (const text of ['10.0.0.0/8', '10.0.0.0/9', '2001:db8::/32']) {
          const at = all.filter((row) => row.prefix === text);
          expect(new Set(rows.owned(text))).toEqual(new Set(at.filter(({ isOurs }) => isOurs)));
          const competing = at.filter(({ competes }) => competes);
          expect(rows.foreign.at(text) !== undefined).toBe(competing.length > 0);
          if (competing.length > 0) expect(competing).toContain(rows.foreign.at(text));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('Admission', () => {
  function setUp(collision: 'skip' | 'replace-when-gone' | 'share', maxRoutes = 3) {
    const rows = new RouterRows();
    return { rows, admission: new Admission(rows, { collision, maxRoutes }) };
  }

  it.each([
    ['skip', 'collision'],
    ['replace-when-gone', 'waiting-for-foreign'],
    ['share', undefined],
  ] as const)('answers a collision under %s with %s', (policy, code) => {
    const { rows, admission } = setUp(policy);
    rows.set('f', foreignRow('f'), touchNothing());
    expect(admission.collision('10.0.0.0/8')?.code).toBe(code);
    expect(admission.collision('10.0.0.0/9')).toBeUndefined();
  });

  it('names the row, its next hop and its owner', () => {
    const { rows, admission } = setUp('skip');
    rows.set('f', foreignRow('f'), touchNothing());
    expect(admission.collision('10.0.0.0/8')?.message).toBe(
      'row f via 192.0.2.1 (owner: x) has 10.0.0.0/8, expected no other writer',
    );
  });

  it('clears a collision once, and only when every competing row is gone', () => {
    const { rows, admission } = setUp('skip');
    rows.set('f', foreignRow('f'), touchNothing());
    rows.set('g', foreignRow('g'), touchNothing());
    admission.noteCollision('10.0.0.0/8');
    rows.set('f', undefined, touchNothing());
    expect(admission.takeCleared(['10.0.0.0/8'])).toEqual([]);
    rows.set('g', undefined, touchNothing());
    expect(admission.takeCleared(['10.0.0.0/8', '10.0.0.0/9'])).toEqual(['10.0.0.0/8']);
    expect(admission.takeCleared()).toEqual([]);
  });

  it('counts rows that are on their way against the limit', () => {
    const { rows, admission } = setUp('skip', 3);
    rows.set('a', ourRow('a', 'x'), touchNothing());
    expect(admission.limit(2, 0)).toBeUndefined();
    expect(admission.limit(2, 1)).toEqual({
      code: 'limit',
      message: '2 more beside 2 rows, expected at most 3',
    });
    expect(admission.limit(0, 99)).toBeUndefined();
    expect(admission.limit(-1, 99)).toBeUndefined();
  });

  it('gives room to the oldest that fit', () => {
    const { rows, admission } = setUp('skip', 3);
    for (const uuid of ['a', 'b', 'c']) rows.set(uuid, ourRow(uuid, 'x'), touchNothing());
    admission.noteLimit('10.1.0.0/16', 1);
    admission.noteLimit('10.2.0.0/16', 3);
    admission.noteLimit('10.3.0.0/16', 1);
    admission.noteLimit('10.4.0.0/16', 1);
    expect(admission.takeRoom()).toEqual([]);
    rows.set('a', undefined, touchNothing());
    rows.set('b', undefined, touchNothing());
    expect(admission.takeRoom()).toEqual(['10.1.0.0/16', '10.3.0.0/16']);
    admission.forget('10.2.0.0/16');
    rows.set('c', undefined, touchNothing());
    expect(admission.takeRoom()).toEqual(['10.4.0.0/16']);
  });
});
