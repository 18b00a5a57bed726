// A node with VRFs beside an FRR router with the same ones. In red, blue and amber everything has the same address.
//
//   tor  FRR  AS 65001                               node  AS 64512 (agent)
//     VRF red    to-red    10.0.0.2/24  ───────────  red0    10.0.0.1/24  VRF red    table 10
//     VRF blue   to-blue   10.0.0.2/24  ───────────  blue0   10.0.0.1/24  VRF blue   table 20
//     VRF green  to-green  fe80::2      ───────────  green0  fe80::1      VRF green  table 30, made when a test says so
//                                                                         VRF grey   table 40, imports what blue learns
//                                                                         VRF violet           made on the table of another network
//     VRF amber  to-amber  10.0.0.2/24  ───────────  amber0  10.0.0.1/24  VRF amber  table 50, filled by an FRR of the node's own
//
// In red we connect, in blue FRR does. The site makes and removes VRF devices; the agent never does.
import { chmodSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient } from '../../src/control/client.ts';
import { execute } from '../../src/lab/execute.ts';
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { Processes, type RunningProcess, waitUntil } from '../../src/lab/processes.ts';
import { rutterCommand } from '../../src/lab/rutter.ts';
import { peer } from './agent-site.ts';
import { dialProgram } from './vrf-dial.ts';

export const TABLES = { red: 10, blue: 20, green: 30, grey: 40, amber: 50, violet: 60 } as const;
export type VrfName = keyof typeof TABLES;

/** Of our routes. */
const PROTOCOL = '114';

type Json = Record<string, unknown>;

export class VrfSite implements AsyncDisposable {
  readonly #directory: string;
  readonly #namespaces: NetworkNamespaces;
  readonly #processes: Processes;
  #node = '';
  #tor = '';
  #frr: Frr | undefined;
  #agent: RunningProcess | undefined;
  #agentCount = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#namespaces = new NetworkNamespaces(`vrf-${process.pid}`);
    this.#processes = new Processes(directory);
  }

  /** The router and the agent are up; green is not there yet. */
  static async open(): Promise<VrfSite> {
    const directory = await mkdtemp(join(tmpdir(), `rutter-vrf-${process.pid}-`));
    chmodSync(directory, 0o755); // FRR's user reads in it
    const site = new VrfSite(directory);
    try {
      await site.#wire();
      await site.#startRouter();
      await site.#startNodeRouter();
      await site.startAgent();
    } catch (error) {
      const report = await site.report();
      await site[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n${report}`, { cause: error });
    }
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]();
    await this.#namespaces[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #wire(): Promise<void> {
    this.#node = await this.#namespaces.add('node');
    this.#tor = await this.#namespaces.add('tor');
    await this.addVrf('grey', TABLES.grey);
    for (const vrf of ['red', 'blue', 'green', 'amber'] as const) {
      await this.#namespaces.link(
        { namespace: this.#node, device: `${vrf}0` },
        { namespace: this.#tor, device: `to-${vrf}` },
      );
      await this.#addVrf(this.#tor, vrf, `to-${vrf}`, TABLES[vrf], 2);
      if (vrf !== 'green') await this.addVrf(vrf, TABLES[vrf]);
    }
  }

  /** The node's namespace. */
  get node(): string {
    return this.#node;
  }

  /** Makes a VRF device on the node, with its link in it. */
  async addVrf(vrf: VrfName, table: number): Promise<void> {
    if (vrf !== 'grey' && vrf !== 'violet')
      return this.#addVrf(this.#node, vrf, `${vrf}0`, table, 1);
    await this.ip('link', 'add', vrf, 'type', 'vrf', 'table', String(table));
    await this.ip('link', 'set', vrf, 'up');
    // As VRFs should be: what is not in the table is nowhere, and not in the main tables.
    const nowhere = ['unreachable', 'default', 'metric', '4278198272'];
    await this.ip('route', 'add', ...nowhere, 'vrf', vrf);
  }

  async removeVrf(vrf: VrfName): Promise<void> {
    await this.ip('link', 'delete', vrf);
  }

  /** Another device of the same name and table, so quickly that nobody sees the time between. */
  async renewVrf(vrf: VrfName, table: number): Promise<void> {
    const lines = [
      `link delete ${vrf}`,
      `link add ${vrf} type vrf table ${table}`,
      `link set ${vrf} up`,
      `link set ${vrf}0 master ${vrf}`,
    ];
    await execute('ip', ['-n', this.#node, '-batch', '-'], { input: lines.join('\n') });
  }

  /** Takes our routes out of a network's targets. */
  async flush(network: VrfName): Promise<void> {
    await new ControlClient(this.#socket).post('/v1/flush', { network });
  }

  async #addVrf(
    namespace: string,
    vrf: VrfName,
    link: string,
    table: number,
    host: number,
  ): Promise<void> {
    const ip = (...args: string[]) => execute('ip', ['-n', namespace, ...args]);
    await ip('link', 'add', vrf, 'type', 'vrf', 'table', String(table));
    await ip('link', 'set', vrf, 'up');
    await ip('link', 'set', link, 'master', vrf);
    const address = vrf === 'green' ? `fe80::${host}/64` : `10.0.0.${host}/24`;
    const nodad = vrf === 'green' ? ['nodad'] : [];
    await ip('address', 'replace', address, 'dev', link, ...nodad);
  }

  async #startRouter(): Promise<void> {
    this.#frr = await startFrr({
      namespace: this.#tor,
      directory: `${this.#directory}/frr`,
      processes: this.#processes,
      configuration: [
        ...session('red', '10.0.0.1', ' neighbor 10.0.0.1 passive'),
        ...ipv4('network 198.51.100.0/24', 'network 192.0.2.0/25'),
        // Waiting for a peer to come back gracefully, FRR does not connect; here it is to.
        ...session('blue', '10.0.0.1', ' neighbor 10.0.0.1 graceful-restart-disable'),
        ...ipv4('network 198.51.100.0/24', 'network 192.0.2.128/25'),
        ...session('amber', '10.0.0.1'),
        ...ipv4('network 198.51.100.0/24', 'network 203.0.113.0/25'),
        ...session('green', 'fe80::1', ' neighbor fe80::1 interface to-green'),
        ' address-family ipv6 unicast',
        '  network 2001:db8:9::/48',
        '  neighbor fe80::1 activate',
        ' exit-address-family',
        'exit',
        '',
      ].join('\n'),
    });
  }

  /** Another program of the node that speaks BGP, in VRF amber alone. */
  async #startNodeRouter(): Promise<void> {
    await startFrr({
      namespace: this.#node,
      directory: `${this.#directory}/node-frr`,
      processes: this.#processes,
      bgpdArgs: ['-p', '0'],
      configuration: [
        `router bgp 64512 vrf amber`,
        ' bgp router-id 10.0.0.1',
        ' no bgp ebgp-requires-policy',
        ' neighbor 10.0.0.2 remote-as 65001',
        ' neighbor 10.0.0.2 timers connect 1',
        'exit',
        '',
      ].join('\n'),
    });
  }

  #configuration(): object {
    const vrfPeer = (vrf: VrfName, address: string, more: object) =>
      peer(`tor-${vrf}`, address, 65001, { network: vrf, ...more });
    const network = (vrf: VrfName, advertise: string[]) => ({ name: vrf, vrf, advertise });
    return {
      node: 'node',
      bgp: {
        asn: 64512,
        routerId: '10.0.0.1',
        listen: [{ address: '0.0.0.0' }, { address: '::' }],
        peers: [
          vrfPeer('red', '10.0.0.2', {}),
          vrfPeer('blue', '10.0.0.2', { passive: true }),
          vrfPeer('green', 'fe80::2', { interface: 'green0' }),
          peer('main', '10.0.0.2', 65001, { passive: true }), // nobody is there
        ],
      },
      networks: [
        { name: 'default' },
        network('red', ['22.100.1.0/24']),
        network('blue', ['22.100.2.0/24']),
        network('green', ['2001:db8:22::/64']),
        { ...network('grey', []), imports: [{ from: 'blue' }] },
        network('violet', []),
        { name: 'plain', table: TABLES.violet, imports: [{ from: 'blue' }] },
        network('amber', []),
      ],
      sources: [{ kind: 'kernel', vrfs: ['amber'] }],
      control: { socket: this.#socket },
      log: { level: 'debug' },
      startup: { deadline: '5s' }, // green's peer cannot send its End-of-RIB
    };
  }

  get #socket(): string {
    return `${this.#directory}/rutter.sock`;
  }

  async startAgent(): Promise<void> {
    const file = `${this.#directory}/rutter.yaml`;
    await writeFile(file, JSON.stringify(this.#configuration())); // JSON is YAML
    const [command, args] = rutterCommand(['agent', '--config', file]);
    this.#agent = await this.#processes.start({
      name: `agent-${++this.#agentCount}`,
      command,
      args,
      namespace: this.#node,
      ready: async () => (await new ControlClient(this.#socket).get('/v1/status')) !== undefined,
      readyTimeoutMs: 100_000,
    });
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop();
  }

  ip(...args: string[]): Promise<string> {
    return execute('ip', ['-n', this.#node, ...args]);
  }

  /** Lines of `ip route show` of a table, sorted: ours, or those of others. */
  async routes(table: number, whose: 'ours' | 'others'): Promise<string[]> {
    const lines: string[] = [];
    for (const family of ['-4', '-6']) {
      const text = await this.ip('-N', family, 'route', 'show', 'table', String(table)).catch(
        () => '', // nobody has written to it yet
      );
      lines.push(...text.split('\n').map((line) => line.trim()));
    }
    const isOurs = (line: string) => line.includes(`proto ${PROTOCOL} `);
    return lines.filter((line) => line !== '' && isOurs(line) === (whose === 'ours')).sort();
  }

  /** `prefix gateway device` of our routes in a table. */
  async ours(table: number): Promise<string[]> {
    const form = /^(\S+) nhid \d+ via (\S+) dev (\S+)/;
    const lines = await this.routes(table, 'ours');
    return lines.map((line) => form.exec(line)?.slice(1).join(' ') ?? line);
  }

  /** `prefix gateway` of what a network has learned and chosen. */
  async learnedHere(network: VrfName): Promise<string[]> {
    const lines: string[] = [];
    const query = { network, stage: 'loc-rib' };
    for await (const route of new ControlClient(this.#socket).stream('/v1/routes', query)) {
      const nextHops = route['nextHops'] as { address: string }[];
      lines.push(`${route['prefix']} ${nextHops.map(({ address }) => address).join(' ')}`);
    }
    return lines.sort();
  }

  /** Runs configuration lines on the router. */
  async configureRouter(...lines: string[]): Promise<void> {
    await this.#frr!.configure(`${lines.join('\n')}\n`);
  }

  async network(name: VrfName): Promise<Json> {
    return named(await this.#ask('networks'), 'network', name);
  }

  peer(vrf: VrfName): Promise<Json> {
    return this.peerNamed(`tor-${vrf}`);
  }

  async peerNamed(name: string): Promise<Json> {
    return named(await this.#ask('peers'), 'name', name);
  }

  /** Listeners of no VRF hear every VRF in which nobody listens. */
  async acceptFromVrfs(): Promise<void> {
    const setting = 'net.ipv4.tcp_l3mdev_accept=1';
    await execute('sysctl', ['-q', '-w', setting], { namespace: this.#node });
  }

  /** How much the agent says to who connects from the router's VRF, before it closes. */
  async bytesOnDial(vrf: VrfName): Promise<number> {
    const args = [dialProgram, '10.0.0.1', vrf];
    return Number(await execute(process.execPath, args, { namespace: this.#tor }));
  }

  async isEstablished(vrf: VrfName): Promise<boolean> {
    return (await this.peer(vrf))['state'] === 'established';
  }

  async #ask(path: string): Promise<Json[]> {
    return (await new ControlClient(this.#socket).get(`/v1/${path}`)) as Json[];
  }

  /** Prefixes the router has learned from us in a VRF. */
  async learned(vrf: VrfName): Promise<string[]> {
    const family = vrf === 'green' ? 'ipv6' : 'ipv4';
    const show = `show bgp vrf ${vrf} ${family} unicast json`;
    const { routes } = (await this.#frr!.vtyshJson(show)) as {
      routes: Record<string, { path?: string }[]>;
    };
    const isFromUs = (paths: { path?: string }[]) => paths.some(({ path }) => path === '64512');
    return Object.keys(routes)
      .filter((prefix) => isFromUs(routes[prefix]!))
      .sort();
  }

  /** Lines that `ip monitor route` prints for our routes from now until the returned function is called. */
  async watchRoutes(): Promise<() => Promise<string[]>> {
    const monitor = await this.#processes.start({
      name: 'monitor',
      command: 'ip',
      args: ['-n', this.#node, '-N', '-timestamp', 'monitor', 'route'],
    });
    // It hears us when it hears this.
    const marker = '203.0.113.255/32';
    await this.until('the route monitor', async () => {
      await this.ip('route', 'add', 'blackhole', marker, 'table', '99');
      await this.ip('route', 'delete', 'blackhole', marker, 'table', '99');
      return (await readFile(monitor.outputFile, 'utf8')).includes(marker.split('/')[0]!);
    });
    return async () => {
      await monitor.stop();
      const lines = (await readFile(monitor.outputFile, 'utf8')).split('\n');
      return lines.filter((line) => line.includes(`proto ${PROTOCOL} `));
    };
  }

  async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    await waitUntil(condition, { what, timeoutMs: 100_000, intervalMs: 200 });
  }

  /** What a person needs to see after a failure. */
  async report(): Promise<string> {
    const parts = [
      ['routes', () => this.ip('route', 'show', 'table', 'all')],
      ['links', () => this.ip('-brief', 'link')],
      ['peers', async () => JSON.stringify(await this.#ask('peers'))],
      ['networks', async () => JSON.stringify(await this.#ask('networks'))],
      ['router', async () => (await this.#frr?.vtysh('show bgp vrf all summary')) ?? ''],
      ['agent', async () => lastLines(await readFile(this.#agent!.outputFile, 'utf8'))],
    ] as const;
    const texts = parts.map(async ([title, read]) => {
      const text = await read().catch((error: Error) => error.message);
      return `-- ${title}\n${text.trimEnd()}`;
    });
    return (await Promise.all(texts)).join('\n');
  }
}

/** Lines of FRR for a session of the router in a VRF. */
function session(vrf: VrfName, peerAddress: string, ...lines: string[]): string[] {
  return [
    `router bgp 65001 vrf ${vrf}`,
    ' bgp router-id 10.0.0.2',
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ` neighbor ${peerAddress} remote-as 64512`,
    ` neighbor ${peerAddress} timers connect 1`,
    ` neighbor ${peerAddress} advertisement-interval 0`,
    ...lines,
  ];
}

/** The rest of it. */
function ipv4(...lines: string[]): string[] {
  const indented = lines.map((line) => `  ${line}`);
  return [' address-family ipv4 unicast', ...indented, ' exit-address-family', 'exit'];
}

function named(items: readonly Json[], key: string, value: string): Json {
  const item = items.find((each) => each[key] === value);
  if (item === undefined) throw new Error(`no ${key} ${value}`);
  return item;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-30).join('\n');
}
