// Watches a real table change by change, and looks up after each what becomes of every address that it touched: an OVSDB monitor of static
// routes, transaction by transaction, and `ip monitor`, route by route. What a place is allowed to do with an address is told beforehand.
//
// The kernel and the database tell changes in the order in which they were made, so no state in between is missed, however short. That none was
// lost is shown at the end: what the witness believes is there must be what is there. The monitors write files: they never wait for us.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { execute } from '../../src/lab/execute.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import {
  ForwardingTable,
  formatIpv4,
  type Ipv4Prefix,
  lastAddress,
  parseIpv4Prefix,
} from './forwarding-table.ts';

/** Labels that an address may have; undefined is no route. */
export type Allowed = (address: number) => readonly (string | undefined)[];

/** Bytes: a monitor that lost an event has proved nothing. */
const WATCH_BUFFER = String(256 << 20);
const VIOLATIONS_KEPT = 20;
const READ_MS = 5;

export interface WitnessOptions {
  readonly file: string;
  readonly probes: readonly number[];
}

abstract class Witness {
  readonly #name: string;
  readonly #probes: Float64Array;
  readonly #child: ChildProcess;
  readonly #input: number;
  readonly #timer: NodeJS.Timeout;
  readonly #chunk = Buffer.alloc(1 << 20);
  readonly #decoder = new StringDecoder();
  #rest = '';
  readonly #table = new ForwardingTable();
  #allowed: Allowed | undefined;
  #complaints = '';
  /** Changes seen so far. */
  changeCount = 0;
  violationCount = 0;
  /** The first of them. */
  readonly violations: string[] = [];

  /** `file`: for what the monitor says. `probes`: the addresses to look up, sorted. */
  protected constructor(
    name: string,
    { file, probes }: WitnessOptions,
    [command, ...args]: readonly [string, ...string[]],
  ) {
    this.#name = name;
    this.#probes = Float64Array.from(probes);
    const output = openSync(file, 'w');
    this.#child = spawn(command, args, { stdio: ['ignore', output, 'pipe'] });
    closeSync(output);
    this.#input = openSync(file, 'r');
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    this.#timer = setInterval(() => this.#read(), READ_MS);
  }

  #read(): void {
    for (let size = 1; size > 0; ) {
      size = readSync(this.#input, this.#chunk);
      const text = this.#rest + this.#decoder.write(this.#chunk.subarray(0, size));
      const lines = text.split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#take(line);
    }
  }

  #take(line: string): void {
    const touched = this.take(line);
    this.changeCount += touched.length;
    for (const prefix of touched) this.#table.set(prefix, this.labelOf(prefix));
    if (this.#allowed !== undefined) for (const prefix of touched) this.#look(prefix);
  }

  /** Takes one line of the monitor; the prefixes that it changes, together. */
  protected abstract take(line: string): readonly Ipv4Prefix[];
  protected abstract labelOf(prefix: Ipv4Prefix): string | undefined;
  /** What the place itself says. */
  protected abstract read(): Promise<ForwardingTable>;

  /** From now on every address may be forwarded so only, beginning with what is there. */
  allow(allowed: Allowed | undefined): void {
    this.#allowed = allowed;
    if (allowed !== undefined) this.#look({ address: 0, length: 0 });
  }

  /** Resolves when the witness has seen everything there is. */
  async caughtUp(): Promise<void> {
    const agrees = async () =>
      JSON.stringify((await this.read()).entries()) === JSON.stringify(this.entries());
    await waitUntil(agrees, {
      what: `the witness of ${this.#name} to have seen all that is there`,
      timeoutMs: 10_000,
      intervalMs: 100,
    });
  }

  /** `prefix label` of everything there, sorted. */
  entries(): string[] {
    return this.#table.entries();
  }

  lookUp(address: number): string | undefined {
    return this.#table.lookUp(address);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    closeSync(this.#input);
    const { exitCode } = this.#child;
    const complaints = this.#complaints; // and not of its end
    if (exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill();
      await ended;
    }
    if (exitCode !== null || complaints !== '') {
      throw new Error(`witness of ${this.#name}: exit code ${exitCode}, ${complaints}`);
    }
  }

  #look(prefix: Ipv4Prefix): void {
    const last = lastAddress(prefix);
    for (let i = firstAtLeast(this.#probes, prefix.address); i < this.#probes.length; i++) {
      const address = this.#probes[i]!;
      if (address > last) return;
      const label = this.#table.lookUp(address);
      const allowed = this.#allowed!(address);
      if (!allowed.includes(label)) this.#accuse(address, label, allowed);
    }
  }

  #accuse(
    address: number,
    label: string | undefined,
    allowed: readonly (string | undefined)[],
  ): void {
    this.violationCount++;
    if (this.violations.length >= VIOLATIONS_KEPT) return;
    const change = `change ${this.changeCount} of ${this.#name}`;
    this.violations.push(
      `${change}: ${formatIpv4(address)} by ${label}, expected ${allowed.join(' or ')}`,
    );
  }
}

/** Every static route of a Northbound database. The label of a prefix: the next hops of all its rows. */
export class RowWitness extends Witness {
  readonly #remote: string;
  readonly #rows = new Map<string, { prefix: string; nexthop: string }>();
  readonly #byPrefix = new Map<string, Map<string, string>>();

  constructor(remote: string, options: WitnessOptions) {
    super('OVN', options, [
      'ovsdb-client',
      ...['--format=json', 'monitor', remote, 'OVN_Northbound'],
      ...['Logical_Router_Static_Route', 'ip_prefix,nexthop'],
    ]);
    this.#remote = remote;
  }

  // Before the base class has set anything up no line can come: lines come in a later turn of the loop.
  protected take(line: string): Ipv4Prefix[] {
    const { data } = JSON.parse(line) as { data: [string, string, string | null, string | null][] };
    const touched = new Set<string>();
    let changing = '';
    for (const [uuid, action, prefix, nexthop] of data) {
      if (action === 'old') changing = uuid;
      else if (action === 'new') this.#put(changing, prefix!, nexthop!, touched);
      else if (action === 'delete') this.#remove(uuid, touched);
      else this.#put(uuid, prefix!, nexthop!, touched);
    }
    return [...touched].map(parseIpv4Prefix);
  }

  protected labelOf(prefix: Ipv4Prefix): string | undefined {
    const rows = this.#byPrefix.get(keyOf(prefix));
    return rows && [...rows.values()].sort().join(' ');
  }

  protected async read(): Promise<ForwardingTable> {
    const text = await execute('ovsdb-client', [
      ...['dump', '--format=csv', '--data=bare', this.#remote, 'OVN_Northbound'],
      ...['Logical_Router_Static_Route', 'ip_prefix', 'nexthop'],
    ]);
    const hops = new Map<string, string[]>();
    for (const line of text.split('\n').filter((each) => /^\d/.test(each))) {
      const [prefix, nexthop] = line.split(',') as [string, string];
      hops.set(prefix, [...(hops.get(prefix) ?? []), nexthop]);
    }
    return toTable(hops, (list) => list.sort().join(' '));
  }

  #put(uuid: string, prefix: string, nexthop: string, touched: Set<string>): void {
    this.#remove(uuid, touched);
    this.#rows.set(uuid, { prefix, nexthop });
    const key = keyOf(parseIpv4Prefix(prefix));
    const rows = this.#byPrefix.get(key) ?? new Map<string, string>();
    this.#byPrefix.set(key, rows.set(uuid, nexthop));
    touched.add(prefix);
  }

  #remove(uuid: string, touched: Set<string>): void {
    const row = this.#rows.get(uuid);
    if (row === undefined) return;
    this.#rows.delete(uuid);
    const key = keyOf(parseIpv4Prefix(row.prefix));
    const rows = this.#byPrefix.get(key)!;
    rows.delete(uuid);
    if (rows.size === 0) this.#byPrefix.delete(key);
    touched.add(row.prefix);
  }
}

/** The main table of a namespace. The label of a prefix: the gateways of the route with the lowest metric, or what it is instead. */
export class RouteWitness extends Witness {
  readonly #namespace: string;
  readonly #routes = new Map<string, Map<number, string>>();

  constructor(namespace: string, options: WitnessOptions) {
    super('the kernel', options, [
      'ip',
      ...['-4', '-o', '-rcvbuf', WATCH_BUFFER, '-n', namespace, 'monitor', 'route'],
    ]);
    this.#namespace = namespace;
  }

  protected take(line: string): Ipv4Prefix[] {
    if (/ table (?!main)/.test(line)) return []; // that of its own addresses
    const isGone = line.startsWith('Deleted ');
    const { prefix, metric, label } = parseRoute(isGone ? line.slice('Deleted '.length) : line);
    const key = keyOf(prefix);
    const routes = this.#routes.get(key) ?? new Map<number, string>();
    if (isGone) routes.delete(metric);
    else routes.set(metric, label);
    this.#routes.set(key, routes);
    return [prefix];
  }

  protected labelOf(prefix: Ipv4Prefix): string | undefined {
    const routes = this.#routes.get(keyOf(prefix));
    return routes?.get(Math.min(...routes.keys()));
  }

  protected async read(): Promise<ForwardingTable> {
    const args = ['-4', '-o', '-n', this.#namespace, 'route', 'show', 'table', 'main'];
    const routes = new Map<string, { metric: number; label: string }[]>();
    for (const line of (await execute('ip', args)).split('\n').filter(Boolean)) {
      const { prefix, metric, label } = parseRoute(line);
      const key = keyOf(prefix);
      if (/ proto kernel /.test(line)) continue; // there before the witness
      routes.set(key, [...(routes.get(key) ?? []), { metric, label }]);
    }
    return toTable(routes, (list) => list.sort((a, b) => a.metric - b.metric)[0]!.label);
  }
}

function parseRoute(line: string): { prefix: Ipv4Prefix; metric: number; label: string } {
  const [, type = '', destination] = /^(?:(blackhole|unreachable) )?(\S+)/.exec(line)!;
  const gateways = [...line.matchAll(/ via (\S+)/g)].map(([, gateway]) => gateway!);
  return {
    prefix: parseIpv4Prefix(destination!),
    metric: Number(/ metric (\d+)/.exec(line)?.[1] ?? 0),
    label: gateways.sort().join(' ') || type || 'device',
  };
}

function toTable<Route>(
  routes: ReadonlyMap<string, readonly Route[]>,
  labelOf: (routes: Route[]) => string,
): ForwardingTable {
  const table = new ForwardingTable();
  for (const [prefix, list] of routes) table.set(parseIpv4Prefix(prefix), labelOf([...list]));
  return table;
}

const keyOf = ({ address, length }: Ipv4Prefix): string => `${formatIpv4(address)}/${length}`;

/** Index of the first that is not smaller. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
