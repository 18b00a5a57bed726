// The composition root: builds every part from the configuration and wires them. start(), reload() and stop() read top to bottom.
//
//   sessions ───► PeerReceiver ─┐
//                               ├─► core ─► WorkLoop ─► Reconciler per target ─► worker
//   the kernel ─► SourceTable ──┘
//
// What is here and nowhere else: which parts there are, and who hears of what.
import { Speaker } from '../bgp/speaker.ts';
import type { Config, NetworkConfig } from '../config/config.ts';
import { followedTables } from '../config/followed-tables.ts';
import type { ParseResult } from '../config/parse.ts';
import { formatProblem } from '../config/problem.ts';
import { BadQuestion } from '../control/agent-view.ts';
import { type ListenAddress, serveControl } from '../control/server.ts';
import { loadCore } from '../core/core.ts';
import type { RouteCore } from '../core/route-core.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { NextHopTracker } from '../networks/next-hop-tracker.ts';
import { type EventLoopWatch, watchEventLoop } from '../observe/event-loop.ts';
import type { Logger } from '../observe/log.ts';
import { Announcer } from './announcer.ts';
import { type ConfigDiff, diffConfig } from './config-diff.ts';
import { AgentControl } from './control.ts';
import { describeFault, rangeText, writeDump } from './fault-dump.ts';
import { type Fault, FibVerifier } from './fib-verifier.ts';
import { ImportTable } from './import-table.ts';
import { withNetwork, withoutNetwork } from './network-change.ts';
import { NetworkTable } from './network-table.ts';
import { vrfsOf } from './next-hop-vrfs.ts';
import { Numbers } from './numbers.ts';
import { PeerTable, sourcesOf } from './peer-table.ts';
import { type Passwords, readPasswords, routerIdNumber } from './peers.ts';
import { PolicyTable } from './policy-table.ts';
import { RouteReader } from './route-reader.ts';
import { SessionDevices } from './session-devices.ts';
import { SourceTable } from './source-table.ts';
import { takenTables } from './taken-tables.ts';
import { WorkLoop } from './work-loop.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Programs nothing: targets only remember what they would hold. */
  readonly dryRun: boolean;
}

export interface StopOptions {
  /** Remove every route of ours from every target. Otherwise they stay (P3). */
  readonly flush: boolean;
}

export class Agent {
  readonly #log: Logger;
  readonly #dryRun: boolean;
  readonly #core: RouteCore;
  readonly #speaker: Speaker;
  readonly #workLoop: WorkLoop;
  readonly #nextHops: NextHopTracker | undefined;
  readonly #devices: SessionDevices;
  readonly #networks: NetworkTable;
  readonly #peers: PeerTable;
  readonly #policies: PolicyTable;
  readonly #sources: SourceTable;
  readonly #announcer: Announcer;
  readonly #imports: ImportTable;
  readonly #reader: RouteReader;
  readonly #verifier: FibVerifier;
  readonly #eventLoop: EventLoopWatch;
  #config: Config;
  #passwords: Passwords = new Map();
  /** Networks that are as the control API said, not as the file did. */
  readonly #byHand = new Set<string>();
  /** One change of the configuration after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #closeControl: (() => Promise<void>) | undefined;

  /** Loads the core; nothing is opened yet. */
  static async create(options: AgentOptions): Promise<Agent> {
    return new Agent(options, await loadCore({ maximumBytes: options.config.core.memory }));
  }

  private constructor({ config, log, dryRun }: AgentOptions, core: RouteCore) {
    this.#config = config;
    this.#log = log;
    this.#dryRun = dryRun;
    this.#core = core;
    this.#eventLoop = watchEventLoop();
    this.#speaker = new Speaker({
      asn: config.bgp.asn,
      routerId: routerIdNumber(config.bgp.routerId),
      listen: config.bgp.listen,
      hostName: config.node,
      log,
    });
    const wake = () => this.#workLoop.wake();
    const { protocol } = config.host;
    this.#nextHops = dryRun
      ? undefined
      : new NextHopTracker({
          core,
          protocol,
          log,
          onChanged: wake,
          onSettled: wake,
          vrfsOf: (id) => {
            const network = this.#networks.byId(id)?.config;
            return network === undefined ? [undefined] : vrfsOf(this.#config, network);
          },
        });
    this.#workLoop = new WorkLoop({
      core,
      onNextHops: (events) => this.#nextHops?.take(events),
      onPending: (fib) => this.#networks.kick(fib),
      areNextHopsKnown: () => this.#nextHops?.isSettled ?? true,
    });
    const trackNextHops = this.#nextHops !== undefined;
    const workLoop = this.#workLoop;
    this.#networks = new NetworkTable({ core, workLoop, log, dryRun, trackNextHops });
    const peerNumbers = new Numbers(1); // 0 is the core's own, for local routes
    const networks = this.#networks.byName;
    this.#policies = new PolicyTable(core, config.bgp.asn);
    this.#peers = new PeerTable({
      core,
      workLoop,
      peerNumbers,
      policies: this.#policies,
      speaker: this.#speaker,
      tell: (peer) => this.#announcer.tell(peer),
    });
    this.#announcer = new Announcer({
      core,
      policies: this.#policies,
      log,
      speaker: this.#speaker,
      networks,
      peers: this.#peers.byName,
      onChanged: wake,
    });
    this.#imports = new ImportTable({
      core,
      workLoop,
      peerNumbers,
      networks,
      policies: this.#policies,
    });
    this.#devices = new SessionDevices({
      speaker: this.#speaker,
      log,
      onInterface: (name) => this.#peers.renewInterface(this.#config, name),
      onDevices: () => this.#blockTables(this.#config),
    });
    this.#sources = new SourceTable({
      core,
      workLoop,
      log,
      networks,
      peerNumbers,
      policies: this.#policies,
    });
    this.#reader = new RouteReader({
      core,
      speaker: this.#speaker,
      announcer: this.#announcer,
      networks,
      peers: this.#peers.byName,
      sources: this.#sources.byName,
    });
    this.#verifier = new FibVerifier({
      core,
      atRest: (callback) => workLoop.atRest(callback),
      targets: () => this.#networks.verifiedTargets,
      intervalMs: config.verify.interval,
      onFault: (fault) => void this.#takeFault(fault),
    });
  }

  /** Rejects when it cannot run at all, with nothing left open; whatever can come later is waited for while running. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.#close({ flush: false });
      throw error;
    }
    const { node, bgp } = this.#config;
    this.#log.info({ node, asn: bgp.asn, dryRun: this.#dryRun }, 'started');
  }

  async #start(): Promise<void> {
    const config = this.#config;
    this.#passwords = await readPasswords(config.bgp.peers);
    this.#policies.configure(config);
    for (const network of config.networks) this.#addNetwork(config, network);
    this.#networks.followImports();
    this.#imports.apply(config);
    for (const { name } of config.bgp.peers) await this.#addPeer(config, name);
    await this.#announcer.configure(config);
    // Before anything is written: the socket is what keeps a second agent out.
    this.#closeControl = await this.#serveControl();
    await this.#nextHops?.start();
    await this.#devices.follow(config);
    this.#blockTables(config);
    await this.#announcer.firstSync();
    await this.#speaker.start();
    await this.#sources.apply(config);
    for (const { name } of config.networks) await this.#openNetwork(name);
    this.#verifier.start();
  }

  /** Brings the running agent to another configuration; what did not change keeps its sessions and routes. */
  reload(config: Config): Promise<void> {
    return this.#afterLastChange(async () => {
      const overruled = [...this.#byHand];
      this.#byHand.clear();
      if (overruled.length > 0) {
        this.#log.warn({ networks: overruled }, 'networks are as the file says again');
      }
      await this.#changeTo(config);
      // Reading the file again is the operator's word: aggregation that had ended is tried anew.
      for (const name of this.#networks.withoutAggregation) {
        const network = this.#config.networks.find((each) => each.name === name)!;
        await this.#networks.change(this.#config, network);
      }
    });
  }

  /** `network`: an entry of the configuration's `networks`. Lasts until the file is read again. */
  putNetwork(name: string, network: object): Promise<void> {
    return this.#changeByHand(name, () => withNetwork(this.#config, name, network));
  }

  removeNetwork(name: string): Promise<void> {
    return this.#changeByHand(name, () => withoutNetwork(this.#config, name));
  }

  #changeByHand(name: string, change: () => ParseResult): Promise<void> {
    return this.#afterLastChange(async () => {
      const { config, problems } = change();
      if (config === undefined) throw new BadQuestion(problems.map(formatProblem).join('; '));
      await this.#changeTo(config);
      this.#byHand.add(name);
    });
  }

  #afterLastChange<Result>(change: () => Promise<Result>): Promise<Result> {
    const done = this.#lastChange.catch(() => undefined).then(change);
    this.#lastChange = done;
    return done;
  }

  async #changeTo(config: Config): Promise<void> {
    const passwords = await readPasswords(config.bgp.peers);
    const rekeyed = config.bgp.peers
      .map(({ name }) => name)
      .filter((name) => passwords.get(name) !== this.#passwords.get(name));
    const diff = diffConfig(this.#config, config, new Set(rekeyed));
    for (const key of diff.needsRestart) this.#log.warn({ key }, 'needs a restart');
    this.#config = diff.config;
    this.#passwords = passwords;
    await this.#apply(diff);
    this.#log.info(summary(diff), 'reloaded');
  }

  async #apply({ peers, networks, config }: ConfigDiff): Promise<void> {
    this.#policies.configure(config);
    await this.#devices.follow(config);
    for (const name of peers.removed) this.#peers.remove(name, 'no longer configured');
    for (const { name } of peers.replaced) this.#peers.remove(name, 'configured anew');
    await this.#sources.removeOthers(config);
    this.#imports.removeOthers(config);
    for (const name of networks.removed) {
      this.#announcer.forget(name);
      await this.#networks.remove(name);
    }
    this.#blockTables(config); // what those that go had is free
    for (const network of networks.added) this.#addNetwork(config, network);
    for (const network of networks.changed) await this.#networks.change(config, network);
    this.#networks.followImports();
    this.#imports.apply(config);
    for (const { name } of networks.added) await this.#openNetwork(name);
    await this.#sources.apply(config);
    for (const peer of peers.updated) await this.#peers.update(config, peer);
    for (const { name } of [...peers.replaced, ...peers.added]) await this.#addPeer(config, name);
    await this.#announcer.configure(config);
    this.#policies.prune(config);
    this.#nextHops?.askAgain();
    this.#workLoop.wake();
  }

  /** Ends the sessions; routes stay in place unless they are to be flushed. */
  async stop({ flush }: StopOptions): Promise<void> {
    await this.#close({ flush });
    this.#log.info({ flush }, 'stopped');
  }

  async #close({ flush }: StopOptions): Promise<void> {
    await this.#closeControl?.();
    this.#verifier.stop();
    this.#workLoop.stop();
    // With routes left in place we are expected back: a silent close lets peers keep ours (RFC 4724 §4).
    await this.#speaker.stop({ restarting: !flush, shutdownText: 'rutter is stopping' });
    await this.#sources.stop();
    this.#announcer.close();
    await this.#networks.close({ flush });
    await this.#nextHops?.stop();
    this.#devices.stop();
    this.#eventLoop.stop();
  }

  /** Aggregation forwards otherwise than the routes: it is told and described as it is, and the target goes on without it. */
  async #takeFault(fault: Fault): Promise<void> {
    const { network, target, fib } = fault.target;
    const dump = await describeFault(fault, this.#reader);
    const ended = this.#afterLastChange(() => this.#networks.endAggregation(this.#config, fib));
    const { dumpDirectory } = this.#config.verify;
    const file = await writeDump(dumpDirectory, dump).catch((error: Error) => error.message);
    const rangeCount = fault.differences.length;
    const [range] = fault.differences.map(rangeText);
    this.#log.error(
      { network, target, family: fault.family, rangeCount, range, dump: file },
      'aggregation was at fault and has ended',
    );
    await ended;
    this.#workLoop.wake();
  }

  #addNetwork(config: Config, network: NetworkConfig): void {
    // What others owe a network from which routes are imported is owed here too; imports of imports do not exist.
    const imported = network.imports.flatMap(({ from }) => {
      const known = this.#networks.byName.get(from)?.initialSync;
      const owed = ownSources(config, from);
      return known === undefined ? owed : owed.filter((each) => known.waitingFor.includes(each));
    });
    this.#networks.add(config, network, [...ownSources(config, network.name), ...imported]);
  }

  /** A VRF device may have a table that is another network's. */
  #blockTables({ networks }: Config): void {
    const taken = takenTables(networks, this.#devices.devices, this.#networks.taken);
    this.#networks.block(taken);
  }

  async #openNetwork(name: string): Promise<void> {
    await this.#networks.open(name, this.#config.startup.deadline);
  }

  async #addPeer(config: Config, name: string): Promise<void> {
    const peer = config.bgp.peers.find((each) => each.name === name)!;
    const network = this.#networks.byName.get(peer.network)!;
    await this.#peers.add(config, peer, network, this.#passwords.get(name));
  }

  #serveControl(): Promise<() => Promise<void>> {
    const { control, http } = this.#config;
    const view = new AgentControl({
      config: this.#config,
      core: this.#core,
      speaker: this.#speaker,
      networks: this.#networks.byName,
      peers: this.#peers.byName,
      policies: this.#policies,
      devices: this.#devices,
      announcer: this.#announcer,
      sources: this.#sources.byName,
      imports: this.#imports,
      eventLoop: this.#eventLoop,
      igpMetric: (network, nextHop) => this.#nextHops?.metric(network, nextHop) ?? 0,
      verifier: this.#verifier,
      onChanged: () => this.#workLoop.wake(),
      putNetwork: (name, network) => this.putNetwork(name, network),
      removeNetwork: (name) => this.removeNetwork(name),
    });
    const listen: ListenAddress | undefined = http && {
      host: formatIpAddress(http.listen.address),
      port: http.listen.port,
    };
    return serveControl(view, control.socket, listen);
  }
}

/** Who owes a network a first sync. */
function ownSources(config: Config, network: string): string[] {
  const peers = config.bgp.peers.filter((peer) => peer.network === network);
  const tables = followedTables(config).filter((each) => each.network === network);
  return [...peers.flatMap(sourcesOf), ...tables.map(({ name }) => name)];
}

/** How much a reload did, for one line of the log. */
function summary({ peers, networks, needsRestart }: ConfigDiff): object {
  return {
    peersAdded: peers.added.length,
    peersRemoved: peers.removed.length,
    peersReplaced: peers.replaced.length,
    peersUpdated: peers.updated.length,
    networksAdded: networks.added.length,
    networksRemoved: networks.removed.length,
    networksChanged: networks.changed.length,
    needsRestart: needsRestart.length,
  };
}
