// The agent finds a fault in its own aggregation: alarm, dump, and on without it; and nothing under churn. With a core that can be spoilt.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { ControlClient } from '../../src/control/client.ts';
import { disturb } from '../assembly/faulty-core.ts';
import { announcement } from '../core/updates.ts';

vi.mock('../../src/core/core-module.ts', () => import('../assembly/faulty-core.ts'));

/** The only target's, at first. */
const FIRST_FIB = 0;

let directory: string;
let config: Config;
let agent: Agent;
let client: ControlClient;
let logged: Record<string, unknown>[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rutter-fault-'));
  const socket = join(directory, 'rutter.sock');
  const text = JSON.stringify({
    node: 'worker-1',
    bgp: {
      asn: 64512,
      routerId: '10.0.0.1',
      listen: [],
      peers: [{ name: 'tor', address: '192.0.2.1', asn: 65001, import: 'accept', passive: true }],
    },
    networks: [{ name: 'default', table: 100, hostAggregation: 'exact' }],
    startup: { deadline: '1s', maxRemovalShare: 1 },
    verify: { interval: '1s', dumpDirectory: join(directory, 'dumps') },
    control: { socket },
  });
  const { config: parsed, problems } = parseConfig(text);
  expect(problems).toBeUndefined();
  config = parsed!;
  logged = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  agent = await Agent.create({ config, log, dryRun: true });
  await agent.start();
  client = new ControlClient(socket);
}, 60_000);

afterEach(async () => {
  await agent.stop({ flush: false });
  await rm(directory, { recursive: true });
});

async function announce(routes: readonly (readonly [string, number])[]): Promise<void> {
  const updates = routes.map(([prefix, hop]) =>
    announcement({
      attributes: { asPath: [65001], nextHop: `192.0.2.${hop}` },
      prefixes: [prefix],
    }),
  );
  const body = (async function* () {
    for (const update of updates) yield update;
  })();
  await client.post('/v1/replay', { peer: 'tor' }, body);
}

async function target(): Promise<Record<string, unknown>> {
  const [network] = (await client.get('/v1/networks')) as { targets: Record<string, unknown>[] }[];
  return network!.targets[0]!;
}

/** Prefix → next hop, of what is in place as it should be. */
async function installed(): Promise<Record<string, string>> {
  const rows: Record<string, string> = {};
  for await (const row of client.stream('/v1/routes', { stage: 'host' })) {
    const { prefix, installed: state, nextHops } = row as Record<string, unknown>;
    const hops = nextHops as readonly { readonly address: string }[];
    if (state === 'yes') rows[prefix as string] = hops.map(({ address }) => address).join(' ');
  }
  return rows;
}

it('tells of a fault, describes it, and goes on without aggregation until the file is read again', async () => {
  await announce([
    ['10.0.0.0/9', 1],
    ['10.128.0.0/9', 1],
    ['10.1.0.0/16', 2],
    ['11.0.0.0/8', 3],
  ]);
  const aggregated = {
    '10.0.0.0/8': '192.0.2.1',
    '10.1.0.0/16': '192.0.2.2',
    '11.0.0.0/8': '192.0.2.3',
  };
  await vi.waitFor(async () => expect(await installed()).toEqual(aggregated), 20_000);
  await vi.waitFor(async () => expect(await target()).toHaveProperty('verifiedAt'), 20_000);
  disturb(FIRST_FIB, '10.1.0.0/16', '11.0.0.0/8');

  await vi.waitFor(async () => {
    expect(await target()).toMatchObject({
      aggregation: 'ended',
      aggregationFaults: 1,
      pendingCount: 0,
    });
    expect(await installed()).toEqual({
      '10.0.0.0/9': '192.0.2.1',
      '10.128.0.0/9': '192.0.2.1',
      '10.1.0.0/16': '192.0.2.2',
      '11.0.0.0/8': '192.0.2.3',
    });
  }, 20_000);
  const range = {
    ...{ first: '10.1.0.0', last: '10.1.255.255' },
    ...{ expected: '192.0.2.2', actual: '192.0.2.3' },
  };
  const alarms = logged.filter(({ level }) => level === 50);
  expect(alarms).toMatchObject([{ network: 'default', target: 'host', rangeCount: 1, range }]);
  const [name] = await readdir(join(directory, 'dumps'));
  const file = join(directory, 'dumps', name!);
  expect(alarms[0]).toHaveProperty('dump', file);
  const dump = JSON.parse(await readFile(file, 'utf8')) as { ranges: Record<string, unknown>[] };
  expect(dump).toMatchObject({ network: 'default', family: 'ipv4-unicast', ranges: [range] });
  const { routes, entries } = dump.ranges[0] as Record<string, { readonly prefix: string }[]>;
  expect(routes!.map(({ prefix }) => prefix).sort()).toEqual(['10.0.0.0/9', '10.1.0.0/16']);
  expect(entries!.map(({ prefix }) => prefix).sort()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);

  await agent.reload(config);
  await vi.waitFor(async () => {
    expect(await target()).toMatchObject({ aggregation: 'exact' });
    expect(await installed()).toEqual(aggregated);
  }, 20_000);
});

it('believes nothing that is right, however much changes meanwhile', async () => {
  const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${i >> 7}.${(i & 127) * 2}.0/23`);
  await announce(prefixes.map((prefix, i) => [prefix, 1 + (i % 3)]));
  for (let round = 0; round < 10; round++) {
    await announce(prefixes.map((prefix, i) => [prefix, 1 + ((i * 7 + round * (i % 5)) % 3)]));
  }
  const churnedAt = Date.now();
  await vi.waitFor(async () => {
    const { verifiedAt, pendingCount } = await target();
    expect(pendingCount).toBe(0);
    expect(Date.parse(verifiedAt as string)).toBeGreaterThan(churnedAt);
  }, 20_000);
  expect(await target()).toMatchObject({ aggregation: 'exact', aggregationFaults: 0 });
  expect(logged.filter(({ level }) => level === 50)).toEqual([]);
});
