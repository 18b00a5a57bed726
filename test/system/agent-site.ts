// The real agent among real parts: a node between an FRR and a BIRD router, a Northbound database, and the program as its user calls it.
//
//   tor-a  FRR  AS 65001  10.78.1.2  fd00:78:1::2 ── to-a ┐
//                                                        node  AS 64512  10.78.1.1, 10.78.2.1 (agent, kernel table, Northbound)
//   tor-b  BIRD AS 65002  10.78.2.2  fd00:78:2::2 ── to-b ┘
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient, type Query } from '../../src/control/client.ts';
import { type Bird, startBird } from '../../src/lab/bird.ts';
import { execute, inNamespace } from '../../src/lab/execute.ts';
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import { type OvsdbServer, schemas, startOvsdbServer } from '../../src/lab/ovn.ts';
import { Processes, type RunningProcess, waitUntil } from '../../src/lab/processes.ts';
import { rutterCommand } from '../../src/lab/rutter.ts';

export const isRoot = process.getuid?.() === 0;

export const FRR = '10.78.1.2';
export const BIRD = '10.78.2.2';
export const ROUTER = 'GR_node';
export const OUTPUT_PORT = 'rtoe-GR_node';
export const TABLE = 100;

/** What a program printed and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AgentOptions {
  /** Laid over the configuration of all sites. */
  readonly config?: object;
  readonly args?: readonly string[];
}

type Json = Record<string, unknown>;

export class AgentSite implements AsyncDisposable {
  readonly directory: string;
  readonly #namespaces: NetworkNamespaces;
  readonly processes: Processes;
  node = '';
  torA = '';
  torB = '';
  #northbound: OvsdbServer | undefined;
  #agentCount = 0;

  private constructor(directory: string) {
    this.directory = directory;
    this.#namespaces = new NetworkNamespaces(`agent-${process.pid}`);
    this.processes = new Processes(directory);
  }

  static async open(): Promise<AgentSite> {
    const directory = await mkdtemp(join(tmpdir(), `rutter-agent-${process.pid}-`));
    chmodSync(directory, 0o755); // FRR's user reads in it
    const site = new AgentSite(directory);
    try {
      await site.#wire();
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
    return site;
  }

  async #wire(): Promise<void> {
    this.node = await this.#namespaces.add('node');
    this.torA = await this.#namespaces.add('a');
    this.torB = await this.#namespaces.add('b');
    for (const [number, namespace, device] of [
      [1, this.torA, 'to-a'],
      [2, this.torB, 'to-b'],
    ] as const) {
      const addresses = (host: number) => [
        `10.78.${number}.${host}/24`,
        `fd00:78:${number}::${host}/64`,
      ];
      await this.#namespaces.link(
        { namespace: this.node, device, addresses: addresses(1) },
        { namespace, device: 'node', addresses: addresses(2) },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes[Symbol.asyncDispose]();
    await this.#namespaces[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** tor-a. `lines`: inside `router bgp`; `before`: route maps and the like. */
  async frr(lines: readonly string[], before: readonly string[] = []): Promise<Frr> {
    return startFrr({
      namespace: this.torA,
      directory: `${this.directory}/frr`,
      processes: this.processes,
      configuration: [
        ...before,
        'router bgp 65001',
        ` bgp router-id ${FRR}`,
        ' no bgp ebgp-requires-policy',
        ' no bgp network import-check',
        ' neighbor 10.78.1.1 remote-as 64512',
        ' neighbor 10.78.1.1 timers connect 1',
        ' neighbor 10.78.1.1 advertisement-interval 0',
        ...lines,
        'exit',
        '',
      ].join('\n'),
    });
  }

  /** tor-b, announcing static routes. */
  async bird(routes: readonly string[], exports = 'accept;'): Promise<Bird> {
    return startBird({
      namespace: this.torB,
      directory: `${this.directory}/bird`,
      processes: this.processes,
      configuration: birdConfiguration(routes, exports),
    });
  }

  /** Makes BIRD announce these routes from now on. */
  async birdAnnounces(bird: Bird, routes: readonly string[], exports = 'accept;'): Promise<void> {
    await writeFile(`${this.directory}/bird/bird.conf`, birdConfiguration(routes, exports));
    await bird.birdc('configure');
  }

  get northbound(): string {
    return `unix:${this.directory}/nb/nb.sock`;
  }

  /** An existing database is served again, with what is in it. */
  async startNorthbound(): Promise<void> {
    this.#northbound = await startOvsdbServer({
      name: 'nb',
      directory: `${this.directory}/nb`,
      processes: this.processes,
      schema: schemas.northbound,
    });
  }

  async stopNorthbound(): Promise<void> {
    await this.#northbound?.stop('SIGKILL');
  }

  async addRouter(name = ROUTER, port = OUTPUT_PORT): Promise<void> {
    await this.nbctl(
      'lr-add',
      name,
      '--',
      'lrp-add',
      name,
      port,
      '02:00:00:78:00:01',
      '10.78.9.1/24',
    );
  }

  nbctl(...args: readonly string[]): Promise<string> {
    return execute('ovn-nbctl', [`--db=${this.northbound}`, ...args]);
  }

  ip(...args: readonly string[]): Promise<string> {
    return execute('ip', ['-n', this.node, ...args]);
  }

  /** `prefix via nexthop` of every static route in the Northbound database, sorted. */
  async rows(): Promise<string[]> {
    const text = await this.nbctl(
      ...['--format=json', '--columns=ip_prefix,nexthop', 'list', 'Logical_Router_Static_Route'],
    );
    const { data } = JSON.parse(text) as { data: [string, string][] };
    return data.map(([prefix, nextHop]) => `${prefix} via ${nextHop}`).sort();
  }

  /** The same of the kernel table, IPv4. */
  async kernelRoutes(): Promise<string[]> {
    const text = await this.ip('-4', '-json', 'route', 'show', 'table', String(TABLE)).catch(
      () => '',
    );
    const routes = JSON.parse(text || '[]') as {
      dst: string;
      gateway?: string;
      nexthops?: { gateway: string }[];
    }[];
    return routes
      .flatMap(({ dst, gateway, nexthops = [{ gateway: gateway ?? '' }] }) =>
        nexthops.map((nextHop) => `${dst} via ${nextHop.gateway}`),
      )
      .sort();
  }

  get socket(): string {
    return `${this.directory}/rutter.sock`;
  }

  get configFile(): string {
    return `${this.directory}/rutter.yaml`;
  }

  /** Writes the configuration file; JSON is YAML. */
  async configure(overrides: object = {}): Promise<void> {
    const config = merge(this.#configuration(), overrides as Json);
    await writeFile(this.configFile, JSON.stringify(config, undefined, 2));
  }

  #configuration(): Json {
    return {
      node: 'node',
      bgp: {
        asn: 64512,
        routerId: '10.78.1.1',
        listen: [],
        peers: [peer('tor-a', FRR, 65001), peer('tor-b', BIRD, 65002)],
      },
      networks: [
        {
          name: 'default',
          table: TABLE,
          // What is looked at is rows, one by one.
          ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'off' },
        },
      ],
      ovn: { northbound: this.northbound },
      control: { socket: this.socket },
    };
  }

  /** Resolves when it answers on its socket. */
  async agent({ config = {}, args = [] }: AgentOptions = {}): Promise<RunningProcess> {
    await this.configure(config);
    const [command, list] = rutterCommand(['agent', '--config', this.configFile, ...args]);
    return this.processes.start({
      name: `agent-${++this.#agentCount}`,
      command,
      args: list,
      namespace: this.node,
      ready: async () => (await this.ask('status')) !== undefined,
    });
  }

  /** The log's lines with this event. */
  async logged({ outputFile }: RunningProcess, event: string): Promise<Json[]> {
    const lines = (await readFile(outputFile, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Json).filter((line) => line['event'] === event);
  }

  /** Runs the program as a user would. */
  rutter(...args: readonly string[]): Promise<Outcome> {
    return this.#run(...rutterCommand(args));
  }

  /** The same in the node's namespace: for commands that look into the kernel. */
  rutterInNode(...args: readonly string[]): Promise<Outcome> {
    return this.#run(...inNamespace(this.node, ...rutterCommand(args)));
  }

  #run(command: string, list: readonly string[]): Promise<Outcome> {
    const env = { ...process.env, NO_COLOR: '1' };
    return new Promise((resolve) => {
      execFile(command, list, { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
    });
  }

  /** Asks the running agent, as the commands do. */
  async ask(path: string, query: Query = {}): Promise<Json> {
    return (await new ControlClient(this.socket).get(`/v1/${path}`, query)) as Json;
  }

  async list(path: 'peers' | 'networks' | 'routes' | 'drift', query: Query = {}): Promise<Json[]> {
    const client = new ControlClient(this.socket);
    if (path === 'peers' || path === 'networks') return (await client.get(`/v1/${path}`)) as Json[];
    const objects: Json[] = [];
    for await (const object of client.stream(`/v1/${path}`, query)) objects.push(object);
    return objects;
  }

  /** State and counters of the default network's target. */
  async target(kind: 'ovn' | 'host'): Promise<Json> {
    const [network] = await this.list('networks');
    return (network!['targets'] as Json[]).find(({ target }) => target === kind)!;
  }

  /** A command to the running agent. */
  asked(...args: readonly string[]): Promise<Outcome> {
    return this.rutter(...args, '--socket', this.socket);
  }

  async until(what: string, condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
    await waitUntil(condition, { what, timeoutMs, intervalMs: 50 });
  }
}

export function peer(name: string, address: string, asn: number, more: object = {}): object {
  return { name, address, asn, connectRetryTime: '1s', import: 'accept', ...more };
}

/** Maps are merged; anything else is replaced. */
function merge(base: Json, over: Json): Json {
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const was = merged[key];
    merged[key] = isMap(was) && isMap(value) ? merge(was, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function birdConfiguration(routes: readonly string[], exports: string): string {
  const family = (isIpv6: boolean) =>
    routes
      .filter((route) => route.includes(':') === isIpv6)
      .map((route) => `  route ${route} blackhole;`);
  const session = (isIpv6: boolean) =>
    ` ${isIpv6 ? 'ipv6' : 'ipv4'} { import all; export filter { ${exports} }; next hop self; };`;
  return [
    `router id ${BIRD};`,
    'protocol device {}',
    'protocol static s4 {',
    ' ipv4;',
    ...family(false),
    '}',
    'protocol static s6 {',
    ' ipv6;',
    ...family(true),
    '}',
    'protocol bgp node {',
    ' local 10.78.2.2 as 65002;',
    ' neighbor 10.78.2.1 as 64512;',
    ' connect delay time 1; connect retry time 1; error wait time 1, 2;',
    session(false),
    session(true),
    '}',
    '',
  ].join('\n');
}
