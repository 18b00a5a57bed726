// The running agent by its user's eyes: what it learned from an FRR and a BIRD router, at every stage, against what these, the
// Northbound database and the kernel say themselves; what is put back, what is refused, and why.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bird } from '../../src/lab/bird.ts';
import type { Frr } from '../../src/lab/frr.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, ROUTER, TABLE } from './agent-site.ts';

const SHARED = '203.0.113.0/24';
const PREFERRED = '198.18.0.0/16';
const ONLY_A = '198.51.100.0/24';
const ONLY_B = '192.0.2.0/24';
/** Its next hop is nowhere. */
const BEHIND = '198.51.101.0/24';
const SHARED_6 = '2001:db8:113::/48';

const inTables = [
  `${ONLY_A} via ${FRR}`,
  `${ONLY_B} via ${BIRD}`,
  `${PREFERRED} via ${FRR}`,
  `${SHARED} via ${FRR}`,
  `${SHARED} via ${BIRD}`,
].sort();
const inOvn = [...inTables, `${SHARED_6} via fd00:78:1::2`, `${SHARED_6} via fd00:78:2::2`].sort();

describe.runIf(isRoot)('a running agent', () => {
  let site: AgentSite;
  let frr: Frr;
  let bird: Bird;
  let agent: RunningProcess;

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    frr = await site.frr(
      [
        ' address-family ipv4 unicast',
        ...[SHARED, PREFERRED, ONLY_A].map((prefix) => `  network ${prefix}`),
        '  neighbor 10.78.1.1 route-map behind out',
        ' exit-address-family',
        ' address-family ipv6 unicast',
        `  network ${SHARED_6}`,
        '  neighbor 10.78.1.1 activate',
        '  neighbor 10.78.1.1 route-map own-address out',
        ' exit-address-family',
      ],
      [
        'route-map own-address permit 10',
        ' set ipv6 next-hop global fd00:78:1::2',
        'exit',
        `ip prefix-list behind permit ${BEHIND}`,
        'route-map behind permit 10',
        ' match ip address prefix-list behind',
        ' set ip next-hop 10.250.0.1',
        'exit',
        'route-map behind permit 20',
        'exit',
      ],
    );
    bird = await site.bird(
      [SHARED, PREFERRED, ONLY_B, SHARED_6],
      `if net = ${PREFERRED} then bgp_path.prepend(65002); accept;`,
    );
    agent = await site.agent();
    await site.until('all rows', async () => same(await site.rows(), inOvn));
    await site.until('all kernel routes', async () => same(await site.kernelRoutes(), inTables));
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  it('holds in Adj-RIB-In what the routers say they announce', async () => {
    const routes = await site.list('routes', { stage: 'adj-rib-in', family: 'ipv4-unicast' });
    const of = (name: string) =>
      routes.filter((route) => route['peer'] === name).map((route) => route['prefix']);
    const said = (await frr.vtyshJson(
      'show bgp ipv4 unicast neighbors 10.78.1.1 advertised-routes json',
    )) as { advertisedRoutes: object };
    expect(of('tor-a').sort()).toEqual(Object.keys(said.advertisedRoutes).sort());
    const exported = await bird.birdc('show route export node table master4');
    const prefixes = [...exported.matchAll(/^(\d\S+)/gm)].map(([, prefix]) => prefix);
    expect(of('tor-b').sort()).toEqual(prefixes.sort());
    const byPeer = await site.list('routes', { stage: 'adj-rib-in', peer: 'tor-b' });
    expect(new Set(byPeer.map(({ peer }) => peer))).toEqual(new Set(['tor-b']));
  });

  it('says at every stage the same in every format, and what is installed', async () => {
    const routes = await site.list('routes', { prefix: SHARED });
    expect(routes.map(({ peer }) => peer).sort()).toEqual(['tor-a', 'tor-b']);
    for (const route of routes) expect(route['installed']).toEqual({ ovn: 'yes', host: 'yes' });
    for (const [stage, format] of [
      ['adj-rib-in', 'csv'],
      ['loc-rib', 'json'],
      ['loc-rib', 'jsonl'],
      ['fib', 'table'],
      ['ovn', 'csv'],
      ['host', 'table'],
    ] as const) {
      const told = await site.list('routes', { stage });
      const { stdout } = await site.asked('routes', '--stage', stage, '-o', format);
      const lines = stdout.trimEnd().split('\n');
      expect(told.length).toBeGreaterThan(0);
      if (format === 'json') expect(JSON.parse(stdout)).toEqual(told);
      else if (format === 'jsonl') expect(lines.map((line) => JSON.parse(line))).toEqual(told);
      else {
        expect(lines).toHaveLength(told.length + 1);
        for (const [index, { prefix }] of told.entries())
          expect(lines[index + 1]).toContain(prefix);
      }
    }
    const pairs = async (stage: string) =>
      (await site.list('routes', { stage, family: 'ipv4-unicast' }))
        .flatMap(({ prefix, nextHops }) =>
          (nextHops as { address: string }[]).map(({ address }) => `${prefix} via ${address}`),
        )
        .sort();
    expect(await pairs('host')).toEqual(inTables);
    expect(await pairs('ovn')).toEqual(inTables);
  });

  it('lookup: the longest match, and the step of the decision', async () => {
    const { stdout } = await site.asked('lookup', '198.18.7.7', '--why', '-o', 'json');
    const answer = JSON.parse(stdout);
    expect(answer['prefix']).toBe(PREFERRED);
    expect(answer['routes']).toMatchObject([
      { peer: 'tor-a', best: true },
      { peer: 'tor-b', best: false, reason: expect.stringContaining('AS_PATH') },
    ]);
    expect(answer['entries']).toMatchObject([
      { target: 'ovn', installed: 'yes' },
      { target: 'host', installed: 'yes' },
    ]);
    const none = await site.asked('lookup', '9.9.9.9');
    expect(none).toMatchObject({
      code: 1,
      stderr: 'rutter: no route to 9.9.9.9 in network default\n',
    });
  });

  it('peers, networks and status', async () => {
    expect(await site.list('peers')).toMatchObject([
      { name: 'tor-a', asn: 65001, state: 'established', receivedPrefixes: 4, acceptedPrefixes: 4 },
      { name: 'tor-b', asn: 65002, state: 'established', receivedPrefixes: 4, bestPrefixes: 3 },
    ]);
    const [network] = await site.list('networks');
    expect(network).toMatchObject({
      network: 'default',
      firstSync: 'finished',
      targets: [
        { target: 'ovn', state: 'ready', installedCount: 5, pendingCount: 0, refusedCount: 0 },
        { target: 'host', state: 'ready', pendingCount: 0, refusedCount: 0 },
      ],
    });
    expect(await site.ask('status')).toMatchObject({
      node: 'node',
      asn: 64512,
      ready: true,
      establishedPeers: 2,
      configuredPeers: 2,
    });
  });

  it('drift: nothing and exit code 0; what is changed by hand is put back within a second', async () => {
    expect(await site.asked('drift')).toMatchObject({
      code: 0,
      stdout: '',
    });
    await site.nbctl('lr-route-del', ROUTER, ONLY_A);
    await site.until('the row', async () => same(await site.rows(), inOvn), 1000);
    const [row] = (
      await site.nbctl(
        '--bare',
        '--columns=_uuid',
        'find',
        'Logical_Router_Static_Route',
        `ip_prefix="${ONLY_B}"`,
      )
    )
      .trim()
      .split('\n');
    await site.nbctl('set', 'Logical_Router_Static_Route', row!, 'nexthop=10.78.2.77');
    await site.until('the next hop', async () => same(await site.rows(), inOvn), 1000);
    await site.ip('route', 'del', ONLY_A, 'table', String(TABLE));
    await site.until('the route', async () => same(await site.kernelRoutes(), inTables), 1000);
  });

  it('leaves the row of somebody else alone, says so, and takes over when it is gone', async () => {
    await site.nbctl('lr-route-del', ROUTER, ONLY_B); // ours, at once put back: then beside theirs
    await site.nbctl('--ecmp', 'lr-route-add', ROUTER, ONLY_B, '10.78.2.99', OUTPUT_PORT);
    const theirs = async () =>
      site.nbctl('list', 'Logical_Router_Static_Route', await idOf(site, '10.78.2.99'));
    const before = await theirs();
    await site.until('ours to give way', async () => {
      const rows = (await site.rows()).filter((line) => line.startsWith(ONLY_B));
      return same(rows, [`${ONLY_B} via 10.78.2.99`]);
    });
    const [entry] = await site.list('routes', { prefix: ONLY_B, stage: 'fib' });
    expect(entry).toMatchObject({
      installed: 'refused',
      failure: { code: 'collision', since: expect.any(String) },
    });
    const [route] = await site.list('routes', { prefix: ONLY_B });
    expect(route!['installed']).toEqual({ ovn: 'refused', host: 'yes' });
    expect(await site.target('ovn')).toMatchObject({
      refusedCount: 1,
      failures: [{ prefix: ONLY_B, code: 'collision' }],
    });
    expect(await site.target('host')).toMatchObject({ refusedCount: 0 });
    const drift = await site.asked('drift');
    expect(drift.code).toBe(3);
    expect(drift.stdout).toContain(ONLY_B);
    expect(await theirs()).toBe(before);
    await site.nbctl('lr-route-del', ROUTER, ONLY_B, '10.78.2.99');
    await site.until('ours to be back', async () => same(await site.rows(), inOvn));
    expect(await site.list('drift')).toEqual([]);
  });

  it('says of a route with an unreachable next hop why it is not in; the others are', async () => {
    await frr.configure(
      `router bgp 65001\n address-family ipv4 unicast\n  network ${BEHIND}\n  network 198.51.102.0/24\n`,
    );
    await site.until('the other route', async () =>
      (await site.kernelRoutes()).includes(`198.51.102.0/24 via ${FRR}`),
    );
    const [route] = await site.list('routes', { prefix: BEHIND, stage: 'adj-rib-in' });
    expect(route).toMatchObject({
      best: false,
      nextHops: [{ address: '10.250.0.1' }],
      reason: 'next hop unresolved',
    });
    expect(await site.list('routes', { prefix: BEHIND })).toEqual([]);
    // A way to the next hop appears: the kernel is told at once.
    await site.ip('route', 'add', '10.250.0.1', 'dev', 'to-a');
    await site.until('it to be in', async () =>
      (await site.kernelRoutes()).includes(`${BEHIND} via 10.250.0.1`),
    );
    await frr.configure(
      `router bgp 65001\n address-family ipv4 unicast\n  no network ${BEHIND}\n  no network 198.51.102.0/24\n`,
    );
    await site.until('them to be gone', async () => same(await site.kernelRoutes(), inTables));
    await site.until('no drift', async () => (await site.list('drift')).length === 0);
  });

  it('keeps routes while OVN is away, and catches up', async () => {
    await site.stopNorthbound();
    await site.until('OVN to be missed', async () => {
      return (await site.target('ovn'))['state'] !== 'ready';
    });
    await frr.configure(
      'router bgp 65001\n address-family ipv4 unicast\n  network 198.51.103.0/24\n',
    );
    await site.until('the host to have it', async () =>
      (await site.kernelRoutes()).includes(`198.51.103.0/24 via ${FRR}`),
    );
    expect((await site.asked('drift')).code).toBe(3);
    await site.startNorthbound();
    const wanted = [...inOvn, `198.51.103.0/24 via ${FRR}`].sort();
    await site.until('OVN to catch up', async () => same(await site.rows(), wanted));
    await frr.configure(
      'router bgp 65001\n address-family ipv4 unicast\n  no network 198.51.103.0/24\n',
    );
    await site.until('it to be gone', async () => same(await site.rows(), inOvn));
  });

  it('waits for a router that is not there, and starts by itself when it appears', async () => {
    await site.nbctl('lr-del', ROUTER);
    await site.until('waiting', async () => {
      const { state, reason } = await site.target('ovn');
      return state === 'waiting' && String(reason).includes(ROUTER);
    });
    expect((await site.asked('networks')).stdout).toContain('waiting');
    await site.addRouter();
    await site.until('all rows', async () => same(await site.rows(), inOvn));
  });

  it("lets a dead peer's routes go, and takes them again", async () => {
    await bird.daemon.stop('SIGKILL');
    const left = [ONLY_A, PREFERRED, SHARED].map((prefix) => `${prefix} via ${FRR}`).sort();
    await site.until('the routes of tor-b to go', async () =>
      same(await site.kernelRoutes(), left),
    );
    await site.until('from OVN too', async () =>
      (await site.rows()).every((row) => !row.endsWith(BIRD)),
    );
    const peers = await site.asked('peers');
    expect(peers.stdout).toMatch(/tor-b .*(connection|closed|refused|reset)/);
    bird = await site.bird([SHARED, ONLY_B]);
    await site.until('them to be back', async () => same(await site.kernelRoutes(), inTables));
    expect(agent.hasEnded()).toBe(false);
  });
});

if (!isRoot) console.warn('the tests of the running agent are skipped: they need root');

async function idOf(site: AgentSite, nextHop: string): Promise<string> {
  return (
    await site.nbctl(
      '--bare',
      '--columns=_uuid',
      'find',
      'Logical_Router_Static_Route',
      `nexthop="${nextHop}"`,
    )
  ).trim();
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
