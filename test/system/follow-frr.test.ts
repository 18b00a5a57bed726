// Following FRR: zebra and bgpd own the node's sessions and fill its main table; the agent learns what is there and fills OVN.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bird } from '../../src/lab/bird.ts';
import { execute } from '../../src/lab/execute.ts';
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import { namespaceProcesses } from '../../src/lab/namespaces.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, ROUTER } from './agent-site.ts';

const SHARED = '203.0.113.0/24';
const ONLY_A = '198.51.100.0/24';
const ONLY_B = '192.0.2.0/24';
const SHARED_6 = '2001:db8:113::/48';

const config = {
  bgp: { asn: 64512, routerId: '10.78.1.1', listen: [], peers: [] },
  networks: [{ name: 'default', ovn: { router: ROUTER, outputPort: OUTPUT_PORT } }],
  sources: [{ kind: 'kernel', tables: ['main'] }],
};

const shared = [`${SHARED} via ${FRR}`, `${SHARED} via ${BIRD}`];
const ofA = [`${ONLY_A} via ${FRR}`];
const ofB = [`${ONLY_B} via ${BIRD}`];
const ipv4 = [...shared, ...ofA, ...ofB].sort();

const same = (a: readonly string[], b: readonly string[]) => a.join() === b.join();
const onlyIpv6 = (rows: readonly string[]) => rows.filter((row) => row.includes(':'));
const onlyIpv4 = (rows: readonly string[]) => rows.filter((row) => !row.includes(':'));

describe.runIf(isRoot)('an agent beside FRR', () => {
  let site: AgentSite;
  let torA: Frr;
  let bird: Bird;
  let node: Frr;
  let agent: RunningProcess;

  /** `prefix via gateway` of every way that FRR installed, sorted: what the kernel says, not what FRR believes. */
  const installed = async (family: '-4' | '-6') => {
    const text = await site.ip(family, '-json', 'route', 'show', 'proto', 'bgp');
    const routes = JSON.parse(text || '[]') as {
      dst: string;
      gateway?: string;
      nexthops?: { gateway: string }[];
    }[];
    return routes
      .flatMap(({ dst, gateway = '', nexthops = [{ gateway }] }) =>
        nexthops.map((hop) => `${dst} via ${hop.gateway}`),
      )
      .sort();
  };

  /** Every row with its version: a row that was written, or removed and put back, has another. */
  const versions = async () => {
    const columns = ['ip_prefix', 'nexthop', '_version'];
    const select = { op: 'select', table: 'Logical_Router_Static_Route', where: [], columns };
    const query = JSON.stringify(['OVN_Northbound', select]);
    const text = await execute('ovsdb-client', ['transact', site.northbound, query]);
    const [{ rows }] = JSON.parse(text) as [{ rows: object[] }];
    return rows.map((row) => JSON.stringify(row)).sort();
  };

  /** The process id of the source's `ip monitor`. */
  const followingMonitor = async () => {
    for (const id of await namespaceProcesses(site.node)) {
      const line = await readFile(`/proc/${id}/cmdline`, 'latin1').catch(() => '');
      if (line.includes('monitor') && line.includes('nexthop')) return id;
    }
    throw new Error('no ip monitor of next hops, expected one');
  };

  const startNode = () =>
    startFrr({
      namespace: site.node,
      directory: `${site.directory}/node-frr`,
      processes: site.processes,
      configuration: [
        'router bgp 64512',
        ' bgp router-id 10.78.1.1',
        ' no bgp ebgp-requires-policy',
        // A session outlives a short pause of its link.
        ' no bgp fast-external-failover',
        ' bgp bestpath as-path multipath-relax',
        ` neighbor ${FRR} remote-as 65001`,
        ` neighbor ${FRR} timers connect 1`,
        ` neighbor ${BIRD} remote-as 65002`,
        ` neighbor ${BIRD} timers connect 1`,
        ' address-family ipv6 unicast',
        `  neighbor ${FRR} activate`,
        `  neighbor ${BIRD} activate`,
        ' exit-address-family',
        'exit',
        '',
      ].join('\n'),
    });

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    torA = await site.frr([
      ' address-family ipv4 unicast',
      ...[SHARED, ONLY_A].map((prefix) => `  network ${prefix}`),
      ' exit-address-family',
      ' address-family ipv6 unicast',
      `  network ${SHARED_6}`,
      '  neighbor 10.78.1.1 activate',
      ' exit-address-family',
    ]);
    bird = await site.bird([SHARED, ONLY_B, SHARED_6]);
    // Somebody else's routes in the same table: not learned, and not touched.
    await site.ip('route', 'add', '192.168.7.0/24', 'via', FRR, 'proto', 'static');
    await site.ip('route', 'add', '192.168.8.0/24', 'via', FRR, 'proto', '114');
    node = await startNode();
    agent = await site.agent({ config });
    await site.until('all rows', async () => same(onlyIpv4(await site.rows()), ipv4));
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  it('learns what FRR installed, load shared, and nothing else', async () => {
    expect(await site.list('peers')).toMatchObject([
      { name: 'kernel:main', network: 'default', state: 'following' },
    ]);
    const [network] = await site.list('networks');
    expect(network).toMatchObject({
      firstSync: 'finished',
      sources: [{ source: 'kernel:main', state: 'following', discard: 0, unresolved: 0 }],
      targets: [{ target: 'ovn', state: 'ready' }],
    });
    const routes = await site.list('routes', { prefix: SHARED });
    expect(routes.map((route) => route['peer'])).toEqual(['kernel:main', 'kernel:main']);
  });

  it('learns IPv6 with the next hops that FRR gave the kernel', async () => {
    const of6 = async () => (await installed('-6')).filter((way) => way.startsWith(SHARED_6));
    await site.until('both ways', async () => (await of6()).length === 2);
    await site.until('the same in OVN', async () => {
      return same(onlyIpv6(await site.rows()), await of6());
    });
    expect(onlyIpv6(await site.rows()).every((row) => row.includes(' via fe80:'))).toBe(true);
  });

  it('follows a withdrawal and an announcement', async () => {
    await site.birdAnnounces(bird, [ONLY_B, SHARED_6]);
    await site.until('the way gone', async () => {
      return same(onlyIpv4(await site.rows()), [...ofA, ...ofB, shared[0]!].sort());
    });
    await site.birdAnnounces(bird, [SHARED, ONLY_B, SHARED_6]);
    await site.until('the way back', async () => same(onlyIpv4(await site.rows()), ipv4));
  });

  it('follows a link that goes down, of which the kernel says nothing, and comes back', async () => {
    await site.ip('link', 'set', 'to-b', 'down');
    await site.until('ways over it gone', async () => {
      return same(onlyIpv4(await site.rows()), [...ofA, shared[0]!].sort());
    });
    await site.ip('link', 'set', 'to-b', 'up');
    await site.ip('address', 'replace', 'fd00:78:2::1/64', 'dev', 'to-b', 'nodad');
    await site.until('the way back', async () => (await installed('-4')).includes(ofB[0]!));
    // FRR 8.4 may leave the group that lost a member as it is: what counts is what the kernel does.
    await site.until('what the kernel has', async () => {
      return same(onlyIpv4(await site.rows()), await installed('-4'));
    });
  });

  it('follows FRR through a restart that flushes the kernel', async () => {
    await node.stop();
    await site.until('nothing left', async () => {
      const text = await site.ip('route', 'show', 'proto', 'bgp');
      return text === '' && (await site.rows()).length === 0;
    });
    node = await startNode();
    await site.until('all rows again', async () => same(onlyIpv4(await site.rows()), ipv4), 30_000);
  });

  it('refuses an IPv4 prefix over an IPv6 next hop where OVN cannot forward it, and learns around it', async () => {
    const odd = '10.99.0.0/24';
    await site.ip('route', 'add', odd, 'via', 'inet6', 'fe80::9', 'dev', 'to-a', 'proto', 'bgp');
    await site.until('the refusal', async () => {
      const [entry] = await site.list('routes', { stage: 'fib', prefix: odd });
      return (entry?.['failure'] as { code?: string } | undefined)?.code === 'next-hop-family';
    });
    expect((await site.rows()).some((row) => row.startsWith(odd))).toBe(false);
    await site.ip('route', 'del', odd);
    await site.until('nothing of it', async () => {
      return (await site.list('routes', { prefix: odd })).length === 0;
    });
  });

  it('says what it cannot learn', async () => {
    await site.ip('route', 'add', 'blackhole', '10.98.0.0/24', 'proto', 'bgp');
    await site.ip('route', 'add', '10.97.0.0/24', 'dev', 'to-a', 'proto', 'bgp');
    await site.until('both counted', async () => {
      const [network] = await site.list('networks');
      const [source] = network!['sources'] as { discard: number; onLink: number }[];
      return source?.discard === 1 && source.onLink === 1;
    });
    await site.ip('route', 'del', '10.98.0.0/24');
    await site.ip('route', 'del', '10.97.0.0/24');
    const { stdout } = await site.asked('peers');
    expect(stdout).toMatch(/^kernel:main +default +following/m);
  });

  it('applies a policy to what it learned, and another one without listing again', async () => {
    const policies = {
      others: [
        { match: { prefixes: [ONLY_B] }, action: 'reject' },
        { match: {}, action: 'accept' },
      ],
    };
    const [source] = config.sources;
    await site.configure({ ...config, policies, sources: [{ ...source, import: 'others' }] });
    agent.signal('SIGHUP');
    const hasB = async () => (await site.rows()).some((row) => row.startsWith(ONLY_B));
    await site.until('the rejected route gone', async () => !(await hasB()));
    await site.configure(config);
    agent.signal('SIGHUP');
    await site.until('it back', hasB);
    expect(await site.logged(agent, 'kernel table listed')).toHaveLength(1);
  });

  it('goes on over a reload that adds a source and takes it away again', async () => {
    const before = await versions();
    await site.ip('route', 'add', '10.96.0.0/24', 'via', FRR, 'proto', 'bgp', 'table', '7');
    const blue = { name: 'blue', table: 7 };
    await site.configure({
      ...config,
      networks: [...config.networks, blue],
      sources: [...config.sources, { kind: 'kernel', tables: [7] }],
    });
    agent.signal('SIGHUP');
    const ofBlue = async () => site.list('routes', { network: 'blue' }).catch(() => []);
    await site.until('the route of table 7', async () => (await ofBlue()).length === 1);
    await site.configure(config);
    agent.signal('SIGHUP');
    await site.until('one network', async () => (await site.list('networks')).length === 1);
    await site.until('one source, followed', async () => {
      const [source, ...others] = await site.list('peers');
      return source?.['state'] === 'following' && others.length === 0;
    });
    expect(await versions()).toEqual(before);
  });

  it('keeps every row while it hears nothing, and learns then what it missed', async () => {
    const before = await versions();
    process.kill(await followingMonitor(), 'SIGKILL');
    await site.until('the loss', async () => {
      const [loss] = (await site.logged(agent, 'kernel source')).filter(
        ({ state }) => state === 'lost',
      );
      return loss !== undefined;
    });
    await site.ip('route', 'add', '10.95.0.0/24', 'via', FRR, 'proto', 'bgp');
    await site.until('what was missed', async () => {
      return (await site.rows()).includes(`10.95.0.0/24 via ${FRR}`);
    });
    await site.until('nothing stale', async () => {
      const routes = await site.list('routes', {});
      return routes.length > 0 && routes.every(({ stale }) => stale !== true);
    });
    await site.ip('route', 'del', '10.95.0.0/24');
    await site.until('it gone', async () => same(await versions(), before));
  });

  it('comes back after kill -9 and writes nothing', async () => {
    const before = await versions();
    await agent.stop('SIGKILL');
    agent = await site.agent({ config });
    await site.until('the first sync', async () => {
      const [network] = await site.list('networks');
      const [target] = network!['targets'] as { state: string; pendingCount: number }[];
      return network!['firstSync'] === 'finished' && target?.state === 'ready';
    });
    expect(await versions()).toEqual(before);
  });

  it('leaves the routes of others alone', async () => {
    for (const prefix of ['192.168.7.0/24', '192.168.8.0/24']) {
      expect(await site.ip('route', 'show', prefix)).toContain(`via ${FRR}`);
    }
    expect((await site.rows()).filter((row) => row.startsWith('192.168.'))).toEqual([]);
    expect(await site.logged(agent, 'kernel source')).not.toEqual([]);
    expect((await torA.vtysh('show version')).length).toBeGreaterThan(0);
  });
});
