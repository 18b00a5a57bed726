// The client and the sink on a real three-node raft cluster over TLS.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../bench/ovsdb-server.ts';
import { OvsdbClient, type OvsdbClientOptions } from '../../src/ovsdb/client.ts';
import type { OvsdbError } from '../../src/ovsdb/errors.ts';
import type { RowChange } from '../../src/ovsdb/monitor.ts';
import { parseRemotes } from '../../src/ovsdb/remote.ts';
import { Transaction } from '../../src/ovsdb/transaction.ts';
import { manyPrefixes, PORT, ROUTER, SinkFixture } from './ovn-sink-fixture.ts';
import { OvsdbCluster } from './ovsdb-cluster.ts';
import { OldServerProxy } from './ovsdb-proxy.ts';

let cluster: OvsdbCluster;
const clients: OvsdbClient[] = [];
const sinks: SinkFixture[] = [];

beforeAll(async () => {
  cluster = await OvsdbCluster.start();
  const leader = await cluster.leader();
  cluster.nbctl(
    leader,
    'lr-add',
    ROUTER,
    '--',
    'lrp-add',
    ROUTER,
    PORT,
    '02:00:00:00:00:01',
    '172.18.0.254/16',
  );
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const { sink } of sinks.splice(0)) await sink.close();
});

afterAll(() => cluster.stop());

function connect(remotes: readonly string[], options: Partial<OvsdbClientOptions> = {}) {
  const changes: RowChange[] = [];
  const errors: OvsdbError[] = [];
  const client = new OvsdbClient(
    {
      remotes: parseRemotes(remotes.join(','))!,
      tls: cluster.tls,
      database: 'OVN_Northbound',
      tables: [{ table: 'Logical_Switch', columns: ['name'] }],
      mostBackoffMs: 500,
      ...options,
    },
    {
      changed: (list) => changes.push(...list),
      synced: () => undefined,
      lockChanged: () => undefined,
      lost: (error) => errors.push(error),
    },
  );
  clients.push(client);
  client.start();
  return { client, changes, errors };
}

describe('ssl', () => {
  it('refuses a server of another authority', async () => {
    const leader = cluster.remoteOf(await cluster.leader());
    const { errors } = connect([leader], { tls: cluster.tlsOf('client', 'otherca') });
    await waitFor(() => errors.length > 0, 'refusal');
    expect(errors[0]).toMatchObject({ code: 'connection-failed' });
    expect(errors[0]!.message).toMatch(/certificate/);
  });

  it('is refused with a certificate of another authority', async () => {
    const leader = cluster.remoteOf(await cluster.leader());
    const { client, errors } = connect([leader], { tls: cluster.tlsOf('stranger', 'ca') });
    await waitFor(() => errors.length > 0, 'refusal');
    expect(client.isSynced).toBe(false);
  });

  it('needs its files', async () => {
    const leader = cluster.remoteOf(await cluster.leader());
    const { errors } = connect([leader], { tls: undefined });
    await waitFor(() => errors.length > 0, 'refusal');
    expect(errors[0]!.message).toMatch(/ssl: needs a key, a certificate and a CA file/);
  });
});

describe('raft', () => {
  it('passes by followers, and finds the leader among all', async () => {
    const leader = await cluster.leader();
    const followers = cluster.names.filter((name) => name !== leader);
    const refused = connect(followers.map((name) => cluster.remoteOf(name)));
    await waitFor(() => refused.errors.length >= 2, 'refusals');
    expect(refused.errors.map(({ code }) => code)).toEqual([
      'unsuitable-server',
      'unsuitable-server',
    ]);
    expect(refused.errors[0]!.message).toMatch(/not the leader of its cluster/);
    const anyMember = connect(
      followers.map((name) => cluster.remoteOf(name)),
      { leaderOnly: false },
    );
    const found = connect(cluster.remotes);
    await waitFor(() => found.client.isSynced && anyMember.client.isSynced, 'synchronisation');
  });

  it('moves to the new leader with its rows, which tell only what changed', async () => {
    const { client, changes, errors } = connect(cluster.remotes, { probeIntervalMs: 500 });
    await waitFor(() => client.isSynced, 'synchronisation');
    await client.transact(new Transaction().insert('Logical_Switch', { name: 'before' }));
    changes.length = 0;
    errors.length = 0; // followers it passed by
    const old = await cluster.leader();
    await cluster.kill(old);
    const others = cluster.names.filter((name) => name !== old);
    const leader = await cluster.leader(others);
    cluster.nbctl(leader, 'ls-add', 'meanwhile');
    await waitFor(
      () => client.isSynced && client.rows('Logical_Switch').size === 2,
      'the new leader',
    );
    expect(errors.length).toBeGreaterThan(0);
    expect(changes.map(({ kind, row }) => [kind, row['name']])).toEqual([['insert', 'meanwhile']]);
    await client.transact(new Transaction().insert('Logical_Switch', { name: 'after' }));
    await cluster.restart(old);
    await waitFor(() => cluster.isMember(old), 'the old leader back');
  });

  it('asks only for what it missed (monitor_cond_since)', async () => {
    const leader = await cluster.leader();
    const path = join(cluster.directory, 'proxy.sock');
    const proxy = new OldServerProxy(path, cluster.socketOf(leader), []);
    await proxy.listen();
    const { client, changes } = connect([proxy.remote]);
    await waitFor(() => client.isSynced, 'synchronisation');
    await client.transact(new Transaction().insert('Logical_Switch', { name: 'seen' }));
    changes.length = 0;
    proxy.answers.length = 0;
    proxy.cut();
    cluster.nbctl(leader, 'ls-add', 'missed');
    await waitFor(() => changes.length > 0, 'the missed change');
    expect(changes.map(({ kind, row }) => [kind, row['name']])).toEqual([['insert', 'missed']]);
    const found = proxy.answers.join('').match(/"result":\[true,"[^"]+",(\{.*?\}\}\}\})\]/);
    expect(found?.[1]).toMatch(
      /^\{"Logical_Switch":\{"[^"]+":\{"insert":\{"name":"missed"\}\}\}\}$/,
    );
    proxy.close();
  });

  it('leaves a leader that was deposed while it slept', async () => {
    const { client, errors } = connect(cluster.remotes, { probeIntervalMs: 0 });
    await waitFor(() => client.isSynced, 'synchronisation');
    errors.length = 0; // followers it passed by
    const old = await cluster.leader();
    cluster.signal(old, 'SIGSTOP');
    const leader = await cluster
      .leader(cluster.names.filter((name) => name !== old))
      .finally(() => cluster.signal(old, 'SIGCONT'));
    await waitFor(() => errors.length > 0 && client.isSynced, 'the new leader');
    expect(errors[0]).toMatchObject({ code: 'unsuitable-server' });
    await client.transact(new Transaction().insert('Logical_Switch', { name: `by ${leader}` }));
  });
});

describe('the sink', () => {
  it('asks for rows that came while it was away, though it is told only what it missed', async () => {
    const leader = await cluster.leader();
    const proxy = new OldServerProxy(
      join(cluster.directory, 'sink.sock'),
      cluster.socketOf(leader),
      [],
    );
    await proxy.listen();
    const fixture = new SinkFixture({ remotes: [proxy.remote], network: 'green' });
    sinks.push(fixture);
    await fixture.open();
    await fixture.apply([{ prefix: '30.0.0.0/24', to: ['172.18.0.2'] }]);
    proxy.answers.length = 0;
    proxy.cut();
    const row = ['create', 'Logical_Router_Static_Route', 'nexthop="172.18.0.9"'];
    const add = ['add', 'Logical_Router', ROUTER, 'static_routes', '@r'];
    const ids = [
      'output_port=out',
      'external_ids:rutter/owner=node',
      'external_ids:rutter/network=green',
    ];
    cluster.nbctl(leader, '--id=@r', ...row, 'ip_prefix="30.0.1.0/24"', '--', ...add);
    cluster.nbctl(leader, '--id=@r', ...row, 'ip_prefix="30.0.2.0/24"', ...ids, '--', ...add);
    await waitFor(() => fixture.heard('snapshotEnd').length === 2, 'second snapshot');
    expect(proxy.answers.join('')).toMatch(/"result":\[true,/);
    expect(Object.fromEntries(fixture.observed)).toEqual({
      '30.0.0.0/24': '172.18.0.2*1',
      '30.0.2.0/24': '172.18.0.9*1',
    });
    expect(fixture.heard('snapshotEnd')[1]).toMatchObject({ ownedCount: 2, foreignCount: 1 });
    await fixture.ready();
    expect(
      (await fixture.apply([{ prefix: '30.0.1.0/24', to: ['172.18.0.2'] }])).failures,
    ).toMatchObject([{ code: 'collision' }]);
    expect(await fixture.sink.flush()).toEqual({ removedCount: 2 });
    cluster.nbctl(leader, 'lr-route-del', ROUTER);
    proxy.close();
  });

  it('loses no route and tells the truth when leaders die under load', async () => {
    const prefixes = manyPrefixes(6000);
    const fixture = new SinkFixture({ remotes: cluster.remotes, tls: cluster.tls });
    sinks.push(fixture);
    await fixture.open();
    const open = new Set(prefixes);
    let kills = 0;
    for (let attempt = 0; open.size > 0 && attempt < 40; attempt++) {
      await fixture.ready();
      for (const prefix of fixture.observed.keys()) open.delete(prefix);
      const batch = [...open].slice(0, 2000).map((prefix) => ({ prefix, to: ['172.18.0.2'] }));
      const applying = fixture.apply(batch);
      if (kills < 2 && attempt % 2 === 1) {
        kills++;
        const leader = await cluster.leader();
        await cluster.kill(leader);
        await cluster.leader(cluster.names.filter((name) => name !== leader));
        await cluster.restart(leader);
      }
      const result = await applying;
      expect(result.failures).toEqual([]);
      if (result.known) for (const { prefix } of batch) open.delete(prefix);
    }
    expect(kills).toBe(2);
    expect(open.size).toBe(0);
    const leader = await cluster.leader();
    const rows = cluster.nbctl(
      leader,
      '--bare',
      '--columns=ip_prefix',
      'list',
      'Logical_Router_Static_Route',
    );
    expect(rows.split('\n').filter(Boolean).sort()).toEqual([...prefixes].sort());
  });
});
