// Which rows change: transaction.ts, router-rows.ts with foreign.ts, each against a slow twin.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouterRows, type TouchedPrefixes } from '../../../src/sinks/ovn/router-rows.ts';
import type { RouteRow } from '../../../src/sinks/ovn/row.ts';
import {
  buildTransaction,
  changeCount,
  isInPlace,
  planRecord,
  someOf,
} from '../../../src/sinks/ovn/transaction.ts';

const letter = fc.constantFrom('a', 'b', 'c', 'd');

function ourRow(uuid: string, nexthop: string, isSound = true, prefix = '10.0.0.0/8'): RouteRow {
  return { uuid, prefix, nexthop, isOurs: true, isSound, competes: false, owner: 'n' };
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

  it('keeps some of a next-hop set in the rows there are, those in place first', () => {
    const rows = [ourRow('1', 'b'), ourRow('2', 'x'), ourRow('3', 'c', false)];
    expect(someOf(['a', 'b', 'c'], rows)).toEqual(['b', 'a']);
    expect(someOf(['a'], rows)).toEqual(['a']);
    expect(someOf(['a', 'a', 'b'], [ourRow('1', 'a'), ourRow('2', 'a')])).toEqual(['a', 'a']);
    expect(someOf(['a'], [])).toEqual([]);
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
          expect(new Set(rows.foreign.at(text))).toEqual(new Set(competing));
        }
      }),
      { numRuns: 500 },
    );
  });
});
