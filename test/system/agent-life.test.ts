// The running agent over its life: restarted, stopped, reloaded, started twice or with a broken file; and what stays in place meanwhile.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Bird } from '../../src/lab/bird.ts';
import type { Frr } from '../../src/lab/frr.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, peer, ROUTER, TABLE } from './agent-site.ts';

const MANY = 300;
const FEW = 20;
const manyPrefixes = Array.from({ length: MANY }, (_, i) => `100.64.${i >> 8}.${i & 255}/32`);
const ONLY_A = '198.51.100.0/24';
const inTables = [
  `${ONLY_A} via ${FRR}`,
  // The kernel's own listing leaves out /32.
  ...manyPrefixes.map((prefix) => `${prefix.replace('/32', '')} via ${BIRD}`),
].sort();

/** BGP4MP_MESSAGE_AS4 (RFC 6396 §4.4.3) of AS 65009 with one UPDATE: 203.0.113.0/24 via 10.78.1.77. */
const RECORDING = [
  '6750b780 0010 0004 00000043', // time, BGP4MP, MESSAGE_AS4, length
  '0000fdf1 0000fc00 0000 0001 0a4e014d 0a4e0101', // peer AS, our AS, interface, IPv4, addresses
  'ffffffffffffffffffffffffffffffff 002f 02 0000', // marker, length, UPDATE, nothing withdrawn
  '0014 40010100 4002060201 0000fdf1', // attributes: ORIGIN IGP, AS_PATH 65009,
  '4003040a4e014d 18cb0071', // NEXT_HOP; NLRI
]
  .join('')
  .replaceAll(' ', '');

describe.runIf(isRoot)('the life of an agent', () => {
  let site: AgentSite;
  let frr: Frr;
  let bird: Bird;
  let agent: RunningProcess | undefined;

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    frr = await site.frr([
      ' address-family ipv4 unicast',
      `  network ${ONLY_A}`,
      ' exit-address-family',
    ]);
    bird = await site.bird(manyPrefixes);
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());
  afterEach(() => agent?.stop());

  const start = async (options: Parameters<AgentSite['agent']>[0] = {}) => {
    agent = await site.agent(options);
    return agent;
  };
  /** Rows and routes may be those of an agent before: only with sessions and targets up are they this one's. */
  const untilUp = async () => {
    await site.until('the sessions', async () =>
      (await site.list('peers')).every(({ state }) => state === 'established'),
    );
    await site.until('nothing pending', async () =>
      [await site.target('ovn'), await site.target('host')].every(
        ({ state, pendingCount }) => state === 'ready' && pendingCount === 0,
      ),
    );
  };
  const untilFull = async () => {
    await untilUp();
    await site.until('every kernel route', async () => same(await site.kernelRoutes(), inTables));
    await site.until('every row', async () => (await site.rows()).length === inTables.length);
  };
  const untilSynced = () =>
    site.until('the first sync', async () => {
      const [network] = await site.list('networks');
      return network!['firstSync'] === 'finished';
    });

  it('leaves its routes at SIGTERM, and writes nothing when it starts again', async () => {
    const first = await start();
    await untilFull();
    await first.stop('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(await site.kernelRoutes()).toEqual(inTables);
    const kernel = watch(['ip', '-n', site.node, 'monitor', 'route', 'nexthop']);
    const rows = watch([
      ...['ovsdb-client', 'monitor', site.northbound, 'OVN_Northbound'],
      ...['Logical_Router_Static_Route', 'ip_prefix,!initial'],
    ]);
    await sleep(300);
    await start();
    await untilSynced();
    await untilUp();
    await site.until('nothing held', async () =>
      [await site.target('ovn'), await site.target('host')].every(
        ({ heldCount }) => heldCount === 0,
      ),
    );
    await sleep(300);
    expect(await kernel.stop()).toBe('');
    expect((await rows.stop()).match(/insert|delete|modify/g)).toBeNull();
    expect(await site.logged(agent!, 'removals held')).toEqual([]);
    for (const kind of ['ovn', 'host'] as const) {
      expect(await site.target(kind)).toMatchObject({ writtenCount: 0, installedCount: MANY + 1 });
    }
  });

  it('keeps what a few routes do not explain, says so, and lets it go on a word', async () => {
    await start();
    await untilFull();
    await agent!.stop();
    await site.birdAnnounces(bird, manyPrefixes.slice(0, FEW));
    const held = await start();
    await untilSynced();
    await site.until('the removals to be held', async () =>
      String((await site.target('ovn'))['removalsHeld']).includes('280 of 301'),
    );
    expect(await site.kernelRoutes()).toEqual(inTables);
    expect(await site.logged(held, 'removals held')).toHaveLength(2);
    const shown = await site.asked('networks');
    expect(shown.stdout).toContain('280 of 301 entries would go, more than 50 %');
    const [held0] = await site.list('routes', { prefix: manyPrefixes.at(-1)!, stage: 'fib' });
    expect(held0).toMatchObject({ installed: 'held', nextHops: [] });
    expect(await site.asked('release')).toMatchObject({ code: 0 });
    await site.until('them to be gone', async () => (await site.kernelRoutes()).length === FEW + 1);
    await site.until('from OVN too', async () => (await site.rows()).length === FEW + 1);
    await site.birdAnnounces(bird, manyPrefixes);
    await untilFull();
  });

  it('flush removes ours and nothing else, at once or when stopping', async () => {
    await site.ip('route', 'add', '203.0.113.0/24', 'via', FRR, 'table', String(TABLE));
    await site.nbctl('lr-route-add', ROUTER, '203.0.113.0/24', '10.78.1.9', OUTPUT_PORT);
    onTestFinished(async () => {
      await site.ip('route', 'del', '203.0.113.0/24', 'table', String(TABLE));
      await site.nbctl('lr-route-del', ROUTER, '203.0.113.0/24');
    });
    await start();
    await untilUp();
    await site.until('our routes', async () => (await site.rows()).length === MANY + 2);
    const answer = await site.asked('flush', '-o', 'json');
    expect(JSON.parse(answer.stdout)).toEqual({ removed: 2 * (MANY + 1) });
    expect(await site.rows()).toEqual(['203.0.113.0/24 via 10.78.1.9']);
    expect(await site.kernelRoutes()).toEqual([`203.0.113.0/24 via ${FRR}`]);
    expect((await site.asked('networks')).stdout).toContain('flushed');
    await site.stopNorthbound();
    await site.until('OVN to be missed', async () => {
      const { stdout } = await site.asked('flush', '-o', 'json');
      return stdout.includes('"failed"');
    });
    const failing = await site.asked('flush');
    expect(failing).toMatchObject({ code: 1 });
    expect(failing.stdout).toContain('default/ovn');
    await site.startNorthbound();
    await agent!.stop();
    const flushing = await start({ args: ['--flush'] });
    await site.until('our routes', async () => (await site.rows()).length === MANY + 2);
    await flushing.stop('SIGTERM');
    expect(await site.rows()).toEqual(['203.0.113.0/24 via 10.78.1.9']);
    expect(await site.kernelRoutes()).toEqual([`203.0.113.0/24 via ${FRR}`]);
    expect((await site.ip('nexthop')).trim()).toBe('');
  });

  it('does not start beside another agent, and the other notices nothing', async () => {
    await start();
    await untilFull();
    const second = await site.rutter('agent', '--config', site.configFile);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`another agent listens on ${site.socket}`);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect((await site.list('peers')).every(({ establishedCount }) => establishedCount === 1)).toBe(
      true,
    );
  });

  it('tells every problem of its file with its path, and starts nothing', async () => {
    const file = `${site.directory}/broken.yaml`;
    await writeFile(
      file,
      'node: x\nbgp: { asn: 0, routerId: here, peers: [{ name: a, address: 10.0.0.1, asn: 1, holdTime: 2s }] }\ncolour: red\n',
    );
    const { code, stderr, stdout } = await site.rutter('agent', '--config', file);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    for (const path of ['bgp.asn', 'bgp.routerId', 'bgp.peers[0].holdTime', 'colour']) {
      expect(stderr).toContain(`${path}: `);
    }
    const absent = await site.rutter('agent', '--config', `${file}.not`);
    expect(absent).toMatchObject({
      code: 2,
      stderr: `${file}.not: cannot be read: no such file or directory\n`,
    });
    await site.configure({
      bgp: { peers: [peer('tor-a', FRR, 65001, { passwordFile: '/nowhere/password' })] },
    });
    const secretless = await site.rutter('agent', '--config', site.configFile);
    expect(secretless).toMatchObject({
      code: 1,
      stderr: 'rutter: peer tor-a: passwordFile /nowhere/password cannot be read: ENOENT\n',
    });
  });

  it('reloads at SIGHUP: what did not change stays up, what did is learned and announced anew', async () => {
    const running = await start();
    await untilFull();
    const established = async (name: string) => {
      const [found] = (await site.list('peers')).filter((each) => each['name'] === name);
      return found === undefined ? undefined : [found['state'], found['establishedCount']];
    };
    const reload = async (config: object) => {
      const count = (await site.logged(running, 'reloaded')).length;
      await site.configure(config);
      running.signal('SIGHUP');
      await site.until(
        'the reload',
        async () => (await site.logged(running, 'reloaded')).length > count,
      );
    };
    await writeFile(site.configFile, 'bgp: [\n');
    running.signal('SIGHUP');
    await site.until(
      'the refusal',
      async () => (await site.logged(running, 'not reloaded')).length > 0,
    );
    expect(await site.kernelRoutes()).toEqual(inTables);

    const networks = (more: object) => [
      {
        name: 'default',
        table: TABLE,
        ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'off' },
        ...more,
      },
    ];
    await reload({ node: 'other', networks: networks({ advertise: ['10.244.1.0/24'] }) });
    expect(await site.logged(running, 'needs a restart')).toMatchObject([{ key: 'node' }]);
    await site.until('the announcement', async () =>
      (await bird.birdc('show route 10.244.1.0/24')).includes('10.78.2.1'),
    );
    expect([await established('tor-a'), await established('tor-b')]).toEqual([
      ['established', 1],
      ['established', 1],
    ]);

    // tor-a is taken nothing from any more: its session stays, its route goes; tor-b's hold time needs a new session.
    await reload({
      bgp: {
        peers: [
          peer('tor-a', FRR, 65001, { import: 'reject' }),
          peer('tor-b', BIRD, 65002, { holdTime: '30s' }),
        ],
      },
    });
    await site.until(
      'the withdrawal',
      async () => !(await bird.birdc('show route').catch(() => '')).includes('10.244.1.0/24'),
    );
    await site.until(
      'the route of tor-a to go',
      async () => !(await site.kernelRoutes()).includes(`${ONLY_A} via ${FRR}`),
    );
    await site.until(
      'the routes of tor-b to be back',
      async () => (await site.kernelRoutes()).length === MANY,
    );
    expect(await established('tor-a')).toEqual(['established', 1]);

    // A target goes, a peer goes: ours go from there, the rest stays.
    await reload({
      bgp: { peers: [peer('tor-b', BIRD, 65002, { holdTime: '30s' })] },
      networks: [{ name: 'default', table: TABLE }],
    });
    expect(await established('tor-a')).toBeUndefined();
    expect(await site.rows()).toEqual([]);
    expect(await site.kernelRoutes()).toHaveLength(MANY);

    // A second network with a table of its own, and the first with OVN again.
    await reload({
      networks: [...networks({}), { name: 'blue', table: 200, advertise: ['10.9.0.0/16'] }],
    });
    await untilFull();
    expect((await site.list('networks')).map(({ network }) => network)).toEqual([
      'default',
      'blue',
    ]);
    expect((await frr.vtysh('show bgp summary')).includes('10.78.1.1')).toBe(true);
  });

  it('dry run: takes a recording for a peer without a session, programs nothing, says what would be', async () => {
    await start({
      args: ['--dry-run'],
      config: { bgp: { peers: [peer('recorded', '10.78.1.77', 65009)] } },
    });
    const [kernel, rows] = [await site.kernelRoutes(), await site.rows()];
    const file = `${site.directory}/recorded.mrt`;
    await writeFile(file, Buffer.from(RECORDING, 'hex'));
    const replayed = await site.asked('replay', file, '--peer', 'recorded', '-o', 'json');
    expect(JSON.parse(replayed.stdout)).toMatchObject({
      peer: 'recorded',
      updates: 1,
      announced: 1,
    });
    await site.until('the entry', async () => {
      const entries = await site.list('routes', { stage: 'fib' });
      return entries.length === 2 && entries.every(({ installed }) => installed === 'yes');
    });
    const shown = await site.asked('routes', '--stage', 'fib');
    expect(shown.stdout).toContain('203.0.113.0/24  10.78.1.77');
    expect(await site.kernelRoutes()).toEqual(kernel);
    expect(await site.rows()).toEqual(rows);
    const wrong = await site.asked('replay', file, '--peer', 'nobody');
    expect(wrong).toMatchObject({
      code: 1,
      stderr: 'rutter: peer nobody, expected one of recorded\n',
    });
  });

  it('keeps what it was told to when the last owner of a first sync is slow: a deadline decides', async () => {
    await start();
    await untilFull();
    await agent!.stop();
    await bird.daemon.stop('SIGKILL');
    await start({ config: { startup: { deadline: '3s' } } });
    await sleep(1500);
    expect(await site.kernelRoutes()).toEqual(inTables);
    await untilSynced();
    await site.until('the removals to be held', async () =>
      String((await site.target('host'))['removalsHeld']).includes('300 of 301'),
    );
    expect(await site.kernelRoutes()).toEqual(inTables);
  });
});

/** A monitor as a child; stop() resolves with all it said. */
function watch([command, ...args]: string[]): { stop(): Promise<string> } {
  const child: ChildProcess = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    async stop() {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
      return text;
    },
  };
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
