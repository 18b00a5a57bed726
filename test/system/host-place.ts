// A network namespace with a link to a neighbour: a kernel of its own for host sink tests.
import { spawn } from 'node:child_process';
import { execute } from '../../src/lab/execute.ts';
import { NetworkNamespaces } from '../../src/lab/namespaces.ts';
import type { HostSinkOptions } from '../../src/sinks/host/options.ts';

export const TABLE = 100;
export const PROTOCOL = 114;
export const METRIC = 20;

export class HostPlace {
  readonly namespace: string;
  readonly #namespaces: NetworkNamespaces;
  readonly #neighbour: string;

  private constructor(namespaces: NetworkNamespaces, namespace: string, neighbour: string) {
    this.#namespaces = namespaces;
    this.namespace = namespace;
    this.#neighbour = neighbour;
  }

  /** `up0` (10.1.1.1/24, 2001:db8:1::1/64) and `up1` (10.1.2.1/24), each with a neighbour behind. */
  static async create(): Promise<HostPlace> {
    const namespaces = new NetworkNamespaces('host-sink');
    const namespace = await namespaces.add('node');
    const neighbour = await namespaces.add('peer');
    await namespaces.link(
      { namespace, device: 'up0', addresses: ['10.1.1.1/24', '2001:db8:1::1/64'] },
      { namespace: neighbour, device: 'dn0', addresses: ['10.1.1.2/24', '2001:db8:1::2/64'] },
    );
    await namespaces.link(
      { namespace, device: 'up1', addresses: ['10.1.2.1/24'] },
      { namespace: neighbour, device: 'dn1', addresses: ['10.1.2.2/24'] },
    );
    return new HostPlace(namespaces, namespace, neighbour);
  }

  options(options: Partial<HostSinkOptions> = {}): HostSinkOptions {
    return {
      table: TABLE,
      protocol: PROTOCOL,
      metric: METRIC,
      namespace: this.namespace,
      ...options,
    };
  }

  /** Runs `ip ARGS` in here; the arguments separated by blanks. */
  ip(args: string): Promise<string> {
    return execute('ip', ['-n', this.namespace, ...args.split(' ')]);
  }

  /** The same at the other end of the links. */
  neighbourIp(args: string): Promise<string> {
    return execute('ip', ['-n', this.#neighbour, ...args.split(' ')]);
  }

  /** Feeds lines to one `ip -batch -`. */
  async batch(lines: readonly string[]): Promise<void> {
    const args = ['-n', this.namespace, '-batch', '-'];
    await execute('ip', args, { input: `${lines.join('\n')}\n`, timeoutMs: 300_000 });
  }

  /** The table's routes of both families as the kernel lists them; an absent table is empty. */
  async routes(table: string | number = TABLE): Promise<string[]> {
    const listings = ['-4', '-6'].map((family) =>
      this.ip(`-N -oneline ${family} route show table ${table}`).catch(() => ''),
    );
    return (await Promise.all(listings)).join('').split('\n').filter(Boolean);
  }

  /** Routes that are not ours, byte for byte. */
  async foreign(): Promise<string> {
    const all = await Promise.all([this.routes(), this.routes('main')]);
    return all
      .flat()
      .filter((line) => !isOwn(line))
      .join('\n');
  }

  async nextHops(): Promise<string[]> {
    return (await this.ip('-N nexthop show')).split('\n').filter(Boolean);
  }

  async interfaceIndex(device: string): Promise<number> {
    const [link] = JSON.parse(await this.ip(`-json link show dev ${device}`));
    return link.ifindex;
  }

  /** Every change of routes from now on, as `ip monitor` tells it. */
  async watchRoutes(): Promise<{ stop(): Promise<string[]> }> {
    const args = ['-n', this.namespace, '-N', '-oneline', '-rcvbuf', '8388608', 'monitor', 'route'];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    const marked = async (mark: string) => {
      while (!text.includes(mark)) {
        await this.ip(`route replace blackhole ${mark} table 99`);
        await this.ip(`route del blackhole ${mark} table 99`);
      }
    };
    await marked('240.0.0.1');
    return {
      stop: async () => {
        await marked('240.0.0.2'); // What came before it has been told.
        child.kill();
        const lines = text.split('\n').filter(Boolean);
        return lines.filter((line) => !line.includes('240.0.0.'));
      },
    };
  }

  async dispose(): Promise<void> {
    await this.#namespaces[Symbol.asyncDispose]();
  }
}

export function isOwn(line: string): boolean {
  return line.includes(` proto ${PROTOCOL} `) && line.includes(` metric ${METRIC} `);
}
