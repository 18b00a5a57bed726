// What the control API asks, answered from the running parts.
import { readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AgentView, BadQuestion, type RoutesQuery } from '../control/agent-view.ts';
import { formatTimeMs } from '../control/route-object.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { ControlParts } from './control-parts.ts';
import { Explainer } from './explainer.ts';
import { takeSample } from './metrics-sample.ts';
import { networkObjects } from './network-objects.ts';
import { peerObjects } from './peer-objects.ts';
import { RouteReader } from './route-reader.ts';
import type { NetworkRuntime, PeerRuntime } from './runtime.ts';

export class AgentControl implements AgentView {
  readonly #parts: ControlParts;
  readonly #reader: RouteReader;
  readonly #explainer: Explainer;
  readonly #startedAt = Date.now();
  readonly metrics: () => Promise<string>;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#reader = new RouteReader(parts);
    this.#explainer = new Explainer({ ...parts, reader: this.#reader });
    this.metrics = createMetrics(() => takeSample(parts));
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
      startedAt: formatTimeMs(this.#startedAt),
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
    return peerObjects(this.#parts);
  }

  networks(): readonly object[] {
    return networkObjects(this.#parts);
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
}
