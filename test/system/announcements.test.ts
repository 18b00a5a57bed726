// What the agent announces from a real OVN node (northd, ovn-controller, Open vSwitch) to a real BIRD: there when its datapath is.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bird } from '../../src/lab/bird.ts';
import { type OvnNode, startOvnNode } from '../../src/lab/ovn.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, isRoot, peer } from './agent-site.ts';
import { OldServerProxy } from './ovsdb-proxy.ts';

const CHASSIS = 'node';

describe.runIf(isRoot)('announcements from OVN', () => {
  let site: AgentSite;
  let ovn: OvnNode;
  let bird: Bird;
  let agent: RunningProcess;
  /** In front of the databases, so that they can go. */
  let proxies: OldServerProxy[] = [];
  let sockets = { nb: '', sb: '' };

  beforeAll(async () => {
    site = await AgentSite.open();
    const directory = `${site.directory}/ovn`;
    const { node: namespace, processes } = site;
    ovn = await startOvnNode({ namespace, directory, processes, systemId: CHASSIS });
    // A second chassis that nobody runs: what is bound there is not here.
    await ovn.sbctl('chassis-add', 'elsewhere', 'geneve', '127.0.0.9');
    await ovn.nbctl(
      ...['ls-add', 'blue', '--', 'set', 'Logical_Switch', 'blue'],
      ...['other_config:subnet=10.44.0.0/24', 'other_config:ipv6_prefix="fd00:44::"'],
    );
    await ovn.addGatewayRouter('GR');
    await ovn.connectSwitch({
      router: 'GR',
      logicalSwitch: 'blue',
      port: 'GR-blue',
      mac: '02:00:00:44:00:01',
      networks: ['10.44.0.1/24', 'fd00:44::1/64'],
    });
    await openProxies();
    bird = await site.bird([]);
    agent = await site.agent({ config: configuration() });
    await site.until('the session', async () => (await held()).includes('192.0.2.0/24'));
  });

  afterAll(async () => {
    for (const proxy of proxies) proxy.close();
    await site[Symbol.asyncDispose]();
  });

  async function openProxies(): Promise<void> {
    sockets = { nb: `${site.directory}/nb.proxy`, sb: `${site.directory}/sb.proxy` };
    const path = (remote: string) => remote.replace(/^unix:/, '');
    proxies = [
      new OldServerProxy(sockets.nb, path(ovn.northbound), []),
      new OldServerProxy(sockets.sb, path(ovn.southbound), []),
    ];
    for (const proxy of proxies) await proxy.listen();
  }

  function configuration(green: readonly string[] = ['10.48.0.0/24']): object {
    return {
      bgp: { peers: [peer('tor-b', BIRD, 65002)] },
      networks: [
        {
          name: 'default',
          advertise: [
            '192.0.2.0/24',
            { ovn: { switch: 'blue' } },
            { ovn: { switch: 'blue', what: 'ports' }, communities: ['64512:1'] },
            { ovn: { nat: 'GR' } },
            { ovn: { nat: 'GR', what: 'egress-ips' } },
            { ovn: { loadBalancers: 'GR' } },
            { ovn: { router: 'GR', what: 'addresses' } },
            { ovn: { nat: 'distributed' } },
          ],
          aggregates: [{ prefix: '10.46.0.0/16', suppress: true, med: 7 }],
        },
        { name: 'red', advertise: ['10.45.0.0/24'], exports: [{ to: 'default' }] },
        { name: 'green', advertise: green, exports: [{ to: 'default' }] },
        { name: 'kept', advertise: ['10.47.0.0/24'] },
      ],
      ovn: { northbound: `unix:${sockets.nb}`, southbound: `unix:${sockets.sb}`, chassis: CHASSIS },
    };
  }

  /** Prefixes that BIRD holds from the agent, sorted. */
  async function held(): Promise<string[]> {
    const text = await bird.birdc('show route protocol node');
    return [...text.matchAll(/^(\S+\/\d+)\s/gm)].map((match) => match[1]!).sort();
  }

  async function untilHeld(prefix: string, isHeld = true): Promise<void> {
    await site.until(
      `${prefix} ${isHeld ? 'announced' : 'withdrawn'}`,
      async () => (await held()).includes(prefix) === isHeld,
    );
  }

  async function reload(config: object): Promise<void> {
    const before = (await site.logged(agent, 'reloaded')).length;
    await site.configure(config);
    agent.signal('SIGHUP');
    await site.until('the reload', async () => {
      return (await site.logged(agent, 'reloaded')).length > before;
    });
  }

  async function addPort(port: string, addresses: string): Promise<void> {
    await ovn.nbctl('lsp-add', 'blue', port, '--', 'lsp-set-addresses', port, addresses);
  }

  async function bind(port: string): Promise<void> {
    await ovn.vsctl(
      ...['--may-exist', 'add-port', 'br-int', port, '--', 'set', 'Interface', port],
      ...['type=internal', `external_ids:iface-id=${port}`],
    );
  }

  it('announces the subnet and the addresses of a gateway router that is here', async () => {
    for (const prefix of ['10.44.0.0/24', 'fd00:44::/64', '10.44.0.1/32', 'fd00:44::1/128']) {
      await untilHeld(prefix);
    }
  });

  it('announces the addresses of a port when it is bound here and up, and no sooner', async () => {
    await addPort('vm1', '02:00:00:44:00:11 10.44.0.11 fd00:44::11');
    await addPort('vm2', '02:00:00:44:00:12 10.44.0.12');
    await bind('vm1');
    await untilHeld('10.44.0.11/32');
    await untilHeld('fd00:44::11/128');
    expect(await held()).not.toContain('10.44.0.12/32');
    const text = await bird.birdc('show route 10.44.0.11/32 all');
    expect(text).toContain('(64512,1)');
  });

  it('withdraws a port that is unbound, and announces it again', async () => {
    await ovn.vsctl('remove', 'Interface', 'vm1', 'external_ids', 'iface-id');
    await untilHeld('10.44.0.11/32', false);
    await untilHeld('fd00:44::11/128', false);
    await ovn.vsctl('set', 'Interface', 'vm1', 'external_ids:iface-id=vm1');
    await untilHeld('10.44.0.11/32');
  });

  it('withdraws a port that moves to another chassis', async () => {
    await ovn.nbctl('lsp-set-options', 'vm1', 'requested-chassis=elsewhere');
    await untilHeld('10.44.0.11/32', false);
    await ovn.nbctl('lsp-set-options', 'vm1', `requested-chassis=${CHASSIS}`);
    await untilHeld('10.44.0.11/32');
  });

  it('withdraws a port that is disabled, changes its address, or is deleted', async () => {
    await ovn.nbctl('lsp-set-enabled', 'vm1', 'disabled');
    await untilHeld('10.44.0.11/32', false);
    await ovn.nbctl('lsp-set-enabled', 'vm1', 'enabled');
    await untilHeld('10.44.0.11/32');
    await ovn.nbctl('lsp-set-addresses', 'vm1', '02:00:00:44:00:11 10.44.0.21');
    await untilHeld('10.44.0.21/32');
    await untilHeld('10.44.0.11/32', false);
    await ovn.nbctl('lsp-del', 'vm1');
    await untilHeld('10.44.0.21/32', false);
  });

  it('announces floating and egress IPs and virtual IPs of a gateway router while it is here', async () => {
    await ovn.nbctl('lr-nat-add', 'GR', 'dnat_and_snat', '198.51.100.1', '10.44.0.12');
    await ovn.nbctl('lr-nat-add', 'GR', 'snat', '198.51.100.2', '10.44.0.0/24');
    await ovn.nbctl('lb-add', 'lb', '198.51.100.3:80', '10.44.0.12:80');
    await ovn.nbctl('lb-add', 'lb', '[2001:db8::3]:80', '[fd00:44::12]:80');
    await ovn.nbctl('lr-lb-add', 'GR', 'lb');
    const prefixes = [1, 2, 3].map((host) => `198.51.100.${host}/32`).concat('2001:db8::3/128');
    for (const prefix of prefixes) await untilHeld(prefix);
    await ovn.nbctl('set', 'Logical_Router', 'GR', 'options:chassis=elsewhere');
    for (const prefix of [...prefixes, '10.44.0.0/24', '10.44.0.1/32']) {
      await untilHeld(prefix, false);
    }
    await ovn.nbctl('set', 'Logical_Router', 'GR', `options:chassis=${CHASSIS}`);
    for (const prefix of prefixes) await untilHeld(prefix);
    await ovn.nbctl('lr-nat-del', 'GR', 'snat', '10.44.0.0/24');
    await untilHeld('198.51.100.2/32', false);
    await ovn.nbctl('lb-del', 'lb', '198.51.100.3:80');
    await untilHeld('198.51.100.3/32', false);
  });

  it('follows the gateway port and the ports of a distributed router', async () => {
    await ovn.nbctl(
      ...['ls-add', 'outside', '--', 'lr-add', 'distributed'],
      ...['--', 'lrp-add', 'distributed', 'dgp', '02:00:00:44:01:01', '203.0.113.1/24'],
    );
    await ovn.nbctl(
      ...['lrp-set-gateway-chassis', 'dgp', 'elsewhere', '10'],
      ...['--', 'lr-nat-add', 'distributed', 'dnat_and_snat', '203.0.113.11', '10.44.0.12'],
      ...['--', 'lr-nat-add', 'distributed', 'dnat_and_snat', '203.0.113.12', '10.44.0.13', 'vm2'],
      '02:00:00:44:01:12',
    );
    await bind('vm2');
    await untilHeld('203.0.113.12/32'); // where its port is
    expect(await held()).not.toContain('203.0.113.11/32'); // where the gateway is: elsewhere
    const setGateway = (chassis: string, other: string) =>
      ovn.nbctl(
        ...['lrp-del-gateway-chassis', 'dgp', other],
        ...['--', 'lrp-set-gateway-chassis', 'dgp', chassis],
      );
    await setGateway(CHASSIS, 'elsewhere');
    await untilHeld('203.0.113.11/32');
    await setGateway('elsewhere', CHASSIS);
    await untilHeld('203.0.113.11/32', false);
    expect(await held()).toContain('203.0.113.12/32');
  });

  it('says of each prefix what the peer was told, or why not', async () => {
    await addPort('vm3', '02:00:00:44:00:13 10.44.0.33');
    await site.until('vm3 in the table', async () => {
      const rows = await site.list('routes', { stage: 'adj-rib-out', peer: 'tor-b' });
      return rows.some(({ prefix }) => prefix === '10.44.0.33/32');
    });
    const rows = await site.list('routes', { stage: 'adj-rib-out', peer: 'tor-b' });
    const of = (prefix: string) => rows.find((row) => row['prefix'] === prefix);
    expect(of('10.44.0.12/32')).toMatchObject({
      peer: 'tor-b',
      network: 'default',
      state: 'announced',
      source: 'port vm2 of switch blue',
      asPath: [64512],
      communities: ['64512:1'],
    });
    expect(of('10.44.0.33/32')).toMatchObject({
      state: 'waiting',
      reason: `port vm3 is not bound and up on chassis ${CHASSIS}`,
    });
  });

  it('announces an exported network, and one that exports nothing in no session but its own', async () => {
    await untilHeld('10.45.0.0/24');
    expect(await held()).not.toContain('10.47.0.0/24');
    const text = await bird.birdc('show route 10.45.0.0/24 all');
    expect(text).toContain('BGP.next_hop: 10.78.2.1');
    // Never a route of the network it is exported to
    const routes = await site.list('routes', { network: 'default' });
    expect(routes.map(({ prefix }) => prefix)).not.toContain('10.45.0.0/24');
    const own = await site.list('routes', { network: 'red' });
    expect(own.map(({ prefix }) => prefix)).toEqual(['10.45.0.0/24']);
  });

  it('announces neither of two overlapping networks, says so, and both again when one has gone', async () => {
    await reload(configuration(['10.45.0.128/25', '10.48.0.0/24']));
    await untilHeld('10.45.0.0/24', false);
    expect(await held()).toContain('10.48.0.0/24');
    expect(await held()).not.toContain('10.45.0.128/25');
    const networks = await site.list('networks');
    const problem = (name: string) => networks.find(({ network }) => network === name)!['problems'];
    expect(problem('red')).toEqual([
      '10.45.0.0/24 overlaps 10.45.0.128/25 of network green in the sessions of default',
    ]);
    expect(problem('green')).toEqual([
      '10.45.0.128/25 overlaps 10.45.0.0/24 of network red in the sessions of default',
    ]);
    const told = await site.list('routes', { stage: 'adj-rib-out', prefix: '10.45.0.0/24' });
    expect(told).toMatchObject([{ network: 'red', peer: 'tor-b', state: 'overlapping' }]);
    expect(await site.logged(agent, 'networks overlap, not announced')).toHaveLength(2);
    await reload(configuration());
    await untilHeld('10.45.0.0/24');
    expect(await site.logged(agent, 'overlap has ended')).toHaveLength(2);
  });

  it('announces a summary in place of what is inside, with a discard behind it', async () => {
    expect(await held()).not.toContain('10.46.0.0/16');
    await addPort('vm4', '02:00:00:44:00:14 10.46.0.14');
    await bind('vm4');
    await untilHeld('10.46.0.0/16');
    expect(await held()).not.toContain('10.46.0.14/32');
    expect(await bird.birdc('show route 10.46.0.0/16 all')).toContain('BGP.med: 7');
    const inside = await site.list('routes', { stage: 'adj-rib-out', prefix: '10.46.0.14/32' });
    expect(inside).toMatchObject([
      { state: 'suppressed', reason: 'inside aggregate 10.46.0.0/16' },
    ]);
    await ovn.nbctl('lsp-del', 'vm4');
    await untilHeld('10.46.0.0/16', false);
  });

  it('keeps what it announces while the databases are away, and catches up', async () => {
    await untilHeld('10.44.0.12/32');
    for (const proxy of proxies) proxy.close();
    await site.until('the loss', async () => {
      const [network] = await site.list('networks');
      return String(network!['problems']).includes('OVN Southbound');
    });
    expect(await held()).toContain('10.44.0.12/32');
    await ovn.nbctl('lsp-del', 'vm2');
    await openProxies();
    await untilHeld('10.44.0.12/32', false);
    await untilHeld('10.44.0.0/24');
  });

  it('prints the same in every format', async () => {
    const table = await site.asked('routes', '--stage', 'adj-rib-out', '--peer', 'tor-b');
    expect(table.stdout).toMatch(/^PREFIX +PEER +NETWORK +STATE +NEXT HOP/);
    expect(table.stdout).toMatch(/^192\.0\.2\.0\/24 +tor-b +default +announced +10\.78\.2\.1/m);
    const json = await site.asked('routes', '192.0.2.0/24', '--stage', 'adj-rib-out', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject([
      { prefix: '192.0.2.0/24', state: 'announced', source: 'configuration', origin: 'igp' },
    ]);
    const csv = await site.asked('routes', '--stage', 'adj-rib-out', '-o', 'csv');
    expect(csv.stdout.split('\n')[0]).toBe(
      'network,family,prefix,peer,state,reason,source,nextHops,origin,asPath,med,localPref,communities,largeCommunities,extendedCommunities,since',
    );
    const offline = await site.asked('routes', '--stage', 'adj-rib-out', '--mrt', 'none');
    expect(offline.stderr).toContain('--stage adj-rib-out needs a running agent');
  });
});
