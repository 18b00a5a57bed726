// The host's face of assembly/: implements RouteCore over the WebAssembly module. The only file that touches its memory.
//
// Views. Growing the memory detaches every view of it, and any call may grow it. So views are made here only, re-made whenever
// memory.buffer is another one (`#refresh`, after every call that may allocate), and never handed out but for
// ReceiveResult.message, which says so. Everything else that leaves is a copy.
//
// Calls. Bytes go in through the input buffer, at most INPUT_SIZE per call: what is longer is fed in parts. Numbers come back in the
// result record, which is read field by field after the call that filled it.
import {
  ABOUT_FOREIGN,
  ABOUT_PLACE,
  ABOUT_REFUSAL,
  ABOUT_RETRY,
  AGGREGATION_DISCARD,
  AGGREGATION_ENDED,
  AGGREGATION_EXACT,
  AGGREGATION_OFF,
  ANY_PEER,
  COST_PER_ENTRY,
  COST_PER_NEXT_HOP,
  INPUT_SIZE,
  MATCH_ALL,
  MATCH_COVERING,
  MATCH_EXACT,
  MATCH_LONGER,
  MATCH_LONGEST,
  PAGE_CURSOR,
  PAGE_MATCH,
  PEER_FLAG_ENFORCE_FIRST_AS,
  RECEIVE_DONE,
  RESULT_ANNOUNCED_COUNT,
  RESULT_CONSUMED_SIZE,
  RESULT_COUNTERS,
  RESULT_ERROR_CODE,
  RESULT_ERROR_OFFSET,
  RESULT_ERROR_SUBCODE,
  RESULT_MALFORMED_ATTRIBUTE,
  RESULT_NEXT_BITS,
  RESULT_OUT_OF_MEMORY_COUNT,
  RESULT_OUTPUT_COUNT,
  RESULT_OUTPUT_SIZE,
  RESULT_OVER_LIMIT_COUNT,
  RESULT_STATUS,
  RESULT_WITHDRAWN_COUNT,
  STAGE_ADJ_RIB_IN,
  STAGE_LOC_RIB,
  TRY_ACCEPTED,
  TRY_ATTRIBUTES,
  TRY_BAD_ATTRIBUTES,
  TRY_NEXT_HOP,
  TRY_OUT_OF_MEMORY,
  TRY_UNKNOWN_POLICY,
} from '../../assembly/abi.ts';
import {
  type AddressFamily,
  addressFamilies,
  familyMask,
  familyNumbers,
} from '../net/address-family.ts';
import { type Prefix, prefixFamily } from '../net/prefix.ts';
import { type CoreExports, instantiateCore } from './core-module.ts';
import {
  addressSize,
  keySize,
  readCarriedPrefixes,
  readDifferences,
  readFibRows,
  readNextHopEvents,
  readRouteRows,
} from './pages.ts';
import { readTrial } from './policy-trial.ts';
import { Received } from './received.ts';
import { encodeObservations, type FibBatchMessage, observationParts } from './records.ts';
import type {
  CheckContext,
  CoreImport,
  CoreMemory,
  CorePeer,
  CoreSession,
  DecisionOptions,
  FibCheck,
  FibCounters,
  FibOptions,
  FibRow,
  LabelRow,
  LearnResult,
  NextHopEvent,
  Page,
  PeerCounters,
  PolicyTrial,
  PrefixMatch,
  ReceiveResult,
  RouteCore,
  RouteRow,
  TriedRoute,
  UpdateVerdict,
  WalkCursor,
} from './route-core.ts';

const DEFAULT_MAXIMUM_BYTES = 2 ** 30;
/** The last page of a 4 GiB memory stays out of reach: the core's addresses have 32 bits. */
const LARGEST_MAXIMUM_BYTES = 2 ** 32 - 65536;
const EVENT_LIMIT = 1024;
/** The total path attribute length field of an UPDATE has 16 bits. */
const MOST_ATTRIBUTE_BYTES = 65_535;

const outcomes = ['accept', 'attribute-discard', 'treat-as-withdraw', 'session-reset'] as const;
const aggregations = {
  off: AGGREGATION_OFF,
  exact: AGGREGATION_EXACT,
  discard: AGGREGATION_DISCARD,
  ended: AGGREGATION_ENDED,
};
const matches = {
  all: MATCH_ALL,
  exact: MATCH_EXACT,
  longer: MATCH_LONGER,
  covering: MATCH_COVERING,
  longest: MATCH_LONGEST,
};

/** A core with nothing in it. `maximumBytes`: ceiling of its memory; routes that do not fit are refused and counted. */
export async function loadCore(
  options: { readonly maximumBytes?: number } = {},
): Promise<WasmRouteCore> {
  const maximumBytes = options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
  const exports = await instantiateCore();
  if (!exports.initialise(Math.min(maximumBytes, LARGEST_MAXIMUM_BYTES))) {
    throw new Error(`route core: ${maximumBytes} bytes of memory, expected at least 8 MiB`);
  }
  return new WasmRouteCore(exports);
}

export class WasmRouteCore implements RouteCore {
  readonly #exports: CoreExports;
  readonly #input: number;
  readonly #output: number;
  readonly #result: number;
  readonly #received = new Received();
  /** What of a chunk follows a control message that the host has not handled yet. */
  readonly #unread = new Map<number, { readonly chunk: Uint8Array; readonly nowSeconds: number }>();
  /** FIBs of each network, in the order they were added. */
  readonly #fibsOfNetwork = new Map<number, number[]>();
  #bytes: Uint8Array;
  #view: DataView;

  constructor(exports: CoreExports) {
    this.#exports = exports;
    this.#input = exports.inputBuffer() >>> 0;
    this.#output = exports.outputBuffer() >>> 0;
    this.#result = exports.resultRecord() >>> 0;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#view = new DataView(exports.memory.buffer);
  }

  // ---- networks ----

  addNetwork(network: number, options: DecisionOptions): void {
    const { med, multipath, multipathRelax } = options;
    const done = this.#exports.setNetwork(network, med === 'always', multipath, multipathRelax);
    this.#expect(done, `network ${network} cannot be added`);
    if (!this.#fibsOfNetwork.has(network)) this.#fibsOfNetwork.set(network, []);
  }

  removeNetwork(network: number): void {
    const done = this.#exports.removeNetwork(network);
    this.#expect(done, `network ${network} is not known or still in use`);
    this.#fibsOfNetwork.delete(network);
  }

  setOwnSubnets(network: number, prefixes: readonly Prefix[]): void {
    const { records, byteLength } = encodeObservations(
      prefixes.map((prefix) => ({ prefix, set: undefined })),
    );
    const tell = (part: Uint8Array, isContinued: boolean): void => {
      this.#bytes.set(part, this.#input);
      const done = this.#exports.setOwnSubnets(network, part.length, isContinued);
      this.#refresh();
      this.#expect(done, `network ${network} is not known or there is no memory for its subnets`);
    };
    tell(new Uint8Array(), false);
    for (const part of observationParts(records, byteLength)) tell(part, true);
  }

  trackNextHops(network: number, on: boolean): void {
    this.#expect(this.#exports.trackNextHops(network, on), `network ${network} is not known`);
  }

  takeNextHopEvents(): NextHopEvent[] {
    const events: NextHopEvent[] = [];
    for (;;) {
      const count = this.#exports.takeNextHopEvents(EVENT_LIMIT);
      this.#refresh();
      events.push(...readNextHopEvents(this.#view, this.#output, count));
      if (count < EVENT_LIMIT) return events;
    }
  }

  setNextHop(id: number, state: { readonly resolved: boolean; readonly metric: number }): void {
    // A next hop may have gone since the host was told of it: then there is nothing to do.
    this.#exports.setNextHop(id, state.resolved, state.metric);
  }

  // ---- peers ----

  addPeer(peer: number, options: CorePeer): void {
    this.#setPeer(peer, options);
  }

  updatePeer(peer: number, options: CorePeer): void {
    this.#setPeer(peer, options);
  }

  #setPeer(peer: number, options: CorePeer): void {
    this.#bytes.set(options.address, this.#input);
    const done = this.#exports.setPeer(
      peer,
      options.network,
      options.asn,
      options.localAsn,
      options.localRouterId,
      options.interfaceIndex,
      options.enforceFirstAs ? PEER_FLAG_ENFORCE_FIRST_AS : 0,
      options.nameId ?? 0,
      options.importPolicy,
      options.address.length,
    );
    this.#expect(done, `peer ${peer} cannot be set in network ${options.network}`);
    for (const family of addressFamilies) {
      const limit = options.maxPrefixes[family] ?? 0;
      this.#exports.setPeerLimit(peer, familyNumbers(family).index, limit);
    }
  }

  addImport(peer: number, { network, from, policy }: CoreImport): void {
    const done = this.#exports.setImport(peer, network, from, policy);
    this.#expect(done, `import ${peer} from network ${from} cannot be set in network ${network}`);
  }

  removePeer(peer: number): void {
    this.#unread.delete(peer);
    this.#expect(this.#exports.removePeer(peer), `peer ${peer} is not known or still has routes`);
  }

  openPeer(peer: number, session: CoreSession): void {
    this.#unread.delete(peer);
    const done = this.#exports.openPeer(
      peer,
      session.routerId,
      session.fourOctetAs,
      session.maxMessageBytes,
      familyMask(session.families),
      familyMask(session.addPath),
    );
    this.#expect(done, `peer ${peer} is not known`);
  }

  receive(peer: number, chunk: Uint8Array, nowSeconds: number): ReceiveResult {
    this.#unread.delete(peer);
    return this.#feed(peer, chunk, nowSeconds);
  }

  resume(peer: number): ReceiveResult {
    const unread = this.#unread.get(peer);
    this.#unread.delete(peer);
    return this.#feed(peer, unread?.chunk ?? new Uint8Array(), unread?.nowSeconds ?? 0);
  }

  #feed(peer: number, chunk: Uint8Array, nowSeconds: number): ReceiveResult {
    let offset = 0;
    do {
      const part = chunk.subarray(offset, offset + INPUT_SIZE);
      this.#bytes.set(part, this.#input);
      const [seconds, ms] = [Math.floor(nowSeconds), millisecondsOf(nowSeconds)];
      const done = this.#exports.receive(peer, part.length, seconds, ms, offset > 0);
      this.#refresh();
      this.#expect(done, `peer ${peer} has no open session`);
      offset += this.#field(RESULT_CONSUMED_SIZE);
      if (this.#field(RESULT_STATUS) !== RECEIVE_DONE) break;
    } while (offset < chunk.length);
    this.#received.read(this.#view, this.#result);
    if (this.#received.status === 'control') {
      this.#unread.set(peer, { chunk: chunk.subarray(offset), nowSeconds });
    }
    return this.#received;
  }

  closePeer(peer: number, retain: readonly AddressFamily[]): void {
    this.#unread.delete(peer);
    this.#expect(this.#exports.closePeer(peer, familyMask(retain)), `peer ${peer} is not known`);
  }

  beginRefresh(peer: number, family: AddressFamily): void {
    const done = this.#exports.beginRefresh(peer, familyNumbers(family).index);
    this.#expect(done, `peer ${peer} is not known`);
  }

  endRefresh(peer: number, family: AddressFamily): void {
    const done = this.#exports.endRefresh(peer, familyNumbers(family).index);
    this.#expect(done, `peer ${peer} is not known`);
  }

  peerCounters(peer: number): PeerCounters {
    this.#expect(this.#exports.readPeerCounters(peer), `peer ${peer} is not known`);
    const perFamily = (column: number) =>
      addressFamilies.map((_, index) => this.#counter(index * 3 + column));
    return { received: perFamily(0), accepted: perFamily(1), best: perFamily(2) };
  }

  // ---- policies ----

  setPolicy(policy: number, compiled: Uint8Array): void {
    let isTaken = this.#exports.beginPolicy(compiled.length) !== 0;
    this.#refresh();
    for (let offset = 0; isTaken && offset < compiled.length; offset += INPUT_SIZE) {
      const part = compiled.subarray(offset, offset + INPUT_SIZE);
      this.#bytes.set(part, this.#input);
      isTaken = this.#exports.takePolicy(offset, part.length) !== 0;
    }
    this.#expect(isTaken ? 1 : 0, `there is no memory for policy ${policy}`);
    const isPut = this.#exports.putIncomingPolicy(policy);
    this.#refresh();
    this.#expect(isPut, `policy ${policy} is not sound`);
  }

  removePolicy(policy: number): void {
    this.#expect(this.#exports.removePolicy(policy), `policy ${policy} is not known`);
  }

  tryPolicy(policy: number, route: TriedRoute): PolicyTrial {
    const { prefix, attributes, nextHop, weight = 0, peer } = route;
    this.#expect(attributes.length <= MOST_ATTRIBUTE_BYTES ? 1 : 0, 'attributes are too long');
    this.#writeKey(PAGE_MATCH, prefix.address, prefix.length);
    if (nextHop) this.#bytes.set(nextHop, this.#input + TRY_NEXT_HOP);
    this.#bytes.set(attributes, this.#input + TRY_ATTRIBUTES);
    const family = familyNumbers(prefixFamily(prefix)).index;
    this.#exports.tryPolicy(
      policy,
      family,
      prefix.length,
      nextHop?.length ?? 0,
      attributes.length,
      weight,
      peer,
    );
    this.#refresh();
    const status = this.#field(RESULT_STATUS);
    this.#expect(status === TRY_UNKNOWN_POLICY ? 0 : 1, `policy ${policy} is not known`);
    this.#expect(status === TRY_BAD_ATTRIBUTES ? 0 : 1, 'attributes are malformed');
    this.#expect(status === TRY_OUT_OF_MEMORY ? 0 : 1, 'there is no memory to try a policy');
    return readTrial(this.#view, this.#output, {
      count: this.#field(RESULT_OUTPUT_COUNT),
      accepted: status === TRY_ACCEPTED,
    });
  }

  // ---- routes that are not from a session ----

  learn(peer: number, records: ArrayBuffer, byteLength: number, nowSeconds: number): LearnResult {
    let isContinued = false;
    for (const part of observationParts(records, byteLength)) {
      this.#bytes.set(part, this.#input);
      const done = this.#exports.learn(peer, part.length, nowSeconds, isContinued);
      this.#refresh();
      this.#expect(done, `peer ${peer} is not known`);
      isContinued = true;
    }
    const field = (offset: number) => (isContinued ? this.#field(offset) : 0);
    return {
      announcedCount: field(RESULT_ANNOUNCED_COUNT),
      withdrawnCount: field(RESULT_WITHDRAWN_COUNT),
      overLimitCount: field(RESULT_OVER_LIMIT_COUNT),
      outOfMemoryCount: field(RESULT_OUT_OF_MEMORY_COUNT),
    };
  }

  originate(
    network: number,
    prefix: Prefix,
    nowSeconds: number,
    { discard = false }: { readonly discard?: boolean } = {},
  ): void {
    this.#writeKey(0, prefix.address, prefix.length);
    const family = familyNumbers(prefixFamily(prefix)).index;
    const done = this.#exports.originate(network, family, prefix.length, discard, nowSeconds);
    this.#refresh();
    this.#expect(done, `network ${network} is not known or there is no memory for a local route`);
  }

  withdrawOriginated(network: number, prefix: Prefix): void {
    this.#writeKey(0, prefix.address, prefix.length);
    const family = familyNumbers(prefixFamily(prefix)).index;
    this.#exports.withdrawOriginated(network, family, prefix.length);
    this.#refresh();
  }

  // ---- deferred work ----

  work(budget: number): boolean {
    const hasMore = this.#exports.work(budget) !== 0;
    this.#refresh();
    return hasMore;
  }

  passRestedPrefixes(nowSeconds: number): boolean {
    const areMoreWaiting = this.#exports.passRestedPrefixes(millisecondsOf(nowSeconds)) !== 0;
    this.#refresh();
    return areMoreWaiting;
  }

  restlessPrefixCount(): number {
    return this.#exports.readRestlessCount();
  }

  // ---- FIBs ----

  addFib(fib: number, network: number, options: FibOptions): void {
    const { holdRemovals, isPatient = false, aggregation = 'off', cost } = options;
    const done = this.#exports.addFib(
      fib,
      network,
      holdRemovals,
      isPatient,
      aggregations[aggregation],
      cost === 'next-hops' ? COST_PER_NEXT_HOP : COST_PER_ENTRY,
    );
    this.#refresh();
    this.#expect(done, `FIB ${fib} cannot be added to network ${network}`);
    this.#fibsOfNetwork.get(network)!.push(fib);
  }

  removeFib(fib: number): void {
    this.#expect(this.#exports.removeFib(fib), `FIB ${fib} is not known`);
    for (const [network, fibs] of this.#fibsOfNetwork) {
      this.#fibsOfNetwork.set(
        network,
        fibs.filter((other) => other !== fib),
      );
    }
  }

  pendingFibs(): readonly number[] {
    const pending: number[] = [];
    for (const fibs of this.#fibsOfNetwork.values()) {
      for (const fib of fibs) if (this.#exports.isFibPending(fib)) pending.push(fib);
    }
    return pending;
  }

  isUrgent(fib: number): boolean {
    return this.#exports.isFibUrgent(fib) !== 0;
  }

  drain(fib: number, limit: number): FibBatchMessage {
    const done = this.#exports.drain(fib, limit);
    this.#refresh();
    this.#expect(done, `FIB ${fib} is not known or has a batch in flight`);
    const byteLength = this.#field(RESULT_OUTPUT_SIZE);
    const buffer = this.#exports.memory.buffer.slice(this.#output, this.#output + byteLength);
    const count = this.#field(RESULT_OUTPUT_COUNT);
    return { buffer, count, byteLength, remaining: this.fibCounters(fib).pendingCount - count };
  }

  acknowledge(fib: number, failedIndexes: readonly number[]): void {
    for (const [i, index] of failedIndexes.entries()) {
      this.#view.setUint32(this.#input + i * 4, index, true);
    }
    this.#expect(this.#exports.acknowledge(fib, failedIndexes.length), `FIB ${fib} is not known`);
    this.#refresh();
  }

  forget(fib: number): void {
    this.#expect(this.#exports.forget(fib), `FIB ${fib} is not known`);
    this.#refresh();
  }

  beginSnapshot(fib: number): void {
    this.#expect(this.#exports.beginSnapshot(fib), `FIB ${fib} is not known`);
  }

  observe(fib: number, records: ArrayBuffer, byteLength: number): void {
    this.#tell(fib, records, byteLength, ABOUT_PLACE);
  }

  observeForeign(fib: number, records: ArrayBuffer, byteLength: number): void {
    this.#tell(fib, records, byteLength, ABOUT_FOREIGN);
  }

  endSnapshot(fib: number): void {
    this.#expect(this.#exports.endSnapshot(fib), `FIB ${fib} is not known`);
  }

  refuse(fib: number, records: ArrayBuffer, byteLength: number): void {
    this.#tell(fib, records, byteLength, ABOUT_REFUSAL);
  }

  retry(fib: number, records: ArrayBuffer, byteLength: number): void {
    this.#tell(fib, records, byteLength, ABOUT_RETRY);
  }

  #tell(fib: number, records: ArrayBuffer, byteLength: number, about: number): void {
    for (const part of observationParts(records, byteLength)) {
      this.#bytes.set(part, this.#input);
      const done = this.#exports.observe(fib, part.length, about);
      this.#refresh();
      this.#expect(done, `FIB ${fib} is not known`);
    }
  }

  releaseRemovals(fib: number): void {
    this.#expect(this.#exports.releaseRemovals(fib), `FIB ${fib} is not known`);
  }

  fibCounters(fib: number): FibCounters {
    this.#expect(this.#exports.readFibCounters(fib), `FIB ${fib} is not known`);
    return {
      entryCount: this.#counter(0),
      installedCount: this.#counter(1),
      pendingCount: this.#counter(2),
      refusedCount: this.#counter(3),
      heldCount: this.#counter(4),
    };
  }

  // ---- reading ----

  routes(
    query: {
      readonly network: number;
      readonly family: AddressFamily;
      readonly stage: 'adj-rib-in' | 'loc-rib';
      readonly peer?: number;
      readonly match: PrefixMatch;
    },
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<RouteRow> {
    const matchBits = this.#writeMatch(query.match);
    const done = this.#exports.readRoutes(
      query.network,
      familyNumbers(query.family).index,
      query.stage === 'loc-rib' ? STAGE_LOC_RIB : STAGE_ADJ_RIB_IN,
      query.peer ?? ANY_PEER,
      matches[query.match.kind],
      matchBits,
      this.#writeCursor(cursor),
      limit,
    );
    this.#refresh();
    this.#expect(done, `network ${query.network} is not known`);
    const count = this.#field(RESULT_OUTPUT_COUNT);
    const fibs = this.#fibsOfNetwork.get(query.network)!;
    const rows = readRouteRows(this.#view, this.#output, count, query.family, fibs);
    return { rows, next: this.#readCursor() };
  }

  fibEntries(
    fib: number,
    family: AddressFamily,
    match: PrefixMatch,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<FibRow> {
    const matchBits = this.#writeMatch(match);
    const done = this.#exports.readFib(
      fib,
      familyNumbers(family).index,
      matches[match.kind],
      matchBits,
      this.#writeCursor(cursor),
      limit,
    );
    this.#refresh();
    this.#expect(done, `FIB ${fib} is not known`);
    const count = this.#field(RESULT_OUTPUT_COUNT);
    const size = this.#field(RESULT_OUTPUT_SIZE);
    const rows = readFibRows(this.#view, this.#output, count, size, family);
    return { rows, next: this.#readCursor() };
  }

  labels(
    network: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): Page<LabelRow> {
    const index = familyNumbers(family).index;
    const done = this.#exports.readLabels(network, index, this.#writeCursor(cursor), limit);
    this.#refresh();
    this.#expect(done, `network ${network} is not known`);
    const count = this.#field(RESULT_OUTPUT_COUNT);
    const size = this.#field(RESULT_OUTPUT_SIZE);
    const rows = readFibRows(this.#view, this.#output, count, size, family);
    const labels = rows.map(({ prefix, desired = [] }) => ({ prefix, nextHops: desired }));
    return { rows: labels, next: this.#readCursor() };
  }

  /**
   * Longest matches in a Loc-RIB for many addresses, back to back in `addresses` (4 bytes each for IPv4, 16 for IPv6): the prefix
   * lengths, −1 where nothing matches.
   */
  lookUp(network: number, family: AddressFamily, addresses: Uint8Array): Int16Array {
    const size = addressSize(family);
    const perCall = Math.floor(INPUT_SIZE / size);
    const lengths = new Int16Array(addresses.length / size);
    for (let first = 0; first < lengths.length; first += perCall) {
      const count = Math.min(perCall, lengths.length - first);
      this.#bytes.set(addresses.subarray(first * size, (first + count) * size), this.#input);
      const done = this.#exports.lookUp(network, familyNumbers(family).index, count);
      this.#expect(done, `network ${network} is not known`);
      lengths.set(new Int16Array(this.#exports.memory.buffer, this.#output, count), first);
    }
    return lengths;
  }

  carriedRoutes(fib: number, prefix: Prefix, limit: number): Prefix[] {
    const family = prefixFamily(prefix);
    const bits = this.#writeMatch({ kind: 'exact', prefix });
    const done = this.#exports.readCarried(fib, familyNumbers(family).index, bits, limit);
    this.#refresh();
    this.#expect(done, `FIB ${fib} is not known`);
    const count = this.#field(RESULT_OUTPUT_COUNT);
    return readCarriedPrefixes(this.#view, this.#output, count, family);
  }

  verifyFib(
    fib: number,
    family: AddressFamily,
    cursor: WalkCursor | undefined,
    limit: number,
  ): FibCheck | undefined {
    const index = familyNumbers(family).index;
    const done = this.#exports.verifyFib(fib, index, this.#writeCursor(cursor), limit);
    this.#refresh();
    this.#expect(done, `FIB ${fib} is not known`);
    if (this.#counter(0) === 0) return undefined;
    const count = this.#field(RESULT_OUTPUT_COUNT);
    const size = this.#field(RESULT_OUTPUT_SIZE);
    const differences = readDifferences(this.#view, this.#output, count, size, family);
    return { differences, next: this.#readCursor() };
  }

  memory(): CoreMemory {
    this.#exports.readMemory();
    return {
      linearBytes: this.#exports.memory.buffer.byteLength,
      usedBytes: this.#counter(0),
      routeCount: this.#counter(1),
      prefixCount: this.#counter(2),
      attributeSetCount: this.#counter(3),
      nextHopSetCount: this.#counter(4),
    };
  }

  // ---- without any table ----

  checkUpdate(message: Uint8Array, context: CheckContext): UpdateVerdict {
    this.#bytes.set(message.subarray(0, INPUT_SIZE), this.#input);
    this.#exports.checkUpdate(
      message.length,
      context.fourOctetAs,
      context.session === 'ebgp',
      familyMask(addressFamilies),
      familyMask(context.addPath),
      context.peerAsn,
      context.localAsn,
    );
    return {
      outcome: outcomes[this.#field(RESULT_STATUS)]!,
      errorCode: this.#field(RESULT_ERROR_CODE),
      errorSubcode: this.#field(RESULT_ERROR_SUBCODE),
      attribute: this.#field(RESULT_MALFORMED_ATTRIBUTE),
      offset: this.#field(RESULT_ERROR_OFFSET),
      announcedCount: this.#field(RESULT_ANNOUNCED_COUNT),
      withdrawnCount: this.#field(RESULT_WITHDRAWN_COUNT),
    };
  }

  // ---- memory ----

  #refresh(): void {
    const { buffer } = this.#exports.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  #field(offset: number): number {
    return this.#view.getUint32(this.#result + offset, true);
  }

  #counter(index: number): number {
    return this.#field(RESULT_COUNTERS + index * 4);
  }

  #writeKey(at: number, key: Uint8Array, bits: number): void {
    const padded = new Uint8Array(keySize(bits));
    padded.set(key.subarray(0, padded.length));
    this.#bytes.set(padded, this.#input + at);
  }

  #writeMatch(match: PrefixMatch): number {
    if (match.kind === 'all') return 0;
    this.#writeKey(PAGE_MATCH, match.prefix.address, match.prefix.length);
    return match.prefix.length;
  }

  #writeCursor(cursor: WalkCursor | undefined): number {
    if (!cursor) return -1;
    this.#writeKey(PAGE_CURSOR, cursor.key, cursor.bits);
    return cursor.bits;
  }

  #readCursor(): WalkCursor | undefined {
    const bits = this.#view.getInt32(this.#result + RESULT_NEXT_BITS, true);
    if (bits < 0) return undefined;
    const start = this.#input + PAGE_CURSOR;
    return { key: this.#bytes.slice(start, start + keySize(bits)), bits };
  }

  #expect(done: number, problem: string): void {
    if (!done) throw new Error(`route core: ${problem}`);
  }
}

/** As the core counts them: modulo 2^32. */
function millisecondsOf(seconds: number): number {
  return Math.floor(seconds * 1000) % 2 ** 32;
}
