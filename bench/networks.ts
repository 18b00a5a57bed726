// What do imports between networks cost? 100 networks that each import 10 000 routes of one: the load, one flap, and the memory.
// In process, the core alone; with a FIB per network and without any. Medians with their ranges: on a busy machine the low end says
// what the code costs.
import { POLICY_ACCEPT } from '../assembly/abi.ts';
import { encodeAnnouncement, encodeWithdrawal } from '../src/bgp/messages/update.ts';
import { loadCore, type WasmRouteCore } from '../src/core/core.ts';
import { randomSource } from './feed/random.ts';
import { Feed } from './feed/stream.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';

const ROUTES = 10_000;
const NETWORKS = 100;
const RUNS = 5;
const FLAPS = 200;
const SOURCE = 1;
const PEER = 1;
/** Import lines are peers too; FIBs have the number of their network. */
const FIRST_IMPORTER = 1000;
/** What the agent does between two turns of the loop. */
const SLICE_UNITS = 5000;
const CHUNK_BYTES = 65536;
const BATCH_RECORDS = 10_000;

const nextHop = Uint8Array.of(192, 0, 2, 1);
const peerAsn = 65001;
const localAsn = 65000;
const wire = { fourOctetAs: true, maxMessageBytes: 4096 };

type Print = (line: string) => void;

export async function run(print: Print): Promise<void> {
  const table = await loadPrefixTable(ROUTES);
  const feed = new Feed(table, { localAs: peerAsn, nextHop }).encodeTable();
  print(
    `input: ${ROUTES} IPv4 prefixes of a real table, ${NETWORKS} networks that import them all`,
  );
  for (const hasFibs of [false, true]) await bench(print, table, feed, hasFibs);
}

async function bench(
  print: Print,
  table: PrefixTable,
  feed: Uint8Array,
  hasFibs: boolean,
): Promise<void> {
  const what = hasFibs ? ', a FIB per network' : ', no FIBs';
  const loads: number[] = [];
  const joins: number[] = [];
  const slices: number[] = [];
  let core = await newCore(hasFibs);
  for (let run = 0; run < RUNS; run++) {
    if (run > 0) core = await newCore(hasFibs);
    loads.push(
      milliseconds(() => {
        receiveAll(core, feed);
        settle(core, slices);
      }),
    );
    expectCopies(core);
    joins.push(
      milliseconds(() => {
        const network = FIRST_IMPORTER + NETWORKS;
        addImporter(core, network, hasFibs);
        settle(core, slices);
      }),
    );
  }
  report(print, `load, all copies included${what}`, loads, 'ms');
  report(
    print,
    `per copy${what}`,
    loads.map((ms) => (ms * 1e6) / (ROUTES * (NETWORKS + 1))),
    'ns',
  );
  report(print, `one more network joins${what}`, joins, 'ms');
  report(print, `slice of work${what}`, slices, 'ms');
  if (hasFibs) drainAll(core);
  const flaps = measureFlaps(core, table, hasFibs);
  report(print, `withdrawal until all networks have it${what}`, flaps.withdrawals, 'ms');
  report(print, `announcement until all networks have it${what}`, flaps.announcements, 'ms');
  await reportMemory(print, feed, hasFibs, what);
}

function measureFlaps(
  core: WasmRouteCore,
  table: PrefixTable,
  hasFibs: boolean,
): { withdrawals: number[]; announcements: number[] } {
  const random = randomSource(1);
  const withdrawals: number[] = [];
  const announcements: number[] = [];
  const attributes = {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: [peerAsn, 7] }],
    nextHop,
  } as const;
  for (let i = 0; i < FLAPS; i++) {
    const prefix = prefixAt(table, random() % ROUTES);
    const [gone] = encodeWithdrawal([prefix], wire);
    const [back] = encodeAnnouncement([prefix], attributes, wire);
    for (const [message, times] of [
      [gone!, withdrawals],
      [back!, announcements],
    ] as const) {
      times.push(
        milliseconds(() => {
          core.receive(PEER, message, i);
          settle(core, []);
        }),
      );
      if (hasFibs) expectPending(core);
    }
  }
  return { withdrawals, announcements };
}

/** Above the one network that everybody imports from. */
async function reportMemory(
  print: Print,
  feed: Uint8Array,
  hasFibs: boolean,
  what: string,
): Promise<void> {
  const alone = await newCore(hasFibs, 0);
  receiveAll(alone, feed);
  settle(alone, []);
  const all = await newCore(hasFibs);
  receiveAll(all, feed);
  settle(all, []);
  const extra = all.memory().usedBytes - alone.memory().usedBytes;
  print(
    `memory above the single network${what}: ${(extra / 1e6).toFixed(1)} MB, ${(extra / (NETWORKS * ROUTES)).toFixed(1)} bytes per copy; at most 150 MB`,
  );
}

async function newCore(hasFibs: boolean, importers = NETWORKS): Promise<WasmRouteCore> {
  const core = await loadCore();
  addNetwork(core, SOURCE, hasFibs);
  core.addPeer(PEER, {
    network: SOURCE,
    address: nextHop,
    asn: peerAsn,
    localAsn,
    localRouterId: 1,
    interfaceIndex: 0,
    importPolicy: POLICY_ACCEPT,
    enforceFirstAs: true,
    maxPrefixes: {},
  });
  core.openPeer(PEER, {
    routerId: 2,
    fourOctetAs: true,
    maxMessageBytes: 4096,
    families: ['ipv4-unicast'],
    addPath: [],
  });
  for (let i = 0; i < importers; i++) addImporter(core, FIRST_IMPORTER + i, hasFibs);
  settle(core, []);
  return core;
}

function addImporter(core: WasmRouteCore, network: number, hasFib: boolean): void {
  addNetwork(core, network, hasFib);
  core.addImport(network, { network, from: SOURCE, policy: POLICY_ACCEPT });
}

function addNetwork(core: WasmRouteCore, network: number, hasFib: boolean): void {
  core.addNetwork(network, { med: 'deterministic', multipath: 16, multipathRelax: false });
  if (hasFib) core.addFib(network, network, { holdRemovals: false });
}

function receiveAll(core: WasmRouteCore, feed: Uint8Array): void {
  for (let offset = 0; offset < feed.length; offset += CHUNK_BYTES) {
    core.receive(PEER, feed.subarray(offset, offset + CHUNK_BYTES), 0);
  }
}

function settle(core: WasmRouteCore, slices: number[]): void {
  for (let hasMore = true; hasMore; ) {
    slices.push(
      milliseconds(() => {
        hasMore = core.work(SLICE_UNITS);
      }),
    );
  }
}

function drainAll(core: WasmRouteCore): void {
  for (let pending = core.pendingFibs(); pending.length > 0; pending = core.pendingFibs()) {
    for (const fib of pending) {
      core.drain(fib, BATCH_RECORDS);
      core.acknowledge(fib, []);
    }
  }
}

function expectCopies(core: WasmRouteCore): void {
  const { routeCount } = core.memory();
  const expected = ROUTES * (NETWORKS + 1);
  if (routeCount !== expected) throw new Error(`${routeCount} routes, expected ${expected}`);
}

function expectPending(core: WasmRouteCore): void {
  const pending = core.pendingFibs().length;
  if (pending < NETWORKS) throw new Error(`${pending} networks heard of a flap, expected all`);
  drainAll(core);
}

function milliseconds(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function report(print: Print, what: string, samples: readonly number[], unit: string): void {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!.toPrecision(3);
  print(`${what}: ${at(0.5)} ${unit} (${at(0)}–${at(1)})`);
}

if (import.meta.main) await run(console.log);
