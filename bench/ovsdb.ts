// How fast do routes get into OVN's Northbound database, and what does the sink add to the server's own time?
//
// The yardstick is ovsdb-server itself, fed the same transactions as ready-made text by the smallest client there can be: write,
// wait for the answer, write the next. Each run has a fresh database; runs alternate, medians are printed.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpus } from 'node:os';
import type { FibBatch } from '../src/core/records.ts';
import { JsonScanner } from '../src/ovsdb/json-scanner.ts';
import { Transaction } from '../src/ovsdb/transaction.ts';
import { lockName } from '../src/sinks/ovn/lock-name.ts';
import { ROUTE_TABLE } from '../src/sinks/ovn/row.ts';
import { rowId } from '../src/sinks/ovn/row-id.ts';
import { createOvnSink } from '../src/sinks/ovn/sink.ts';
import { buildTransaction, type RecordPlan } from '../src/sinks/ovn/transaction.ts';
import { MOST_CHANGES } from '../src/sinks/ovn/writer.ts';
import type { Sink } from '../src/sinks/sink.ts';
import { buildBatch } from './ovsdb-batch.ts';
import { OvsdbServer, waitFor } from './ovsdb-server.ts';

const ROWS = 50_000;
const ROWS_PER_BATCH = 10_000;
const RUNS = 5;
const CHANGES = 300;
const TICKS_PER_SECOND = 100; // USER_HZ on every Linux

const target = { owner: 'bench', router: 'gr', outputPort: 'out', network: 'default' };
const lock = lockName(target);

export async function run(print: (line: string) => void): Promise<void> {
  print(
    `machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}`,
  );
  await compareThroughput(print);
  await measureLatency(print);
  await compareRowKeys(print);
}

async function compareThroughput(print: (line: string) => void): Promise<void> {
  print(`input: ${ROWS} prefixes, one next hop each, ${MOST_CHANGES} rows per transaction`);
  const bare: Load[] = [];
  const sink: Load[] = [];
  for (let i = 0; i < RUNS; i++) {
    bare.push(await withServer(loadBare));
    sink.push(await withServer(loadThroughSink));
  }
  const ratios = sink.map(({ seconds }, i) => bare[i]!.seconds / seconds);
  print(`bare server: ${describe(bare)}`);
  print(`sink:        ${describe(sink)}`);
  print(
    `ratio:       ${median(ratios).toFixed(2)} × (target ≥ 0.85 ×), per pair of runs ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`,
  );
}

async function measureLatency(print: (line: string) => void): Promise<void> {
  await withServer(async (server) => {
    const sink = await openSink(server);
    await loadSink(sink);
    const times: number[] = [];
    for (let i = 0; i < CHANGES; i++) {
      const batch = buildBatch([{ prefix: prefixAt(i * 7), to: [`172.18.1.${i % 250}`] }]);
      const started = performance.now();
      await sink.apply(batch);
      times.push(performance.now() - started);
    }
    await sink.close();
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(CHANGES * 0.99)]!;
    print(
      `one changed route, ${ROWS} present: median ${ms(median(times))}, p99 ${ms(p99)} to the commit`,
    );
  });
}

/** What a changed next hop costs by the row's key: see src/sinks/ovn/transaction.ts. */
async function compareRowKeys(print: (line: string) => void): Promise<void> {
  for (const present of [1000, 10_000, ROWS]) {
    await withServer(async (server, routerUuid) => {
      const client = await BareClient.open(server);
      const members = new Map<number, number>();
      for (const text of loadTexts(routerUuid, present)) await client.request('transact', text);
      for (const count of [1, 1000]) {
        const inPlace = await timeChanges(client, (round) => updateText(members, count, round));
        const replaced = await timeChanges(client, () => replaceText(routerUuid, members, count));
        print(
          `${count} next hops changed, ${present} rows present: update in place ${ms(inPlace)}, delete and insert ${ms(replaced)}`,
        );
      }
      client.close();
    });
  }
}

async function timeChanges(client: BareClient, text: (round: number) => string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 15; round++) {
    const params = text(round);
    const started = performance.now();
    await client.request('transact', params);
    times.push(performance.now() - started);
  }
  return median(times);
}

// ---- the same transactions as text ----

function* loadTexts(routerUuid: string, rows: number): Generator<string> {
  for (let start = 0; start < rows; start += MOST_CHANGES) {
    const plans = [];
    for (let i = start; i < Math.min(start + MOST_CHANGES, rows); i++) {
      const insert = { uuid: uuidAt(i, 0), nexthop: nextHopAt(i) };
      const plan: RecordPlan = { inserts: [insert], updates: [], deletes: [] };
      plans.push({ prefix: prefixAt(i), plan });
    }
    yield encode(buildTransaction(plans, { routerUuid, lock, identity: target }));
  }
}

/** Which member number each prefix's row has now, when it is not 0. */
type Members = Map<number, number>;

/** Rows keyed by member number: only the next hop changes. */
function updateText(members: Members, count: number, round: number): string {
  const transaction = new Transaction().assertLock(lock);
  for (let i = 0; i < count; i++) {
    const uuid = uuidAt(i, members.get(i) ?? 0);
    transaction.update(ROUTE_TABLE, uuid, { nexthop: `172.19.${round}.1` });
  }
  return encode(transaction);
}

/** Rows keyed by next hop: another next hop is another row. */
function replaceText(routerUuid: string, members: Members, count: number): string {
  const plans = [];
  for (let i = 0; i < count; i++) {
    const member = members.get(i) ?? 0;
    members.set(i, member + 1);
    const insert = { uuid: uuidAt(i, member + 1), nexthop: `172.20.${member}.1` };
    const plan: RecordPlan = { inserts: [insert], updates: [], deletes: [uuidAt(i, member)] };
    plans.push({ prefix: prefixAt(i), plan });
  }
  return encode(buildTransaction(plans, { routerUuid, lock, identity: target }));
}

function encode(transaction: Transaction): string {
  return transaction.encode('OVN_Northbound').paramsText;
}

function uuidAt(i: number, member: number): string {
  return rowId({ ...target, routeTable: '', prefix: prefixAt(i), member });
}

function prefixAt(i: number): string {
  return `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`;
}

function nextHopAt(i: number): string {
  return `172.18.0.${2 + (i % 50)}`;
}

// ---- the two clients ----

/** What a load took. */
interface Load {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
}

async function loadBare(server: OvsdbServer, routerUuid: string): Promise<Load> {
  const texts = [...loadTexts(routerUuid, ROWS)];
  const client = await BareClient.open(server);
  const load = await measure(server, async () => {
    const started = performance.now();
    for (const text of texts) await client.request('transact', text);
    return (performance.now() - started) / 1000;
  });
  client.close();
  return load;
}

async function loadThroughSink(server: OvsdbServer): Promise<Load> {
  const sink = await openSink(server);
  const batches = makeBatches();
  const load = await measure(server, () => loadSink(sink, batches));
  await sink.close();
  return load;
}

async function measure(server: OvsdbServer, work: () => Promise<number>): Promise<Load> {
  const serverBefore = cpuSecondsOf(server.pid);
  const clientBefore = process.cpuUsage();
  const seconds = await work();
  const { user, system } = process.cpuUsage(clientBefore);
  return {
    seconds,
    serverCpuSeconds: cpuSecondsOf(server.pid) - serverBefore,
    clientCpuSeconds: (user + system) / 1e6,
  };
}

/** User and system time of a process (proc(5)): what a busy machine does to the wall clock does not show in it. */
function cpuSecondsOf(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function openSink(server: OvsdbServer): Promise<Sink> {
  let isReady = false;
  const sink = createOvnSink(
    { ...target, remotes: [server.remote], maxRoutes: 1_000_000, collision: 'skip' },
    (event) => {
      isReady ||= event.type === 'state' && event.state === 'ready';
    },
  );
  await sink.open();
  await waitFor(() => isReady, 'ready sink');
  return sink;
}

/** All rows as the core gives them. */
function makeBatches(): FibBatch[] {
  const batches: FibBatch[] = [];
  for (let start = 0; start < ROWS; start += ROWS_PER_BATCH) {
    const changes = [];
    for (let i = start; i < start + ROWS_PER_BATCH; i++) {
      changes.push({ prefix: prefixAt(i), to: [nextHopAt(i)] });
    }
    batches.push(buildBatch(changes));
  }
  return batches;
}

/** Seconds for all batches. */
async function loadSink(sink: Sink, batches = makeBatches()): Promise<number> {
  const started = performance.now();
  for (const batch of batches) {
    const { known, failures } = await sink.apply(batch);
    if (!known || failures.length > 0) throw new Error(`${failures.length} records failed`);
  }
  return (performance.now() - started) / 1000;
}

/** Writes text, waits for the answer. */
class BareClient {
  readonly #socket: Socket;
  #answered: (text: string) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const scanner = new JsonScanner();
    socket.on('data', (chunk) => scanner.push(chunk, (text) => this.#answered(text)));
  }

  static async open(server: OvsdbServer): Promise<BareClient> {
    const socket = connect({ path: server.socket });
    await new Promise((resolve) => socket.once('connect', resolve));
    const client = new BareClient(socket);
    await client.request('lock', JSON.stringify([lock]));
    return client;
  }

  async request(method: string, params: string): Promise<void> {
    const answer = await new Promise<string>((resolve) => {
      this.#answered = resolve;
      this.#socket.write(`{"id":1,"method":"${method}","params":${params}}`);
    });
    // Not parsed: a minimal client needs to know no more.
    if (answer.includes('"details"')) throw new Error(answer.slice(0, 300));
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function withServer<T>(
  work: (server: OvsdbServer, routerUuid: string) => Promise<T>,
): Promise<T> {
  const server = await OvsdbServer.start();
  try {
    server.nbctl('lr-add', target.router);
    server.nbctl(
      'lrp-add',
      target.router,
      target.outputPort,
      '02:00:00:00:00:01',
      '172.18.0.254/16',
    );
    const routerUuid = server.nbctl('--bare', '--columns=_uuid', 'list', 'Logical_Router').trim();
    return await work(server, routerUuid);
  } finally {
    await server.stop();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function describe(loads: readonly Load[]): string {
  const rates = loads.map(({ seconds }) => Math.round(ROWS / seconds));
  const server = median(loads.map(({ serverCpuSeconds }) => serverCpuSeconds));
  const client = median(loads.map(({ clientCpuSeconds }) => clientCpuSeconds));
  return `${median(rates)} rows/s (${Math.min(...rates)}–${Math.max(...rates)}), CPU of the server ${server.toFixed(2)} s, of the client ${client.toFixed(2)} s`;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
