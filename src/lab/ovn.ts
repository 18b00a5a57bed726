// A whole OVN node in one directory and one namespace: databases, northd, ovn-controller, and a userspace datapath.
//
// Nothing here needs a kernel module: both bridges have `datapath_type=netdev`. Every program is pointed at the directory with
// OVS_RUNDIR and OVN_RUNDIR, so the machine's own OVS and OVN are neither used nor disturbed.
import { mkdir } from 'node:fs/promises';
import { execute } from './execute.ts';
import type { Processes } from './processes.ts';

export interface OvsdbServerOptions {
  /** Names the database's files: `<directory>/<name>.db`, `<name>.sock`. */
  readonly name: string;
  readonly directory: string;
  readonly processes: Processes;
  /** Path of the `.ovsschema` file. */
  readonly schema: string;
  readonly namespace?: string;
  /** More `--remote` arguments, for example `ptcp:6641:127.0.0.1`. */
  readonly remotes?: readonly string[];
}

export interface OvsdbServer {
  /** `unix:PATH`. */
  readonly remote: string;
  readonly socketPath: string;
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export const schemas = {
  northbound: '/usr/share/ovn/ovn-nb.ovsschema',
  southbound: '/usr/share/ovn/ovn-sb.ovsschema',
  openVSwitch: '/usr/share/openvswitch/vswitch.ovsschema',
} as const;

/** Starts a stand-alone ovsdb-server; creates the database file unless it is there already. */
export async function startOvsdbServer(options: OvsdbServerOptions): Promise<OvsdbServer> {
  const { name, directory, schema } = options;
  await mkdir(directory, { recursive: true });
  const file = `${directory}/${name}.db`;
  const socketPath = `${directory}/${name}.sock`;
  const remote = `unix:${socketPath}`;
  await execute('ovsdb-tool', ['create', file, schema]).catch((error: Error) => {
    // An existing file is opened as it is: that is how a test restarts a server.
    if (!/exists/i.test(error.message)) throw error;
  });
  const remotes = [`punix:${socketPath}`, ...(options.remotes ?? [])];
  const running = await options.processes.start({
    name: `${name}-ovsdb`,
    command: 'ovsdb-server',
    args: [
      file,
      ...remotes.map((each) => `--remote=${each}`),
      `--unixctl=${directory}/${name}.ctl`,
      '--no-chdir',
    ],
    namespace: options.namespace,
    env: ovsEnvironment(directory),
    ready: async () => (await execute('ovsdb-client', ['list-dbs', remote])) !== '',
  });
  return { remote, socketPath, pid: running.pid, stop: running.stop };
}

function ovsEnvironment(directory: string): Record<string, string> {
  return {
    OVS_RUNDIR: directory,
    OVN_RUNDIR: directory,
    OVS_LOGDIR: directory,
    OVN_LOGDIR: directory,
  };
}

export interface OvnNodeOptions {
  readonly namespace: string;
  /** Holds everything; created when it is not there. */
  readonly directory: string;
  readonly processes: Processes;
  /** Name of the chassis. */
  readonly systemId: string;
}

export class OvnNode {
  readonly systemId: string;
  readonly namespace: string;
  /** Remotes in ovn-nbctl's form: `unix:PATH`. */
  readonly northbound: string;
  readonly southbound: string;
  readonly #directory: string;

  constructor(options: OvnNodeOptions, northbound: string, southbound: string) {
    this.systemId = options.systemId;
    this.namespace = options.namespace;
    this.#directory = options.directory;
    this.northbound = northbound;
    this.southbound = southbound;
  }

  nbctl(...args: readonly string[]): Promise<string> {
    return this.#run('ovn-nbctl', [`--db=${this.northbound}`, ...args]);
  }

  sbctl(...args: readonly string[]): Promise<string> {
    return this.#run('ovn-sbctl', [`--db=${this.southbound}`, ...args]);
  }

  vsctl(...args: readonly string[]): Promise<string> {
    return this.#run('ovs-vsctl', [`--db=unix:${this.#directory}/vswitch.sock`, ...args]);
  }

  /** Waits until northd and ovn-controller have turned what is in NB into flows. */
  async sync(): Promise<void> {
    await this.nbctl('--timeout=30', '--wait=hv', 'sync');
  }

  /** A gateway router on this chassis; `options:chassis` is what makes it one. */
  async addGatewayRouter(router: string): Promise<void> {
    await this.nbctl(
      'lr-add',
      router,
      '--',
      'set',
      'Logical_Router',
      router,
      `options:chassis=${this.systemId}`,
    );
  }

  /** A switch joined to a router: router port `<port>`, switch port `<port>-peer`. */
  async connectSwitch(options: {
    readonly router: string;
    readonly logicalSwitch: string;
    readonly port: string;
    readonly mac: string;
    readonly networks: readonly string[];
  }): Promise<void> {
    const { router, logicalSwitch, port, mac, networks } = options;
    const peer = `${port}-peer`;
    await this.nbctl(
      ...['--may-exist', 'ls-add', logicalSwitch],
      ...['--', 'lrp-add', router, port, mac, ...networks],
      ...['--', 'lsp-add', logicalSwitch, peer],
      ...['--', 'lsp-set-type', peer, 'router'],
      ...['--', 'lsp-set-addresses', peer, 'router'],
      ...['--', 'lsp-set-options', peer, `router-port=${port}`],
    );
  }

  /** Opens a switch onto br-ex. */
  async addLocalnetPort(logicalSwitch: string): Promise<void> {
    const port = `${logicalSwitch}-localnet`;
    await this.nbctl(
      ...['lsp-add', logicalSwitch, port],
      ...['--', 'lsp-set-type', port, 'localnet'],
      ...['--', 'lsp-set-addresses', port, 'unknown'],
      ...['--', 'lsp-set-options', port, 'network_name=physical'],
    );
  }

  /** A switch port with one MAC and its addresses, and the device in this node's namespace that carries it. */
  async addPort(options: {
    readonly logicalSwitch: string;
    readonly port: string;
    readonly mac: string;
    readonly addresses: readonly string[];
    readonly device: string;
  }): Promise<void> {
    const { logicalSwitch, port, mac, addresses, device } = options;
    await this.nbctl(
      ...['lsp-add', logicalSwitch, port],
      ...['--', 'lsp-set-addresses', port, [mac, ...addresses].join(' ')],
    );
    await this.#handOver(device);
    await this.vsctl(
      ...['add-port', 'br-int', device],
      ...['--', 'set', 'Interface', device, `external_ids:iface-id=${port}`],
    );
  }

  /** Puts a device of this node's namespace into br-ex, beside the localnet port. */
  async addUplink(device: string): Promise<void> {
    await this.#handOver(device);
    await this.vsctl('add-port', 'br-ex', device);
  }

  /** The userspace datapath listens beside the kernel: without this both would answer ARP and neighbour solicitations. */
  async #handOver(device: string): Promise<void> {
    await execute('ip', ['-n', this.namespace, 'link', 'set', device, 'arp', 'off']);
    const setting = `net.ipv6.conf.${device}.disable_ipv6=1`;
    await execute('sysctl', ['-q', '-w', setting], { namespace: this.namespace });
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    return execute(command, args, { env: ovsEnvironment(this.#directory) });
  }
}

/** Starts the databases, the switch, northd and ovn-controller; resolves when the chassis is registered. */
export async function startOvnNode(options: OvnNodeOptions): Promise<OvnNode> {
  const { directory, namespace, processes, systemId } = options;
  const env = ovsEnvironment(directory);
  const database = (name: string, schema: string) =>
    startOvsdbServer({ name, directory, processes, schema, namespace });
  const [northbound, southbound, vswitch] = await Promise.all([
    database('northbound', schemas.northbound),
    database('southbound', schemas.southbound),
    database('vswitch', schemas.openVSwitch),
  ]);
  const node = new OvnNode(options, northbound.remote, southbound.remote);
  await node.vsctl('--no-wait', 'init');
  await processes.start({
    name: 'ovs-vswitchd',
    command: 'ovs-vswitchd',
    args: [vswitch.remote, `--unixctl=${directory}/ovs-vswitchd.ctl`, '--no-chdir'],
    namespace,
    env,
  });
  await node.vsctl(
    ...['add-br', 'br-int'],
    ...['--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail-mode=secure'],
    ...['--', 'add-br', 'br-ex', '--', 'set', 'Bridge', 'br-ex', 'datapath_type=netdev'],
    ...['--', 'set', 'Open_vSwitch', '.'],
    `external-ids:ovn-remote="${southbound.remote}"`,
    ...['external-ids:ovn-encap-type=geneve', 'external-ids:ovn-encap-ip=127.0.0.1'],
    ...[`external-ids:system-id=${systemId}`, 'external-ids:ovn-bridge-mappings=physical:br-ex'],
  );
  await processes.start({
    name: 'ovn-northd',
    command: 'ovn-northd',
    args: [
      ...[`--ovnnb-db=${northbound.remote}`, `--ovnsb-db=${southbound.remote}`],
      ...[`--unixctl=${directory}/ovn-northd.ctl`, '--no-chdir'],
    ],
    namespace,
    env,
  });
  await startController(options, node, vswitch.remote);
  return node;
}

/** OVN 23.03's ovn-controller now and then ends with SIGSEGV while it first connects; the packaged service starts it anew too. */
async function startController(
  { directory, namespace, processes, systemId }: OvnNodeOptions,
  node: OvnNode,
  vswitch: string,
): Promise<void> {
  const start = () =>
    processes.start({
      name: 'ovn-controller',
      command: 'ovn-controller',
      args: [vswitch, '--no-chdir'],
      namespace,
      env: ovsEnvironment(directory),
      ready: async () =>
        (await node.sbctl('--columns=name', 'find', 'Chassis', `name=${systemId}`)) !== '',
    });
  for (let attempt = 1; ; attempt++) {
    try {
      const controller = await start();
      const crash = controller.ended.then((result) => {
        throw new Error(`ovn-controller ended with ${result} while it started`);
      });
      return await Promise.race([node.sync(), crash]);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
