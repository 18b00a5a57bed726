// The composition root: builds every part from the configuration and wires them. start() and stop() read top to bottom.
//
//   sessions ─► PeerReceiver ─► core ─► WorkLoop ─► Reconciler per target ─► worker
//
// What is here and nowhere else: which parts there are, and who hears of what.
import { readFile } from 'node:fs/promises';
import { Speaker } from '../bgp/speaker.ts';
import type { Config, NetworkConfig, PeerConfig } from '../config/config.ts';
import { type ListenAddress, serveControl } from '../control/server.ts';
import { loadCore } from '../core/core.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { AddressFamily } from '../net/address-family.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { prefixFamily } from '../net/prefix.ts';
import { NextHopTracker } from '../networks/next-hop-tracker.ts';
import { type EventLoopWatch, watchEventLoop } from '../observe/event-loop.ts';
import type { Logger } from '../observe/log.ts';
import { Reconciler } from '../sinks/reconciler.ts';
import type { SinkOptions } from '../workers/messages.ts';
import { SinkWorker } from '../workers/pool.ts';
import { AgentControl } from './control.ts';
import { InitialSync } from './initial-sync.ts';
import { PeerReceiver } from './peer-receiver.ts';
import {
  corePeer,
  type PeerSurroundings,
  readPassword,
  routerIdNumber,
  speakerPeer,
} from './peers.ts';
import type { NetworkRuntime, PeerRuntime, TargetRuntime } from './runtime.ts';
import { planTargets, type TargetKind } from './targets.ts';
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
  readonly #options: AgentOptions;
  readonly #core: RouteCore;
  readonly #speaker: Speaker;
  readonly #workLoop: WorkLoop;
  readonly #nextHops: NextHopTracker | undefined;
  readonly #networks = new Map<string, NetworkRuntime>();
  readonly #peers = new Map<string, PeerRuntime>();
  readonly #targets = new Map<number, TargetRuntime>();
  readonly #eventLoop: EventLoopWatch;
  #deadline: NodeJS.Timeout | undefined;
  #closeControl: (() => Promise<void>) | undefined;

  /** Loads the core; nothing is opened yet. */
  static async create(options: AgentOptions): Promise<Agent> {
    return new Agent(options, await loadCore({ maximumBytes: options.config.core.memory }));
  }

  private constructor(options: AgentOptions, core: RouteCore) {
    const { config, log, dryRun } = options;
    this.#options = options;
    this.#core = core;
    this.#eventLoop = watchEventLoop();
    this.#speaker = new Speaker({
      asn: config.bgp.asn,
      routerId: routerIdNumber(config.bgp.routerId),
      listen: config.bgp.listen,
      hostName: config.node,
      log,
    });
    this.#nextHops = dryRun
      ? undefined
      : new NextHopTracker({
          core,
          protocol: config.host.protocol,
          log,
          onChanged: () => this.#workLoop.wake(),
          onSettled: () => this.#workLoop.wake(),
        });
    this.#workLoop = new WorkLoop({
      core,
      onNextHops: (events) => this.#nextHops?.take(events),
      onPending: (fib) => this.#targets.get(fib)?.reconciler.kick(),
      areNextHopsKnown: () => this.#nextHops?.isSettled ?? true,
    });
  }

  async start(): Promise<void> {
    const { config, log } = this.#options;
    for (const [index, network] of config.networks.entries()) this.#addNetwork(index, network);
    for (const [index, peer] of config.bgp.peers.entries()) await this.#addPeer(index + 1, peer);
    await this.#nextHops?.start();
    for (const { reconciler } of this.#targets.values()) await reconciler.start();
    this.#deadline = setTimeout(() => this.#expireInitialSync(), config.startup.deadline);
    for (const { initialSync } of this.#networks.values()) initialSync.finish();
    this.#advertise();
    await this.#speaker.start();
    this.#closeControl = await serveControl(
      new AgentControl({
        config,
        core: this.#core,
        speaker: this.#speaker,
        networks: this.#networks,
        peers: this.#peers,
        eventLoop: this.#eventLoop,
        onChanged: () => this.#workLoop.wake(),
      }),
      config.control.socket,
      this.#httpAddress(),
    );
    log.info({ node: config.node, asn: config.bgp.asn, dryRun: this.#options.dryRun }, 'started');
  }

  /** Ends the sessions; routes stay in place unless they are to be flushed. */
  async stop({ flush }: StopOptions): Promise<void> {
    clearTimeout(this.#deadline);
    await this.#closeControl?.();
    this.#workLoop.stop();
    // With routes left in place we are expected back: a silent close lets peers keep ours (RFC 4724 §4).
    await this.#speaker.stop({ restarting: !flush, shutdownText: 'rutter is stopping' });
    for (const { reconciler } of this.#targets.values()) {
      if (flush) await reconciler.flush();
      await reconciler.stop();
    }
    await this.#nextHops?.stop();
    this.#eventLoop.stop();
    this.#options.log.info({ flush }, 'stopped');
  }

  #addNetwork(id: number, network: NetworkConfig): void {
    const { config, dryRun } = this.#options;
    this.#core.addNetwork(id, config.bgp.decision);
    this.#core.trackNextHops(id, this.#nextHops !== undefined);
    const targets = planTargets(config, network, dryRun).map(({ kind, sink }) =>
      this.#addTarget(id, network.name, kind, sink),
    );
    const initialSync = new InitialSync(this.#sourcesOf(network), (reason) => {
      this.#options.log.info({ network: network.name, reason }, 'first sync finished');
      // Routes that came a moment ago are not desired yet: what they keep in place must not look left over.
      this.#workLoop.atRest(() => {
        for (const { reconciler } of targets) reconciler.releaseRemovals();
      });
    });
    this.#networks.set(network.name, { id, config: network, targets, initialSync });
  }

  #addTarget(
    network: number,
    networkName: string,
    kind: TargetKind,
    sink: SinkOptions,
  ): TargetRuntime {
    const { config, log } = this.#options;
    const fib = this.#targets.size;
    this.#core.addFib(fib, network, { holdRemovals: true });
    const reconciler = new Reconciler({
      core: this.#core,
      fib,
      name: `${networkName}/${kind}`,
      kind,
      worker: new SinkWorker(sink),
      maxRemovalShare: config.startup.maxRemovalShare,
      onWork: () => this.#workLoop.wake(),
      log: log.child({ network: networkName, target: kind }),
    });
    const target = { fib, kind, reconciler };
    this.#targets.set(fib, target);
    return target;
  }

  async #addPeer(id: number, peer: PeerConfig): Promise<void> {
    const network = this.#networks.get(peer.network)!;
    const around: PeerSurroundings = {
      network: network.id,
      interfaceIndex: await interfaceIndex(peer.interface),
      forwardingPreserved: network.targets.length > 0,
    };
    this.#core.addPeer(id, corePeer(this.#options.config, peer, around));
    const finish = (family: AddressFamily) => network.initialSync.finish(sourceName(peer, family));
    const receiver = new PeerReceiver(this.#core, id, {
      onChanged: () => this.#workLoop.wake(),
      onOpen: ({ families }) => {
        for (const family of peer.families) if (!families.includes(family)) finish(family);
      },
      onEndOfRib: finish,
    });
    this.#peers.set(peer.name, { id, config: peer, network, receiver });
    this.#speaker.addPeer(speakerPeer(peer, around, await readPassword(peer)), receiver);
  }

  /** Who still owes a network its first End-of-RIB. */
  #sourcesOf(network: NetworkConfig): string[] {
    return this.#options.config.bgp.peers
      .filter((peer) => peer.network === network.name)
      .flatMap((peer) => peer.families.map((family) => sourceName(peer, family)));
  }

  /** Each network's own prefixes, in its own sessions (P7). */
  #advertise(): void {
    const now = Math.floor(Date.now() / 1000);
    for (const { id, config } of this.#networks.values()) {
      for (const { prefix } of config.advertise) this.#core.originate(id, prefix, now);
    }
    for (const { config, network } of this.#peers.values()) {
      if (config.export !== 'accept') continue;
      const carried = network.config.advertise.filter(({ prefix }) =>
        config.families.includes(prefixFamily(prefix)),
      );
      this.#speaker.advertise(config.name, carried);
    }
  }

  #expireInitialSync(): void {
    for (const { initialSync } of this.#networks.values()) initialSync.expire();
  }

  #httpAddress(): ListenAddress | undefined {
    const listen = this.#options.config.http?.listen;
    return listen && { host: formatIpAddress(listen.address), port: listen.port };
  }
}

function sourceName(peer: PeerConfig, family: AddressFamily): string {
  return `${peer.name}/${family}`;
}

/** The kernel's number of an interface; 0 for none. */
async function interfaceIndex(name: string | undefined): Promise<number> {
  if (name === undefined) return 0;
  return Number(await readFile(`/sys/class/net/${name}/ifindex`, 'utf8').catch(() => '0'));
}
