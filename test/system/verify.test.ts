// `rutter verify` on a running agent: green when OVN and the kernel forward as the routes say, red with the ranges when somebody has altered a row by
// hand and the agent cannot put it right.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { lockName } from '../../src/sinks/ovn/lock-name.ts';
import {
  AgentSite,
  BIRD,
  FRR,
  isRoot,
  OUTPUT_PORT,
  type Outcome,
  ROUTER,
  TABLE,
} from './agent-site.ts';

const SHARED = '203.0.113.0/24';
const ONLY_A = '198.51.100.0/24';
const BESIDE_A = '198.51.101.0/24';
const WITHIN_A = '198.51.100.128/25';
const SHARED_6 = '2001:db8:113::/48';
const DISCARDED = '192.0.2.0/24';

describe.runIf(isRoot)('rutter verify', () => {
  let site: AgentSite;
  let agent: RunningProcess;

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.frr(
      [
        ' address-family ipv4 unicast',
        `  network ${SHARED}`,
        `  network ${ONLY_A}`,
        `  network ${BESIDE_A}`,
        ' exit-address-family',
        ' address-family ipv6 unicast',
        `  network ${SHARED_6}`,
        '  neighbor 10.78.1.1 activate',
        '  neighbor 10.78.1.1 route-map own-address out',
        ' exit-address-family',
      ],
      ['route-map own-address permit 10', ' set ipv6 next-hop global fd00:78:1::2', 'exit'],
    );
    await site.bird([SHARED, WITHIN_A, SHARED_6]);
    // Others' routes, in both places: a default, and one within what we learn.
    await site.nbctl('lr-route-add', ROUTER, '0.0.0.0/0', '10.78.9.9');
    await site.nbctl('lr-route-add', ROUTER, '198.51.100.200/32', '10.78.9.9');
    await site.ip('route', 'add', '198.51.100.200/32', 'via', BIRD, 'table', String(TABLE));
    agent = await site.agent();
    await site.until('all rows', async () => (await site.rows()).length === 9);
    await site.until('all routes', async () => (await site.kernelRoutes()).length === 6);
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  /** In the node's namespace, where the agent's `ip` looks. */
  const verify = (...args: readonly string[]): Promise<Outcome> =>
    site.rutterInNode('verify', '--socket', site.socket, ...args);

  interface Range {
    readonly target: string;
    readonly first: string;
    readonly last: string;
    readonly expected: string;
    readonly actual: string;
  }

  async function ranges(stage: 'ovn' | 'host'): Promise<Range[]> {
    const { stdout, code } = await verify('--stage', stage, '-o', 'json');
    const found = JSON.parse(stdout) as (Range & { network: string; family: string })[];
    expect(code).toBe(found.length > 0 ? 3 : 0);
    return found.map(({ target, first, last, expected, actual }) => {
      return { target, first, last, expected, actual };
    });
  }

  it('is green for OVN and the host, in both families', async () => {
    expect(await verify()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('looks where the agent is when it is started in another network namespace', async () => {
    expect(await site.rutter('verify', '--socket', site.socket)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const { stdout } = await site.rutter('verify', '--socket', site.socket, '-o', 'json');
    expect(stdout).toBe('[]\n');
  });

  it('names what it cannot verify', async () => {
    const { code, stderr } = await verify('--network', 'blue');
    expect(code).toBe(1);
    expect(stderr).toContain('nothing to verify for blue, targets are default/ovn, default/host');
  });

  it('finds a row of ours altered by hand', async () => {
    await altered(
      withoutLock,
      async () => {
        const uuid = await uuidOf(ONLY_A);
        await site.nbctl('set', 'Logical_Router_Static_Route', uuid, 'nexthop="10.78.9.66"');
      },
      async () => {
        expect(await ranges('ovn')).toEqual([
          {
            ...{ target: 'ovn', first: '198.51.100.0', last: '198.51.100.127' },
            ...{ expected: FRR, actual: '10.78.9.66' },
          },
        ]);
        const { code, stdout } = await verify('--stage', 'ovn');
        expect(code).toBe(3);
        expect(stdout).toMatch(/default +ovn +198\.51\.100\.0 +198\.51\.100\.127 +10\.78\.1\.2/);
      },
    );
  });

  const cases: readonly [string, () => Promise<unknown>, Partial<Range>[]][] = [
    [
      'one next hop of two gone',
      async () => {
        const [uuid] = (await uuidsOf(SHARED)).sort();
        return site.nbctl('remove', 'Logical_Router', ROUTER, 'static_routes', uuid!);
      },
      [{ first: '203.0.113.0', last: '203.0.113.255', expected: `${FRR} ${BIRD}` }],
    ],
    [
      'a row by another port',
      async () =>
        site.nbctl(
          'set',
          'Logical_Router_Static_Route',
          await uuidOf(WITHIN_A),
          'output_port=else',
        ),
      // Of the range, one address is another's.
      [
        { first: '198.51.100.128', last: '198.51.100.199', actual: `${BIRD}(edited)` },
        { first: '198.51.100.201', last: '198.51.100.255', actual: `${BIRD}(edited)` },
      ],
    ],
    [
      'a row of our name for a prefix that nobody has',
      async () =>
        site.nbctl(
          ...['--id=@r', 'create', 'Logical_Router_Static_Route', `ip_prefix="${DISCARDED}"`],
          ...['nexthop=discard', 'output_port=rtoe-GR_node'],
          ...['external_ids:rutter/owner=node', 'external_ids:rutter/network=default'],
          ...['--', 'add', 'Logical_Router', ROUTER, 'static_routes', '@r'],
        ),
      [{ first: '192.0.2.0', last: '192.0.2.255', expected: '10.78.9.9', actual: 'discard' }],
    ],
  ];
  it.each(cases)('finds %s', async (_, alter, expected) => {
    await altered(withoutLock, alter, async () =>
      expect(await ranges('ovn')).toMatchObject(expected),
    );
  });

  it('finds a kernel route altered by hand', async () => {
    const route = [ONLY_A, 'table', String(TABLE), 'proto', '114', 'metric', '20'];
    await altered(
      withoutNews,
      () => site.ip('route', 'replace', 'blackhole', ...route),
      async () => {
        expect(await ranges('host')).toEqual([
          {
            ...{ target: 'host', first: '198.51.100.0', last: '198.51.100.127' },
            ...{ expected: `${FRR}%to-a`, actual: 'discard' },
          },
        ]);
      },
    );
  });

  it('is green for fewer rows that forward alike, and red for one of them', async () => {
    await site.configure({
      networks: [
        {
          name: 'default',
          table: TABLE,
          hostAggregation: 'exact',
          ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'exact' },
        },
      ],
    });
    agent.signal('SIGHUP');
    await site.until('one row for two', async () => {
      const rows = await site.rows();
      return rows.includes(`198.51.100.0/23 via ${FRR}`) && rows.length === 8;
    });
    await site.until('one route for two', async () => (await site.kernelRoutes()).length === 5);
    expect(await verify()).toEqual({ code: 0, stdout: '', stderr: '' });
    await altered(
      withoutLock,
      async () => {
        const uuid = await uuidOf('198.51.100.0/23');
        await site.nbctl('set', 'Logical_Router_Static_Route', uuid, 'ip_prefix="198.51.100.0/24"');
      },
      async () =>
        expect(await ranges('ovn')).toEqual([
          {
            ...{ target: 'ovn', first: '198.51.101.0', last: '198.51.101.255' },
            ...{ expected: FRR, actual: '10.78.9.9' },
          },
        ]),
    );
  });

  async function uuidsOf(prefix: string): Promise<string[]> {
    const text = await site.nbctl(
      ...['--bare', '--columns=_uuid', 'find', 'Logical_Router_Static_Route'],
      `ip_prefix="${prefix}"`,
    );
    return text.split(/\s+/).filter(Boolean);
  }
  const uuidOf = async (prefix: string): Promise<string> => (await uuidsOf(prefix))[0]!;

  /** Alters something that the agent, which does not write meanwhile, puts right afterwards. */
  async function altered(
    paused: Pause,
    alter: () => Promise<unknown>,
    look: () => Promise<unknown>,
  ): Promise<void> {
    const resume = await paused();
    try {
      await alter();
      await look();
    } finally {
      await resume();
    }
    await site.until('what was altered put right', async () => (await verify()).code === 0);
  }

  type Pause = () => Promise<() => Promise<void>>;

  /** Somebody steals the lock under which the agent writes to OVN. */
  async function withoutLock(): Promise<() => Promise<void>> {
    const lock = lockName({ owner: 'node', router: ROUTER, network: 'default' });
    const thief = await site.processes.start({
      name: 'thief',
      command: 'ovsdb-client',
      args: ['steal', site.northbound, lock],
    });
    await site.until(
      'the lock lost',
      async () => (await site.target('ovn'))['state'] === 'waiting',
    );
    return () => thief.stop();
  }

  /** The agent's `ip monitor`s are held: it hears of nothing. */
  async function withoutNews(): Promise<() => Promise<void>> {
    const text = await execute('ps', ['-o', 'pid=,args=', '--ppid', String(agent.pid)]);
    const monitors = [...text.matchAll(/^\s*(\d+) ip .*monitor/gm)].map(([, pid]) => Number(pid));
    expect(monitors.length).toBeGreaterThan(0);
    for (const pid of monitors) process.kill(pid, 'SIGSTOP');
    return async () => {
      for (const pid of monitors) process.kill(pid, 'SIGCONT');
    };
  }
});
