// The peers of the running agent: made, changed and taken away, in the core and in the speaker, and what each is told.
import { readFile } from 'node:fs/promises';
import type { Speaker } from '../bgp/speaker.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { RouteCore } from '../core/route-core.ts';
import type { AddressFamily } from '../net/address-family.ts';
import type { Numbers } from './numbers.ts';
import { PeerReceiver } from './peer-receiver.ts';
import { corePeer, type PeerSurroundings, speakerPeer } from './peers.ts';
import type { PolicyTable } from './policy-table.ts';
import type { NetworkRuntime, PeerRuntime } from './runtime.ts';
import type { WorkLoop } from './work-loop.ts';

export interface PeerTableParts {
  readonly core: RouteCore;
  readonly speaker: Speaker;
  readonly peerNumbers: Numbers;
  readonly workLoop: WorkLoop;
  readonly policies: PolicyTable;
  /** Tells a peer what is announced to it. */
  readonly tell: (peer: PeerRuntime) => void;
}

export class PeerTable {
  readonly #parts: PeerTableParts;
  readonly #peers = new Map<string, PeerRuntime>();

  constructor(parts: PeerTableParts) {
    this.#parts = parts;
  }

  get byName(): ReadonlyMap<string, PeerRuntime> {
    return this.#peers;
  }

  async add(
    config: Config,
    peer: PeerConfig,
    network: NetworkRuntime,
    password: string | undefined,
  ): Promise<void> {
    const { core, speaker, workLoop, peerNumbers } = this.#parts;
    const around = await this.#surroundings(peer, network);
    const id = peerNumbers.take();
    core.addPeer(id, corePeer(config, peer, around));
    const finish = (family: AddressFamily) => network.initialSync.finish(sourceName(peer, family));
    const receiver = new PeerReceiver(core, id, {
      onChanged: () => workLoop.wake(),
      onOpen: ({ families }) => {
        for (const family of peer.families) if (!families.includes(family)) finish(family);
      },
      onEndOfRib: finish,
    });
    const runtime = { id, config: peer, network, receiver, told: new Set<string>() };
    this.#peers.set(peer.name, runtime);
    speaker.addPeer(speakerPeer(peer, around, password), receiver);
    this.#parts.tell(runtime);
  }

  /** What does not touch the session: the policies. */
  async update(config: Config, peer: PeerConfig): Promise<void> {
    const runtime = this.#peers.get(peer.name)!;
    runtime.config = peer;
    const around = await this.#surroundings(peer, runtime.network);
    this.#parts.core.updatePeer(runtime.id, corePeer(config, peer, around));
    this.#parts.workLoop.wake();
    this.#parts.tell(runtime);
  }

  /** An interface has been made anew: the core must know its peers' link-local next hops by the new index. */
  async renewInterface(config: Config, name: string): Promise<void> {
    for (const runtime of this.#peers.values()) {
      if (runtime.config.interface !== name) continue;
      const around = await this.#surroundings(runtime.config, runtime.network);
      this.#parts.core.updatePeer(runtime.id, corePeer(config, runtime.config, around));
    }
  }

  /** Ends the session; the peer's routes go. */
  remove(name: string, reason: string): void {
    const { core, speaker, workLoop, peerNumbers } = this.#parts;
    const { id, config, network, receiver } = this.#peers.get(name)!;
    this.#peers.delete(name);
    speaker.removePeer(name, reason);
    receiver.close([]); // Routes of a replay have no session that would take them along.
    for (const source of sourcesOf(config)) network.initialSync.finish(source);
    workLoop.atRest(() => {
      core.removePeer(id);
      peerNumbers.giveBack(id);
    });
  }

  async #surroundings(peer: PeerConfig, network: NetworkRuntime): Promise<PeerSurroundings> {
    const { policies } = this.#parts;
    return {
      network: network.id,
      vrf: network.config.vrf,
      nameId: policies.nameId(peer.name),
      importPolicy: policies.id(peer.import),
      interfaceIndex: await interfaceIndex(peer.interface),
      forwardingPreserved: network.targets.length > 0,
    };
  }
}

/** What a peer owes its network: one End-of-RIB per family. */
export function sourcesOf(peer: PeerConfig): string[] {
  return peer.families.map((family) => sourceName(peer, family));
}

function sourceName(peer: PeerConfig, family: AddressFamily): string {
  return `${peer.name}/${family}`;
}

/** The kernel's number of an interface; 0 for none. */
async function interfaceIndex(name: string | undefined): Promise<number> {
  if (name === undefined) return 0;
  return Number(await readFile(`/sys/class/net/${name}/ifindex`, 'utf8').catch(() => '0'));
}
