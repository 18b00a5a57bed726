// One configured peer: its session, the second one while two connections collide, its routes both ways, and its status.
import type { AddressFamily } from '../net/address-family.ts';
import { formatIpAddress, type IpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import { AdjRibOut, type AdvertisedRoute } from './adj-rib-out.ts';
import type { CapabilityOffer } from './capability-offer.ts';
import { resolveCollision } from './collision.ts';
import { cease, type Notification } from './errors.ts';
import type { State } from './fsm-actions.ts';
import { CeaseReason } from './iana.ts';
import { MessageCounters } from './message-counters.ts';
import { encodeNotification, notificationText, shutdownText } from './messages/notification.ts';
import type { OpenMessage } from './messages/open.ts';
import type { NegotiatedSession } from './negotiate.ts';
import {
  connectTarget,
  DEFAULT_STALE_PATH_TIME_MS,
  fsmConfig,
  type PeerOptions,
} from './peer-options.ts';
import type { NotificationStatus, PeerStatus } from './peer-status.ts';
import { RouteExchange } from './route-exchange.ts';
import { Session, type SessionEnvironment, type SessionOwner } from './session.ts';
import { sessionStatus } from './session-status.ts';
import { StaleRoutes } from './stale-routes.ts';
import type { Connection, ConnectTarget } from './transport/transport.ts';
import type { UpdateReceiver } from './update-receiver.ts';

/** What the agent hears of a peer. All are optional. */
export interface PeerEvents {
  stateChanged?(change: {
    readonly from: State;
    readonly to: State;
    readonly reason: string;
  }): void;
  established?(session: NegotiatedSession): void;
  /** The session was Established. `retained`: families whose routes stay as stale (RFC 4724). */
  closed?(reason: string, retained: readonly AddressFamily[]): void;
  endOfRib?(family: AddressFamily): void;
  prefixLimitReached?(family: AddressFamily): void;
}

/** A pino logger is one. */
export interface SpeakerLog {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
}

export interface PeerParts {
  readonly options: PeerOptions;
  readonly localAsn: number;
  /** Host order. */
  readonly localRouterId: number;
  readonly hostName: string | undefined;
  readonly receiver: UpdateReceiver;
  readonly events: PeerEvents;
  readonly environment: SessionEnvironment;
  readonly log: SpeakerLog;
}

export class Peer implements SessionOwner {
  readonly options: PeerOptions;
  readonly target: ConnectTarget;
  readonly counters = new MessageCounters();
  readonly #parts: PeerParts;
  readonly #adjRibOut: AdjRibOut;
  readonly #staleRoutes: StaleRoutes;
  readonly #restartingUntil: number;
  /** The peer's machine; runs all the time. */
  #session: Session;
  /** An incoming connection beside it, until one of the two goes (RFC 4271 §6.8). */
  #incoming: Session | undefined;
  /** What the agent has heard last. */
  #told: State = 'idle';
  #since: number;
  /** Families that stayed as stale when the last session ended. */
  #retained: readonly AddressFamily[] = [];
  #establishedAt: number | undefined;
  #establishedCount = 0;
  readonly #endOfRib = new Set<AddressFamily>();
  #lastError: PeerStatus['lastError'];
  #lastNotification: NotificationStatus | undefined;
  /** Why connections from the peer cannot be taken, or undefined. */
  #refusal: string | undefined;

  constructor(parts: PeerParts) {
    const { options, environment, receiver } = parts;
    const { clock } = environment;
    this.options = options;
    this.#parts = parts;
    this.#adjRibOut = new AdjRibOut(() => parts.environment.clock.wallTime());
    this.target = connectTarget(options);
    const restart = options.gracefulRestart;
    this.#restartingUntil = restart?.restarting
      ? clock.now() + restart.restartTimeSeconds * 1000
      : Number.NEGATIVE_INFINITY;
    this.#staleRoutes = new StaleRoutes(
      clock,
      restart?.stalePathTimeMs ?? DEFAULT_STALE_PATH_TIME_MS,
      (family, reason) => {
        parts.log.info({ peer: options.name, family, reason }, 'stale routes end');
        receiver.endRefresh(family);
      },
    );
    this.#since = clock.wallTime();
    this.#session = new Session(this, environment, fsmConfig(parts));
  }

  start(): void {
    this.#session.dispatch({ type: 'start' });
  }

  /** To Idle, until start(). Without a notification the connection just closes. */
  stop(notification: Notification | undefined): void {
    this.#incoming?.dispatch({ type: 'stop', notification });
    this.#session.dispatch({ type: 'stop', notification });
    this.#staleRoutes.dropAll('stopped');
  }

  /** A new session; where both sides can, routes stay meanwhile (RFC 8538 §4). */
  reset(notification: Notification): void {
    this.#incoming?.dispatch({ type: 'stop', notification });
    this.#session.dispatch({ type: 'stop', notification });
    this.start();
  }

  /** After stop(): no effect of this peer from now on. */
  dispose(): void {
    this.#session.dispose();
    this.#incoming?.dispose();
  }

  /** Connections from the peer are closed until this is called with undefined. */
  refuseConnections(reason: string | undefined): void {
    this.#refusal = reason;
    if (reason !== undefined) this.#fail(reason);
  }

  /** A connection from the peer's address. */
  accept(connection: Connection): void {
    if (this.#refusal !== undefined) {
      connection.abort();
      return;
    }
    try {
      const { ttl, minTtl } = this.target;
      if (ttl !== undefined || minTtl !== undefined) connection.secure({ ttl, minTtl });
    } catch (error) {
      connection.abort();
      this.#fail((error as Error).message);
      return;
    }
    this.#assign(connection);
  }

  advertise(routes: Iterable<AdvertisedRoute>): void {
    this.#adjRibOut.advertise(routes);
    this.#session.exchange?.wake();
  }

  /** What it was told, and what the session cannot carry. */
  get adjRibOut(): Pick<AdjRibOut, 'told' | 'refusal'> {
    return this.#adjRibOut;
  }

  withdraw(prefixes: Iterable<Prefix>): void {
    this.#adjRibOut.withdraw(prefixes);
    this.#session.exchange?.wake();
  }

  pauseInput(): void {
    this.#session.pauseInput();
  }

  resumeInput(): void {
    this.#session.resumeInput();
  }

  // ---- SessionOwner ----

  offer(): CapabilityOffer {
    const { options, localAsn, hostName } = this.#parts;
    const restart = options.gracefulRestart;
    return {
      localAsn,
      families: options.families,
      // RFC 8950: only where our own next hops would be IPv6 too
      extendedNextHop: options.address.length === 16,
      addPathReceive: options.addPathReceive ?? [],
      gracefulRestart: restart && { ...restart, restarting: this.#isRestarting() },
      hostName,
    };
  }

  acceptsOpen(session: Session, open: OpenMessage): boolean {
    const other = session === this.#session ? this.#incoming : this.#session;
    if (other === undefined) return true;
    if (other.state === 'established') return this.#replaces(other);
    if (other.state !== 'openConfirm') return true;
    const { localAsn, localRouterId } = this.#parts;
    const stays = resolveCollision(
      { routerId: localRouterId, asn: localAsn },
      { routerId: open.routerId, asn: other.fsm.negotiated!.peerAsn },
    );
    // Two from the same side are no collision: the peer has given up the older one
    if (session.initiator !== other.initiator && session.initiator !== stays) return false;
    other.dispatch({ type: 'collisionLost' });
    return true;
  }

  established(session: Session): RouteExchange {
    const { receiver, environment, options, events, localAsn } = this.#parts;
    const negotiated = session.fsm.negotiated!;
    const connection = session.connection!;
    this.#leaveOnly(session);
    this.#endOfRib.clear();
    this.#establishedAt = environment.clock.now();
    this.#establishedCount++;
    return new RouteExchange({
      port: session,
      clock: environment.clock,
      negotiated,
      outbound: {
        localAsn,
        localAddress: connection.localAddress,
        nextHops: { ...nextHopBeside(connection, negotiated), ...options.nextHops },
        negotiated,
      },
      receiver,
      adjRibOut: this.#adjRibOut,
      staleRoutes: this.#staleRoutes,
      prefixLimits: options.maxPrefixes?.limits ?? {},
      onEndOfRib: (family) => {
        this.#endOfRib.add(family);
        events.endOfRib?.(family);
      },
      onPrefixLimit: (family) => this.#prefixLimitReached(family),
    });
  }

  released(_session: Session, exchange: RouteExchange, graceful: boolean): void {
    this.#establishedAt = undefined;
    this.#endOfRib.clear();
    this.#retained = exchange.close(graceful);
  }

  notified(direction: 'sent' | 'received', notification: Notification): void {
    const { clock } = this.#parts.environment;
    this.#lastNotification = {
      direction,
      code: notification.code,
      subcode: notification.subcode,
      text: notificationText(notification),
      shutdownText: shutdownText(notification),
      at: clock.wallTime(),
    };
    const { log } = this.#parts;
    log.info({ peer: this.options.name, direction, ...this.#notificationFields() }, 'notification');
  }

  changed(session: Session, from: State, reason: string): void {
    if (session === this.#incoming) {
      if (session.state === 'idle' || session.state === 'active') this.#drop(session);
      return;
    }
    if (session !== this.#session) return;
    const { state } = session;
    const isFailure =
      state === 'connect'
        ? from === 'connect'
        : from !== state && (state === 'idle' || (state === 'active' && from !== 'idle'));
    if (isFailure && reason !== 'stopped' && !this.#incoming) this.#fail(reason);
    this.#tell(reason);
    if (state === 'idle' && this.#incoming) this.#promote(this.#incoming);
  }

  // ---- status ----

  status(): PeerStatus {
    const { options, localAsn, environment } = this.#parts;
    const startedAt = this.#establishedAt;
    return {
      name: options.name,
      address: formatIpAddress(options.address),
      interface: options.interface,
      asn: options.asn,
      localAsn,
      since: this.#since,
      uptimeMs: startedAt === undefined ? undefined : environment.clock.now() - startedAt,
      passive: options.passive ?? false,
      configuredFamilies: options.families,
      ...sessionStatus(this.#session),
      staleFamilies: this.#staleRoutes.families,
      endOfRib: [...this.#endOfRib],
      messages: { received: { ...this.counters.received }, sent: { ...this.counters.sent } },
      establishedCount: this.#establishedCount,
      lastError: this.#lastError,
      lastNotification: this.#lastNotification,
      advertisedCount: this.#adjRibOut.advertisedCount,
      refusedAdvertisements: this.#adjRibOut.refused.map(({ prefix, reason }) => ({
        prefix: formatPrefix(prefix),
        reason,
      })),
    };
  }

  // ---- inside ----

  /** RFC 4724 §4.1: said while the peer may still keep what we announced before. */
  #isRestarting(): boolean {
    return (
      this.#establishedCount === 0 && this.#parts.environment.clock.now() < this.#restartingUntil
    );
  }

  #assign(connection: Connection): void {
    const { state, fsm } = this.#session;
    // RFC 4271 §8.2.2: refused in Idle
    if (state === 'idle') {
      connection.abort();
    } else if (state === 'active') {
      this.#session.accept(connection);
    } else if (state === 'established' && fsm.negotiated?.gracefulRestart === undefined) {
      connection.write(encodeNotification(cease(CeaseReason.connectionCollisionResolution)));
      connection.close();
    } else {
      this.#besides(connection);
    }
  }

  #besides(connection: Connection): void {
    if (this.#incoming) this.#drop(this.#incoming);
    this.#incoming = new Session(this, this.#parts.environment, {
      ...this.#session.fsm,
      state: 'active',
      negotiated: undefined,
    });
    this.#incoming.accept(connection);
  }

  /** RFC 4724 §4.2: a peer that restarts opens a new connection while we still hold the old one for alive. */
  #replaces(established: Session): boolean {
    if (established.fsm.negotiated?.gracefulRestart === undefined) return false;
    established.dispatch({ type: 'connectionLost', reason: 'peer opened a new connection' });
    return true;
  }

  #leaveOnly(session: Session): void {
    if (session === this.#incoming) {
      // Its own way to Idle promotes the incoming session
      this.#session.dispatch({ type: 'collisionLost' });
    } else {
      this.#incoming?.dispatch({ type: 'collisionLost' });
    }
  }

  #promote(incoming: Session): void {
    this.#session.dispose();
    this.#session = incoming;
    this.#incoming = undefined;
    this.#tell('incoming connection');
  }

  #drop(incoming: Session): void {
    incoming.dispose();
    if (this.#incoming === incoming) this.#incoming = undefined;
  }

  #tell(reason: string): void {
    const from = this.#told;
    const to = this.#session.state;
    if (from === to) return;
    this.#told = to;
    this.#since = this.#parts.environment.clock.wallTime();
    const { events, log, options } = this.#parts;
    const fields = { peer: options.name, from, to, reason };
    if (to === 'established') log.info(fields, 'peer established');
    else if (from === 'established') log.warn(fields, 'peer down');
    else log.debug(fields, 'peer state');
    events.stateChanged?.({ from, to, reason });
    if (to === 'established') events.established?.(this.#session.fsm.negotiated!);
    if (from === 'established') events.closed?.(reason, this.#retained);
  }

  #fail(reason: string): void {
    if (reason === '') return;
    this.#lastError = { reason, at: this.#parts.environment.clock.wallTime() };
  }

  #prefixLimitReached(family: AddressFamily): void {
    const { options, events, log } = this.#parts;
    const limit = options.maxPrefixes?.limits[family];
    const action = options.maxPrefixes?.action;
    log.warn({ peer: options.name, family, limit, action }, 'prefix limit reached');
    events.prefixLimitReached?.(family);
  }

  #notificationFields(): object {
    const { code, subcode, text } = this.#lastNotification!;
    return { code, subcode, text };
  }
}

/** RFC 8950 §4: where the peer takes the session's own address for the other family, that is the next hop. */
function nextHopBeside(
  { addressBeside }: Connection,
  { extendedNextHop }: NegotiatedSession,
): Partial<Record<AddressFamily, IpAddress>> {
  if (addressBeside === undefined) return {};
  const family = addressBeside.length === 4 ? 'ipv4-unicast' : 'ipv6-unicast';
  return extendedNextHop.includes(family) ? {} : { [family]: addressBeside };
}
