// How fast are the route core's kernels: NLRI decode, a full table into the Loc-RIB, longest match, the journal? In process.
//
// Kernels that can be repeated on one table run under the `benchmark` package, and the fastest sample counts; those that fill a
// table run on fresh cores, and the median CPU time of RUNS is printed with the range. Both say what the code costs, not how
// busy the machine was.
import Benchmark from 'benchmark';
import { POLICY_ACCEPT, POLICY_FIRST } from '../assembly/abi.ts';
import { asSequence } from '../src/bgp/attributes/as-path.ts';
import { encodeAnnouncement } from '../src/bgp/messages/update.ts';
import { loadCore, type WasmRouteCore } from '../src/core/core.ts';
import type { Prefix } from '../src/net/prefix.ts';
import { parseCommunityPattern } from '../src/policy/community-pattern.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/policy.ts';
import { randomSource } from './feed/random.ts';
import { Feed } from './feed/stream.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';

const ROUTES = 1_000_000;
const RUNS = 5;
/** What a TCP read of Node brings. */
const CHUNK_BYTES = 65536;
const BATCH_RECORDS = 10_000;
const LOOKUPS = 1_000_000;
const LOOKUPS_PER_CALL = 50_000;
const SAMPLE_SECONDS = 0.003;
const LONG_MESSAGE_BYTES = 65535;
const LONG_MESSAGE_PREFIXES = 13_000;

/** Where path attributes begin in an UPDATE that withdraws nothing. */
const ATTRIBUTES_OFFSET = 23;
const WELL_KNOWN = 0x40;
const UNASSIGNED_TYPE = 99;

const nextHop = Uint8Array.of(192, 0, 2, 1);
const peerAsn = 65001;
const localAsn = 65000;

type Print = (line: string) => void;

export async function run(print: Print): Promise<void> {
  const table = await loadPrefixTable(ROUTES);
  const feed = new Feed(table, { localAs: peerAsn, nextHop }).encodeTable();
  print(
    `input: ${ROUTES} IPv4 prefixes, ${table.realCount} of a real table; 8 prefixes per UPDATE, a path each`,
  );
  await benchDecode(print, table);
  const core = await benchLoad(print, feed, { hasFib: false });
  benchRepeat(print, core, feed);
  benchLookup(print, core, table);
  await benchLoad(print, feed, { hasFib: true });
  await benchPolicy(print, feed, table);
}

/** A whole long UPDATE is checked and every prefix in it decoded into its key; the few attributes do not count. */
async function benchDecode(print: Print, table: PrefixTable): Promise<void> {
  const core = await loadCore();
  const step = Math.floor(table.addresses.length / LONG_MESSAGE_PREFIXES);
  const prefixes = Array.from({ length: LONG_MESSAGE_PREFIXES }, (_, i) =>
    prefixAt(table, i * step),
  );
  const message = encodeLong(prefixes);
  const context = { fourOctetAs: true, session: 'ebgp', addPath: [], peerAsn, localAsn } as const;
  const { outcome, announcedCount } = core.checkUpdate(message, context);
  if (outcome !== 'accept' || announcedCount !== prefixes.length)
    throw new Error(`decoded ${announcedCount} prefixes, ${outcome}`);
  // The same list behind an attribute that resets the session is checked as a whole, and not decoded.
  const rejected = message.slice();
  rejected[ATTRIBUTES_OFFSET] = WELL_KNOWN;
  rejected[ATTRIBUTES_OFFSET + 1] = UNASSIGNED_TYPE;
  if (core.checkUpdate(rejected, context).announcedCount !== 0)
    throw new Error('the list was decoded, expected a session reset');
  const perPrefix = 1e9 / prefixes.length;
  const whole = secondsPer(() => core.checkUpdate(message, context)) * perPrefix;
  const checkOnly = secondsPer(() => core.checkUpdate(rejected, context)) * perPrefix;
  report(print, 'NLRI decode', whole - checkOnly, 'ns/prefix', 'at most 4');
  report(print, 'NLRI check and decode', whole, 'ns/prefix', '');
}

function encodeLong(prefixes: readonly Prefix[]): Uint8Array {
  const attributes = { origin: 'igp', asPath: asSequence([peerAsn]), nextHop } as const;
  const session = { fourOctetAs: true, maxMessageBytes: LONG_MESSAGE_BYTES };
  const [message, ...rest] = encodeAnnouncement(prefixes, attributes, session);
  if (rest.length > 0)
    throw new Error(`${prefixes.length} prefixes take ${rest.length + 1} messages, expected 1`);
  return message!;
}

async function benchLoad(
  print: Print,
  feed: Uint8Array,
  { hasFib }: { readonly hasFib: boolean },
): Promise<WasmRouteCore> {
  const what = hasFib ? ', one FIB' : '';
  const loads: number[] = [];
  const holds: number[] = [];
  const drains: number[] = [];
  let core = await newCore(hasFib);
  const emptyBytes = core.memory().usedBytes;
  for (let run = 0; run < RUNS; run++) {
    if (run > 0) core = await newCore(hasFib);
    const { seconds, worstSeconds } = receiveAll(core, feed);
    loads.push((seconds / ROUTES) * 1e9);
    holds.push(worstSeconds * 1e3);
    if (hasFib) drains.push(drainAll(core));
  }
  const { usedBytes, linearBytes, attributeSetCount } = core.memory();
  reportMedian(
    print,
    `parse + upsert + best path${what}`,
    loads,
    'ns/route',
    hasFib ? '' : 'at most 400',
  );
  reportMedian(print, `longest call for a chunk of ${CHUNK_BYTES} bytes${what}`, holds, 'ms', '');
  if (hasFib) reportMedian(print, 'journal: drain and acknowledge', drains, 'ns/record', '');
  report(
    print,
    `memory${what}, ${attributeSetCount} attribute sets included`,
    (usedBytes - emptyBytes) / ROUTES,
    'bytes/route',
    hasFib ? '' : 'at most 80',
  );
  report(print, `linear memory${what}`, linearBytes / 1e6, 'MB', '');
  return core;
}

/** Three clauses that every route goes through, with and without in turns: the ratio is of one run. */
async function benchPolicy(print: Print, feed: Uint8Array, table: PrefixTable): Promise<void> {
  const plain: number[] = [];
  const governed: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    plain.push(receiveAll(await newCore(false), feed).seconds);
    const core = await newCore(false);
    core.setPolicy(POLICY_FIRST, compilePolicy(policyOver(table), policyNames).bytes);
    core.updatePeer(1, { ...peerOptions, importPolicy: POLICY_FIRST });
    governed.push(receiveAll(core, feed).seconds);
    if (core.peerCounters(1).accepted[0] !== ROUTES) throw new Error('the policy took less');
  }
  const perRoute = (seconds: number) => (seconds / ROUTES) * 1e9;
  reportMedian(print, 'with an import policy', governed.map(perRoute), 'ns/route', '');
  const ratios = governed.map((seconds, run) => seconds / plain[run]!);
  reportMedian(print, '… beside none', ratios, 'times', 'at most 1.3');
}

const policyNames = { asn: localAsn, peer: () => 0 };

/** A list of a thousand host prefixes of which none is in the table, a community, and LOCAL_PREF for everything. */
function policyOver(table: PrefixTable): Policy {
  const step = Math.floor(table.addresses.length / 1000);
  const prefixes = Array.from({ length: 1000 }, (_, i) => i * step)
    .filter((route) => table.lengths[route] !== 32)
    .map((route) => ({ prefix: { ...prefixAt(table, route), length: 32 }, ge: 32, le: 32 }));
  const community = parseCommunityPattern('standard', '65535:666')!;
  return [
    { match: { prefixes }, set: {}, action: 'reject' },
    { match: { communities: { any: [community] } }, set: {}, action: 'reject' },
    { match: {}, set: { localPref: 200 }, action: 'accept' },
  ];
}

const peerOptions = {
  network: 1,
  address: nextHop,
  asn: peerAsn,
  localAsn,
  localRouterId: 1,
  interfaceIndex: 0,
  importPolicy: POLICY_ACCEPT,
  enforceFirstAs: true,
  maxPrefixes: {},
};

async function newCore(hasFib: boolean): Promise<WasmRouteCore> {
  const core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 16, multipathRelax: false });
  if (hasFib) core.addFib(1, 1, { holdRemovals: false });
  core.addPeer(1, peerOptions);
  core.openPeer(1, {
    routerId: 2,
    fourOctetAs: true,
    maxMessageBytes: 4096,
    families: ['ipv4-unicast'],
    addPath: [],
  });
  return core;
}

function receiveAll(
  core: WasmRouteCore,
  feed: Uint8Array,
): { seconds: number; worstSeconds: number } {
  const start = process.cpuUsage();
  let worst = 0;
  let announcedCount = 0;
  for (let offset = 0; offset < feed.length; offset += CHUNK_BYTES) {
    const before = performance.now();
    announcedCount += core.receive(
      1,
      feed.subarray(offset, offset + CHUNK_BYTES),
      1,
    ).announcedCount;
    worst = Math.max(worst, performance.now() - before);
  }
  const seconds = cpuSecondsSince(start);
  if (announcedCount !== ROUTES)
    throw new Error(`${announcedCount} routes taken, expected ${ROUTES}`);
  return { seconds, worstSeconds: worst / 1e3 };
}

/** Nanoseconds per record to hand the whole table over in batches. */
function drainAll(core: WasmRouteCore): number {
  const start = process.cpuUsage();
  let records = 0;
  for (;;) {
    const { count } = core.drain(1, BATCH_RECORDS);
    if (count === 0) break;
    core.acknowledge(1, []);
    records += count;
  }
  if (records !== ROUTES) throw new Error(`${records} records drained, expected ${ROUTES}`);
  return (cpuSecondsSince(start) * 1e9) / records;
}

function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

function benchRepeat(print: Print, core: WasmRouteCore, feed: Uint8Array): void {
  const repeats = Array.from(
    { length: RUNS },
    () => (receiveAll(core, feed).seconds / ROUTES) * 1e9,
  );
  reportMedian(print, 'the same routes announced again', repeats, 'ns/route', '');
}

function benchLookup(print: Print, core: WasmRouteCore, table: PrefixTable): void {
  const random = randomSource(1);
  const anywhere = new Uint8Array(LOOKUPS * 4);
  const inside = new Uint8Array(LOOKUPS * 4);
  const view = new DataView(inside.buffer);
  for (let i = 0; i < LOOKUPS; i++) {
    new DataView(anywhere.buffer).setUint32(i * 4, random());
    const route = random() % table.addresses.length;
    const hostMask = table.lengths[route] === 32 ? 0 : 0xffffffff >>> table.lengths[route]!;
    view.setUint32(i * 4, (table.addresses[route]! | (random() & hostMask)) >>> 0);
  }
  for (const [where, addresses] of [
    ['inside routed prefixes', inside],
    ['anywhere', anywhere],
  ] as const) {
    let call = 0;
    const seconds = secondsPer(() => {
      const first = (call++ * LOOKUPS_PER_CALL * 4) % addresses.length;
      const part = addresses.subarray(first, first + LOOKUPS_PER_CALL * 4);
      core.lookUp(1, 'ipv4-unicast', part);
    });
    report(
      print,
      `LPM, random addresses ${where}`,
      LOOKUPS_PER_CALL / seconds / 1e6,
      'million/s',
      'at least 8',
    );
  }
}

/** Seconds of one call: the fastest of the benchmark package's samples, which are short enough to run undisturbed. */
function secondsPer(call: () => void): number {
  const options = { maxTime: 2, minSamples: 20, minTime: SAMPLE_SECONDS };
  const benchmark = new Benchmark('kernel', call, options);
  benchmark.run();
  if (benchmark.error) throw benchmark.error;
  return Math.min(...benchmark.stats.sample);
}

function report(print: Print, what: string, value: number, unit: string, goal: string): void {
  print(`${what}: ${value.toFixed(2)} ${unit}${goal && ` (goal: ${goal})`}`);
}

function reportMedian(
  print: Print,
  what: string,
  values: readonly number[],
  unit: string,
  goal: string,
): void {
  const sorted = [...values].sort((a, b) => a - b);
  const range = `${sorted[0]!.toFixed(1)}–${sorted.at(-1)!.toFixed(1)}`;
  print(
    `${what}: ${sorted[sorted.length >> 1]!.toFixed(1)} ${unit} (${range})${goal && ` (goal: ${goal})`}`,
  );
}

if (import.meta.main) await run(console.log);
