// Builds the lab's network as topology.ts draws it: namespaces, FRR routers, the OVN node and its pod.
import { execute } from './execute.ts';
import { type Frr, startFrr } from './frr.ts';
import type { NetworkNamespaces } from './namespaces.ts';
import { type OvnNode, startOvnNode } from './ovn.ts';
import type { Processes } from './processes.ts';
import type { Steps } from './steps.ts';
import {
  chassis,
  frrConfiguration,
  gatewayRouter,
  host,
  pod,
  type Router,
  routers,
} from './topology.ts';

export interface LabRouter {
  readonly router: Router;
  readonly namespace: string;
  readonly frr: Frr;
}

export interface LabNetwork {
  readonly nodeNamespace: string;
  readonly podNamespace: string;
  readonly routers: readonly LabRouter[];
  readonly ovn: OvnNode;
}

export interface LabNetworkOptions {
  readonly namespaces: NetworkNamespaces;
  readonly processes: Processes;
  readonly directory: string;
  readonly steps: Steps;
}

/** The short names that `NetworkNamespaces.add` gets. */
export const namespaceNames: readonly string[] = [
  ...routers.map(({ name }) => name),
  'node',
  'pod',
];

export async function buildNetwork(options: LabNetworkOptions): Promise<LabNetwork> {
  const { namespaces, processes, directory, steps } = options;
  const wired = await steps.run(
    'network namespaces',
    () => wire(namespaces),
    () => namespaces.names.join(' '),
  );
  const frrs = await steps.run(
    'FRR routers',
    () => Promise.all(routers.map((router) => startRouter(router, options, wired.of(router.name)))),
    () => routers.map(({ name, asn }) => `${name} (AS ${asn})`).join(', '),
  );
  const ovn = await steps.run(
    'OVN node',
    () =>
      startOvnNode({
        namespace: wired.of('node'),
        directory: `${directory}/ovn`,
        processes,
        systemId: chassis,
      }),
    () => `northd, ovn-controller and a userspace datapath, chassis ${chassis}`,
  );
  await steps.run(
    'gateway router and pod',
    () => addLogicalNetwork(ovn, wired.of('pod')),
    () => `${gatewayRouter.name}, pod ${pod.ipv4} and ${pod.ipv6}`,
  );
  const podNamespace = wired.of('pod');
  return { nodeNamespace: wired.of('node'), podNamespace, routers: frrs, ovn };
}

/** Namespaces and cables. Devices in the node's namespace are named for what is at the other end. */
async function wire(namespaces: NetworkNamespaces): Promise<{ of(name: string): string }> {
  const full = new Map<string, string>();
  for (const name of namespaceNames) full.set(name, await namespaces.add(name));
  const of = (name: string) => full.get(name)!;
  for (const { name, ipv4, ipv6 } of routers) {
    const outside = {
      namespace: of(name),
      device: 'eth0',
      addresses: [`${ipv4}/24`, `${ipv6}/64`],
    };
    await namespaces.link(outside, { namespace: of('node'), device: name });
    await leaveChecksumsToSoftware(of(name), 'eth0');
  }
  await namespaces.link(
    { namespace: of('pod'), device: 'eth0', addresses: [`${pod.ipv4}/24`, `${pod.ipv6}/64`] },
    { namespace: of('node'), device: 'pod' },
  );
  await leaveChecksumsToSoftware(of('pod'), 'eth0');
  return { of };
}

/** The userspace datapath sends on what it receives: a checksum left to a device that is none would stay wrong. */
async function leaveChecksumsToSoftware(namespace: string, device: string): Promise<void> {
  await execute('ethtool', ['-K', device, 'tx', 'off'], { namespace });
}

async function startRouter(
  router: Router,
  { namespaces, processes, directory }: LabNetworkOptions,
  namespace: string,
): Promise<LabRouter> {
  for (const { address } of router.provides) {
    await namespaces.address(namespace, 'lo', `${address}/${address.includes(':') ? 128 : 32}`);
  }
  // OVN answers an ARP request only when the asking address is on the link: not one of the loopback's.
  await execute('sysctl', ['-q', '-w', 'net.ipv4.conf.all.arp_announce=2'], { namespace });
  const frr = await startFrr({
    namespace,
    directory: `${directory}/${router.name}`,
    configuration: frrConfiguration(router),
    processes,
  });
  return { router, namespace, frr };
}

async function addLogicalNetwork(ovn: OvnNode, podNamespace: string): Promise<void> {
  const { name: router, outside, inside } = gatewayRouter;
  for (const { name } of routers) await ovn.addUplink(name);
  await execute('ip', ['-n', ovn.namespace, 'link', 'set', 'br-ex', 'up']);
  for (const address of [`${host.ipv4}/24`, `${host.ipv6}/64`]) {
    await execute('ip', ['-n', ovn.namespace, 'address', 'add', address, 'dev', 'br-ex']);
  }
  await leaveChecksumsToSoftware(ovn.namespace, 'br-ex');
  await ovn.addGatewayRouter(router);
  await ovn.connectSwitch({
    ...outside,
    router,
    networks: [`${outside.ipv4}/24`, `${outside.ipv6}/64`],
  });
  await ovn.addLocalnetPort(outside.logicalSwitch);
  await ovn.connectSwitch({
    ...inside,
    router,
    networks: [`${inside.ipv4}/24`, `${inside.ipv6}/64`],
  });
  await addPod(ovn, podNamespace);
  await ovn.sync();
}

async function addPod(ovn: OvnNode, namespace: string): Promise<void> {
  const { inside } = gatewayRouter;
  await execute('ip', ['-n', namespace, 'link', 'set', 'eth0', 'address', pod.mac]);
  for (const gateway of [inside.ipv4, inside.ipv6]) {
    await execute('ip', ['-n', namespace, 'route', 'add', 'default', 'via', gateway]);
  }
  await ovn.addPort({
    logicalSwitch: inside.logicalSwitch,
    port: 'pod',
    mac: pod.mac,
    addresses: [pod.ipv4, pod.ipv6],
    device: 'pod',
  });
}
