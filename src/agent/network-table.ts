// The networks of the running agent and their targets: made, changed and taken away, in the core and in the workers.
import type { Config, NetworkConfig } from '../config/config.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { Logger } from '../observe/log.ts';
import { Reconciler } from '../sinks/reconciler.ts';
import { Turns } from '../sinks/turns.ts';
import type { SinkOptions } from '../workers/messages.ts';
import { SinkWorker } from '../workers/pool.ts';
import type { VerifiedTarget } from './fib-verifier.ts';
import { InitialSync } from './initial-sync.ts';
import { Numbers } from './numbers.ts';
import { ownSubnets } from './own-subnets.ts';
import type { NetworkRuntime, TargetRuntime } from './runtime.ts';
import { diffTargets, planTargets, type TargetKind, type TargetPlan } from './targets.ts';
import type { WorkLoop } from './work-loop.ts';

export interface NetworkTableParts {
  readonly core: RouteCore;
  readonly workLoop: WorkLoop;
  readonly log: Logger;
  readonly dryRun: boolean;
  readonly trackNextHops: boolean;
}

export class NetworkTable {
  readonly #parts: NetworkTableParts;
  readonly #networks = new Map<string, NetworkRuntime>();
  readonly #targets = new Map<number, TargetRuntime>();
  readonly #networkNumbers = new Numbers();
  readonly #fibNumbers = new Numbers();
  /** Of each database that targets write to, by its servers. */
  readonly #turns = new Map<string, Turns>();
  #taken: ReadonlyMap<string, string> = new Map();

  constructor(parts: NetworkTableParts) {
    this.#parts = parts;
  }

  get byName(): ReadonlyMap<string, NetworkRuntime> {
    return this.#networks;
  }

  /** A network by its number in the core. */
  byId(id: number): NetworkRuntime | undefined {
    return [...this.#networks.values()].find((each) => each.id === id);
  }

  get taken(): ReadonlyMap<string, string> {
    return this.#taken;
  }

  /** Host tables that are another network's: why each network must leave its own alone. Whoever is not in it may write. */
  block(taken: ReadonlyMap<string, string>): void {
    this.#taken = taken;
    for (const { config, targets } of this.#networks.values()) {
      for (const { kind, reconciler } of targets) {
        if (kind === 'host') reconciler.block(taken.get(config.name));
      }
    }
  }

  /** The FIB has something to drain. */
  kick(fib: number): void {
    this.#targets.get(fib)?.reconciler.kick();
  }

  /** `sources`: who owes the network a first sync. Its targets are opened by open(). */
  add(config: Config, network: NetworkConfig, sources: readonly string[]): void {
    const { core, log, workLoop, dryRun, trackNextHops } = this.#parts;
    const id = this.#networkNumbers.take();
    core.addNetwork(id, config.bgp.decision);
    core.trackNextHops(id, trackNextHops);
    core.setOwnSubnets(id, ownSubnets(network, []));
    const initialSync = new InitialSync(sources, (reason) => {
      log.info({ network: network.name, reason }, 'first sync finished');
      // Routes that came a moment ago are not desired yet: what they keep in place must not look left over.
      workLoop.atRest(() => release(runtime.targets));
    });
    const runtime: NetworkRuntime = { id, config: network, targets: [], initialSync };
    this.#networks.set(network.name, runtime);
    runtime.targets = planTargets(config, network, dryRun).map((plan) =>
      this.#addTarget(config, runtime, plan),
    );
  }

  /** Starts reading what is there, and writing. After `deadlineMs` nobody's first sync is waited for any more. */
  async open(name: string, deadlineMs: number): Promise<void> {
    const { targets, initialSync } = this.#networks.get(name)!;
    for (const { reconciler } of targets) await reconciler.start();
    setTimeout(() => initialSync.expire(), deadlineMs).unref();
    initialSync.finish();
  }

  /** Brings a network to its new configuration; a target that stays as it is notices nothing. */
  async change(config: Config, network: NetworkConfig): Promise<void> {
    const runtime = this.#networks.get(network.name)!;
    runtime.config = network;
    const plans = planTargets(config, network, this.#parts.dryRun);
    const { leaving, coming } = diffTargets(
      runtime.targets.map(({ plan }) => plan),
      plans,
    );
    for (const { plan, flush } of leaving) {
      const target = runtime.targets.find((each) => each.plan === plan)!;
      runtime.targets = runtime.targets.filter((each) => each !== target);
      await this.#removeTarget(target, flush);
    }
    const added = coming.map((plan) => {
      const takenOver = leaving.some(
        (each) => !each.flush && each.plan.kind === plan.kind && each.plan.aggregation !== 'off',
      );
      return this.#addTarget(config, runtime, plan, takenOver);
    });
    runtime.targets = [...runtime.targets, ...added];
    for (const { reconciler } of added) await reconciler.start();
    if (runtime.initialSync.isFinished) this.#parts.workLoop.atRest(() => release(added));
  }

  /**
   * A target goes on without aggregation, until its network is brought to a configuration again: aggregation that is at fault in one
   * place is not to be trusted in another, so the whole target does.
   */
  async endAggregation(config: Config, fib: number): Promise<void> {
    const runtime = [...this.#networks.values()].find(({ targets }) =>
      targets.some((each) => each.fib === fib),
    );
    const target = runtime?.targets.find((each) => each.fib === fib);
    if (runtime === undefined || target === undefined) return;
    runtime.targets = runtime.targets.filter((each) => each !== target);
    // Held for another reason, removals go on waiting for a word.
    const force = target.reconciler.status().removalsHeld === undefined;
    await this.#removeTarget(target, false);
    const ended = this.#addTarget(config, runtime, { ...target.plan, aggregation: 'ended' });
    runtime.targets = [...runtime.targets, ended];
    await ended.reconciler.start();
    if (!runtime.initialSync.isFinished) return;
    // Rows that stood for many are left over, whatever their share: the cause is known.
    this.#parts.workLoop.atRest(() => ended.reconciler.releaseRemovals({ force }));
  }

  /** Targets as the verifier sees them. */
  get verifiedTargets(): VerifiedTarget[] {
    return [...this.#networks.values()].flatMap(({ config, targets }) =>
      targets.map(({ fib, kind, plan, reconciler }) => ({
        network: config.name,
        target: kind,
        fib,
        isAggregated: plan.aggregation === 'exact' || plan.aggregation === 'discard',
        entryCount: this.#parts.core.fibCounters(fib).entryCount,
        writtenCount: reconciler.status().writtenCount,
      })),
    );
  }

  /** Networks with a target whose aggregation has ended. */
  get withoutAggregation(): readonly string[] {
    return [...this.#networks.values()]
      .filter(({ targets }) => targets.some(({ plan }) => plan.aggregation === 'ended'))
      .map(({ config }) => config.name);
  }

  /** Who imports from whom must be known before anybody's first sync ends. To be called after networks came, went or changed. */
  followImports(): void {
    const networks = [...this.#networks.values()];
    for (const { config, initialSync } of networks) {
      const importers = networks.filter((each) =>
        each.config.imports.some(({ from }) => from === config.name),
      );
      initialSync.setFollowers(importers.map((each) => each.initialSync));
    }
  }

  /** Nobody wants the network's routes any more: ours go from its targets. Its peers and import lines must be gone before. */
  async remove(name: string): Promise<void> {
    const runtime = this.#networks.get(name)!;
    this.#networks.delete(name);
    for (const target of runtime.targets) await this.#removeTarget(target, true);
    const { core, workLoop } = this.#parts;
    workLoop.atRest(() => {
      core.removeNetwork(runtime.id);
      this.#networkNumbers.giveBack(runtime.id);
    });
  }

  /** Ends every target. Those that cannot be flushed are told of, and the others are flushed all the same. */
  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    for (const { kind, reconciler } of this.#targets.values()) {
      if (flush) await this.#flush(kind, reconciler);
      await reconciler.stop();
    }
  }

  /** `takesOver`: what is there was aggregated, and is replaced in the order that needs. */
  #addTarget(
    config: Config,
    network: NetworkRuntime,
    plan: TargetPlan,
    takesOver = false,
  ): TargetRuntime {
    const { core, log, workLoop } = this.#parts;
    const { name } = network.config;
    const { kind, sink, aggregation } = plan;
    const fib = this.#fibNumbers.take();
    const isOvn = kind === 'ovn';
    core.addFib(fib, network.id, {
      holdRemovals: true,
      isPatient: isOvn,
      aggregation: takesOver && aggregation === 'off' ? 'ended' : aggregation,
      cost: isOvn ? 'next-hops' : 'entries',
    });
    const reconciler = new Reconciler({
      core,
      fib,
      name: `${name}/${kind}`,
      kind,
      worker: new SinkWorker(sink),
      turns: this.#turnsAt(sink),
      maxRemovalShare: config.startup.maxRemovalShare,
      onWork: () => workLoop.wake(),
      atRest: (callback) => workLoop.atRest(callback),
      waitsForFirstSync: aggregation !== 'off',
      log: log.child({ network: name, target: kind }),
    });
    if (kind === 'host') reconciler.block(this.#taken.get(name));
    const target = { fib, kind, plan, reconciler };
    this.#targets.set(fib, target);
    return target;
  }

  /** One transaction in flight per database: targets at the same one share its turns. */
  #turnsAt(sink: SinkOptions): Turns {
    if (sink.kind !== 'ovn') return new Turns();
    const servers = sink.remotes.toSorted().join(',');
    const turns = this.#turns.get(servers) ?? new Turns();
    this.#turns.set(servers, turns);
    return turns;
  }

  async #removeTarget({ fib, kind, reconciler }: TargetRuntime, flush: boolean): Promise<void> {
    this.#targets.delete(fib);
    if (flush) await this.#flush(kind, reconciler);
    await reconciler.stop();
    this.#parts.core.removeFib(fib);
    this.#fibNumbers.giveBack(fib);
  }

  async #flush(target: TargetKind, reconciler: Reconciler): Promise<void> {
    await reconciler.flush().catch((error: Error) => {
      this.#parts.log.error({ target, reason: error.message }, 'routes of ours left over');
    });
  }
}

function release(targets: readonly TargetRuntime[]): void {
  for (const { reconciler } of targets) reconciler.releaseRemovals();
}
