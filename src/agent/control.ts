// What the control API asks, answered from the running parts.
import { readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Speaker } from '../bgp/speaker.ts';
import type { Config } from '../config/config.ts';
import { type AgentView, BadQuestion, type RoutesQuery } from '../control/agent-view.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { OverlapReport } from '../networks/announcements/announcement-table.ts';
import type { EventLoopWatch } from '../observe/event-loop.ts';
import { createMetrics, type MetricsSample } from '../observe/metrics.ts';
import type { Announcer } from './announcer.ts';
import { Explainer } from './explainer.ts';
import type { FibVerifier } from './fib-verifier.ts';
import type { ImportRuntime, ImportTable } from './import-table.ts';
import type { PolicyTable } from './policy-table.ts';
import { RouteReader } from './route-reader.ts';
import type { NetworkRuntime, PeerRuntime, SourceRuntime, TargetRuntime } from './runtime.ts';
import type { SessionDevices } from './session-devices.ts';

/** Overlaps of a network that `networks` names one by one; `overlapping` counts them all. */
const SHOWN_OVERLAPS = 100;

export interface ControlParts {
  readonly announcer: Announcer;
  readonly config: Config;
  readonly core: RouteCore;
  readonly speaker: Speaker;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peers: ReadonlyMap<string, PeerRuntime>;
  readonly policies: PolicyTable;
  readonly devices: Pick<SessionDevices, 'whyWaiting'>;
  readonly sources: ReadonlyMap<string, SourceRuntime>;
  readonly eventLoop: EventLoopWatch;
  readonly igpMetric: (network: number, nextHop: IpAddress) => number;
  readonly imports: ImportTable;
  readonly verifier: Pick<FibVerifier, 'of'>;
  /** The core was changed from here. */
  readonly onChanged: () => void;
  readonly putNetwork: (name: string, network: object) => Promise<void>;
  readonly removeNetwork: (name: string) => Promise<void>;
}

export class AgentControl implements AgentView {
  readonly #parts: ControlParts;
  readonly #reader: RouteReader;
  readonly #explainer: Explainer;
  readonly #startedAt = new Date();
  readonly metrics: () => Promise<string>;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#reader = new RouteReader(parts);
    this.#explainer = new Explainer({ ...parts, reader: this.#reader });
    this.metrics = createMetrics(() => this.#sample());
  }

  status(): object {
    const { config, core, eventLoop, speaker } = this.#parts;
    const peers = speaker.peers();
    const memory = core.memory();
    return {
      node: config.node,
      pid: process.pid,
      networkNamespace: readlinkSync('/proc/self/ns/net'),
      asn: config.bgp.asn,
      startedAt: this.#startedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      ready: this.isReady(),
      establishedPeers: peers.filter(({ state }) => state === 'established').length,
      configuredPeers: peers.length,
      routes: memory.routeCount,
      prefixes: memory.prefixCount,
      attributeSets: memory.attributeSetCount,
      coreUsedBytes: memory.usedBytes,
      coreLinearBytes: memory.linearBytes,
      residentBytes: process.memoryUsage.rss(),
      eventLoopWorstMs: Math.round(eventLoop.worstMs() * 10) / 10,
    };
  }

  peers(): readonly object[] {
    const { sources } = this.#parts;
    return [
      ...this.#sessions(),
      ...[...sources.values()].map((source) => sourceObject(source, this.#prefixes(source.id))),
    ];
  }

  #sessions(): object[] {
    const { peers, speaker } = this.#parts;
    return speaker.peers().map((status) => {
      const { id, config, receiver } = peers.get(status.name)!;
      return {
        ...status,
        network: config.network,
        import: config.import,
        ...this.#prefixes(id),
        received: receiver.counters,
      };
    });
  }

  #prefixes(peer: number): PrefixCounts {
    const counters = this.#parts.core.peerCounters(peer);
    return {
      receivedPrefixes: sum(counters.received),
      acceptedPrefixes: sum(counters.accepted),
      bestPrefixes: sum(counters.best),
    };
  }

  networks(): readonly object[] {
    return [...this.#parts.networks.values()].map((network) => ({
      network: network.config.name,
      vrf: network.config.vrf,
      waiting: this.#parts.devices.whyWaiting(network.config),
      firstSync: network.initialSync.isFinished ? 'finished' : 'waiting',
      waitingFor: network.initialSync.waitingFor,
      ...this.#announcementsOf(network.config.name),
      sources: this.#sourcesOf(network),
      imports: this.#importsOf(network),
      importedBy: this.#parts.imports.lines
        .filter(({ from }) => from === network.config.name)
        .map((line) => line.network),
      targets: network.targets.map((target) => this.#target(network.config.name, target)),
    }));
  }

  /** How many prefixes the network has to announce, and what is wrong with the others. */
  #announcementsOf(network: string): object {
    const { announcer } = this.#parts;
    const counts = announcer.counts(network);
    const overlaps = [...announcer.table.overlapsOf(network)];
    const [first] = overlaps;
    const problems = announcer.problems(network);
    if (first !== undefined) problems.push(overlapText(first, overlaps.length));
    return {
      advertised: counts.ready,
      notReady: counts.waiting,
      suppressed: counts.suppressed,
      overlapping: overlaps.length,
      ...(overlaps.length > 0 ? { overlaps: overlaps.slice(0, SHOWN_OVERLAPS) } : {}),
      ...(problems.length > 0 ? { problems } : {}),
    };
  }

  #sourcesOf(network: NetworkRuntime): object[] {
    return [...this.#parts.sources.values()]
      .filter((source) => source.network === network)
      .map(({ config, state, reason, counts }) => ({
        source: config.name,
        state,
        ...(reason === '' ? {} : { reason }),
        ...counts,
      }));
  }

  #importsOf({ config }: NetworkRuntime): object[] {
    const { imports } = this.#parts;
    const lines = imports.lines.filter(({ network }) => network === config.name);
    return lines.map((line) => ({ policy: line.policy, ...this.#countsOf(line) }));
  }

  #countsOf({ id, from }: ImportRuntime): {
    from: string;
    routes: number;
    accepted: number;
    best: number;
  } {
    const { received, accepted, best } = this.#parts.core.peerCounters(id);
    return { from, routes: sum(received), accepted: sum(accepted), best: sum(best) };
  }

  async putNetwork(name: string, network: object): Promise<object> {
    const isKnown = this.#parts.networks.has(name);
    await this.#parts.putNetwork(name, network);
    return { network: name, done: isKnown ? 'changed' : 'added' };
  }

  async removeNetwork(name: string): Promise<object> {
    this.#reader.network(name); // refuses what is not known
    await this.#parts.removeNetwork(name);
    return { network: name, done: 'removed' };
  }

  routes(query: RoutesQuery): AsyncIterable<object> {
    return this.#reader.routes(query);
  }

  explain(query: {
    readonly network?: string;
    readonly peer?: string;
    readonly prefix: string;
  }): object {
    return this.#explainer.explain(query);
  }

  lookup(query: { readonly network?: string; readonly address: string }): object {
    return this.#reader.lookup(query);
  }

  forwarding(query: { readonly network?: string }): AsyncIterable<object> {
    return this.#reader.forwarding(query.network);
  }

  places(): readonly object[] {
    return [...this.#parts.networks.values()].flatMap(({ config, targets }) =>
      targets.map(({ plan }) => ({
        network: config.name,
        sink: plan.sink,
        mayDiscard: plan.aggregation === 'discard',
      })),
    );
  }

  drift(query: { readonly network?: string }): AsyncIterable<object> {
    return this.#reader.drift(query.network);
  }

  async replay(query: { readonly peer: string }, body: AsyncIterable<Uint8Array>): Promise<object> {
    const peer = this.#reader.peer(query.peer);
    const { receiver } = peer;
    this.#openForReplay(peer);
    const before = { ...receiver.counters };
    for await (const chunk of body) {
      let result = receiver.receive(chunk);
      while (result.status === 'control') result = receiver.resume();
      if (result.status === 'reset') {
        throw new BadQuestion(
          `not a stream of UPDATEs: error ${result.errorCode}/${result.errorSubcode}`,
        );
      }
      await nextTurn();
    }
    this.#parts.onChanged();
    const { updates, announced, withdrawn } = receiver.counters;
    return {
      peer: query.peer,
      updates: updates - before.updates,
      announced: announced - before.announced,
      withdrawn: withdrawn - before.withdrawn,
    };
  }

  /** A replay stands in for a session: it cannot share the stream of one that is up. Its routes go when the session comes. */
  #openForReplay({ config, receiver }: PeerRuntime): void {
    const status = this.#parts.speaker.peers().find(({ name }) => name === config.name);
    if (status?.state === 'established') {
      throw new BadQuestion(`peer ${config.name} is established, expected one without a session`);
    }
    receiver.open({
      routerId: 0,
      fourOctetAs: true,
      maxMessageBytes: 65_535,
      families: config.families,
      addPath: [],
    });
  }

  /** A target that cannot be emptied now keeps the others from nothing. */
  async flush(query: { readonly network?: string }): Promise<object> {
    let removed = 0;
    const failed: { target: string; reason: string }[] = [];
    for (const { targets } of this.#selected(query.network)) {
      for (const { reconciler } of targets) {
        try {
          removed += (await reconciler.flush()).removedCount;
        } catch (error) {
          failed.push({ target: reconciler.status().name, reason: (error as Error).message });
        }
      }
    }
    return { removed, ...(failed.length > 0 ? { failed } : {}) };
  }

  release(query: { readonly network?: string }): object {
    const networks = this.#selected(query.network);
    for (const { targets } of networks) {
      for (const { reconciler } of targets) reconciler.releaseRemovals({ force: true });
    }
    this.#parts.onChanged();
    return { networks: networks.map(({ config }) => config.name) };
  }

  isReady(): boolean {
    const networks = [...this.#parts.networks.values()];
    return networks.every(
      ({ initialSync, targets }) =>
        initialSync.isFinished &&
        targets.every(({ reconciler }) => reconciler.status().state === 'ready'),
    );
  }

  #selected(name: string | undefined): readonly NetworkRuntime[] {
    return name === undefined ? [...this.#parts.networks.values()] : [this.#reader.network(name)];
  }

  #target(network: string, { fib, kind, plan, reconciler }: TargetRuntime): object {
    const { verifiedAt, faultCount, worstSliceMs } = this.#parts.verifier.of(network, kind) ?? {};
    return {
      target: kind,
      ...reconciler.status(),
      ...this.#parts.core.fibCounters(fib),
      aggregation: plan.aggregation,
      ...(verifiedAt === undefined ? {} : { verifiedAt: new Date(verifiedAt).toISOString() }),
      ...(faultCount === undefined ? {} : { aggregationFaults: faultCount }),
      ...(worstSliceMs === undefined
        ? {}
        : { verifierWorstMs: Math.round(worstSliceMs * 10) / 10 }),
    };
  }

  #sample(): MetricsSample {
    const { announcer, core, devices, eventLoop, networks, peers, sources, speaker } = this.#parts;
    const recentWorstMs = eventLoop.takeWorstMs();
    const memory = core.memory();
    return {
      peers: speaker.peers().map((status) => {
        const { id, config, receiver } = peers.get(status.name)!;
        const counters = core.peerCounters(id);
        return {
          ...receiver.counters,
          peer: status.name,
          network: config.network,
          established: status.state === 'established',
          receivedPrefixes: sum(counters.received),
          acceptedPrefixes: sum(counters.accepted),
          advertisedPrefixes: status.advertisedCount,
        };
      }),
      networks: [...networks.values()].map(({ config }) => ({
        network: config.name,
        waiting: devices.whyWaiting(config) !== undefined,
        announcements: announcer.counts(config.name),
        overlapping: [...announcer.table.overlapsOf(config.name)].length,
      })),
      imports: this.#parts.imports.lines.map((line) => ({
        network: line.network,
        ...this.#countsOf(line),
      })),
      sources: [...sources.values()].map(({ id, config, state, counters, counts }) => ({
        ...counters,
        source: config.name,
        network: config.network,
        following: state === 'following',
        ...this.#prefixes(id),
        skipped: {
          discard: counts.discard,
          onLink: counts.onLink,
          unresolved: counts.unresolved,
        },
      })),
      targets: [...networks.values()].flatMap(({ config, targets }) =>
        targets.map(({ fib, kind, plan, reconciler }) => {
          const verification = this.#parts.verifier.of(config.name, kind);
          const counters = core.fibCounters(fib);
          const status = reconciler.status();
          return {
            network: config.name,
            target: kind,
            ready: status.state === 'ready',
            installed: counters.installedCount,
            pending: counters.pendingCount,
            refused: counters.refusedCount,
            held: counters.heldCount,
            written: status.writtenCount,
            failures: status.failureCount,
            refusedByCode: status.refusedByCode,
            lastBatchSeconds: status.lastBatchMs / 1000,
            aggregationEnded: plan.aggregation === 'ended',
            aggregationFaults: verification?.faultCount ?? 0,
            verifiedSeconds: (verification?.verifiedAt ?? 0) / 1000,
          };
        }),
      ),
      core: {
        linearBytes: memory.linearBytes,
        usedBytes: memory.usedBytes,
        routes: memory.routeCount,
        prefixes: memory.prefixCount,
      },
      eventLoopWorstSeconds: eventLoop.worstMs() / 1000,
      eventLoopRecentWorstSeconds: recentWorstMs / 1000,
      restlessPrefixes: core.restlessPrefixCount(),
    };
  }
}

interface PrefixCounts {
  readonly receivedPrefixes: number;
  readonly acceptedPrefixes: number;
  readonly bestPrefixes: number;
}

/** A source among the peers: it has no session, and is told nothing. */
function sourceObject(source: SourceRuntime, prefixes: PrefixCounts): object {
  const { config, state, reason, stateSince, counts, counters } = source;
  return {
    name: config.name,
    network: config.network,
    import: config.import,
    state,
    ...(state === 'following' ? { uptimeMs: Date.now() - stateSince } : {}),
    ...(reason === '' ? {} : { reason }),
    ...prefixes,
    skipped: {
      discard: counts.discard,
      onLink: counts.onLink,
      unresolved: counts.unresolved,
    },
    received: counters,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function overlapText(overlap: OverlapReport, count: number): string {
  const { prefix, otherPrefix, otherNetwork, place } = overlap;
  const more = count === 1 ? '' : ` and ${count - 1} more`;
  return `${prefix} overlaps ${otherPrefix} of network ${otherNetwork} in ${place}${more}`;
}
