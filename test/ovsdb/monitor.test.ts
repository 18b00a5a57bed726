import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Monitor, type RowChange } from '../../src/ovsdb/monitor.ts';
import { parseSchema } from '../../src/ovsdb/schema.ts';
import { finish } from '../../src/ovsdb/slices.ts';

const schema = parseSchema({
  name: 'Test',
  version: '1.0.0',
  tables: {
    Router: {
      columns: {
        name: { type: 'string' },
        routes: { type: { key: 'string', min: 0, max: 'unlimited' } },
        ids: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        secret: { type: 'string' },
      },
    },
  },
});

function newMonitor(): Monitor {
  const monitor = new Monitor([
    { table: 'Router', columns: ['name', 'routes', 'ids', 'future'], where: [['name', '==', 'r']] },
  ]);
  monitor.useSchema(schema);
  return monitor;
}

interface TestRow {
  readonly name: string;
  readonly routes: readonly string[];
  readonly ids: Readonly<Record<string, string>>;
}
type TestTable = Readonly<Record<string, TestRow>>;

const letters = fc.constantFrom('a', 'b', 'c', 'd');
const testRow: fc.Arbitrary<TestRow> = fc.record({
  name: letters,
  routes: fc.uniqueArray(letters),
  ids: fc.dictionary(letters, letters, { noNullPrototype: true }),
});
const testTable: fc.Arbitrary<TestTable> = fc.dictionary(letters, testRow, {
  noNullPrototype: true,
});

function wireRow({ name, routes, ids }: TestRow): Record<string, unknown> {
  return { name, routes: ['set', routes], ids: ['map', Object.entries(ids)] };
}

/** Everything `monitor` would know. */
function contents(monitor: Monitor): TestTable {
  return Object.fromEntries(
    [...monitor.rows('Router')].map(([uuid, row]) => [
      uuid,
      {
        name: row['name'] as string,
        routes: [...(row['routes'] as Set<string>)].sort(),
        ids: Object.fromEntries(row['ids'] as Map<string, string>),
      },
    ]),
  );
}

function sorted(table: TestTable): TestTable {
  return Object.fromEntries(
    Object.entries(table).map(([uuid, row]) => [uuid, { ...row, routes: [...row.routes].sort() }]),
  );
}

/** update2 from one state of the table to the next, as ovsdb-server makes it. */
function differences(before: TestTable, after: TestTable): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const uuid of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was = before[uuid];
    const is = after[uuid];
    if (!is) rows[uuid] = { delete: null };
    else if (!was) rows[uuid] = { insert: wireRow(is) };
    else if (JSON.stringify(was) !== JSON.stringify(is)) rows[uuid] = { modify: modify(was, is) };
  }
  return { Router: rows };
}

function modify(was: TestRow, is: TestRow): Record<string, unknown> {
  const routes = [...was.routes, ...is.routes].filter(
    (route) => was.routes.includes(route) !== is.routes.includes(route),
  );
  const keys = new Set([...Object.keys(was.ids), ...Object.keys(is.ids)]);
  const pairs = [...keys]
    .filter((key) => was.ids[key] !== is.ids[key])
    .map((key) => [key, is.ids[key] ?? was.ids[key]]);
  return {
    ...(was.name === is.name ? {} : { name: is.name }),
    ...(routes.length === 0 ? {} : { routes: ['set', routes] }),
    ...(pairs.length === 0 ? {} : { ids: ['map', pairs] }),
  };
}

/** update (RFC 7047) from one state to the next. */
function values(before: TestTable, after: TestTable): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const [uuid, row] of Object.entries(after)) rows[uuid] = { new: wireRow(row) };
  for (const [uuid, row] of Object.entries(before)) {
    if (!(uuid in after)) rows[uuid] = { old: wireRow(row) };
  }
  return { Router: rows };
}

function snapshot(table: TestTable, member: 'initial' | 'new'): Record<string, unknown> {
  return {
    Router: Object.fromEntries(
      Object.entries(table).map(([uuid, row]) => [uuid, { [member]: wireRow(row) }]),
    ),
  };
}

/** Keeps its own copy by nothing but the changes it hears of: what a consumer would have. */
function follow(copy: Map<string, TestRow>, changes: readonly RowChange[]): void {
  for (const { uuid, kind, row, setChanges } of changes) {
    if (kind === 'delete') {
      expect(copy.delete(uuid)).toBe(true);
      continue;
    }
    expect(copy.has(uuid)).toBe(kind === 'modify');
    const routes = new Set(
      kind === 'modify' ? copy.get(uuid)!.routes : (row['routes'] as Set<string>),
    );
    for (const route of setChanges.get('routes')?.added ?? []) routes.add(route as string);
    for (const route of setChanges.get('routes')?.removed ?? []) routes.delete(route as string);
    copy.set(uuid, {
      name: row['name'] as string,
      routes: [...routes].sort(),
      ids: Object.fromEntries(row['ids'] as Map<string, string>),
    });
  }
}

describe('Monitor', () => {
  it('holds what the server holds, and its changes lead there, whichever way they are told', () => {
    const step = fc.record({ table: testTable, way: fc.constantFrom('v1', 'v2', 'snapshot') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const monitor = newMonitor();
        const copy = new Map<string, TestRow>();
        let before: TestTable = {};
        for (const { table, way } of steps) {
          if (way === 'v2')
            follow(copy, finish(monitor.applyDifferences(differences(before, table))));
          else if (way === 'v1') follow(copy, finish(monitor.applyValues(values(before, table))));
          else follow(copy, finish(monitor.replace('monitor_cond', snapshot(table, 'initial'))));
          expect(contents(monitor)).toEqual(sorted(table));
          expect(Object.fromEntries(copy)).toEqual(sorted(table));
          before = table;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says nothing when a snapshot brings what is there', () => {
    fc.assert(
      fc.property(testTable, (table) => {
        const monitor = newMonitor();
        finish(monitor.replace('monitor', snapshot(table, 'new')));
        expect(finish(monitor.replace('monitor_cond_since', snapshot(table, 'initial')))).toEqual(
          [],
        );
      }),
    );
  });

  it('asks only for columns that the server has, and conditions only where it knows them', () => {
    const monitor = newMonitor();
    expect(monitor.requests('monitor')).toEqual({
      Router: [{ columns: ['name', 'routes', 'ids'] }],
    });
    expect(monitor.requests('monitor_cond')).toEqual({
      Router: [{ columns: ['name', 'routes', 'ids'], where: [['name', '==', 'r']] }],
    });
  });

  it('keeps no column that was not asked for', () => {
    const monitor = newMonitor();
    finish(
      monitor.replace('monitor_cond', { Router: { u: { initial: { name: 'r', secret: 's' } } } }),
    );
    finish(monitor.applyDifferences({ Router: { u: { modify: { secret: 't', name: 'q' } } } }));
    expect(Object.keys(monitor.rows('Router').get('u')!)).toEqual(['name', 'routes', 'ids']);
    expect(monitor.rows('Router').get('u')!['name']).toBe('q');
  });

  it('refuses a difference for a row it does not have: something was missed', () => {
    expect(() =>
      finish(newMonitor().applyDifferences({ Router: { u: { modify: { name: 'x' } } } })),
    ).toThrow(/unknown row u/);
  });

  it('learns rows that it asked not to be told, and misses no others', () => {
    const monitor = new Monitor([{ table: 'Router', columns: ['name'], withoutInserts: true }]);
    monitor.useSchema(schema);
    expect(monitor.requests('monitor_cond')).toEqual({
      Router: [{ columns: ['name'], select: { insert: false } }],
    });
    expect(finish(monitor.applyDifferences({ Router: { u: { modify: { name: 'x' } } } }))).toEqual(
      [],
    );
    expect(finish(monitor.applyDifferences({ Router: { u: { delete: null } } }))).toEqual([]);
    monitor.learn('Router', 'u', { name: 'a' });
    const [change] = finish(monitor.applyDifferences({ Router: { u: { modify: { name: 'b' } } } }));
    expect(change).toMatchObject({ kind: 'modify', row: { name: 'b' } });
  });

  it('does not ask for a table that the server lacks and it can do without', () => {
    const monitor = new Monitor([
      { table: 'Router', columns: ['name'] },
      { table: 'Later', columns: ['name'], isOptional: true },
    ]);
    monitor.useSchema(schema);
    expect(Object.keys(monitor.requests('monitor_cond_since'))).toEqual(['Router']);
    expect(monitor.rows('Later').size).toBe(0);
  });

  it('takes many rows in slices of a few hundred, and then says so once', () => {
    const rows = (member: string) =>
      Object.fromEntries(
        Array.from({ length: 20_000 }, (_, i) => [
          `u${i}`,
          { [member]: { name: `${member} ${i}` } },
        ]),
      );
    const monitor = newMonitor();
    for (const work of [
      monitor.replace('monitor_cond', { Router: rows('initial') }),
      monitor.applyDifferences({ Router: rows('modify') }),
      monitor.applyValues({ Router: rows('new') }),
      monitor.replace('monitor_cond', {}),
    ]) {
      let slices = 1;
      let step = work.next();
      for (; !step.done; step = work.next()) slices++;
      expect(slices).toBeGreaterThan(20);
      expect(step.value).toHaveLength(20_000);
    }
    expect(monitor.rows('Router').size).toBe(0);
  });

  it('refuses a schema without a table it is to monitor', () => {
    const monitor = new Monitor([{ table: 'Missing', columns: ['name'] }]);
    expect(() => monitor.useSchema(schema)).toThrow(/database Test 1.0.0 has no table Missing/);
  });
});
