// The BGP speaker: all peers and the listeners, and which peer an incoming connection belongs to.
//
// RFCs 4271, 4486, 4724 (announced, and helping), 5082, 5492, 6286, 6608, 6793, 7313, 7911 (receiving), 8212, 8538, 8654, 8950,
// 9003, 9072, 9687; TCP-MD5 (2385). Not here: learned routes are never announced; no confederation, no route reflection.
import { formatIpAddress, type IpAddress } from '../net/ip-address.ts';
import type { Prefix } from '../net/prefix.ts';
import type { AdjRibOut, AdvertisedRoute } from './adj-rib-out.ts';
import { type Clock, systemClock } from './clock.ts';
import { administrativeCease, cease } from './errors.ts';
import { CeaseReason } from './iana.ts';
import { type ListenAddress, Listeners } from './listeners.ts';
import { Peer, type PeerEvents, type SpeakerLog } from './peer.ts';
import { hopLimits, type PeerOptions } from './peer-options.ts';
import type { PeerStatus } from './peer-status.ts';
import type { SessionEnvironment } from './session.ts';
import { TcpTransport } from './transport/tcp.ts';
import type { Connection, Listener, Transport } from './transport/transport.ts';
import { TurnBudget } from './turn-budget.ts';
import type { UpdateReceiver } from './update-receiver.ts';

export type { AdvertisedRoute } from './adj-rib-out.ts';
export type { PeerEvents } from './peer.ts';
export type { PeerOptions } from './peer-options.ts';
export type { PeerStatus } from './peer-status.ts';

export interface SpeakerOptions {
  readonly asn: number;
  /** Host order. */
  readonly routerId: number;
  /** One socket each; `::` takes IPv6 only. Empty: never listens. */
  readonly listen: readonly ListenAddress[];
  /** Announced to peers (FQDN capability). */
  readonly hostName?: string | undefined;
  readonly log: SpeakerLog;
  readonly clock?: Clock | undefined;
  readonly transport?: Transport | undefined;
  /** Jitter; 0 ≤ x < 1. */
  readonly random?: (() => number) | undefined;
}

/** How stop() ends the sessions. */
export interface StopOptions {
  /** Sent with Cease/Administrative Shutdown (RFC 9003). */
  readonly shutdownText?: string | undefined;
  /** We come back soon: close without a NOTIFICATION, so that peers keep our routes (RFC 4724 §4). */
  readonly restarting?: boolean | undefined;
}

export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #environment: SessionEnvironment;
  readonly #peers = new Map<string, Peer>();
  readonly #listeners: Listeners;
  /** Devices that are not there, and how to say so. */
  readonly #missing = new Map<string, string>();
  #isRunning = false;

  constructor(options: SpeakerOptions) {
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.#environment = {
      clock,
      transport: options.transport ?? new TcpTransport(),
      budget: new TurnBudget(clock),
      random: options.random ?? Math.random,
    };
    this.#listeners = new Listeners(
      this.#environment.transport,
      options.listen,
      (connection, device) => this.#accepted(connection, device),
    );
  }

  /** Ports in use, in the order of `listen`. */
  get ports(): readonly number[] {
    return this.#listeners.ports(undefined);
  }

  /** Listens, then starts every peer. Rejects with a TransportError when an address cannot be listened on. */
  async start(): Promise<void> {
    this.#isRunning = true;
    await this.#listeners.open(undefined);
    for (const peer of this.#peers.values()) await this.#begin(peer);
  }

  /** Ends every session and resolves when the connections are closed. */
  async stop({ shutdownText, restarting }: StopOptions = {}): Promise<void> {
    this.#isRunning = false;
    this.#listeners.closeAll();
    const notification = restarting
      ? undefined
      : administrativeCease('administrativeShutdown', shutdownText);
    for (const peer of this.#peers.values()) peer.stop(notification);
    await this.#environment.transport.settled();
  }

  /** Throws when the name or the address is taken. */
  addPeer(options: PeerOptions, receiver: UpdateReceiver, events: PeerEvents = {}): void {
    if (this.#peers.has(options.name)) throw new Error(`peer ${options.name} exists already`);
    const twin = this.#find(options.address, options.interface, options.bindDevice);
    if (twin) {
      const address = formatIpAddress(options.address);
      throw new Error(`peer ${options.name} has the address ${address} of ${twin.options.name}`);
    }
    const { asn, routerId, hostName, log } = this.#options;
    const peer = new Peer({
      options,
      localAsn: asn,
      localRouterId: routerId,
      hostName,
      receiver,
      events,
      environment: this.#environment,
      log,
    });
    this.#peers.set(options.name, peer);
    if (this.#isRunning) void this.#begin(peer);
  }

  /** Ends the session with Cease/Peer De-configured and forgets the peer; its routes go with receiver.close(). */
  removePeer(name: string, reason: string): void {
    const peer = this.#peer(name);
    this.#options.log.info({ peer: name, reason }, 'peer removed');
    this.#peers.delete(name);
    peer.stop(cease(CeaseReason.peerDeconfigured));
    peer.dispose();
    this.#forgetPassword(peer);
    const { bindDevice } = peer.options;
    const isShared = [...this.#peers.values()].some(
      ({ options }) => options.bindDevice === bindDevice,
    );
    if (bindDevice !== undefined && !isShared) this.#listeners.close(bindDevice);
  }

  /**
   * A device that peers are bound to, or their interface, is not there (`missing` says how to tell people) or is there again. Its peers wait
   * meanwhile, without routes. Devices nobody has spoken of count as being there.
   */
  setDevice(name: string, missing: string | undefined): void {
    if (this.#missing.get(name) === missing) return;
    if (missing === undefined) this.#missing.delete(name);
    else this.#missing.set(name, missing);
    if (!this.#isRunning) return;
    if (missing !== undefined) this.#listeners.close(name); // of a device that has gone they hear nothing any more
    for (const peer of this.#peers.values()) {
      if (!devicesOf(peer.options).includes(name)) continue;
      if (missing !== undefined) peer.stop(undefined);
      void this.#begin(peer);
    }
  }

  /** Cease/Administrative Reset, and a new start; also out of the Idle that a prefix limit has led to. */
  resetPeer(name: string, text?: string): void {
    const peer = this.#peer(name);
    if (this.#whyWaiting(peer) === undefined) {
      peer.reset(administrativeCease('administrativeReset', text));
    }
  }

  /** Tells a peer, or all of them, local routes; replaces those of the same prefix. Survives the session. */
  advertise(target: string | 'all', routes: readonly AdvertisedRoute[]): void {
    for (const peer of this.#targets(target)) peer.advertise(routes);
  }

  withdraw(target: string | 'all', prefixes: readonly Prefix[]): void {
    for (const peer of this.#targets(target)) peer.withdraw(prefixes);
  }

  /** What a peer was told in this session, and what the session cannot carry. */
  adjRibOut(name: string): Pick<AdjRibOut, 'told' | 'refusal'> {
    return this.#peer(name).adjRibOut;
  }

  /** Stops reading from a peer whose receiver cannot take more. */
  pauseInput(name: string): void {
    this.#peer(name).pauseInput();
  }

  resumeInput(name: string): void {
    this.#peer(name).resumeInput();
  }

  peers(): PeerStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status());
  }

  #peer(name: string): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`no peer ${name}`);
    return peer;
  }

  #targets(target: string | 'all'): readonly Peer[] {
    return target === 'all' ? [...this.#peers.values()] : [this.#peer(target)];
  }

  /** What the listeners must know of the peer, then the peer itself. A failure is this peer's alone. */
  async #begin(peer: Peer): Promise<void> {
    if (this.#waits(peer)) return;
    try {
      const { bindDevice } = peer.options;
      if (bindDevice !== undefined) await this.#listeners.open(bindDevice);
      this.#setPassword(peer);
      if (peer.options.ttlSecurity !== undefined) this.#setTtl(peer);
      peer.refuseConnections(undefined);
    } catch (error) {
      const { name } = peer.options;
      // Without its password a listener would take unsigned connections in the peer's name
      peer.refuseConnections((error as Error).message);
      this.#options.log.warn(
        { peer: name, reason: (error as Error).message },
        'peer cannot connect to us',
      );
    }
    const isOurs = this.#peers.get(peer.options.name) === peer;
    if (this.#isRunning && isOurs && !this.#waits(peer)) peer.start();
  }

  /** Whether one of the peer's devices is missing; the peer says so. */
  #waits(peer: Peer): boolean {
    const reason = this.#whyWaiting(peer);
    if (reason !== undefined) peer.refuseConnections(reason);
    return reason !== undefined;
  }

  #whyWaiting({ options }: Peer): string | undefined {
    for (const name of devicesOf(options)) {
      const missing = this.#missing.get(name);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  #setPassword({ options }: Peer): void {
    if (options.password === undefined) return;
    for (const listener of this.#listenersOf(options)) {
      listener.setPassword(options.address, options.password);
    }
  }

  #forgetPassword({ options }: Peer): void {
    if (options.password === undefined) return;
    try {
      for (const listener of this.#listenersOf(options)) {
        listener.setPassword(options.address, undefined);
      }
    } catch (error) {
      // The peer was refused for the same reason, and its address is nobody's now
      const reason = (error as Error).message;
      this.#options.log.debug({ peer: options.name, reason }, 'password not taken back');
    }
  }

  /** The answer to a connection request leaves before the peer is known: it must pass the peer's check too. */
  #setTtl(peer: Peer): void {
    const { ttl } = hopLimits(peer.options);
    for (const listener of this.#listenersOf(peer.options)) listener.setTtl(ttl!);
  }

  #listenersOf({ bindDevice, address }: PeerOptions): Listener[] {
    return this.#listeners.of(bindDevice, address);
  }

  #accepted(connection: Connection, device: string | undefined): void {
    const peer = this.#find(connection.remoteAddress, connection.interface, device);
    if (peer) {
      peer.accept(connection);
      return;
    }
    const address = formatIpAddress(connection.remoteAddress);
    this.#options.log.debug({ address }, 'connection from an unknown address');
    connection.abort();
  }

  #find(
    address: IpAddress,
    interfaceName: string | undefined,
    device: string | undefined,
  ): Peer | undefined {
    const text = formatIpAddress(address);
    return [...this.#peers.values()].find(
      ({ options }) =>
        formatIpAddress(options.address) === text &&
        options.interface === interfaceName &&
        options.bindDevice === device,
    );
  }
}

/** The devices without which there is no session. */
function devicesOf({ bindDevice, interface: link }: PeerOptions): string[] {
  return [bindDevice, link].filter((name) => name !== undefined);
}
