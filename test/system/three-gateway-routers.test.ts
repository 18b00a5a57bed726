// Three networks on a real OVN node (northd, ovn-controller, userspace datapath), each with its gateway router, its provider and its pod.
//
//   pod default ── GR_default ┐          ┌ provider default  172.18.1.2  (ttl 64)
//   pod red     ── GR_red     ┼─ br-ex ──┼ provider red      172.18.2.2  (ttl 100)
//   pod blue    ── GR_blue    ┘          └ provider blue     172.18.3.2  (ttl 200)
//
// All providers have the same prefix and answer on the same address in it, each with a time-to-live of its own: the answer says whose
// path a packet took. red's provider has a prefix more; the pods of red and blue have the same subnet.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { type Bird, startBird } from '../../src/lab/bird.ts';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { type OvnNode, startOvnNode } from '../../src/lab/ovn.ts';
import { Processes, waitUntil } from '../../src/lab/processes.ts';
import { rutterCommand } from '../../src/lab/rutter.ts';
import { isRoot } from './agent-site.ts';

const SHARED = '203.0.113.0/24';
const SHARED_ADDRESS = '203.0.113.1';
const ONLY_RED = '198.51.100.0/24';
const ONLY_RED_ADDRESS = '198.51.100.1';

interface Network {
  readonly name: string;
  readonly number: number;
  readonly ttl: number;
  /** The pods' subnet, without its last number. */
  readonly subnet: string;
  readonly provides: readonly { readonly prefix: string; readonly address: string }[];
}

const shared = { prefix: SHARED, address: SHARED_ADDRESS };
const networks: readonly Network[] = [
  { name: 'default', number: 1, ttl: 64, subnet: '10.244.1', provides: [shared] },
  {
    name: 'red',
    number: 2,
    ttl: 100,
    subnet: '10.100.0',
    provides: [shared, { prefix: ONLY_RED, address: ONLY_RED_ADDRESS }],
  },
  { name: 'blue', number: 3, ttl: 200, subnet: '10.100.0', provides: [shared] },
];
const red = networks[1]!;
const patience = { timeoutMs: 30_000, intervalMs: 100 };

const router = ({ name }: Network): string => `GR_${name}`;
const outputPort = ({ name }: Network): string => `rtoe-GR_${name}`;
const outside = ({ number }: Network, host: number): string => `172.18.${number}.${host}`;
const provider = (network: Network): string => outside(network, 2);

describe.runIf(isRoot)('three networks on one OVN node', () => {
  let directory: string;
  let namespaces: NetworkNamespaces;
  let processes: Processes;
  let ovn: OvnNode;
  let node: string;
  const birds = new Map<string, Bird>();
  const full = new Map<string, string>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `rutter-three-${process.pid}-`));
    namespaces = new NetworkNamespaces(`three-${process.pid}`);
    processes = new Processes(directory);
    node = await namespaces.add('node');
    for (const network of networks) await wire(network);
    ovn = await startOvnNode({
      namespace: node,
      directory: `${directory}/ovn`,
      processes,
      systemId: 'node',
    });
    await execute('ip', ['-n', node, 'link', 'set', 'br-ex', 'up']);
    await execute('ethtool', ['-K', 'br-ex', 'tx', 'off'], { namespace: node });
    for (const network of networks) await addLogicalNetwork(network);
    for (const network of networks) birds.set(network.name, await startProvider(network));
    await startAgent();
    for (const network of networks) {
      await waitUntil(async () => (await rowsOn(network)).join() === wanted(network).join(), {
        what: `rows of ${network.name}`,
        ...patience,
      });
      await waitUntil(async () => (await learnedBy(network)).length === 1, {
        what: `the subnet of ${network.name} at its provider`,
        ...patience,
      });
    }
    await ovn.sync();
  }, 60_000);

  afterAll(async () => {
    await processes?.[Symbol.asyncDispose]();
    await namespaces?.[Symbol.asyncDispose]();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  async function wire(network: Network): Promise<void> {
    const { name, number, ttl, subnet, provides } = network;
    const outer = await namespaces.add(`p${number}`);
    const pod = await namespaces.add(`pod${number}`);
    full.set(`provider ${name}`, outer);
    full.set(`pod ${name}`, pod);
    await namespaces.link(
      { namespace: outer, device: 'eth0', addresses: [`${provider(network)}/24`] },
      { namespace: node, device: `up${number}` },
    );
    await namespaces.link(
      { namespace: pod, device: 'eth0', addresses: [`${subnet}.10/24`] },
      { namespace: node, device: `pod${number}` },
    );
    for (const { address } of provides) await namespaces.address(outer, 'lo', `${address}/32`);
    // OVN answers an ARP request only when the asking address is on the link: not one of the loopback's.
    for (const setting of ['conf.all.arp_announce=2', `ip_default_ttl=${ttl}`, 'ip_forward=1']) {
      await execute('sysctl', ['-q', '-w', `net.ipv4.${setting}`], { namespace: outer });
    }
    // The userspace datapath sends on what it receives: checksums must be there.
    for (const namespace of [outer, pod]) {
      await execute('ethtool', ['-K', 'eth0', 'tx', 'off'], { namespace });
    }
  }

  async function addLogicalNetwork(network: Network): Promise<void> {
    const { name, number, subnet } = network;
    const mac = (host: number): string => `0a:58:00:00:0${number}:0${host}`;
    const external = `ext_${name}`;
    const internal = `sw_${name}`;
    await ovn.addUplink(`up${number}`);
    await execute('ip', [
      ...['-n', node, 'address', 'add', `${outside(network, 254)}/24`, 'dev', 'br-ex'],
    ]);
    await ovn.addGatewayRouter(router(network));
    await ovn.connectSwitch({
      router: router(network),
      logicalSwitch: external,
      port: outputPort(network),
      mac: mac(1),
      networks: [`${outside(network, 253)}/24`],
    });
    await ovn.addLocalnetPort(external);
    await ovn.connectSwitch({
      router: router(network),
      logicalSwitch: internal,
      port: `rtos-${name}`,
      mac: mac(2),
      networks: [`${subnet}.1/24`],
    });
    const pod = full.get(`pod ${name}`)!;
    await execute('ip', ['-n', pod, 'link', 'set', 'eth0', 'address', mac(3)]);
    await execute('ip', ['-n', pod, 'route', 'add', 'default', 'via', `${subnet}.1`]);
    await ovn.addPort({
      logicalSwitch: internal,
      port: `pod-${name}`,
      mac: mac(3),
      addresses: [`${subnet}.10`],
      device: `pod${number}`,
    });
  }

  const birdFile = ({ name }: Network): string => `${directory}/bird-${name}/bird.conf`;

  function startProvider(network: Network): Promise<Bird> {
    return startBird({
      namespace: full.get(`provider ${network.name}`)!,
      directory: `${directory}/bird-${network.name}`,
      processes,
      configuration: birdConfiguration(network, network.provides),
    });
  }

  function birdConfiguration(network: Network, provides: Network['provides']): string {
    return [
      `router id ${provider(network)};`,
      'protocol device {}',
      'protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }',
      'protocol static { ipv4;',
      ...provides.map(({ prefix }) => ` route ${prefix} blackhole;`),
      '}',
      'protocol bgp node {',
      ` local ${provider(network)} as ${65_000 + network.number};`,
      ` neighbor ${outside(network, 254)} as 64512;`,
      ' connect delay time 1; connect retry time 1; error wait time 1, 2;',
      ' ipv4 { import all; export where source = RTS_STATIC; next hop self; };',
      '}',
      '',
    ].join('\n');
  }

  async function startAgent(): Promise<void> {
    const socket = `${directory}/rutter.sock`;
    const file = `${directory}/rutter.yaml`;
    const config = {
      node: 'node',
      bgp: {
        asn: 64512,
        routerId: outside(networks[0]!, 254),
        listen: [],
        peers: networks.map((network) => ({
          name: `provider-${network.name}`,
          address: provider(network),
          asn: 65_000 + network.number,
          network: network.name,
          connectRetryTime: '1s',
          import: 'accept',
        })),
      },
      networks: networks.map((network) => ({
        name: network.name,
        ovn: { router: router(network), outputPort: outputPort(network) },
        advertise: [{ prefix: `${network.subnet}.0/24`, nextHop: outside(network, 253) }],
      })),
      ovn: { northbound: ovn.northbound },
      control: { socket },
    };
    await writeFile(file, JSON.stringify(config));
    const [command, args] = rutterCommand(['agent', '--config', file]);
    const client = new ControlClient(socket);
    await processes.start({
      name: 'agent',
      command,
      args,
      namespace: node,
      ready: async () => (await client.get('/v1/status')) !== undefined,
    });
  }

  const wanted = (network: Network): string[] =>
    network.provides.map(({ prefix }) => `${prefix} via ${provider(network)}`).sort();

  /** `prefix via nexthop` of a router's rows, and whose they say they are. */
  async function rowsOn(network: Network): Promise<string[]> {
    const text = await ovn.nbctl('lr-route-list', router(network));
    const rows = [...text.matchAll(/^\s+(\S+)\s+(\S+) dst-ip (\S+)/gm)];
    expect(rows.every(([, , , port]) => port === outputPort(network))).toBe(true);
    return rows.map(([, prefix, nexthop]) => `${prefix} via ${nexthop}`).sort();
  }

  /** Prefixes that a provider has from the agent. */
  async function learnedBy({ name }: Network): Promise<string[]> {
    const text = await birds.get(name)!.birdc('show route protocol node');
    return [...text.matchAll(/^(\d\S+)/gm)].map(([, prefix]) => prefix!);
  }

  /** Time-to-live of the answer that a network's pod gets, or undefined when there is none. */
  async function answer({ name }: Network, address: string): Promise<number | undefined> {
    const text = await execute('ping', ['-c', '3', '-i', '0.2', '-W', '1', address], {
      namespace: full.get(`pod ${name}`)!,
    }).catch(() => '');
    const [, ttl] = /ttl=(\d+)/.exec(text) ?? [];
    return ttl === undefined ? undefined : Number(ttl);
  }

  it('has the rows of each network on its router alone', async () => {
    for (const network of networks) expect(await rowsOn(network)).toEqual(wanted(network));
    const all = await ovn.nbctl(
      ...['--bare', '--columns=_uuid', 'list', 'Logical_Router_Static_Route'],
    );
    expect(all.split('\n').filter(Boolean)).toHaveLength(4);
  });

  it('tells each provider of its own network alone', async () => {
    for (const network of networks) {
      expect(await learnedBy(network)).toEqual([`${network.subnet}.0/24`]);
    }
  });

  it("sends each pod's packets by its own network's path, to one address that all providers have", async () => {
    const answers = await Promise.all(networks.map((network) => answer(network, SHARED_ADDRESS)));
    expect(answers).toEqual(networks.map(({ ttl }) => ttl - 1)); // one hop: the gateway router
  });

  it('gives a prefix of one network to its pod alone', async () => {
    const answers = await Promise.all(networks.map((network) => answer(network, ONLY_RED_ADDRESS)));
    expect(answers).toEqual([undefined, red.ttl - 1, undefined]);
  });

  it('takes a withdrawn prefix from its network alone, which then has no path by another', async () => {
    const left = red.provides.filter(({ prefix }) => prefix !== SHARED);
    await writeFile(birdFile(red), birdConfiguration(red, left));
    await birds.get('red')!.birdc('configure');
    await waitUntil(async () => (await rowsOn(red)).length === 1, {
      what: 'withdrawal',
      ...patience,
    });
    await ovn.sync();
    const answers = await Promise.all(networks.map((network) => answer(network, SHARED_ADDRESS)));
    expect(answers).toEqual([63, undefined, 199]);
    expect(await answer(red, ONLY_RED_ADDRESS)).toBe(red.ttl - 1);
  });
});
