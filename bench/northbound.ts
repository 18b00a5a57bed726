// How fast do routes get into OVN's Northbound database, and what does the sink add to the server's own time?
//
// The yardstick is ovsdb-server itself, given the same transactions as ready-made text (ready-made.ts). In process: no agent, no BGP.
import { packageVersion } from '../src/cli/version.ts';
import type { FibBatch } from '../src/core/records.ts';
import { createOvnSink } from '../src/sinks/ovn/sink.ts';
import { MOST_CHANGES } from '../src/sinks/ovn/writer.ts';
import type { Sink } from '../src/sinks/sink.ts';
import { processCost, watchForeignCpu } from './harness/cpu.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { percentile } from './harness/statistics.ts';
import { buildBatch } from './ovsdb-batch.ts';
import { type OvsdbServer, waitFor } from './ovsdb-server.ts';
import { needsNorthbound, northboundVersion } from './peers/northbound.ts';
import {
  loadTexts,
  nextHopAt,
  prefixAt,
  ReadyMadeClient,
  target,
  updateText,
  withServer,
} from './ready-made.ts';

const ROWS_PER_BATCH = 10_000;
const changesOf = (isSmall: boolean): number => (isSmall ? 30 : 300);

/** Somebody connected to a server with an empty router. */
interface Writer {
  /** Resolves with what loads all rows, which are made ready before. */
  prepare(rows: number): Promise<() => Promise<void>>;
  /** Another next hop for one route; resolves when it is committed. */
  change(route: number, nextHop: string): Promise<void>;
  close(): Promise<void>;
}

export const northbound: Scenario = {
  name: 'northbound',
  question: 'how fast do rows get into OVN Northbound, beside the bare server?',
  routes: 50_000,
  smallRoutes: 2000,
  repeats: 5,
  warmUpShare: 0.1,
  obstacle: needsNorthbound,
  input: (routes, isSmall) =>
    `${routes} prefixes, one next hop each, ${MOST_CHANGES} rows per transaction, an empty database for each run; then ${changesOf(isSmall)} changes of ` +
    'a next hop, one at a time',
  metrics: [
    { key: 'rate', title: 'rows written', unit: 'rows/s', isMoreBetter: true },
    { key: 'serverCpu', title: 'CPU of the server', unit: 's' },
    { key: 'clientCpu', title: 'CPU of the client', unit: 's' },
    { key: 'change', title: 'one change, median', unit: 'ms' },
    { key: 'changeP99', title: 'one change, p99', unit: 'ms' },
  ],
  contestants: [
    {
      name: 'Rutter',
      version: async () => packageVersion(),
      run: (options) => measure(options, openSink),
    },
    {
      name: 'bare server',
      version: async () => northboundVersion(),
      run: (options) => measure(options, openBare),
    },
  ],
  goals: [{ metric: 'rate', against: 'bare server', atLeast: 0.85 }],
};

function measure(
  { routes, isSmall }: RunOptions,
  open: (server: OvsdbServer, routerUuid: string) => Promise<Writer>,
): Promise<Sample> {
  return withServer(async (server, routerUuid) => {
    const writer = await open(server, routerUuid);
    const load = await writer.prepare(routes);
    const foreign = watchForeignCpu();
    const serverBefore = processCost([server.pid]).cpuSeconds;
    const clientBefore = process.cpuUsage();
    const seconds = (await millisecondsOf(load)) / 1000;
    const { user, system } = process.cpuUsage(clientBefore);
    const serverCpu = processCost([server.pid]).cpuSeconds - serverBefore;
    const changes: number[] = [];
    for (let i = 0; i < changesOf(isSmall); i++) {
      const route = (i * 7) % routes;
      changes.push(await millisecondsOf(() => writer.change(route, `172.18.1.${i % 250}`)));
    }
    await writer.close();
    changes.sort((a, b) => a - b);
    return {
      rate: routes / seconds,
      serverCpu,
      clientCpu: (user + system) / 1e6,
      change: percentile(changes, 50),
      changeP99: percentile(changes, 99),
      foreignCores: foreign(),
    };
  });
}

async function millisecondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function openBare(server: OvsdbServer, routerUuid: string): Promise<Writer> {
  const client = await ReadyMadeClient.open(server);
  return {
    prepare: async (rows) => {
      const texts = [...loadTexts(routerUuid, rows)];
      return async () => {
        for (const text of texts) await client.transact(text);
      };
    },
    change: async (route, nextHop) => {
      await client.transact(updateText([route], nextHop));
    },
    close: async () => client.close(),
  };
}

async function openSink(server: OvsdbServer): Promise<Writer> {
  let isReady = false;
  const sink = createOvnSink(
    { ...target, remotes: [server.remote], maxRoutes: 1_000_000, collision: 'skip' },
    (event) => {
      isReady ||= event.type === 'state' && event.state === 'ready';
    },
  );
  await sink.open();
  await waitFor(() => isReady, 'ready sink');
  return {
    prepare: async (rows) => {
      const batches = makeBatches(rows);
      return async () => {
        for (const batch of batches) await apply(sink, batch);
      };
    },
    change: (route, nextHop) =>
      apply(sink, buildBatch([{ prefix: prefixAt(route), to: [nextHop] }])),
    close: () => sink.close(),
  };
}

async function apply(sink: Sink, batch: FibBatch): Promise<void> {
  const { known, failures } = await sink.apply(batch);
  if (!known || failures.length > 0) throw new Error(`${failures.length} records failed`);
}

/** All rows as the core gives them. */
function makeBatches(rows: number): FibBatch[] {
  const batches: FibBatch[] = [];
  for (let start = 0; start < rows; start += ROWS_PER_BATCH) {
    const count = Math.min(ROWS_PER_BATCH, rows - start);
    const changes = Array.from({ length: count }, (_, index) => ({
      prefix: prefixAt(start + index),
      to: [nextHopAt(start + index)],
    }));
    batches.push(buildBatch(changes));
  }
  return batches;
}
