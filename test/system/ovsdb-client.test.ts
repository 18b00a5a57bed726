// The OVSDB client against a real ovsdb-server: every way of monitoring, every way of losing it.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import { OvsdbClient, type OvsdbClientOptions } from '../../src/ovsdb/client.ts';
import type { OvsdbError } from '../../src/ovsdb/errors.ts';
import type { RowChange } from '../../src/ovsdb/monitor.ts';
import { parseRemotes } from '../../src/ovsdb/remote.ts';
import { type Operation, Transaction } from '../../src/ovsdb/transaction.ts';
import {
  type ColumnType,
  decodeValue,
  parseColumnType,
  type Value,
} from '../../src/ovsdb/values.ts';
import { OldServerProxy } from './ovsdb-proxy.ts';

const columns: Record<string, { type: unknown }> = {
  name: { type: 'string' },
  number: { type: 'integer' },
  ratio: { type: 'real' },
  flag: { type: 'boolean' },
  maybe: { type: { key: 'string', min: 0, max: 1 } },
  words: { type: { key: 'string', min: 0, max: 'unlimited' } },
  counts: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
  peers: {
    type: { key: { type: 'uuid', refTable: 'Thing', refType: 'weak' }, min: 0, max: 'unlimited' },
  },
};
const types = new Map<string, ColumnType>(
  Object.entries(columns).map(([name, { type }]) => [name, parseColumnType(type)]),
);
const thingSchema = (version: string, more: object = {}): string =>
  JSON.stringify({
    name: 'Things',
    version,
    tables: { Thing: { columns: { ...columns, ...more }, isRoot: true } },
  });

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startThings(args: readonly string[] = []): Promise<OvsdbServer> {
  const schema = join(import.meta.dirname, `.things-${process.pid}.ovsschema`);
  writeFileSync(schema, thingSchema('1.0.0'));
  cleanUps.push(() => execFileSync('rm', ['-f', schema]));
  const server = await OvsdbServer.start({ schema, args });
  cleanUps.push(() => server.stop());
  return server;
}

interface Recorder {
  readonly client: OvsdbClient;
  readonly changes: RowChange[];
  readonly errors: OvsdbError[];
  syncCount: number;
  hasLock: boolean;
}

function connect(remotes: string, options: Partial<OvsdbClientOptions> = {}): Recorder {
  const recorder: Omit<Recorder, 'client'> = {
    changes: [],
    errors: [],
    syncCount: 0,
    hasLock: false,
  };
  const client = new OvsdbClient(
    {
      remotes: parseRemotes(remotes)!,
      database: 'Things',
      tables: [{ table: 'Thing', columns: Object.keys(columns) }],
      mostBackoffMs: 200,
      ...options,
    },
    {
      changed: (changes) => recorder.changes.push(...changes),
      synced: () => recorder.syncCount++,
      lockChanged: (isHeld) => {
        recorder.hasLock = isHeld;
      },
      lost: (error) => {
        recorder.hasLock = false;
        recorder.errors.push(error);
      },
    },
  );
  cleanUps.push(() => client.close());
  client.start();
  return Object.assign(recorder, { client });
}

async function synced(recorder: Recorder, count = 1): Promise<void> {
  await waitFor(() => recorder.syncCount >= count && recorder.client.isSynced, 'synchronisation');
}

/** All rows as `select` tells them: the truth to compare the monitor with. */
async function selectAll(client: OvsdbClient): Promise<Map<string, Record<string, Value>>> {
  const all = new Transaction();
  all.operations.push({ op: 'select', table: 'Thing', where: [] });
  const [result] = await client.transact(all);
  return new Map(
    result!.rows!.map((row) => [
      (row['_uuid'] as [string, string])[1],
      Object.fromEntries([...types].map(([name, type]) => [name, decodeValue(row[name], type)])),
    ]),
  );
}

function monitored(client: OvsdbClient): Map<string, Record<string, Value>> {
  return new Map([...client.rows('Thing')].map(([uuid, row]) => [uuid, { ...row }]));
}

const word = fc.constantFrom('a', 'b', 'c');
const wireRow = fc.record(
  {
    name: word,
    number: fc.integer({ min: -3, max: 3 }),
    ratio: fc.constantFrom(0.5, 1.25, 2),
    flag: fc.boolean(),
    maybe: fc
      .option(word, { nil: undefined })
      .map((w) => ['set', w === undefined ? [] : [w]] as const),
    words: fc.uniqueArray(word).map((words) => ['set', words] as const),
    counts: fc
      .dictionary(word, fc.nat(2), { noNullPrototype: true })
      .map((counts) => ['map', Object.entries(counts)] as const),
  },
  { requiredKeys: [] },
);
const mutation = fc.oneof(
  fc.tuple(
    fc.constant('words'),
    fc.constantFrom('insert', 'delete'),
    fc.uniqueArray(word).map((words) => ['set', words] as const),
  ),
  fc.tuple(fc.constant('number'), fc.constantFrom('+=', '-='), fc.integer({ min: 1, max: 3 })),
  fc.tuple(
    fc.constant('counts'),
    fc.constant('delete'),
    fc.uniqueArray(word).map((words) => ['set', words] as const),
  ),
);
const operation = fc.oneof(
  { weight: 3, arbitrary: wireRow.map((row) => ({ op: 'insert' as const, row })) },
  {
    weight: 3,
    arbitrary: fc.tuple(word, wireRow).map(([name, row]) => ({ op: 'update' as const, name, row })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(word, mutation)
      .map(([name, change]) => ({ op: 'mutate' as const, name, change })),
  },
  { weight: 1, arbitrary: word.map((name) => ({ op: 'delete' as const, name })) },
  {
    weight: 1,
    arbitrary: fc.tuple(word, word).map(([name, peer]) => ({ op: 'link' as const, name, peer })),
  },
);

type Step = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function toOperation(step: Step, client: OvsdbClient): Operation {
  if (step.op === 'insert') return { op: 'insert', table: 'Thing', row: step.row };
  const where = [['name', '==', step.name] as const];
  if (step.op === 'delete') return { op: 'delete', table: 'Thing', where };
  if (step.op === 'update') return { op: 'update', table: 'Thing', where, row: step.row };
  if (step.op === 'mutate') {
    return { op: 'mutate', table: 'Thing', where, mutations: [step.change] };
  }
  const peers = [...client.rows('Thing')].filter(([, row]) => row['name'] === step.peer);
  const uuids = peers.map(([uuid]) => ['uuid', uuid] as const);
  return { op: 'update', table: 'Thing', where, row: { peers: ['set', uuids] } };
}

describe('monitoring', () => {
  it.each([
    ['monitor_cond_since', []],
    ['monitor_cond', ['monitor_cond_since']],
    ['monitor', ['monitor_cond_since', 'monitor_cond', '_Server', 'set_db_change_aware']],
  ])('by %s holds what select tells, after any transactions', async (_, missing) => {
    const server = await startThings();
    const proxy = new OldServerProxy(join(server.directory, 'old.sock'), server.socket, missing);
    await proxy.listen();
    cleanUps.push(() => proxy.close());
    // An old server has no _Server database either; one that has it and not monitor_cond does not exist.
    const recorder = connect(proxy.remote);
    await synced(recorder);
    const { client } = recorder;
    const run = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { maxLength: 15 });
    let times = 0;
    await fc.assert(
      fc.asyncProperty(run, async (transactions) => {
        for (const steps of transactions) {
          const transaction = new Transaction();
          transaction.operations.push(...steps.map((step) => toOperation(step, client)));
          await client.transact(transaction);
          // Read your writes: no waiting between the answer and the look.
          const held = monitored(client);
          expect(held).toEqual(await selectAll(client));
        }
        if (times++ % 5 !== 4) return;
        // A reconnect in between brings the same rows, and no news.
        const before = recorder.changes.length;
        proxy.cut();
        await synced(recorder, recorder.syncCount + 1);
        expect(recorder.changes.length).toBe(before);
        expect(monitored(client)).toEqual(await selectAll(client));
      }),
      { numRuns: 25 },
    );
  });

  it('keeps its rows over a kill -9, and tells only what changed', async () => {
    const server = await startThings();
    const recorder = connect(server.remote);
    await synced(recorder);
    await recorder.client.transact(
      new Transaction().insert('Thing', { name: 'kept' }).insert('Thing', { name: 'gone' }),
    );
    recorder.changes.length = 0;
    await server.kill();
    await waitFor(() => recorder.errors.length > 0, 'loss');
    expect(recorder.client.rows('Thing').size).toBe(2);
    await expect(recorder.client.transact(new Transaction())).rejects.toMatchObject({
      code: 'not-connected',
    });
    await server.restart();
    await synced(recorder, 2);
    expect(recorder.changes).toEqual([]);

    await server.kill();
    await server.restart();
    execFileSync('ovsdb-client', [
      'transact',
      server.remote,
      JSON.stringify(['Things', { op: 'delete', table: 'Thing', where: [['name', '==', 'gone']] }]),
    ]);
    await synced(recorder, 3);
    await waitFor(() => recorder.changes.length === 1, 'the change');
    expect(recorder.changes.map(({ kind, row }) => [kind, row['name']])).toEqual([
      ['delete', 'gone'],
    ]);
  });

  it('tells an emptied database as deletes', async () => {
    const server = await startThings();
    const recorder = connect(server.remote);
    await synced(recorder);
    await recorder.client.transact(new Transaction().insert('Thing', { name: 'a' }));
    await server.kill();
    server.create();
    recorder.changes.length = 0;
    await server.restart();
    await synced(recorder, 2);
    expect(recorder.changes.map(({ kind }) => kind)).toEqual(['delete']);
    expect(recorder.client.rows('Thing').size).toBe(0);
  });

  it('goes on over a schema conversion, on the same connection (monitor_canceled)', async () => {
    const server = await startThings();
    const recorder = connect(server.remote, {
      tables: [{ table: 'Thing', columns: ['name', 'future'] }],
    });
    await synced(recorder);
    await recorder.client.transact(new Transaction().insert('Thing', { name: 'a' }));
    const schema = join(server.directory, 'new.ovsschema');
    writeFileSync(schema, thingSchema('1.1.0', { future: { type: 'integer' } }));
    execFileSync('ovsdb-client', ['convert', server.remote, schema]);
    await synced(recorder, 2);
    expect([...recorder.client.rows('Thing').values()]).toEqual([{ name: 'a', future: 0 }]);
    expect(recorder.errors).toEqual([]);
    await recorder.client.transact(new Transaction().insert('Thing', { name: 'b', future: 7 }));
    expect([...recorder.client.rows('Thing').values()]).toContainEqual({ name: 'b', future: 7 });
  });

  it('keeps only rows that match the condition', async () => {
    const server = await startThings();
    const recorder = connect(server.remote, {
      tables: [{ table: 'Thing', columns: ['name'], where: [['name', '==', 'b']] }],
    });
    await synced(recorder);
    await recorder.client.transact(
      new Transaction().insert('Thing', { name: 'a' }).insert('Thing', { name: 'b', number: 3 }),
    );
    expect([...recorder.client.rows('Thing').values()]).toEqual([{ name: 'b' }]);
  });
});

describe('transact', () => {
  it('refuses a row uuid that is there, and does nothing of the transaction', async () => {
    const server = await startThings();
    const recorder = connect(server.remote);
    await synced(recorder);
    const uuid = '11111111-1111-5111-8111-111111111111';
    await recorder.client.transact(new Transaction().insert('Thing', { name: 'a' }, uuid));
    const again = new Transaction()
      .insert('Thing', { name: 'b' })
      .insert('Thing', { name: 'c' }, uuid);
    await expect(recorder.client.transact(again)).rejects.toMatchObject({
      code: 'transaction-refused',
      serverError: 'duplicate uuid',
      operationIndex: 1,
    });
    expect(recorder.client.rows('Thing').size).toBe(1);
  });

  it('says connection-lost when the server dies before it answers', async () => {
    const server = await startThings();
    const recorder = connect(server.remote);
    await synced(recorder);
    server.signal('SIGSTOP');
    const asked = recorder.client.transact(new Transaction().insert('Thing', { name: 'a' }));
    const outcome = expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    await server.kill();
    await outcome;
  });
});

describe('locks', () => {
  it('are held by one, and pass on when it goes', async () => {
    const server = await startThings();
    const first = connect(server.remote, { lock: 'pilot' });
    await synced(first);
    const second = connect(server.remote, { lock: 'pilot' });
    await synced(second);
    expect([first.hasLock, second.hasLock]).toEqual([true, false]);
    const write = new Transaction().assertLock('pilot').insert('Thing', { name: 'a' });
    await expect(second.client.transact(write)).rejects.toMatchObject({ serverError: 'not owner' });
    await first.client.transact(write);

    await second.client.stealLock();
    await waitFor(() => !first.hasLock, 'theft');
    expect(second.hasLock).toBe(true);
    // Who was robbed is the next in line.
    await second.client.unlock();
    expect(second.hasLock).toBe(false);
    await waitFor(() => first.hasLock, 'return');

    const third = connect(server.remote, { lock: 'pilot' });
    await synced(third);
    expect(third.hasLock).toBe(false);
    first.client.close();
    await waitFor(() => third.hasLock, 'inheritance');
  });
});

describe('signs of life', () => {
  it('gives up a server that is silent, and finds it again', async () => {
    const server = await startThings();
    const recorder = connect(server.remote, { probeIntervalMs: 100 });
    await synced(recorder);
    await sleep(500);
    expect(recorder.errors).toEqual([]);
    server.signal('SIGSTOP');
    await waitFor(() => recorder.errors.length > 0, 'loss');
    expect(recorder.errors[0]!.message).toMatch(/silent for 200 ms/);
    server.signal('SIGCONT');
    await synced(recorder, 2);
  });

  it('answers the probes of a server, idle and busy', async () => {
    const server = await OvsdbServer.start({
      args: ['--remote=db:OVN_Northbound,NB_Global,connections'],
    });
    cleanUps.push(() => server.stop());
    const path = join(server.directory, 'probing.sock');
    server.nbctl('--inactivity-probe=1000', 'set-connection', `punix:${path}`);
    const recorder = connect(`unix:${path}`, {
      database: 'OVN_Northbound',
      tables: [{ table: 'Logical_Router', columns: ['name'] }],
      probeIntervalMs: 0,
    });
    await synced(recorder);
    await sleep(3500);
    const end = performance.now() + 3000;
    while (performance.now() < end) {
      await recorder.client.transact(new Transaction().insert('Logical_Router', { name: 'r' }));
    }
    expect(recorder.errors).toEqual([]);
    expect(recorder.client.rows('Logical_Router').size).toBeGreaterThan(100);
  });
});

describe('connecting', () => {
  it('tries every remote of a list, and says which failed and why', async () => {
    const server = await startThings();
    const recorder = connect(`unix:${server.directory}/none,tcp:127.0.0.1:1,${server.remote}`, {
      random: () => 0,
    });
    await synced(recorder);
    expect(recorder.errors.map(({ code }) => code)).toEqual([
      'connection-failed',
      'connection-failed',
    ]);
    expect(recorder.errors[0]!.message).toMatch(/none: connect ENOENT/);
  });

  it('passes by a server without the database', async () => {
    const server = await startThings();
    const recorder = connect(server.remote, { database: 'Elsewhere' });
    await waitFor(() => recorder.errors.length > 0, 'refusal');
    expect(recorder.errors[0]).toMatchObject({ code: 'unsuitable-server' });
    expect(recorder.errors[0]!.message).toMatch(/does not serve database Elsewhere/);
  });
});
