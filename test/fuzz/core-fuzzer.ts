// Random hostile life for one route core: peers that send anything, sessions and FIBs that come and go, sinks that err. What must
// hold whatever happens is checked after every step (nothing throws, nothing takes long, memory stays under its ceiling) and, over
// whole tables, whenever `check` is called: every counter equals the sum over the dump.
import { POLICY_ACCEPT, POLICY_FIRST, POLICY_REJECT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { CorePeer } from '../../src/core/peers.ts';
import type { ReceiveResult } from '../../src/core/received.ts';
import { encodeObservations, FibBatch, type NextHopSet } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import type { CoreSession } from '../../src/core/sessions.ts';
import type { Page, WalkCursor } from '../../src/core/walk.ts';
import { type AddressFamily, addressFamilies } from '../../src/net/address-family.ts';
import type { Prefix } from '../../src/net/prefix.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { frame, mutate, mutateBody, nudge, tear } from './mutate.ts';
import type { Random } from './random.ts';
import { randomPolicy } from './random-policy.ts';

export interface FuzzOptions {
  readonly maximumBytes: number;
  readonly seeds: readonly Uint8Array[];
  readonly random: Random;
}

interface Session {
  readonly isOpen: boolean;
  readonly maxMessageBytes: number;
}

const networks = [1, 2];
const peers = [1, 2, 3, 4, 5];
const fibs = [1, 2, 3];
const policies = [POLICY_FIRST, POLICY_FIRST + 1, POLICY_FIRST + 2];
/** Import lines: each network from the other. */
const lines = [
  { id: 11, network: 1, from: 2 },
  { id: 12, network: 2, from: 1 },
] as const;
const everything = { kind: 'all' } as const;
const prefixFamilies = ['ipv4-unicast', 'ipv6-unicast'] as const;
const ownPrefix: Prefix = { address: Uint8Array.of(10, 1, 0, 0), length: 16 };

export class CoreFuzzer {
  readonly core: RouteCore;
  /** Used bytes of the core before anything was configured. */
  readonly usedAtStart: number;
  readonly counts = {
    steps: 0,
    messages: 0,
    announced: 0,
    resets: 0,
    outOfMemory: 0,
    overLimit: 0,
    policies: 0,
    judged: 0,
    worstMs: 0,
    worstBytes: 0,
  };
  readonly #options: FuzzOptions;
  #random: Random;
  readonly #sessions = new Map<number, Session>();
  readonly #inFlight = new Map<number, number>();
  readonly #fibs = new Set<number>();
  readonly #lines = new Set<number>();
  readonly #policies = new Set<number>();
  /** Import policy of each peer. */
  readonly #policyOf = new Map<number, number>();
  #hasEnded = false;

  static async start(options: FuzzOptions): Promise<CoreFuzzer> {
    const core = await loadCore({ maximumBytes: options.maximumBytes });
    return new CoreFuzzer(core, options);
  }

  constructor(core: RouteCore, options: FuzzOptions) {
    this.core = core;
    this.#options = options;
    this.#random = options.random;
    this.usedAtStart = core.memory().usedBytes;
    this.configure();
  }

  /** Begins another life in the same core, after `end`. */
  restart(random: Random): void {
    this.end();
    this.#random = random;
    this.#hasEnded = false;
    this.configure();
  }

  configure(): void {
    for (const network of networks) this.#setNetwork(network);
    for (let i = 0; i < policies.length; i++) this.#changePolicy();
    for (const peer of peers) this.core.addPeer(peer, this.#peerOptions(peer));
  }

  /** Routes without end, each with a path of its own, until the memory is full; then half of them is withdrawn. */
  flood(): void {
    const peer = peers[0]!;
    this.core.addPeer(peer, { ...this.#peerOptions(peer), maxPrefixes: {} });
    this.#open(peer);
    const families = ['ipv4-unicast'] as const;
    const session = {
      routerId: 1,
      fourOctetAs: true,
      maxMessageBytes: 4096,
      families,
      addPath: [],
    };
    this.core.openPeer(peer, session);
    for (let high = 0; this.counts.outOfMemory < 2000; high++) {
      this.#receive(peer, announceBlock(high));
      if (high > 65_000) throw new Error('the memory is never full');
    }
    const { received } = this.core.peerCounters(peer);
    for (let high = 0; high < 50; high++) this.#receive(peer, withdrawBlock(high));
    const { received: left } = this.core.peerCounters(peer);
    if (received[0]! - left[0]! !== 50 * 256) throw new Error(`${left[0]} of ${received[0]} left`);
  }

  step(): void {
    this.counts.steps++;
    const draw = this.#random.below(100);
    if (draw < 62) this.#feedPeer();
    else if (draw < 67) this.#turnSession();
    else if (draw < 71) this.#refresh();
    else if (draw < 80) this.#work();
    else if (draw < 92) this.#useFib();
    else if (draw < 94) this.#originate();
    else if (draw < 96) this.#nextHops();
    else if (draw < 98) this.#changePolicy();
    else this.#reconfigure();
    const { linearBytes, usedBytes } = this.core.memory();
    if (linearBytes > this.#options.maximumBytes) throw new Error(`grew to ${linearBytes} bytes`);
    if (usedBytes > linearBytes) throw new Error(`${usedBytes} of ${linearBytes} bytes used`);
  }

  /** Every counter against the dump of the table it counts. */
  check(): void {
    const { core } = this;
    while (core.work(10_000)); // prefixes that only wait for their importers to hear of it have no rows
    let rowCount = 0;
    let prefixCount = 0;
    const perPeer = new Map<string, { received: number; best: number }>();
    for (const network of networks) {
      for (const family of addressFamilies) {
        const rows = this.#routes(network, family, 'adj-rib-in');
        const best = this.#routes(network, family, 'loc-rib');
        rowCount += rows.length;
        prefixCount += new Set(rows.map(keyOf)).size;
        expectSame(
          'best rows',
          best.length,
          rows.filter((row) => row.best || row.multipath).length,
        );
        for (const row of rows) {
          this.#checkPolicy(row);
          const line = lines.find(({ from }) => from === row.importedFrom);
          const key = `${line?.id ?? row.peer} ${family}`;
          const sum = perPeer.get(key) ?? { received: 0, best: 0 };
          sum.received++;
          if (row.best || row.multipath) sum.best++;
          perPeer.set(key, sum);
        }
      }
    }
    const memory = core.memory();
    expectSame('routes', memory.routeCount, rowCount);
    expectSame('prefixes', memory.prefixCount, prefixCount);
    for (const peer of [...peers, ...this.#lines]) {
      const counters = core.peerCounters(peer);
      for (const [index, family] of addressFamilies.entries()) {
        const sum = perPeer.get(`${peer} ${family}`) ?? { received: 0, best: 0 };
        expectSame(`received of peer ${peer}`, counters.received[index]!, sum.received);
        expectSame(`best of peer ${peer}`, counters.best[index]!, sum.best);
      }
    }
    for (const fib of this.#fibs) this.#checkFib(fib);
  }

  /** What a peer's policy made of a route is what it makes of it now. Where the memory was full, it may have been rejected. */
  #checkPolicy({ peer, importedFrom, prefix, received, attributes, reason }: RouteRow): void {
    if (peer === 0 || importedFrom !== undefined || prefix === undefined) return;
    if (this.counts.outOfMemory > 0 || reason === 'own subnet') return;
    const policy = this.#policyOf.get(peer)!;
    const isKnown = policy === POLICY_ACCEPT || this.#policies.has(policy);
    const { bytes, nextHop } = received;
    const trial = isKnown
      ? this.core.tryPolicy(policy, { prefix, attributes: bytes, nextHop, peer })
      : undefined;
    const isAccepted = reason !== 'rejected by import policy';
    expectSame(`policy ${policy}`, isAccepted, trial?.accepted === true);
    if (!isAccepted) return;
    expectSame('weight', attributes.weight, trial!.route!.weight);
    expectSame(
      'attributes',
      Buffer.from(attributes.bytes).toString('hex'),
      Buffer.from(trial!.route!.attributes).toString('hex'),
    );
    this.counts.judged++;
  }

  /** Every session closed, every FIB removed, all deferred work done, everything unconfigured: what is left. */
  end(): { routes: number; sets: number; usedBytes: number } {
    const { core } = this;
    if (this.#hasEnded) return this.#left();
    this.#hasEnded = true;
    for (const peer of [...peers, ...this.#lines]) core.closePeer(peer, []);
    this.#sessions.clear();
    for (const fib of this.#fibs) core.removeFib(fib);
    this.#fibs.clear();
    this.#inFlight.clear();
    for (const network of networks) core.withdrawOriginated(network, ownPrefix);
    for (let turns = 0; core.work(10_000); turns++) {
      if (turns > 100_000) throw new Error('work without end');
    }
    for (const peer of [...peers, ...this.#lines]) core.removePeer(peer);
    this.#lines.clear();
    for (const policy of this.#policies) core.removePolicy(policy);
    this.#policies.clear();
    for (const network of networks) core.setOwnSubnets(network, []);
    core.takeNextHopEvents();
    return this.#left();
  }

  #left(): { routes: number; sets: number; usedBytes: number } {
    const { routeCount, attributeSetCount, nextHopSetCount, usedBytes } = this.core.memory();
    return { routes: routeCount, sets: attributeSetCount + nextHopSetCount, usedBytes };
  }

  // ---- peers ----

  #feedPeer(): void {
    const peer = this.#random.pick(peers);
    const session = this.#sessions.get(peer);
    if (!session?.isOpen) {
      this.#open(peer);
      return;
    }
    const bytes = this.#stream(session);
    const pieces = this.#random.chance(4) ? tear(this.#random, bytes).slice(0, 200) : [bytes];
    for (const piece of pieces) {
      if (!this.#receive(peer, piece)) return;
    }
  }

  /** False when the session has ended. */
  #receive(peer: number, piece: Uint8Array): boolean {
    const { core, counts } = this;
    const started = performance.now();
    let result: ReceiveResult = core.receive(peer, piece, 1);
    this.#noteTime(performance.now() - started, piece.length);
    for (;;) {
      counts.messages += result.messageCount;
      counts.announced += result.announcedCount;
      counts.outOfMemory += result.outOfMemoryCount;
      counts.overLimit += result.overLimitCount;
      if (result.status === 'done') return true;
      if (result.status === 'reset') {
        if (result.errorCode < 1 || result.errorCode > 6) {
          throw new Error(`reset with code ${result.errorCode}`);
        }
        counts.resets++;
        this.#close(peer);
        return false;
      }
      if (result.message.length < 19) throw new Error('a control message without a header');
      result = core.resume(peer);
    }
  }

  #stream(session: Session): Uint8Array {
    const parts: Uint8Array[] = [];
    const count = 1 + this.#random.below(this.#random.chance(5) ? 40 : 4);
    for (let i = 0; i < count; i++) parts.push(this.#message(session.maxMessageBytes));
    return new Uint8Array(Buffer.concat(parts));
  }

  #message(maxMessageBytes: number): Uint8Array {
    const random = this.#random;
    const { seeds } = this.#options;
    const seed = random.pick(seeds);
    const draw = random.below(20);
    if (draw < 6 && seed.length <= maxMessageBytes) return seed;
    if (draw < 14 && seed.length <= maxMessageBytes) return nudge(random, seed);
    if (draw < 16) return mutateBody(random, seed, seeds);
    if (draw < 19) return this.#manyPrefixes(Math.min(maxMessageBytes, 16_000));
    if (random.chance(2)) return mutate(random, seed, seeds);
    if (random.chance(2)) return frame(2, random.bytes(random.below(120)));
    return random.bytes(1 + random.below(100));
  }

  /** Many routes at once, so that the ceiling is reached. */
  #manyPrefixes(size: number): Uint8Array {
    const random = this.#random;
    const attributes = [64, 1, 1, 0, 64, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9, 64, 3, 4, 10, 0, 0, 2];
    attributes.push(0x80, 4, 4, 0, 0, random.below(256), random.below(256));
    const body = [0, 0, 0, attributes.length, ...attributes];
    while (body.length + 24 < size) body.push(24, 11 + random.below(90), ...random.bytes(2));
    return frame(2, Uint8Array.from(body));
  }

  #open(peer: number): void {
    const random = this.#random;
    const session: CoreSession = {
      routerId: random.below(4),
      fourOctetAs: !random.chance(4),
      maxMessageBytes: random.chance(3) ? 4096 : 65535,
      families: this.#someFamilies(5),
      addPath: random.chance(3) ? this.#someFamilies(2) : [],
    };
    this.core.openPeer(peer, session);
    this.#sessions.set(peer, { isOpen: true, maxMessageBytes: session.maxMessageBytes });
  }

  #close(peer: number): void {
    this.core.closePeer(peer, this.#random.chance(3) ? this.#someFamilies(2) : []);
    this.#sessions.delete(peer);
  }

  #turnSession(): void {
    const peer = this.#random.pick(peers);
    if (this.#sessions.has(peer)) this.#close(peer);
    else this.#open(peer);
  }

  #refresh(): void {
    const peer = this.#random.pick(peers);
    const family = this.#random.pick(addressFamilies);
    if (this.#random.chance(2)) this.core.beginRefresh(peer, family);
    else this.core.endRefresh(peer, family);
  }

  #someFamilies(weight: number): AddressFamily[] {
    return addressFamilies.filter(() => !this.#random.chance(weight));
  }

  #peerOptions(peer: number): CorePeer {
    const random = this.#random;
    const limit = random.chance(4) ? { 'ipv4-unicast': 1 + random.below(50) } : {};
    const importPolicy = this.#somePolicy();
    this.#policyOf.set(peer, importPolicy);
    return {
      network: networks[peer % networks.length]!,
      address: Uint8Array.of(10, 0, 0, peer),
      asn: random.chance(3) ? 65000 : 65001,
      localAsn: 65000,
      localRouterId: random.below(4),
      interfaceIndex: random.below(3),
      nameId: peer,
      importPolicy,
      enforceFirstAs: random.chance(6),
      maxPrefixes: limit,
    };
  }

  #setNetwork(network: number): void {
    const random = this.#random;
    this.core.addNetwork(network, {
      med: random.chance(2) ? 'always' : 'deterministic',
      multipath: 1 + random.below(16),
      multipathRelax: random.chance(2),
    });
  }

  #reconfigure(): void {
    const random = this.#random;
    if (random.chance(3)) this.#setNetwork(random.pick(networks));
    else if (random.chance(4)) this.core.trackNextHops(random.pick(networks), random.chance(2));
    else if (random.chance(2)) this.#changeLine();
    else if (random.below(4) === 0) this.#changeSubnets();
    else {
      const peer = random.pick(peers);
      this.core.updatePeer(peer, this.#peerOptions(peer));
    }
  }

  #changeLine(): void {
    const random = this.#random;
    const { id, network, from } = random.pick(lines);
    if (this.#lines.has(id) && random.chance(3)) {
      this.core.closePeer(id, []);
      return;
    }
    const policy = this.#somePolicy();
    if (this.#ask(() => this.core.addImport(id, { network, from, policy }))) this.#lines.add(id);
  }

  /** Also one that is not there. */
  #somePolicy(): number {
    return this.#random.pick([POLICY_REJECT, POLICY_ACCEPT, POLICY_ACCEPT, ...policies]);
  }

  /** While peers and import lines name it. */
  #changePolicy(): void {
    const random = this.#random;
    const id = random.pick(policies);
    if (this.#policies.has(id) && random.chance(4)) {
      this.core.removePolicy(id);
      this.#policies.delete(id);
      return;
    }
    const surroundings = { asn: 65000, peer: (name: string) => (name === 'a' ? 1 : 2) };
    const { bytes } = compilePolicy(randomPolicy(random), surroundings);
    if (!this.#ask(() => this.core.setPolicy(id, bytes))) return;
    this.#policies.add(id);
    this.counts.policies++;
  }

  #changeSubnets(): void {
    const subnets = this.#random.chance(2) ? [ownPrefix] : [];
    this.#ask(() => this.core.setOwnSubnets(this.#random.pick(networks), subnets));
  }

  // ---- everything else ----

  #work(): void {
    const started = performance.now();
    this.core.work(1 + this.#random.below(2000));
    this.#noteTime(performance.now() - started, 65536);
  }

  #originate(): void {
    const network = this.#random.pick(networks);
    if (this.#random.chance(2)) this.core.withdrawOriginated(network, ownPrefix);
    else this.#ask(() => this.core.originate(network, ownPrefix, 1));
  }

  /** What an operator asks for may fail while the memory is full; he is told, and no harm is done. False when it failed. */
  #ask(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (this.counts.outOfMemory === 0) throw error;
      return false;
    }
  }

  #nextHops(): void {
    for (const { id, kind } of this.core.takeNextHopEvents()) {
      if (kind === 'removed') continue;
      const resolved = !this.#random.chance(3);
      this.core.setNextHop(id, { resolved, metric: this.#random.below(3) });
    }
    this.core.setNextHop(this.#random.uint32(), { resolved: true, metric: 0 });
  }

  #useFib(): void {
    const random = this.#random;
    const fib = random.pick(fibs);
    if (!this.#fibs.has(fib)) {
      const network = networks[fib % networks.length]!;
      const added = this.#ask(() =>
        this.core.addFib(fib, network, { holdRemovals: random.chance(2) }),
      );
      if (added) this.#fibs.add(fib);
      return;
    }
    switch (random.below(12)) {
      case 0:
        this.core.forget(fib);
        this.#inFlight.delete(fib);
        return;
      case 1:
        this.core.beginSnapshot(fib);
        return;
      case 2:
        this.core.endSnapshot(fib);
        return;
      case 3:
        this.core.releaseRemovals(fib);
        return;
      case 4:
        if (random.chance(4)) this.#removeFib(fib);
        return;
      case 5:
      case 6:
        this.#tell(fib);
        return;
      default:
        this.#drain(fib);
    }
  }

  #removeFib(fib: number): void {
    this.core.removeFib(fib);
    this.#fibs.delete(fib);
    this.#inFlight.delete(fib);
  }

  #drain(fib: number): void {
    const flying = this.#inFlight.get(fib);
    if (flying !== undefined) {
      const failed: number[] = [];
      for (let i = 0; i < flying && failed.length < 50; i++)
        if (this.#random.chance(20)) failed.push(i);
      failed.push(this.#random.uint32());
      this.core.acknowledge(fib, failed);
      this.#inFlight.delete(fib);
      return;
    }
    const { buffer, count, byteLength } = this.core.drain(fib, 1 + this.#random.below(2000));
    if (count > 0) this.#inFlight.set(fib, count);
    const batch = new FibBatch(buffer, count, byteLength);
    for (let i = 0; i < count; i++) {
      const { from, to } = batch.change(i);
      if (from === undefined && to === undefined)
        throw new Error('a change from nothing to nothing');
      if (from !== undefined && from === to) throw new Error('a change that changes nothing');
    }
  }

  /** Observations, refusals and retries: of what is there, of what never was, and of nonsense. */
  #tell(fib: number): void {
    const random = this.#random;
    const rows = this.core.fibEntries(fib, random.pick(prefixFamilies), everything, undefined, 20);
    const named = rows.rows.map(({ prefix }) => ({ prefix, set: this.#someSet() }));
    named.push({ prefix: ownPrefix, set: this.#someSet() });
    const { records, byteLength } = encodeObservations(named);
    const bytes = new Uint8Array(records, 0, byteLength);
    if (random.chance(3)) bytes[random.below(byteLength)] = random.below(256);
    const size = wholeRecords(records, byteLength);
    const tell = random.pick(['observe', 'refuse', 'retry'] as const);
    this.core[tell](fib, records, size);
  }

  #someSet(): Omit<NextHopSet, 'id'> | undefined {
    const random = this.#random;
    if (random.chance(3)) return undefined;
    const members = Array.from({ length: random.chance(20) ? 80 : random.below(3) }, () => ({
      address: Uint8Array.of(10, 0, random.below(2), random.below(100)),
      weight: 1 + random.below(3),
      interfaceIndex: 0,
    }));
    return { discard: random.chance(5), members };
  }

  #checkFib(fib: number): void {
    const counters = this.core.fibCounters(fib);
    let desired = 0;
    let installed = 0;
    let refused = 0;
    for (const family of prefixFamilies) {
      const read = (cursor: WalkCursor | undefined) =>
        this.core.fibEntries(fib, family, everything, cursor, 500);
      for (const row of allRows(read)) {
        if (row.desired) desired++;
        if (row.installed) installed++;
        if (row.state === 'refused') refused++;
      }
    }
    expectSame('desired entries', counters.entryCount, desired);
    expectSame('installed entries', counters.installedCount, installed);
    expectSame('refused entries', counters.refusedCount, refused);
  }

  #routes(network: number, family: AddressFamily, stage: 'adj-rib-in' | 'loc-rib'): RouteRow[] {
    const query = { network, family, stage, match: everything };
    return allRows((cursor) => this.core.routes(query, cursor, 500));
  }

  #noteTime(ms: number, bytes: number): void {
    if (ms <= this.counts.worstMs) return;
    this.counts.worstMs = ms;
    this.counts.worstBytes = bytes;
  }
}

/** 256 routes 10.HIGH.x.0/24 … with an AS path that no other block has. */
function announceBlock(high: number): Uint8Array {
  const attributes = [64, 1, 1, 0, 64, 2, 10, 2, 2, 0, 0, 0xfd, 0xe9, 0, 1, high >> 8, high & 255];
  attributes.push(64, 3, 4, 10, 0, 0, 2);
  return frame(2, Uint8Array.from([0, 0, 0, attributes.length, ...attributes, ...block(high)]));
}

function withdrawBlock(high: number): Uint8Array {
  const routes = block(high);
  return frame(2, Uint8Array.from([routes.length >> 8, routes.length & 255, ...routes, 0, 0]));
}

/** 256 IPv4 prefixes of 32 bits below 10.0.0.0/8. */
function block(high: number): number[] {
  return Array.from({ length: 256 }, (_, low) => [32, 10, high >> 8, high & 255, low]).flat();
}

function allRows<Row>(read: (cursor: WalkCursor | undefined) => Page<Row>): Row[] {
  const rows: Row[] = [];
  let cursor: WalkCursor | undefined;
  do {
    const page = read(cursor);
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor);
  return rows;
}

function keyOf({ prefix, nlri }: RouteRow): string {
  return prefix ? `${prefix.address}/${prefix.length}` : `${nlri}`;
}

/** Bytes of the records that end before `byteLength`: what a sink may hand over. */
function wholeRecords(records: ArrayBuffer, byteLength: number): number {
  const view = new DataView(records);
  let offset = 0;
  for (;;) {
    if (offset + 24 > byteLength) return offset;
    const next = offset + 24 + view.getUint16(offset + 2, true) * 24;
    if (next > byteLength) return offset;
    offset = next;
  }
}

function expectSame<Value>(what: string, counted: Value, found: Value): void {
  if (counted !== found) throw new Error(`${what}: counter ${counted}, in the dump ${found}`);
}
