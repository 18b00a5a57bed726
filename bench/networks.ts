// What do imports between networks cost? 100 networks that each import 10 000 routes of one: the load, one flap, and the memory.
// In process, the core alone; with a FIB per network and without any.
import { POLICY_ACCEPT } from '../assembly/abi.ts';
import { encodeAnnouncement, encodeWithdrawal } from '../src/bgp/messages/update.ts';
import { packageVersion } from '../src/cli/version.ts';
import type { RouteCore } from '../src/core/route-core.ts';
import {
  decision,
  MAX_MESSAGE_BYTES,
  NETWORK,
  newFedCore,
  PEER,
  PEER_ASN,
  receiveFeed,
} from './fed-core.ts';
import { randomSource } from './feed/random.ts';
import { Feed } from './feed/stream.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';
import { summarize } from './harness/statistics.ts';

const networksOf = (isSmall: boolean): number => (isSmall ? 10 : 100);
const flapsOf = (isSmall: boolean): number => (isSmall ? 20 : 200);
/** Import lines are peers too; FIBs have the number of their network. */
const FIRST_IMPORTER = 1000;
/** What the agent does between two turns of the loop. */
const SLICE_UNITS = 5000;
const BATCH_RECORDS = 10_000;

const nextHop = Uint8Array.of(192, 0, 2, 1);
const wire = { fourOctetAs: true, maxMessageBytes: MAX_MESSAGE_BYTES };
const fibOptions = { holdRemovals: false };

const points = [
  { name: 'none', value: 0 },
  { name: 'one per network', value: 1 },
];

export const networks: Scenario = {
  name: 'networks',
  question: 'what do 100 networks that import all routes of another cost the core?',
  routes: 10_000,
  smallRoutes: 1000,
  repeats: 5,
  sweep: { title: 'FIBs', scale: 'names', points, smallPoints: points },
  warmUpShare: 0.1,
  obstacle: () => undefined,
  input: (routes, isSmall) =>
    `${routes} IPv4 prefixes of a real table, ${networksOf(isSmall)} networks that import them all; then ${flapsOf(isSmall)} withdrawals and announcements of one`,
  metrics: [
    { key: 'load', title: 'load, all copies included', unit: 'ms' },
    { key: 'copy', title: 'per copy', unit: 'ns' },
    { key: 'join', title: 'one more network joins', unit: 'ms' },
    { key: 'slice', title: 'longest slice of work', unit: 'ms' },
    { key: 'withdrawal', title: 'withdrawal until all have it', unit: 'µs' },
    { key: 'announcement', title: 'announcement until all have it', unit: 'µs' },
    { key: 'memory', title: 'memory above the one network', unit: 'MB' },
    { key: 'copyBytes', title: 'memory per copy', unit: 'bytes' },
  ],
  contestants: [{ name: 'Rutter', version: async () => packageVersion(), run: measure }],
  goals: [{ metric: 'memory', atMost: 150 }],
};

/** How much there is of what. */
interface Size {
  readonly routes: number;
  readonly networks: number;
  readonly flaps: number;
  readonly hasFibs: boolean;
}

async function measure({ routes, point, isSmall }: RunOptions): Promise<Sample> {
  const size: Size = {
    routes,
    networks: networksOf(isSmall),
    flaps: flapsOf(isSmall),
    hasFibs: point.value > 0,
  };
  const table = await loadPrefixTable(routes);
  const feed = new Feed(table, { localAs: PEER_ASN, nextHop }).encodeTable();
  const core = await newCore(size);
  const slices: number[] = [];
  const foreign = watchForeignCpu();
  const load = milliseconds(() => {
    receiveFeed(core, feed);
    settle(core, slices);
  });
  expectCopies(core, size);
  const extraBytes = core.memory().usedBytes - (await bytesAlone(feed, size));
  const join = milliseconds(() => {
    addImporter(core, FIRST_IMPORTER + size.networks, size.hasFibs);
    settle(core, slices);
  });
  if (size.hasFibs) drainAll(core);
  return {
    load,
    copy: (load * 1e6) / (routes * (size.networks + 1)),
    join,
    slice: Math.max(...slices),
    ...measureFlaps(core, table, size),
    memory: extraBytes / 1e6,
    copyBytes: extraBytes / (size.networks * routes),
    foreignCores: foreign(),
  };
}

function measureFlaps(core: RouteCore, table: PrefixTable, size: Size): Sample {
  const random = randomSource(1);
  const withdrawals: number[] = [];
  const announcements: number[] = [];
  const attributes = {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [PEER_ASN, 7] }],
    nextHop,
  } as const;
  for (let i = 0; i < size.flaps; i++) {
    const prefix = prefixAt(table, random() % size.routes);
    const [gone] = encodeWithdrawal([prefix], wire);
    const [back] = encodeAnnouncement([prefix], attributes, wire);
    for (const [message, times] of [
      [gone!, withdrawals],
      [back!, announcements],
    ] as const) {
      const ms = milliseconds(() => {
        core.receive(PEER, message, i);
        settle(core, []);
      });
      times.push(ms * 1000);
      if (size.hasFibs) expectPending(core, size);
    }
  }
  return {
    withdrawal: summarize(withdrawals)!.median,
    announcement: summarize(announcements)!.median,
  };
}

/** Of the one network that everybody would import from. */
async function bytesAlone(feed: Uint8Array, size: Size): Promise<number> {
  const core = await newCore({ ...size, networks: 0 });
  receiveFeed(core, feed);
  settle(core, []);
  return core.memory().usedBytes;
}

async function newCore({ networks: importers, hasFibs }: Size): Promise<RouteCore> {
  const core = await newFedCore(hasFibs ? fibOptions : undefined);
  for (let i = 0; i < importers; i++) addImporter(core, FIRST_IMPORTER + i, hasFibs);
  settle(core, []);
  return core;
}

function addImporter(core: RouteCore, network: number, hasFib: boolean): void {
  core.addNetwork(network, decision);
  if (hasFib) core.addFib(network, network, fibOptions);
  core.addImport(network, { network, from: NETWORK, policy: POLICY_ACCEPT });
}

function settle(core: RouteCore, slices: number[]): void {
  for (let hasMore = true; hasMore; ) {
    slices.push(
      milliseconds(() => {
        hasMore = core.work(SLICE_UNITS);
      }),
    );
  }
}

function drainAll(core: RouteCore): void {
  for (let pending = core.pendingFibs(); pending.length > 0; pending = core.pendingFibs()) {
    for (const fib of pending) {
      core.drain(fib, BATCH_RECORDS);
      core.acknowledge(fib, []);
    }
  }
}

function expectCopies(core: RouteCore, size: Size): void {
  const { routeCount } = core.memory();
  const expected = size.routes * (size.networks + 1);
  if (routeCount !== expected) throw new Error(`${routeCount} routes, expected ${expected}`);
}

function expectPending(core: RouteCore, size: Size): void {
  const pending = core.pendingFibs().length;
  if (pending < size.networks) throw new Error(`${pending} networks heard of a flap, expected all`);
  drainAll(core);
}

function milliseconds(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
