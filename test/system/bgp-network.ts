// A daemon's namespace with a veth to this process's own: our speakers listen and connect on the near end.
//
//   here (the machine's namespace)                    rutter-<label>-peer
//   <device> .1 us, .3 and .4 feeders  ────veth────   eth0 .2 the daemon         198.18.<net>.0/24, fd00:198:18:<net>::/64
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { Processes } from '../../src/lab/processes.ts';
import { type IpAddress, parseIpAddress } from '../../src/net/ip-address.ts';

export interface BgpNetwork extends AsyncDisposable {
  readonly namespace: string;
  /** Device name of the near end. */
  readonly device: string;
  readonly directory: string;
  readonly processes: Processes;
  /** Text of an address on the link: 1 is ours, 2 the daemon's. */
  ipv4(host: number): string;
  ipv6(host: number): string;
  address(text: string): IpAddress;
  /** Link-local address of the daemon's end, and of ours. */
  linkLocal(): Promise<string>;
  nearLinkLocal(): Promise<string>;
}

export async function bgpNetwork(label: string, net: number): Promise<BgpNetwork> {
  const namespaces = new NetworkNamespaces(label);
  const namespace = await namespaces.add('peer');
  const device = `rb-${label}`.slice(0, 15);
  const ipv4 = (host: number) => `198.18.${net}.${host}`;
  const ipv6 = (host: number) => `fd00:198:18:${net}::${host}`;
  // What a killed run has left; its other end went with its namespace
  await execute('ip', ['link', 'delete', device]).catch(() => '');
  const far = ['name', 'eth0', 'netns', namespace];
  await execute('ip', ['link', 'add', 'name', device, 'type', 'veth', 'peer', ...far]);
  await execute('sysctl', ['-q', '-w', `net.ipv6.conf.${device}.accept_dad=0`]);
  for (const host of [1, 3, 4]) {
    await execute('ip', ['address', 'add', `${ipv4(host)}/24`, 'dev', device]);
    await execute('ip', ['address', 'add', `${ipv6(host)}/64`, 'dev', device, 'nodad']);
  }
  await namespaces.address(namespace, 'eth0', `${ipv4(2)}/24`);
  await namespaces.address(namespace, 'eth0', `${ipv6(2)}/64`);
  await execute('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up']);
  await execute('ip', ['link', 'set', device, 'up']);
  const directory = await mkdtemp(`/tmp/rutter-${label}-`);
  // FRR's daemons run as a user of their own
  await chmod(directory, 0o755);
  const processes = new Processes(directory);
  return {
    namespace,
    device,
    directory,
    processes,
    ipv4,
    ipv6,
    address: (text) => parseIpAddress(text)!,
    linkLocal: () => linkLocal(['-n', namespace], 'eth0'),
    nearLinkLocal: () => linkLocal([], device),
    [Symbol.asyncDispose]: async () => {
      await processes[Symbol.asyncDispose]();
      // A namespace goes in its own time, and its devices with it; this end must not be there for the next run
      await execute('ip', ['link', 'delete', device]);
      await namespaces[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function linkLocal(where: readonly string[], device: string): Promise<string> {
  const args = [...where, '-j', 'address', 'show', 'dev', device, 'scope', 'link'];
  const [link] = JSON.parse(await execute('ip', args)) as {
    addr_info: { family: string; local: string }[];
  }[];
  return link!.addr_info.find(({ family }) => family === 'inet6')!.local;
}
