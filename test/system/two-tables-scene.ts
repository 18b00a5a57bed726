// A node whose peer has two tables (two-tables.ts), with others' routes among them in OVN and in the kernel, and a witness at each of both places.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Northbound, startNorthbound } from '../../bench/peers/northbound.ts';
import { type AgentTargets, type RunningAgent, rutter } from '../../bench/peers/rutter.ts';
import { Site } from '../../bench/peers/site.ts';
import { ControlClient } from '../../src/control/client.ts';
import { execute } from '../../src/lab/execute.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import type { ForwardingTable } from './forwarding-table.ts';
import { type Allowed, RouteWitness, RowWitness } from './forwarding-witness.ts';
import { forwardingOf, type TwoTables, twoTables } from './two-tables.ts';
import { type TableName, TwoTablesFeed } from './two-tables-feed.ts';

/** Where rows of others lead; the kernel's lead nowhere. */
const FOREIGN_NEXT_HOP = '10.77.0.99';
const FOREIGN_ROUTE = 'blackhole';

export class TwoTablesScene implements AsyncDisposable {
  readonly site: Site;
  readonly northbound: Northbound;
  readonly tables: TwoTables;
  readonly rows: RowWitness;
  readonly routes: RouteWitness;
  readonly feed: TwoTablesFeed;
  readonly #one: ForwardingTable;
  readonly #other: ForwardingTable;

  private constructor(site: Site, northbound: Northbound, blockCount: number) {
    this.site = site;
    this.northbound = northbound;
    this.tables = twoTables(blockCount);
    const { one, other, foreign, probes } = this.tables;
    this.#one = forwardingOf(one, foreign, FOREIGN_NEXT_HOP);
    this.#other = forwardingOf(other, foreign, FOREIGN_NEXT_HOP);
    const file = (name: string): string => join(site.directory, `${name}.monitor`);
    this.rows = new RowWitness(northbound.northbound, { file: file('rows'), probes });
    this.routes = new RouteWitness(site.routerNamespace, { file: file('routes'), probes });
    this.feed = TwoTablesFeed.start(site, blockCount);
  }

  static async open(blockCount: number): Promise<TwoTablesScene> {
    const site = await Site.open();
    const scene = new TwoTablesScene(site, await startNorthbound(site), blockCount);
    await scene.#addForeign();
    return scene;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rows.stop();
    await this.routes.stop();
    await this.site[Symbol.asyncDispose]();
  }

  /** The agent, with the fewest entries in both places unless told otherwise. */
  start(targets: Partial<Omit<AgentTargets, 'intoKernel'>> = {}): Promise<RunningAgent> {
    return rutter.start(this.site, {
      intoKernel: true,
      ovn: this.northbound,
      aggregation: 'exact',
      hostAggregation: 'exact',
      ...targets,
    });
  }

  /** Changes the network of the running agent. */
  async reload(agent: RunningAgent, change: (network: Network) => void): Promise<void> {
    const file = join(this.site.directory, 'rutter.yaml');
    const config = JSON.parse(await readFile(file, 'utf8')) as { networks: [Network] };
    change(config.networks[0]);
    await writeFile(file, JSON.stringify(config));
    process.kill(agent.pids[0]!, 'SIGHUP');
  }

  /** From now on addresses go where one of these tables sends them; where that is nowhere, OVN may drop them. */
  allow(...names: readonly TableName[]): void {
    const as = (foreignLabel: string): Allowed => {
      const sides = names.map((name) =>
        forwardingOf(this.tables[name], this.tables.foreign, foreignLabel),
      );
      return (address) => sides.map((side) => side.lookUp(address));
    };
    const rows = as(FOREIGN_NEXT_HOP);
    this.rows.allow((address) => {
      const labels = rows(address);
      return labels.includes(undefined) ? [...labels, 'discard'] : labels;
    });
    this.routes.allow(as(FOREIGN_ROUTE));
  }

  disallow(): void {
    this.rows.allow(undefined);
    this.routes.allow(undefined);
  }

  /** The agent has heard every source. */
  async #synced(): Promise<void> {
    const control = new ControlClient(join(this.site.directory, 'rutter.sock'));
    const isSynced = async () => {
      const networks = (await control.get('/v1/networks')) as { firstSync: string }[];
      return networks.every(({ firstSync }) => firstSync === 'finished');
    };
    await waitUntil(isSynced, { what: 'the first sync to end', timeoutMs: 30_000 });
  }

  /** Where OVN sends an address by each table. */
  byTable(address: number): readonly [string | undefined, string | undefined] {
    return [this.#one.lookUp(address), this.#other.lookUp(address)];
  }

  /** Every source was heard, everything is in place and nothing left over, and the witnesses have seen it. */
  async settled(agent: RunningAgent): Promise<void> {
    await this.#synced();
    const isSettled = async () =>
      (await agent.metric('rutter_target_installed_entries')) > 0 &&
      (await agent.metric('rutter_target_held_entries')) === 0 &&
      (await agent.metric('rutter_target_pending_entries')) === 0;
    await waitUntil(isSettled, {
      what: 'everything in place',
      timeoutMs: 60_000,
      intervalMs: 100,
    });
    await this.caughtUp();
  }

  async caughtUp(): Promise<void> {
    await this.rows.caughtUp();
    await this.routes.caughtUp();
  }

  /** Addresses that went elsewhere, as far as they are kept. */
  get violations(): readonly string[] {
    return [...this.rows.violations, ...this.routes.violations];
  }

  get counts(): { readonly rows: number; readonly routes: number } {
    return { rows: this.rows.entries().length, routes: this.routes.entries().length };
  }

  async #addForeign(): Promise<void> {
    const { foreign } = this.tables;
    const { northbound, router } = this.northbound;
    const commands = foreign.flatMap((prefix) => [
      ...['--', 'lr-route-add', router],
      ...[prefix, FOREIGN_NEXT_HOP],
    ]);
    await execute('ovn-nbctl', [`--db=${northbound}`, ...commands.slice(1)]);
    const lines = foreign.map((prefix) => `route add ${FOREIGN_ROUTE} ${prefix}\n`);
    await execute('ip', ['-n', this.site.routerNamespace, '-batch', '-'], {
      input: lines.join(''),
    });
  }
}

interface Network {
  table?: string;
  hostAggregation?: string;
  ovn: { aggregation: string };
}
