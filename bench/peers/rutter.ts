// Rutter's own agent on the feed: the same program a user runs, from source or from dist, whichever this file is.
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { extname, join } from 'node:path';
import { packageVersion } from '../../src/cli/version.ts';
import { ControlClient } from '../../src/control/client.ts';
import { inNamespace } from '../../src/lab/execute.ts';
import type { Sample } from '../harness/scenario.ts';
import { verified } from '../harness/verified.ts';
import type { Receiver, ReceiverOptions, RunningReceiver } from './receiver.ts';
import { feedsOf, ROUTER_ADDRESS, ROUTER_AS, type Site } from './site.ts';

/** The OVN router to fill. */
export interface OvnTarget {
  readonly northbound: string;
  /** Where northd's work can be seen. */
  readonly southbound?: string;
  readonly router: string;
  readonly outputPort: string;
}

export interface AgentTargets extends ReceiverOptions {
  /** Routes come from the kernel's main table, as FRR fills it, and from no session. */
  readonly followsKernel?: boolean;
  readonly ovn?: OvnTarget;
  /** Default: off, so that a row is a route. */
  readonly aggregation?: 'off' | 'exact';
  /** Default: off. */
  readonly hostAggregation?: 'off' | 'exact';
  readonly holdTime?: string;
}

export interface RunningAgent extends RunningReceiver {
  /** Sum over the label sets of a metric; 0 where there is none. */
  metric(name: string): Promise<number>;
  figures(): Promise<Record<string, number>>;
  verify(): Promise<Sample>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
}

export const rutter: Omit<Receiver, 'start'> & {
  start(site: Site, targets: AgentTargets): Promise<RunningAgent>;
} = {
  name: 'Rutter',
  version: async () => packageVersion(),
  start: startAgent,
};

const MAIN = join(import.meta.dirname, `../../src/main${extname(import.meta.filename)}`);

async function startAgent(site: Site, targets: AgentTargets): Promise<RunningAgent> {
  const file = join(site.directory, 'rutter.yaml');
  const socket = join(site.directory, 'rutter.sock');
  await writeFile(file, JSON.stringify(configuration(socket, targets), undefined, 2)); // JSON is YAML
  const control = new ControlClient(socket);
  const scrape = () => readText(socket, '/metrics');
  const agent = await site.start({
    name: 'rutter',
    command: process.execPath,
    args: [MAIN, 'agent', '--config', file],
    ready: async () => (await scrape()).includes('rutter_core_routes'),
  });
  const metric = async (name: string): Promise<number> => sumOf(await scrape(), name);
  return {
    pids: [agent.pid],
    routeCount: async () => {
      // decided on, not only received
      const peers = (await control.get('/v1/peers')) as { readonly acceptedPrefixes: number }[];
      return peers.reduce((sum, { acceptedPrefixes }) => sum + acceptedPrefixes, 0);
    },
    metric,
    figures: async () => {
      const text = await scrape();
      return {
        worstHold: sumOf(text, 'rutter_event_loop_worst_seconds') * 1000,
        pending: sumOf(text, 'rutter_target_pending_entries'),
        installed: sumOf(text, 'rutter_target_installed_entries'),
        coreBytes: sumOf(text, 'rutter_core_linear_bytes') / 1e6,
      };
    },
    verify: async () => {
      const places = (await control.get('/v1/places')) as readonly unknown[];
      if (places.length === 0) return {};
      const args = [MAIN, 'verify', '--socket', socket, '-o', 'json'];
      return verified(places.length, inNamespace(site.routerNamespace, process.execPath, args));
    },
    kill: () => agent.stop('SIGKILL'),
  };
}

function configuration(
  socket: string,
  {
    intoKernel,
    feeds = 1,
    isMultipath = false,
    followsKernel = false,
    ovn,
    aggregation = 'off',
    hostAggregation = 'off',
    holdTime,
  }: AgentTargets,
): object {
  return {
    node: 'bench',
    bgp: {
      asn: ROUTER_AS,
      routerId: ROUTER_ADDRESS,
      decision: { multipath: isMultipath ? 16 : 1 }, // what the peers do
      listen: followsKernel ? [] : [{ address: ROUTER_ADDRESS, port: 179 }],
      peers: followsKernel
        ? []
        : feedsOf(feeds).map(({ address, asn }, index) => ({
            name: `feed-${index}`,
            address,
            asn,
            passive: true,
            families: ['ipv4-unicast'],
            import: 'accept',
            ...(holdTime ? { holdTime } : {}),
          })),
    },
    networks: [
      {
        name: 'default',
        ...(intoKernel ? { table: 'main', hostAggregation } : {}),
        ...(ovn
          ? {
              ovn: {
                router: ovn.router,
                outputPort: ovn.outputPort,
                aggregation,
                maxRoutes: 2_000_000,
              },
            }
          : {}),
      },
    ],
    ...(ovn
      ? { ovn: { northbound: ovn.northbound, southbound: ovn.southbound ?? 'unix:/nowhere' } }
      : {}),
    ...(followsKernel ? { sources: [{ kind: 'kernel', tables: ['main'] }] } : {}),
    control: { socket },
  };
}

/** Prometheus text: `name{labels} value`, one line per label set. */
function sumOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function readText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve(Buffer.concat(chunks).toString()));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}
