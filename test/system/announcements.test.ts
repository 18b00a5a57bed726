// What the agent announces from a real OVN node (northd, ovn-controller, Open vSwitch) to a real BIRD: there when its datapath is.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bird } from '../../src/lab/bird.ts';
import { type OvnNode, startOvnNode } from '../../src/lab/ovn.ts';
import { AgentSite, BIRD, isRoot, peer } from './agent-site.ts';

const CHASSIS = 'node';

describe.runIf(isRoot)('announcements from OVN', () => {
  let site: AgentSite;
  let ovn: OvnNode;
  let bird: Bird;

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
    bird = await site.bird([]);
    await site.agent({ config: configuration() });
    await site.until('the session', async () => (await held()).includes('192.0.2.0/24'));
  });

  afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  function configuration(): object {
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
        },
      ],
      ovn: { northbound: ovn.northbound, southbound: ovn.southbound, chassis: CHASSIS },
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
});
