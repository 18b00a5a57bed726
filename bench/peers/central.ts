// An OVN without chassis: both databases and northd, so that what is written to Northbound becomes flows in Southbound.
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { schemas, startOvsdbServer } from '../../src/lab/ovn.ts';
import { monotonicNow } from '../harness/wait.ts';
import { installedVersion } from './installed.ts';
import { documentSplitter, type Northbound, startNorthbound } from './northbound.ts';
import type { Site } from './site.ts';

export interface Central extends Northbound {
  readonly southbound: string;
  readonly southboundSocket: string;
  /** The servers and northd. */
  readonly pids: readonly number[];
}

function northdVersion(): string | undefined {
  return installedVersion('ovn-northd', ['--version']);
}

/** Why there can be none here, or undefined. */
export function needsNorthd(): string | undefined {
  return northdVersion() ? undefined : 'ovn-northd is not installed (bench/setup)';
}

export async function startCentral(site: Site): Promise<Central> {
  const northbound = await startNorthbound(site);
  const south = await startOvsdbServer({
    name: 'sb',
    directory: join(site.directory, 'sb'),
    processes: site.processes,
    schema: schemas.southbound,
  });
  const northd = await site.processes.start({
    name: 'ovn-northd',
    command: 'ovn-northd',
    args: [
      ...[`--ovnnb-db=${northbound.northbound}`, `--ovnsb-db=${south.remote}`],
      ...[`--unixctl=${join(site.directory, 'northd.ctl')}`, '--no-chdir', '-vconsole:off'],
    ],
  });
  return {
    ...northbound,
    southbound: south.remote,
    southboundSocket: south.socketPath,
    pids: [northbound.pid, south.pid, northd.pid],
  };
}

/** A flow of a router's routing stages that has come. */
export interface NewFlow {
  /** Nanoseconds of the monotonic clock. */
  readonly at: number;
  readonly match: string;
  readonly actions: string;
}

type FlowUpdates = Record<
  string,
  Record<string, { insert?: { match: string; actions: string }; delete?: null }>
>;

/** Watches the routing flows in Southbound; shares no code with Rutter's client. */
export class FlowWatcher {
  readonly #socket: Socket;
  onFlow: (flow: NewFlow) => void = () => undefined;
  /** Flows that are there. */
  count = 0;
  #answered: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on(
      'data',
      documentSplitter((text) => this.#take(text)),
    );
  }

  static async open(path: string): Promise<FlowWatcher> {
    const socket = connect(path);
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', resolve);
    });
    const watcher = new FlowWatcher(socket);
    // any of them: a route of several next hops is one flow in the first stage, and one for each next hop in the second
    const where = ['lr_in_ip_routing', 'lr_in_ip_routing_ecmp'].map((stage) => [
      ...['external_ids', 'includes', ['map', [['stage-name', stage]]]],
    ]);
    const request = { columns: ['match', 'actions'], where };
    const params = ['OVN_Southbound', 'bench', { Logical_Flow: [request] }];
    const answered = new Promise<void>((resolve) => {
      watcher.#answered = resolve;
    });
    socket.write(JSON.stringify({ id: 1, method: 'monitor_cond', params }));
    await answered;
    return watcher;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const at = monotonicNow();
    const { id, method, params, result } = JSON.parse(text);
    if (method === 'echo') {
      this.#socket.write(JSON.stringify({ id, result: params, error: null }));
    } else if (method === 'update2') this.#report(at, params[1] as FlowUpdates);
    else if (id === 1) {
      this.count = Object.keys(result?.Logical_Flow ?? {}).length;
      this.#answered();
    }
  }

  #report(at: number, tables: FlowUpdates): void {
    for (const change of Object.values(tables['Logical_Flow'] ?? {})) {
      if (change.insert) {
        this.count++;
        this.onFlow({ at, match: change.insert.match, actions: change.insert.actions });
      } else if ('delete' in change) this.count--;
    }
  }
}
