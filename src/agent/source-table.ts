// The kernel sources of the running agent: followed in a thread of their own, each a peer of its network in the core.
//
// A source that is lost keeps its routes as stale until all have been told again; what was not told again then goes. So does a reload that
// changes the sources: it starts a new thread, and those that stay keep their routes meanwhile (P3).
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import { type FollowedTableConfig, followedTables } from '../config/followed-tables.ts';
import type { CorePeer } from '../core/peers.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { Logger } from '../observe/log.ts';
import type { KernelSourceMessage, KernelSourceState } from '../sources/kernel/messages.ts';
import { KernelSourceWorker } from '../workers/kernel-source.ts';
import type { Numbers } from './numbers.ts';
import { routerIdNumber } from './peers.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime, SourceRuntime } from './runtime.ts';
import type { WorkLoop } from './work-loop.ts';

const families = ['ipv4-unicast', 'ipv6-unicast'] as const;

export interface SourceTableParts {
  readonly core: RouteCore;
  readonly workLoop: WorkLoop;
  readonly log: Logger;
  readonly networks: ReadonlyMap<string, NetworkRuntime>;
  readonly peerNumbers: Numbers;
  readonly policies: PolicyTable;
}

export class SourceTable {
  readonly #parts: SourceTableParts;
  readonly #sources = new Map<string, SourceRuntime>();
  #worker: KernelSourceWorker | undefined;

  constructor(parts: SourceTableParts) {
    this.#parts = parts;
  }

  get byName(): ReadonlyMap<string, SourceRuntime> {
    return this.#sources;
  }

  /** Gives up what the configuration does not name any more. Before networks go. */
  async removeOthers(config: Config): Promise<void> {
    const wanted = followedTables(config);
    const isKept = (each: FollowedTableConfig) =>
      wanted.some((other) => isDeepStrictEqual({ ...other, import: each.import }, each));
    const leaving = [...this.#sources.values()].filter((source) => !isKept(source.config));
    if (leaving.length === 0) return;
    await this.#stopWorker();
    for (const source of leaving) this.#remove(source);
  }

  /** Follows what the configuration names. After networks came. */
  async apply(config: Config): Promise<void> {
    const wanted = followedTables(config);
    for (const each of wanted) this.#update(config, each);
    const coming = wanted.filter(({ name }) => !this.#sources.has(name));
    if (coming.length > 0) await this.#stopWorker();
    for (const each of coming) this.#add(config, each);
    if (this.#worker === undefined && wanted.length > 0) this.#startWorker(wanted);
  }

  /** Another policy is applied to what was learned: nothing is listed again. */
  #update(config: Config, wanted: FollowedTableConfig): void {
    const source = this.#sources.get(wanted.name);
    if (source === undefined || source.config.import === wanted.import) return;
    source.config = wanted;
    this.#parts.core.updatePeer(source.id, this.#corePeer(config, wanted, source.network));
    this.#parts.workLoop.wake();
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  #add(config: Config, source: FollowedTableConfig): void {
    const { core, networks, peerNumbers } = this.#parts;
    const network = networks.get(source.network)!;
    const id = peerNumbers.take();
    core.addPeer(id, this.#corePeer(config, source, network));
    this.#sources.set(source.name, {
      id,
      config: source,
      network,
      state: 'listing',
      reason: 'not read yet',
      stateSince: Date.now(),
      isStale: false,
      counts: { learned: 0, discard: 0, onLink: 0, unresolved: 0 },
      counters: { updates: 0, announced: 0, withdrawn: 0, overLimit: 0, outOfMemory: 0 },
    });
  }

  #corePeer(config: Config, source: FollowedTableConfig, network: NetworkRuntime): CorePeer {
    const { policies } = this.#parts;
    return {
      network: network.id,
      address: Uint8Array.of(0, 0, 0, 0),
      asn: 0,
      localAsn: config.bgp.asn,
      localRouterId: routerIdNumber(config.bgp.routerId),
      interfaceIndex: 0,
      nameId: policies.nameId(source.name),
      importPolicy: policies.id(source.import),
      enforceFirstAs: false,
      maxPrefixes: {},
    };
  }

  #remove({ id, config, network }: SourceRuntime): void {
    const { core, workLoop, peerNumbers } = this.#parts;
    this.#sources.delete(config.name);
    core.closePeer(id, []);
    network.initialSync.finish(config.name);
    workLoop.atRest(() => {
      core.removePeer(id);
      peerNumbers.giveBack(id);
    });
  }

  #startWorker(sources: readonly FollowedTableConfig[]): void {
    this.#worker = new KernelSourceWorker(
      { namespace: undefined, sources },
      {
        onMessage: (message) => this.#hear(message),
        onLost: (reason) => this.#lose(reason),
      },
    );
    this.#worker.start();
  }

  async #stopWorker(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.stop();
    this.#lose('following other tables');
  }

  #lose(reason: string): void {
    for (const source of this.#sources.values()) this.#enter(source, 'lost', reason);
  }

  #hear(message: KernelSourceMessage): void {
    const source = this.#sources.get(message.source);
    if (source === undefined) return;
    switch (message.type) {
      case 'state':
        this.#enter(source, message.state, message.reason);
        break;
      case 'routes':
        this.#learn(source, message);
        break;
      case 'listed':
        source.counts = message.counts;
        this.#finishListing(source);
    }
  }

  #learn(source: SourceRuntime, message: KernelSourceMessage & { type: 'routes' }): void {
    const { core, workLoop } = this.#parts;
    const { counters } = source;
    const result = core.learn(source.id, message.records, message.byteLength, Date.now() / 1000);
    counters.updates += message.routeCount;
    counters.announced += result.announcedCount;
    counters.withdrawn += result.withdrawnCount;
    counters.overLimit += result.overLimitCount;
    counters.outOfMemory += result.outOfMemoryCount;
    source.counts = message.counts;
    workLoop.wake();
  }

  #finishListing(source: SourceRuntime): void {
    const { core, workLoop, log } = this.#parts;
    const { id, config, network, counts } = source;
    if (source.isStale) for (const family of families) core.endRefresh(id, family);
    source.isStale = false;
    log.info({ source: config.name, ...counts }, 'kernel table listed');
    network.initialSync.finish(config.name);
    workLoop.wake();
  }

  #enter(source: SourceRuntime, state: KernelSourceState, reason: string): void {
    const { core, log } = this.#parts;
    if (state === 'lost' && !source.isStale) {
      for (const family of families) core.beginRefresh(source.id, family);
      source.isStale = true;
    }
    if (state === source.state && reason === source.reason) return;
    source.state = state;
    source.reason = reason;
    source.stateSince = Date.now();
    const fields = { source: source.config.name, state, ...(reason === '' ? {} : { reason }) };
    if (state === 'lost') log.warn(fields, 'kernel source');
    else log.info(fields, 'kernel source');
  }
}
