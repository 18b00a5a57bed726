// The OVN sink on a real Northbound database: what it writes, what it leaves alone, what it says.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import type { OvnSinkOptions } from '../../src/sinks/ovn/options.ts';
import {
  addForeign,
  addRouter,
  dumpRow,
  listRoutes,
  manyPrefixes,
  PORT,
  ROUTER,
  removeForeign,
  SinkFixture,
  startNorthbound,
  startStrictNorthbound,
  transact,
  uuidsOf,
} from './ovn-sink-fixture.ts';

let server: OvsdbServer;
const sinks: SinkFixture[] = [];

beforeEach(async () => {
  server = await startNorthbound();
});

afterEach(async () => {
  for (const { sink } of sinks.splice(0)) await sink.close();
  await server.stop();
});

function newSink(options: Partial<OvnSinkOptions> = {}): SinkFixture {
  const fixture = new SinkFixture({ remotes: [server.remote], ...options });
  sinks.push(fixture);
  return fixture;
}

const open = (options: Partial<OvnSinkOptions> = {}): Promise<SinkFixture> =>
  newSink(options).open();

/** Runs what the database hears to its end: a transaction of our own comes after all before it. */
async function settle(fixture: SinkFixture): Promise<void> {
  await fixture.apply([{ prefix: '203.0.113.0/24', to: ['172.18.9.9'] }]);
  await fixture.apply([{ prefix: '203.0.113.0/24' }]);
}

const success = {
  known: true,
  failures: [],
  durationMs: expect.any(Number),
  windowMs: expect.any(Number),
};

describe('writing', () => {
  it('writes one row per next hop, repeats rows for weights, and shows as ovn-nbctl lists it', async () => {
    const fixture = await open();
    const result = await fixture.apply([
      { prefix: '10.0.0.0/8', to: ['172.18.0.2'] },
      { prefix: '10.1.0.0/16', to: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '10.2.0.0/16', to: ['172.18.0.2*10', '172.18.0.3*20'] },
      { prefix: '10.3.0.0/16', to: 'discard' },
      { prefix: '0.0.0.0/0', to: ['172.18.0.4'] },
      { prefix: '2001:db8::/32', to: ['fd00::1', 'fe80::2'] },
      { prefix: '::/0', to: ['fd00::1'] },
    ]);
    expect(result).toEqual(success);
    expect(listRoutes(server)).toEqual(
      [
        '10.0.0.0/8 via 172.18.0.2',
        '10.1.0.0/16 via 172.18.0.2',
        '10.1.0.0/16 via 172.18.0.3',
        '10.2.0.0/16 via 172.18.0.2',
        '10.2.0.0/16 via 172.18.0.3',
        '10.2.0.0/16 via 172.18.0.3',
        '10.3.0.0/16 via discard',
        '0.0.0.0/0 via 172.18.0.4',
        '2001:db8::/32 via fd00::1',
        '2001:db8::/32 via fe80::2',
        '::/0 via fd00::1',
      ].sort(),
    );
    const row = server.nbctl(
      '--bare',
      '--columns=output_port,external_ids,route_table',
      'find',
      'Logical_Router_Static_Route',
      'ip_prefix="10.0.0.0/8"',
    );
    expect(row.split('\n').filter(Boolean)).toEqual([
      PORT,
      'rutter/network=default rutter/owner=node',
    ]);
    expect(fixture.heard('observed')).toEqual([]);
  });

  it('keeps the rows of a changed ECMP set, and their uuids', async () => {
    const fixture = await open();
    const prefix = '10.0.0.0/8';
    await fixture.apply([{ prefix, to: ['172.18.0.2', '172.18.0.3', '172.18.0.4'] }]);
    const before = new Set(uuidsOf(server, prefix));
    await fixture.apply([{ prefix, to: ['172.18.0.2', '172.18.0.4', '172.18.0.5'] }]);
    expect(new Set(uuidsOf(server, prefix))).toEqual(before);
    for (const to of [
      ['172.18.0.6'],
      ['172.18.0.6', '172.18.0.7', '172.18.0.8', '172.18.0.9'],
      ['172.18.0.6', '172.18.0.7', '172.18.0.9'],
    ]) {
      expect(await fixture.apply([{ prefix, to }])).toEqual(success);
      expect(listRoutes(server)).toEqual(to.map((hop) => `${prefix} via ${hop.split('*')[0]}`));
    }
    const last = new Set(uuidsOf(server, prefix));
    await fixture.apply([{ prefix, to: ['172.18.0.2', '172.18.0.3', '172.18.0.4'] }]);
    expect(new Set(uuidsOf(server, prefix))).toEqual(last);
    await fixture.apply([{ prefix }]);
    expect(listRoutes(server)).toEqual([]);
  });

  it('writes nothing for what is there already', async () => {
    const fixture = await open();
    const changes = [
      { prefix: '10.0.0.0/8', to: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '10.9.0.0/16' },
    ];
    await fixture.apply(changes);
    const committed = (): string =>
      server.appctl('ovsdb-server/list-dbs') + server.nbctl('--version');
    const uuids = uuidsOf(server, '10.0.0.0/8');
    const result = await fixture.apply(changes);
    expect(result).toEqual({ known: true, failures: [], durationMs: 0, windowMs: 0 });
    expect(uuidsOf(server, '10.0.0.0/8')).toEqual(uuids);
    expect(committed()).toBe(committed());
  });

  it('splits a large batch, keeps its order and finds a prefix twice in it', async () => {
    const fixture = await open();
    const changes = manyPrefixes(3500).map((prefix) => ({ prefix, to: ['172.18.0.2'] }));
    changes.push({ prefix: '20.0.0.0/24', to: ['172.18.0.3'] });
    expect(await fixture.apply(changes)).toEqual(success);
    const routes = listRoutes(server);
    expect(routes).toHaveLength(3500);
    expect(routes.filter((route) => route.startsWith('20.0.0.0/24'))).toEqual([
      '20.0.0.0/24 via 172.18.0.3',
    ]);
  });

  it('removes all of ours on flush, and nothing on close', async () => {
    const foreign = addForeign(server, '10.0.0.0/8', '172.18.0.9');
    const before = dumpRow(server, foreign);
    const fixture = await open();
    await fixture.apply(manyPrefixes(2500).map((prefix) => ({ prefix, to: ['172.18.0.2'] })));
    await fixture.sink.close();
    expect(listRoutes(server)).toHaveLength(2501);
    const second = await open();
    expect(await second.sink.flush()).toEqual({ removedCount: 2500 });
    expect(listRoutes(server)).toEqual(['10.0.0.0/8 via 172.18.0.9']);
    expect(dumpRow(server, foreign)).toBe(before);
    expect(second.heard('observed').length).toBe(1); // the snapshot's, none for the flush
  });

  it('passes over a row id that somebody else has', async () => {
    const fixture = await open();
    const changes = [{ prefix: '20.0.5.0/24', to: ['172.18.0.2'] }];
    await fixture.apply(changes);
    const [uuid] = uuidsOf(server, '20.0.5.0/24');
    await fixture.apply([{ prefix: '20.0.5.0/24' }]);
    const insert = { ip_prefix: '1.0.0.0/8', nexthop: '1.1.1.1' };
    const routes = ['set', [['uuid', uuid]]];
    transact(server, [
      { op: 'insert', table: 'Logical_Router_Static_Route', uuid, row: insert },
      { op: 'insert', table: 'Logical_Router', row: { name: 'other', static_routes: routes } },
    ]);
    expect(await fixture.apply(changes)).toEqual(success);
    expect(listRoutes(server)).toEqual(['20.0.5.0/24 via 172.18.0.2']);
  });
});

describe('a server that refuses some rows', () => {
  it('has longer prefixes before shorter ones at every commit, and none of an aggregated table over a refused one', async () => {
    await server.stop();
    server = await startStrictNorthbound();
    const fixture = await open({ isAggregated: true });
    // More than a transaction holds, then what they are exceptions of.
    const exceptions = Array.from({ length: 130 }, (_, i) => ({
      prefix: `10.${i % 10}.${i}.0/24`,
      to: [i === 3 ? '172.18.0.222' : '172.18.0.3'],
    }));
    const covers = Array.from({ length: 10 }, (_, i) => ({
      prefix: `10.${i}.0.0/16`,
      to: ['172.18.0.2'],
    }));
    const { failures } = await fixture.apply([...exceptions, ...covers]);
    expect(failures.map(({ index, code }) => [index, code])).toEqual([
      [3, 'rejected'],
      [133, 'over-refused'],
    ]);
    const tables = committedTables(server);
    expect(tables.at(-1)?.size).toBe(138);
    for (const table of tables) {
      for (const { prefix } of exceptions) {
        const cover = `10.${prefix.split('.')[1]}.0.0/16`;
        expect(table.has(cover) && !table.has(prefix), `${prefix} by ${cover}`).toBe(false);
      }
    }
    const released = () => fixture.heard('released').flatMap(({ prefixes }) => prefixes);
    await waitFor(() => released().length > 0, 'release');
    expect(released()).toEqual(['10.3.0.0/16']);
    // The core says that it may.
    expect((await fixture.apply([covers[3]!])).failures).toEqual([]);
  });

  // The real schema with rules of its own: next hops of at most 10 characters, and one row per prefix.
  it('fails those records with its reason, and takes the others', async () => {
    await server.stop();
    server = await startStrictNorthbound();
    const fixture = await open();
    const prefixes = manyPrefixes(2500);
    const bad = new Map([
      [3, ['172.18.0.222']], // the insert is refused
      [4, ['172.18.0.223']],
      [1700, ['172.18.0.2', '172.18.0.3']], // the commit is refused
      [2499, ['172.18.0.224']],
    ]);
    const changes = prefixes.map((prefix, i) => ({ prefix, to: bad.get(i) ?? ['172.18.0.2'] }));
    const result = await fixture.apply(changes);
    expect(result.known).toBe(true);
    expect(result.failures.map(({ index, code }) => [index, code])).toEqual(
      [...bad.keys()].map((index) => [index, 'rejected']),
    );
    expect(result.failures[0]!.message).toMatch(/constraint violation: .*172.18.0.222/);
    expect(result.failures[2]!.message).toMatch(/constraint violation: .*index/);
    expect(listRoutes(server)).toEqual(
      prefixes
        .filter((_, i) => !bad.has(i))
        .map((prefix) => `${prefix} via 172.18.0.2`)
        .sort(),
    );
    // The fault mended, the same records go in.
    const mended = [...bad.keys()].map((i) => ({ prefix: prefixes[i]!, to: ['172.18.0.2'] }));
    expect(await fixture.apply(mended)).toEqual(success);
    expect(listRoutes(server)).toHaveLength(2500);
  });
});

describe('start', () => {
  it('tells what is in place as a snapshot before it is ready', async () => {
    const first = await open();
    await first.apply([
      { prefix: '10.0.0.0/8', to: ['172.18.0.2', '172.18.0.3*2'] },
      { prefix: '2001:db8::/32', to: ['fd00::1'] },
      { prefix: '10.3.0.0/16', to: 'discard' },
    ]);
    await first.sink.close();
    addForeign(server, '10.99.0.0/16', '172.18.0.9');
    addForeign(server, '10.98.0.0/16', '172.18.0.9', [
      'external_ids:rutter/owner=node',
      'external_ids:rutter/network=blue',
    ]);
    const second = await open();
    expect(Object.fromEntries(second.observed)).toEqual({
      '10.0.0.0/8': '172.18.0.2*1 172.18.0.3*2',
      '2001:db8::/32': 'fd00::1*1',
      '10.3.0.0/16': 'discard',
    });
    const told = second.events.filter(({ type }) => type !== 'foreign');
    expect(told.map(({ type, state }) => state ?? type)).toEqual([
      'connecting',
      'snapshotBegin',
      'observed',
      'snapshotEnd',
      'ready',
    ]);
    expect(second.heard('snapshotEnd')).toEqual([
      { type: 'snapshotEnd', prefixes: [], ownedCount: 5, foreignCount: 2 },
    ]);
  });

  it('waits for the router, for its port, and starts by itself', async () => {
    server.nbctl('lr-del', ROUTER);
    const fixture = newSink();
    await fixture.sink.open();
    await waitFor(() => fixture.reason === 'no Logical_Router named gr', 'reason');
    expect(fixture.state).toBe('waiting');
    expect(await fixture.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.2'] }])).toMatchObject({
      known: false,
    });
    server.nbctl('lr-add', ROUTER);
    await waitFor(() => fixture.reason === 'router gr has no port out', 'reason');
    server.nbctl('lrp-add', ROUTER, PORT, '02:00:00:00:00:01', '172.18.0.254/16');
    await fixture.ready();
    expect(await fixture.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.2'] }])).toEqual(success);
  });

  it('follows a router that is deleted and made again', async () => {
    const fixture = await open();
    await fixture.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.2'] }]);
    expect(fixture.observed.size).toBe(0);
    server.nbctl('lr-del', ROUTER);
    await waitFor(() => fixture.state === 'waiting', 'waiting');
    fixture.observed.set('10.0.0.0/8', 'believed');
    addRouter(server);
    await fixture.ready();
    expect(fixture.observed.size).toBe(0);
    expect(await fixture.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.2'] }])).toEqual(success);
    expect(listRoutes(server)).toEqual(['10.0.0.0/8 via 172.18.0.2']);
  });

  it('leaves the writing to one agent, and takes over when that goes', async () => {
    const first = await open();
    await first.apply([{ prefix: '10.0.0.0/8', to: ['172.18.0.2'] }]);
    const second = newSink();
    await second.sink.open();
    await waitFor(() => second.state === 'waiting', 'waiting');
    expect(second.reason).toMatch(/lock rutter_node_gr_default_\w+ is held by another agent/);
    const other = await open({ network: 'blue' });
    expect(other.state).toBe('ready');
    await first.sink.close();
    await second.ready();
    expect([...second.observed]).toEqual([['10.0.0.0/8', '172.18.0.2*1']]);
  });
});

describe('drift', () => {
  const prefix = '10.0.0.0/8';

  it.each<[string, (uuid: string) => string[], string | undefined]>([
    ['deleted', (uuid) => ['remove', 'Logical_Router', ROUTER, 'static_routes', uuid], undefined],
    [
      'with another next hop',
      (uuid) => ['set', 'Logical_Router_Static_Route', uuid, 'nexthop="172.18.7.7"'],
      '172.18.7.7*1',
    ],
    [
      'with another port',
      (uuid) => ['set', 'Logical_Router_Static_Route', uuid, 'output_port=other'],
      '0.0.0.0*1',
    ],
    [
      'with an option',
      (uuid) => ['set', 'Logical_Router_Static_Route', uuid, 'options:ecmp_symmetric_reply=true'],
      '0.0.0.0*1',
    ],
    [
      'with host bits',
      (uuid) => ['set', 'Logical_Router_Static_Route', uuid, 'ip_prefix="10.0.0.1/8"'],
      '0.0.0.0*1',
    ],
  ])(
    'tells at once of a row of ours %s, and puts it right when asked',
    async (_, edit, observed) => {
      const fixture = await open();
      await fixture.apply([{ prefix, to: ['172.18.0.2'] }]);
      await settle(fixture);
      expect(fixture.heard('observed')).toEqual([]);
      const started = performance.now();
      server.nbctl(...edit(uuidsOf(server, prefix)[0]!));
      await waitFor(() => fixture.heard('observed').length > 0, 'drift');
      expect(performance.now() - started).toBeLessThan(1000);
      expect(fixture.observed.get(prefix)).toBe(observed);
      expect(await fixture.apply([{ prefix, to: ['172.18.0.2'] }])).toEqual(success);
      expect(listRoutes(server)).toEqual([`${prefix} via 172.18.0.2`]);
      const columns = server.nbctl(
        '--bare',
        '--columns=output_port,options',
        'list',
        'Logical_Router_Static_Route',
      );
      expect(columns.trim()).toBe(PORT);
    },
  );

  it('sees a row moved to another prefix in both places', async () => {
    const fixture = await open();
    await fixture.apply([{ prefix, to: ['172.18.0.2'] }]);
    server.nbctl(
      'set',
      'Logical_Router_Static_Route',
      uuidsOf(server, prefix)[0]!,
      'ip_prefix="11.0.0.0/8"',
    );
    await waitFor(() => fixture.observed.has('11.0.0.0/8'), 'drift');
    expect(
      fixture
        .heard('observed')
        .flatMap(({ prefixes }) => prefixes)
        .sort(),
    ).toEqual([prefix, '11.0.0.0/8']);
    // Its id is taken by the row that moved; the prefix gets another.
    expect(await fixture.apply([{ prefix, to: ['172.18.0.2'] }, { prefix: '11.0.0.0/8' }])).toEqual(
      success,
    );
    expect(listRoutes(server)).toEqual([`${prefix} via 172.18.0.2`]);
  });

  it('lets go of a row that lost our name, and removes one that is about no prefix', async () => {
    const fixture = await open({ collision: 'share' });
    await fixture.apply([{ prefix, to: ['172.18.0.2'] }]);
    const [uuid] = uuidsOf(server, prefix);
    server.nbctl('clear', 'Logical_Router_Static_Route', uuid!, 'external_ids');
    await waitFor(() => fixture.heard('observed').length > 0, 'drift');
    expect(fixture.observed.has(prefix)).toBe(false);
    expect(await fixture.apply([{ prefix, to: ['172.18.0.3'] }])).toEqual(success);
    expect(listRoutes(server)).toEqual([`${prefix} via 172.18.0.2`, `${prefix} via 172.18.0.3`]);

    addForeign(server, 'nonsense', '172.18.0.2', [
      'external_ids:rutter/owner=node',
      'external_ids:rutter/network=default',
    ]);
    await waitFor(() => uuidsOf(server, 'nonsense').length === 0, 'removal');
  });

  it('does not take its own writes for drift', async () => {
    const fixture = await open();
    for (let i = 0; i < 20; i++) {
      const to = [`172.18.0.${2 + (i % 3)}`, `172.18.1.${i}`];
      await fixture.apply(manyPrefixes(300).map((text) => ({ prefix: text, to })));
    }
    await settle(fixture);
    expect(fixture.heard('observed')).toEqual([]);
  });
});

describe('rows of others', () => {
  const ours = { prefix: '10.7.0.0/16', to: ['172.18.0.2'] };

  it.each([
    ['skip', 'collision'],
    ['replace-when-gone', 'waiting-for-foreign'],
  ] as const)(
    'under %s keep ours out, host bits or not, until they go',
    async (collision, code) => {
      const foreign = addForeign(server, '10.7.0.5/16', '172.18.0.9', ['external_ids:who=cms']);
      const before = dumpRow(server, foreign);
      const fixture = await open({ collision });
      const result = await fixture.apply([ours, { prefix: '10.8.0.0/16', to: ['172.18.0.2'] }]);
      expect(result.failures).toEqual([
        {
          index: 0,
          code,
          message: `row ${foreign} via 172.18.0.9 (owner: who=cms) has 10.7.0.0/16, expected no other writer`,
        },
      ]);
      expect(listRoutes(server)).toEqual([
        '10.7.0.0/16 via 172.18.0.9', // ovn-nbctl clears the host bits
        '10.8.0.0/16 via 172.18.0.2',
      ]);
      expect(dumpRow(server, foreign)).toBe(before);
      removeForeign(server, foreign);
      await waitFor(() => fixture.heard('released').length > 0, 'release');
      expect(fixture.heard('released').flatMap(({ prefixes }) => prefixes)).toEqual([
        '10.7.0.0/16',
      ]);
      expect(await fixture.apply([ours])).toEqual(success);
    },
  );

  it.each([
    ['skip', 'collision'],
    ['replace-when-gone', 'waiting-for-foreign'],
  ] as const)('under %s push ours out when they come later', async (collision, code) => {
    const fixture = await open({ collision });
    await fixture.apply([ours]);
    const foreign = addForeign(server, '10.7.0.0/16', '172.18.0.9');
    await waitFor(() => fixture.heard('refused').length > 0, 'refusal');
    expect(fixture.heard('refused')).toEqual([
      {
        type: 'refused',
        prefixes: ['10.7.0.0/16'],
        code,
        message: `row ${foreign} via 172.18.0.9 (owner: nobody named) has 10.7.0.0/16, expected no other writer`,
      },
    ]);
    expect(fixture.observed.has('10.7.0.0/16')).toBe(false);
    expect(listRoutes(server)).toEqual(['10.7.0.0/16 via 172.18.0.9']);
    removeForeign(server, foreign);
    await waitFor(() => fixture.heard('released').length > 0, 'release');
  });

  it('push ours out also when they came while no agent ran', async () => {
    const first = await open();
    await first.apply([ours]);
    await first.sink.close();
    addForeign(server, '10.7.0.0/16', '172.18.0.9');
    const second = await open();
    await waitFor(() => second.heard('refused').length > 0, 'refusal');
    expect(listRoutes(server)).toEqual(['10.7.0.0/16 via 172.18.0.9']);
  });

  it('under share stand beside ours', async () => {
    const fixture = await open({ collision: 'share' });
    const foreign = addForeign(server, '10.7.0.0/16', '172.18.0.9');
    const before = dumpRow(server, foreign);
    expect(await fixture.apply([ours])).toEqual(success);
    expect(listRoutes(server)).toEqual([
      '10.7.0.0/16 via 172.18.0.2',
      '10.7.0.0/16 via 172.18.0.9',
    ]);
    expect(await fixture.apply([{ prefix: ours.prefix }])).toEqual(success);
    expect(listRoutes(server)).toEqual(['10.7.0.0/16 via 172.18.0.9']);
    expect(dumpRow(server, foreign)).toBe(before);
  });

  it('in another route table or by source do not compete', async () => {
    addForeign(server, '10.7.0.0/16', '172.18.0.9', ['route_table=blue']);
    addForeign(server, '10.7.0.0/16', '172.18.0.9', ['policy=src-ip']);
    const fixture = await open();
    expect(await fixture.apply([ours])).toEqual(success);
  });

  it('on other routers are none of our business', async () => {
    server.nbctl(
      'lr-add',
      'elsewhere',
      '--',
      'lr-route-add',
      'elsewhere',
      '10.7.0.0/16',
      '172.18.0.9',
    );
    const fixture = await open();
    expect(fixture.heard('snapshotEnd')[0]).toMatchObject({ foreignCount: 0 });
    expect(await fixture.apply([ours])).toEqual(success);
    expect(listRoutes(server, 'elsewhere')).toEqual(['10.7.0.0/16 via 172.18.0.9']);
  });

  it('that were on another router are seen when they come to ours', async () => {
    server.nbctl(
      'lr-add',
      'elsewhere',
      '--',
      'lr-route-add',
      'elsewhere',
      '10.7.0.0/16',
      '172.18.0.9',
    );
    const fixture = await open();
    expect(await fixture.apply([ours])).toEqual(success);
    const [uuid] = uuidsOf(server, '10.7.0.0/16').filter((each) => {
      return server.nbctl('get', 'Logical_Router', 'elsewhere', 'static_routes').includes(each);
    });
    server.nbctl('add', 'Logical_Router', ROUTER, 'static_routes', uuid!);
    await waitFor(() => fixture.heard('refused').length > 0, 'refusal');
    expect(listRoutes(server)).toEqual(['10.7.0.0/16 via 172.18.0.9']);
    server.nbctl('set', 'Logical_Router_Static_Route', uuid!, 'policy=src-ip');
    await waitFor(() => fixture.heard('released').length > 0, 'release');
  });

  it('that come and go during a load never share a group with ours for long, and stay as they are', async () => {
    const fixture = await open();
    const prefixes = manyPrefixes(4000);
    const loading = fixture.apply(prefixes.map((prefix) => ({ prefix, to: ['172.18.0.2'] })));
    const foreign = [3, 1500, 3900].map((i) => addForeign(server, prefixes[i]!, '172.18.0.9'));
    const dumps = foreign.map((uuid) => dumpRow(server, uuid));
    const { failures } = await loading;
    const refused = fixture.heard('refused').flatMap(({ prefixes: list }) => list);
    const failed = failures.map(({ index }) => prefixes[index]!);
    await waitFor(() => listRoutes(server).length === 4000, 'one row per prefix');
    await waitFor(
      () =>
        new Set([...failed, ...fixture.heard('refused').flatMap(({ prefixes: list }) => list)])
          .size === 3,
      `refusals of three (${[...failed, ...refused].join(' ')})`,
    );
    expect(foreign.map((uuid) => dumpRow(server, uuid))).toEqual(dumps);
  });
});

describe('the cap', () => {
  it('refuses what exceeds it, and releases it when there is room', async () => {
    const fixture = await open({ maxRoutes: 3 });
    const result = await fixture.apply([
      { prefix: '10.1.0.0/16', to: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '10.2.0.0/16', to: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '10.3.0.0/16', to: ['172.18.0.2'] },
      { prefix: '10.4.0.0/16', to: ['172.18.0.2'] },
    ]);
    expect(result.failures.map(({ index, code, message }) => [index, code, message])).toEqual([
      [1, 'limit', '2 more beside 3 rows, expected at most 3'],
      [3, 'limit', '1 more beside 3 rows, expected at most 3'],
    ]);
    expect(listRoutes(server)).toHaveLength(3);
    expect(fixture.heard('released')).toEqual([]);
    await fixture.apply([{ prefix: '10.3.0.0/16' }]);
    expect(fixture.heard('released')).toEqual([]); // not before the answer is out
    await waitFor(() => fixture.heard('released').length === 1, 'release');
    expect(fixture.heard('released').flatMap(({ prefixes }) => prefixes)).toEqual(['10.4.0.0/16']);
    await fixture.apply([{ prefix: '10.1.0.0/16', to: ['172.18.0.5'] }]);
    await waitFor(() => fixture.heard('released').length === 2, 'release');
    expect(fixture.heard('released').flatMap(({ prefixes }) => prefixes)).toEqual([
      '10.4.0.0/16',
      '10.2.0.0/16',
    ]);
  });

  it('uses the room that a removal in the same batch makes', async () => {
    const fixture = await open({ maxRoutes: 1 });
    await fixture.apply([{ prefix: '10.1.0.0/16', to: ['172.18.0.2'] }]);
    const result = await fixture.apply([
      { prefix: '10.2.0.0/16', to: ['172.18.0.2'] },
      { prefix: '10.1.0.0/16' },
    ]);
    expect(result).toEqual(success);
    expect(listRoutes(server)).toEqual(['10.2.0.0/16 via 172.18.0.2']);
  });

  it('lets a full table change its next hops', async () => {
    const fixture = await open({ maxRoutes: 1 });
    await fixture.apply([{ prefix: '10.1.0.0/16', to: ['172.18.0.2'] }]);
    expect(await fixture.apply([{ prefix: '10.1.0.0/16', to: ['172.18.0.3'] }])).toEqual(success);
    await sleep(0);
    expect(listRoutes(server)).toEqual(['10.1.0.0/16 via 172.18.0.3']);
  });
});

/** Prefixes of the static routes after each transaction that the server's log has. */
function committedTables(server: OvsdbServer): ReadonlySet<string>[] {
  const rows = new Map<string, string>();
  const lines = readFileSync(server.file, 'utf8').split('\n');
  const records = lines.filter((line) => line.startsWith('{'));
  return records.map((line) => {
    const tables = JSON.parse(line) as Record<string, Record<string, unknown>>;
    const changes = tables['Logical_Router_Static_Route'] ?? {};
    for (const [uuid, row] of Object.entries(changes)) {
      const { ip_prefix: prefix } = (row ?? {}) as { ip_prefix?: string };
      if (row === null) rows.delete(uuid);
      else if (prefix !== undefined) rows.set(uuid, prefix);
    }
    return new Set(rows.values());
  });
}
