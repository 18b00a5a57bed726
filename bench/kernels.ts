// How fast are the route core's kernels: NLRI decode, a full table into the Loc-RIB, longest match, the journal? In process.
//
// Kernels that can be repeated on one table run under the `benchmark` package, and the fastest sample counts; those that fill a
// table run on fresh cores, and their CPU time counts. Both say what the code costs, not how busy the machine was.
import Benchmark from 'benchmark';
import { POLICY_FIRST } from '../assembly/abi.ts';
import { asSequence } from '../src/bgp/attributes/as-path.ts';
import { encodeAnnouncement } from '../src/bgp/messages/update.ts';
import { packageVersion } from '../src/cli/version.ts';
import { loadCore } from '../src/core/core.ts';
import type { RouteCore } from '../src/core/route-core.ts';
import type { Prefix } from '../src/net/prefix.ts';
import { parseCommunityPattern } from '../src/policy/community-pattern.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/policy.ts';
import {
  FIB,
  LOCAL_ASN,
  MAX_MESSAGE_BYTES,
  newFedCore,
  PEER,
  PEER_ASN,
  peerOptions,
  receiveFeed,
} from './fed-core.ts';
import { randomSource } from './feed/random.ts';
import { Feed } from './feed/stream.ts';
import { loadPrefixTable, type PrefixTable, prefixAt } from './feed/table.ts';
import { watchForeignCpu } from './harness/cpu.ts';
import type { RunOptions, Sample, Scenario } from './harness/scenario.ts';

const BATCH_RECORDS = 10_000;
const LOOKUPS = 1_000_000;
const LOOKUPS_PER_CALL = 50_000;
const SAMPLE_SECONDS = 0.003;
const LONG_MESSAGE_PREFIXES = 13_000;

/** Where path attributes begin in an UPDATE that withdraws nothing. */
const ATTRIBUTES_OFFSET = 23;
const WELL_KNOWN = 0x40;
const UNASSIGNED_TYPE = 99;

const nextHop = Uint8Array.of(192, 0, 2, 1);
const fibOptions = { holdRemovals: false };

export const kernels: Scenario = {
  name: 'kernels',
  question: 'what does the route core take per route, alone and in process?',
  routes: 1_000_000,
  smallRoutes: 20_000,
  repeats: 5,
  warmUpShare: 0.1,
  obstacle: () => undefined,
  input: (routes) =>
    `${routes} IPv4 prefixes of a real table, 8 prefixes per UPDATE, a path each; CPU time per route`,
  metrics: [
    { key: 'decode', title: 'NLRI decode', unit: 'ns' },
    { key: 'check', title: 'NLRI check and decode', unit: 'ns' },
    { key: 'load', title: 'parse, upsert, best path', unit: 'ns' },
    { key: 'again', title: 'the same again', unit: 'ns' },
    { key: 'hold', title: 'longest call for 64 KiB', unit: 'ms' },
    { key: 'bytes', title: 'memory per route', unit: 'bytes' },
    { key: 'fibLoad', title: '… with one FIB', unit: 'ns' },
    { key: 'fibHold', title: 'longest call, one FIB', unit: 'ms' },
    { key: 'fibBytes', title: 'memory per route, one FIB', unit: 'bytes' },
    { key: 'drain', title: 'journal, drained and acknowledged', unit: 'ns' },
    { key: 'lookUp', title: 'LPM inside routed prefixes', unit: 'million/s', isMoreBetter: true },
    { key: 'lookUpAny', title: 'LPM anywhere', unit: 'million/s', isMoreBetter: true },
    { key: 'policy', title: 'load with an import policy, to that without', unit: '×' },
    { key: 'sets', title: 'attribute sets', unit: 'count', isContext: true },
  ],
  contestants: [{ name: 'Rutter', version: async () => packageVersion(), run: measure }],
  goals: [
    { metric: 'decode', atMost: 4 },
    { metric: 'load', atMost: 400 },
    { metric: 'bytes', atMost: 80 },
    { metric: 'lookUp', atLeast: 8 },
    { metric: 'lookUpAny', atLeast: 8 },
    { metric: 'policy', atMost: 1.3 },
  ],
};

interface Input {
  readonly table: PrefixTable;
  readonly feed: Uint8Array;
}

/** Made once per size: that takes longer than what is measured. */
const inputs = new Map<number, Promise<Input>>();

function inputOf(routes: number): Promise<Input> {
  const input = inputs.get(routes) ?? makeInput(routes);
  inputs.set(routes, input);
  return input;
}

async function makeInput(routes: number): Promise<Input> {
  const table = await loadPrefixTable(routes);
  return { table, feed: new Feed(table, { localAs: PEER_ASN, nextHop }).encodeTable() };
}

async function measure({ routes, isSmall }: RunOptions): Promise<Sample> {
  const { table, feed } = await inputOf(routes);
  const seconds = isSmall ? 0.1 : 1;
  const foreign = watchForeignCpu();
  return {
    ...(await measureDecode(table, seconds)),
    ...(await measureLoad(table, feed, seconds)),
    ...(await measureFib(feed, routes)),
    policy: await measurePolicy(table, feed),
    foreignCores: foreign(),
  };
}

/** A whole long UPDATE is checked and every prefix in it decoded into its key; the few attributes do not count. */
async function measureDecode(table: PrefixTable, seconds: number): Promise<Sample> {
  const core = await loadCore();
  const count = Math.min(LONG_MESSAGE_PREFIXES, table.addresses.length);
  const step = Math.floor(table.addresses.length / count);
  const prefixes = Array.from({ length: count }, (_, i) => prefixAt(table, i * step));
  const message = encodeLong(prefixes);
  const context = {
    fourOctetAs: true,
    session: 'ebgp',
    addPath: [],
    peerAsn: PEER_ASN,
    localAsn: LOCAL_ASN,
  } as const;
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
  const check = secondsPer(() => core.checkUpdate(message, context), seconds) * perPrefix;
  const only = secondsPer(() => core.checkUpdate(rejected, context), seconds) * perPrefix;
  return { decode: check - only, check };
}

function encodeLong(prefixes: readonly Prefix[]): Uint8Array {
  const attributes = { origin: 'igp', asPath: asSequence([PEER_ASN]), nextHop } as const;
  const session = { fourOctetAs: true, maxMessageBytes: MAX_MESSAGE_BYTES };
  const [message, ...rest] = encodeAnnouncement(prefixes, attributes, session);
  if (rest.length > 0)
    throw new Error(`${prefixes.length} prefixes take ${rest.length + 1} messages, expected 1`);
  return message!;
}

async function measureLoad(table: PrefixTable, feed: Uint8Array, seconds: number): Promise<Sample> {
  const routes = table.addresses.length;
  const core = await newFedCore();
  const emptyBytes = core.memory().usedBytes;
  const { load, hold } = receiveWhole(core, feed, routes);
  const { usedBytes, attributeSetCount } = core.memory();
  const [inside, anywhere] = lookUpAddresses(table);
  return {
    load,
    hold,
    bytes: (usedBytes - emptyBytes) / routes,
    sets: attributeSetCount,
    again: receiveWhole(core, feed, routes).load,
    lookUp: lookUpRate(core, inside, seconds),
    lookUpAny: lookUpRate(core, anywhere, seconds),
  };
}

async function measureFib(feed: Uint8Array, routes: number): Promise<Sample> {
  const core = await newFedCore(fibOptions);
  const emptyBytes = core.memory().usedBytes;
  const { load, hold } = receiveWhole(core, feed, routes);
  const drain = drainWhole(core, routes);
  const fibBytes = (core.memory().usedBytes - emptyBytes) / routes;
  return { fibLoad: load, fibHold: hold, drain, fibBytes };
}

/** Three clauses that every route goes through, without and with, one after the other: the ratio is of one moment. */
async function measurePolicy(table: PrefixTable, feed: Uint8Array): Promise<number> {
  const routes = table.addresses.length;
  const plain = receiveWhole(await newFedCore(), feed, routes).load;
  const core = await newFedCore();
  const names = { asn: LOCAL_ASN, peer: () => 0 };
  core.setPolicy(POLICY_FIRST, compilePolicy(policyOver(table), names).bytes);
  core.updatePeer(PEER, { ...peerOptions, importPolicy: POLICY_FIRST });
  const governed = receiveWhole(core, feed, routes).load;
  if (core.peerCounters(PEER).accepted[0] !== routes) throw new Error('the policy took less');
  return governed / plain;
}

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

/** Nanoseconds of CPU per route, and milliseconds of the longest call. */
function receiveWhole(
  core: RouteCore,
  feed: Uint8Array,
  routes: number,
): { readonly load: number; readonly hold: number } {
  const start = process.cpuUsage();
  const { announcedCount, worstMs } = receiveFeed(core, feed);
  const seconds = cpuSecondsSince(start);
  if (announcedCount !== routes)
    throw new Error(`${announcedCount} routes taken, expected ${routes}`);
  return { load: (seconds / routes) * 1e9, hold: worstMs };
}

/** Nanoseconds per record to hand the whole table over in batches. */
function drainWhole(core: RouteCore, routes: number): number {
  const start = process.cpuUsage();
  let records = 0;
  for (;;) {
    const { count } = core.drain(FIB, BATCH_RECORDS);
    if (count === 0) break;
    core.acknowledge(FIB, []);
    records += count;
  }
  if (records !== routes) throw new Error(`${records} records drained, expected ${routes}`);
  return (cpuSecondsSince(start) * 1e9) / records;
}

function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Random addresses, packed: inside the table's prefixes, and anywhere. */
function lookUpAddresses(table: PrefixTable): readonly [Uint8Array, Uint8Array] {
  const random = randomSource(1);
  const inside = new Uint8Array(LOOKUPS * 4);
  const anywhere = new Uint8Array(LOOKUPS * 4);
  const insideView = new DataView(inside.buffer);
  const anywhereView = new DataView(anywhere.buffer);
  for (let i = 0; i < LOOKUPS; i++) {
    anywhereView.setUint32(i * 4, random());
    const route = random() % table.addresses.length;
    const hostMask = table.lengths[route] === 32 ? 0 : 0xffffffff >>> table.lengths[route]!;
    insideView.setUint32(i * 4, (table.addresses[route]! | (random() & hostMask)) >>> 0);
  }
  return [inside, anywhere];
}

/** Million look-ups a second. */
function lookUpRate(core: RouteCore, addresses: Uint8Array, seconds: number): number {
  let call = 0;
  const each = secondsPer(() => {
    const first = (call++ * LOOKUPS_PER_CALL * 4) % addresses.length;
    const part = addresses.subarray(first, first + LOOKUPS_PER_CALL * 4);
    core.lookUp(1, 'ipv4-unicast', part);
  }, seconds);
  return LOOKUPS_PER_CALL / each / 1e6;
}

/** Seconds of one call: the fastest of the benchmark package's samples, which are short enough to run undisturbed. */
function secondsPer(call: () => void, maxTime: number): number {
  const options = { maxTime, minSamples: 10, minTime: SAMPLE_SECONDS };
  const benchmark = new Benchmark('kernel', call, options);
  benchmark.run();
  if (benchmark.error) throw benchmark.error;
  return Math.min(...benchmark.stats.sample);
}
