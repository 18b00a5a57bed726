// The OVN sink when the database dies, comes back empty, or is old: nothing right is removed, and the end is always right.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OvsdbServer, waitFor } from '../../bench/ovsdb-server.ts';
import {
  addForeign,
  addRouter,
  dumpRow,
  listRoutes,
  manyPrefixes,
  SinkFixture,
  startNorthbound,
} from './ovn-sink-fixture.ts';
import { OldServerProxy } from './ovsdb-proxy.ts';

let server: OvsdbServer;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startNorthbound();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await server.stop();
});

async function open(remote = server.remote): Promise<SinkFixture> {
  const fixture = new SinkFixture({ remotes: [remote] });
  cleanUps.push(() => fixture.sink.close());
  return fixture.open();
}

/** What the core does: asks for what is not in place, believes `known` results and every snapshot. */
async function reconcile(
  fixture: SinkFixture,
  desired: ReadonlyMap<string, string[]>,
): Promise<void> {
  const installed = new Map(fixture.observed);
  const isRight = (prefix: string): boolean =>
    installed.get(prefix) ===
    desired
      .get(prefix)!
      .map((hop) => `${hop}*1`)
      .join(' ');
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const open = [...desired.keys()].filter((prefix) => !isRight(prefix));
    if (open.length === 0) return;
    const batch = open.slice(0, 3000).map((prefix) => ({ prefix, to: desired.get(prefix)! }));
    const { known, failures } = await fixture.apply(batch);
    expect(failures).toEqual([]);
    if (known) {
      for (const { prefix, to } of batch)
        installed.set(prefix, to.map((hop) => `${hop}*1`).join(' '));
      continue;
    }
    await fixture.ready();
    installed.clear();
    for (const [prefix, set] of fixture.observed) installed.set(prefix, set);
  }
  throw new Error('not reconciled within a minute');
}

/** Rows that leave the database or change in it, as ovsdb-client sees them. */
async function watchChanges(): Promise<string[]> {
  const changes: string[] = [];
  let hasBegun = false;
  const table = ['OVN_Northbound', 'Logical_Router_Static_Route', 'ip_prefix', 'nexthop'];
  const child = spawn('ovsdb-client', ['monitor', '--format=csv', server.remote, ...table], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  cleanUps.push(() => child.kill());
  createInterface({ input: child.stdout }).on('line', (line) => {
    hasBegun ||= line.includes(',initial,');
    if (/,(insert|delete|old|new),/.test(line)) changes.push(line);
  });
  await waitFor(() => hasBegun, 'first output of ovsdb-client');
  return changes;
}

describe('kill -9 of the server', () => {
  it('again and again under load leads to the routes that were asked for', async () => {
    const desired = new Map(
      manyPrefixes(20_000).map((prefix, i) => [prefix, [`172.18.0.${2 + (i % 50)}`]]),
    );
    const foreign = addForeign(server, '10.0.0.0/8', '172.18.0.9');
    const before = dumpRow(server, foreign);
    const fixture = await open();
    const loading = reconcile(fixture, desired);
    let isLoading = true;
    const loaded = loading.finally(() => {
      isLoading = false;
    });
    let kills = 0;
    while (isLoading && kills < 6) {
      await sleep(120);
      await server.kill();
      await server.restart();
      kills++;
    }
    await loaded;
    expect(kills).toBeGreaterThan(2);
    const expected = [...desired].map(([prefix, [hop]]) => `${prefix} via ${hop}`);
    expect(listRoutes(server)).toEqual([...expected, '10.0.0.0/8 via 172.18.0.9'].sort());
    expect(dumpRow(server, foreign)).toBe(before);
  });

  it('while nothing happens costs nothing: a snapshot, and no write', async () => {
    const fixture = await open();
    const changes = manyPrefixes(2000).map((prefix) => ({
      prefix,
      to: ['172.18.0.2', '172.18.0.3'],
    }));
    await fixture.apply(changes);
    await server.kill();
    await waitFor(() => fixture.state === 'connecting', 'loss');
    expect(await fixture.apply(changes)).toMatchObject({ known: false });
    await server.restart();
    await fixture.ready();
    expect(fixture.observed.size).toBe(2000);
    const seen = await watchChanges();
    expect(await fixture.apply(changes)).toMatchObject({
      known: true,
      failures: [],
      durationMs: 0,
    });
    await fixture.apply([{ prefix: '20.0.0.0/24' }]);
    // Both rows of the prefix taken away just now, and nothing before.
    await waitFor(() => seen.length > 0, 'the deletes');
    expect(seen.map((line) => line.replaceAll('"', '').split(',').slice(1, 3))).toEqual([
      ['delete', '20.0.0.0/24'],
      ['delete', '20.0.0.0/24'],
    ]);
  });
});

describe('an emptied database', () => {
  it('is told as an empty snapshot once its router is there again', async () => {
    const fixture = await open();
    const changes = manyPrefixes(500).map((prefix) => ({ prefix, to: ['172.18.0.2'] }));
    await fixture.apply(changes);
    await server.kill();
    server.create();
    await server.restart();
    await waitFor(() => fixture.state === 'waiting', 'waiting');
    expect(fixture.reason).toBe('no Logical_Router named gr');
    addRouter(server);
    await fixture.ready();
    expect(fixture.heard('snapshotEnd').at(-1)).toMatchObject({ ownedCount: 0, foreignCount: 0 });
    expect((await fixture.apply(changes)).failures).toEqual([]);
    expect(listRoutes(server)).toHaveLength(500);
  });
});

describe('old servers', () => {
  it.each([
    ['monitor_cond_since', ['monitor_cond_since']],
    ['monitor_cond', ['monitor_cond_since', 'monitor_cond', '_Server', 'set_db_change_aware']],
  ])('without %s serve as well', async (_, missing) => {
    const proxy = new OldServerProxy(join(server.directory, 'old.sock'), server.socket, missing);
    await proxy.listen();
    cleanUps.push(() => proxy.close());
    server.nbctl(
      'lr-add',
      'elsewhere',
      '--',
      'lr-route-add',
      'elsewhere',
      '20.0.1.0/24',
      '1.1.1.1',
    );
    const fixture = await open(proxy.remote);
    const desired = new Map(manyPrefixes(3000).map((prefix) => [prefix, ['172.18.0.2']]));
    await reconcile(fixture, desired);
    const foreign = addForeign(server, '20.0.0.0/24', '172.18.0.9');
    await waitFor(() => fixture.heard('refused').length > 0, 'refusal');
    proxy.cut();
    await waitFor(() => fixture.state === 'connecting', 'loss');
    await fixture.ready();
    expect(fixture.observed.size).toBe(2999);
    expect(fixture.heard('snapshotEnd').at(-1)).toMatchObject({
      ownedCount: 2999,
      foreignCount: 1,
    });
    expect(listRoutes(server)).toContain('20.0.0.0/24 via 172.18.0.9');
    expect(dumpRow(server, foreign)).toContain('172.18.0.9');
  });
});

describe('50 000 routes', () => {
  it('go in, come back as a snapshot, and change one by one in milliseconds', async () => {
    const first = await open();
    const desired = new Map(
      manyPrefixes(50_000).map((prefix, i) => [prefix, [`172.18.0.${2 + (i % 50)}`]]),
    );
    await reconcile(first, desired);
    expect(first.heard('observed')).toEqual([]);
    await first.sink.close();

    const second = await open();
    expect(second.observed.size).toBe(50_000);
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const started = performance.now();
      const result = await second.apply([{ prefix: '20.0.0.0/24', to: [`172.18.1.${i}`] }]);
      expect(result.failures).toEqual([]);
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    expect(times[25]).toBeLessThan(20); // about 0.4 ms here (bench/northbound.ts); a copy of the router's set alone would be more
    expect(await second.sink.flush()).toEqual({ removedCount: 50_000 });
  });
});
