// One connection's session: performs what fsm.ts decides, on a connection and timers, and tells it what happens.

import { encodeCapabilities } from './capability-codec.ts';
import { type CapabilityOffer, offerCapabilities } from './capability-offer.ts';
import type { Clock } from './clock.ts';
import type { Initiator } from './collision.ts';
import { BgpError, type Notification } from './errors.ts';
import { Framer, messageType } from './framing.ts';
import {
  advance,
  type FsmConfig,
  type FsmEvent,
  initialState,
  type SessionState,
  sendHoldMs,
  step,
} from './fsm.ts';
import type { Action, SessionTimer, State } from './fsm-actions.ts';
import { AS_TRANS, MessageType } from './iana.ts';
import type { MessageCounters } from './message-counters.ts';
import { encodeKeepalive } from './messages/keepalive.ts';
import { decodeNotification, encodeNotification } from './messages/notification.ts';
import { decodeOpen, encodeOpen, type OpenMessage } from './messages/open.ts';
import type { RouteExchange } from './route-exchange.ts';
import { SessionTimers } from './session-timers.ts';
import type { Connection, ConnectTarget, Transport } from './transport/transport.ts';
import type { TurnBudget } from './turn-budget.ts';

/** What the sessions of a speaker share. */
export interface SessionEnvironment {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly budget: TurnBudget;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** The peer, as its sessions see it. */
export interface SessionOwner {
  readonly target: ConnectTarget;
  readonly counters: MessageCounters;
  /** What the next OPEN offers. */
  offer(): CapabilityOffer;
  /** Decides a connection collision (RFC 4271 §6.8); false: this session is the one to go. */
  acceptsOpen(session: Session, open: OpenMessage): boolean;
  /** The session is Established; the peer starts the exchange of routes. */
  established(session: Session): RouteExchange;
  /** The session was Established and is not any more. */
  released(session: Session, exchange: RouteExchange, graceful: boolean): void;
  notified(direction: 'sent' | 'received', notification: Notification): void;
  changed(session: Session, from: State, reason: string): void;
}

export class Session {
  readonly #owner: SessionOwner;
  readonly #environment: SessionEnvironment;
  readonly #timers: SessionTimers;
  readonly #events: FsmEvent[] = [];
  #fsm: SessionState;
  #isDispatching = false;
  #isDisposed = false;
  #attempt: { cancel(): void } | undefined;
  #connection: Connection | undefined;
  #initiator: Initiator = 'local';
  #framer = new Framer();
  #exchange: RouteExchange | undefined;
  #isBlocked = false;
  #isPaused = false;
  #isWaitingForTurn = false;

  constructor(owner: SessionOwner, environment: SessionEnvironment, fsm: SessionState | FsmConfig) {
    this.#owner = owner;
    this.#environment = environment;
    this.#fsm = 'config' in fsm ? fsm : initialState(fsm);
    this.#timers = new SessionTimers(environment.clock, (timer) =>
      this.dispatch({ type: timerEvents[timer] }),
    );
  }

  get state(): State {
    return this.#fsm.state;
  }

  get fsm(): SessionState {
    return this.#fsm;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get initiator(): Initiator {
    return this.#initiator;
  }

  get exchange(): RouteExchange | undefined {
    return this.#exchange;
  }

  /** The connection has not taken everything written yet. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Milliseconds until it leaves Idle or Active by itself. */
  get nextAttemptMs(): number | undefined {
    return this.#timers.remaining('idleHold') ?? this.#timers.remaining('connectRetry');
  }

  /** Takes an incoming connection. */
  accept(connection: Connection): void {
    this.#attempt?.cancel();
    this.#attempt = undefined;
    this.#initiator = 'remote';
    this.#attach(connection);
    this.dispatch({ type: 'connected' });
  }

  /** Events are handled one after the other, also those that an action brings about. */
  dispatch(event: FsmEvent): void {
    this.#events.push(event);
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#handle(next);
    } finally {
      this.#isDispatching = false;
    }
  }

  /** Ends all effects. The caller has sent it to Idle where the other side must know. */
  dispose(): void {
    this.#isDisposed = true;
    this.#timers.stopAll();
    this.#dropConnection((connection) => connection.close());
  }

  /** Stops reading, for a receiver that cannot take more; the peer is not held silent meanwhile. */
  pauseInput(): void {
    this.#isPaused = true;
    this.#timers.stop('hold');
    this.#connection?.pause();
  }

  resumeInput(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isWaitingForTurn) this.#connection?.resume();
    if (this.state === 'established') this.dispatch({ type: 'messagesReceived' });
  }

  send(message: Uint8Array): void {
    if (this.#connection === undefined) return;
    this.#owner.counters.countSent(messageType(message));
    if (this.#connection.write(message)) return;
    this.#isBlocked = true;
    // RFC 9687 §4.2: a peer that takes nothing is as dead as one that says nothing
    const { negotiated } = this.#fsm;
    if (negotiated && negotiated.holdTimeSeconds > 0 && !this.#timers.isRunning('sendHold')) {
      this.#timers.start('sendHold', sendHoldMs(negotiated));
    }
  }

  /** What a chunk of the Established session held; whatever it was, the peer lives. */
  countChunk(messages: number, updates: number, controlType: number): void {
    this.#owner.counters.countChunk(messages, updates, controlType);
    if (messages > 0) this.dispatch({ type: 'messagesReceived' });
  }

  #handle(event: FsmEvent): void {
    if (this.#isDisposed) return;
    if (event.type === 'notificationReceived') this.#owner.notified('received', event.notification);
    const from = this.#fsm.state;
    const next = step(this.#fsm, event);
    this.#fsm = advance(this.#fsm, next);
    for (const action of next.actions) this.#perform(action);
    if (this.#isPaused) this.#timers.stop('hold');
    if (next.state !== from || next.reason !== '') this.#owner.changed(this, from, next.reason);
  }

  #perform(action: Action): void {
    switch (action.type) {
      case 'connect':
        this.#connect();
        return;
      case 'closeConnection':
        this.#dropConnection((connection) => connection.close());
        return;
      case 'abortConnection':
        this.#dropConnection((connection) => connection.abort());
        return;
      case 'sendOpen':
        this.send(encodeOpen(this.#open()));
        return;
      case 'sendKeepalive':
        this.send(encodeKeepalive());
        return;
      case 'sendNotification':
        this.send(encodeNotification(action.notification));
        this.#owner.notified('sent', action.notification);
        return;
      case 'startTimer':
        this.#timers.start(action.timer, this.#jittered(action.timer, action.ms));
        return;
      case 'stopTimer':
        this.#timers.stop(action.timer);
        return;
      case 'stopTimers':
        this.#timers.stopAll();
        return;
      case 'establish':
        this.#exchange = this.#owner.established(this);
        return;
      case 'releaseRoutes':
        this.#release(action.graceful);
        return;
      case 'adopt':
      case 'countFailure':
      case 'clearFailures':
      case 'withhold':
        return; // advance() has remembered them
    }
  }

  #connect(): void {
    const { transport } = this.#environment;
    this.#initiator = 'local';
    this.#attempt = transport.connect(this.#owner.target, {
      connected: (connection) => {
        this.#attempt = undefined;
        this.#attach(connection);
        this.dispatch({ type: 'connected' });
      },
      failed: (error) => {
        this.#attempt = undefined;
        this.dispatch({ type: 'connectFailed', reason: error.message });
      },
    });
  }

  #attach(connection: Connection): void {
    this.#connection = connection;
    this.#framer = new Framer();
    this.#isBlocked = false;
    connection.attach({
      received: (chunk) => this.#received(chunk),
      drained: () => this.#drained(),
      closed: (reason) => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        this.dispatch({ type: 'connectionLost', reason });
      },
    });
  }

  #dropConnection(drop: (connection: Connection) => void): void {
    this.#attempt?.cancel();
    this.#attempt = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#isPaused = false;
    if (connection) drop(connection);
  }

  #release(graceful: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange) this.#owner.released(this, exchange, graceful);
  }

  #drained(): void {
    this.#isBlocked = false;
    this.#timers.stop('sendHold');
    this.#exchange?.wake();
  }

  #received(chunk: Uint8Array): void {
    const isOver = this.#environment.budget.spend(() => this.#take(chunk));
    this.#timers.expireIfDue('keepalive');
    if (isOver && !this.#isWaitingForTurn) this.#waitForTurn();
  }

  #waitForTurn(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#isWaitingForTurn = true;
    connection.pause();
    this.#environment.budget.onNextTurn(() => {
      this.#isWaitingForTurn = false;
      if (!this.#isPaused) connection.resume();
    });
  }

  #take(chunk: Uint8Array): void {
    if (this.#exchange) {
      this.#exchange.receive(chunk);
      return;
    }
    this.#framer.push(chunk);
    try {
      this.#takeMessages();
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      const { notification, message: reason } = error;
      this.dispatch({ type: 'messageError', notification, reason });
    }
  }

  /** Until Established; what is left over then belongs to the exchange. */
  #takeMessages(): void {
    while (this.#connection !== undefined && this.#exchange === undefined) {
      const message = this.#framer.next();
      if (message === undefined) return;
      this.#owner.counters.countReceived(messageType(message));
      this.dispatch(this.#eventOf(message));
    }
    const rest = this.#framer.takeRest();
    if (rest.length > 0) this.#exchange?.receive(rest);
  }

  #eventOf(message: Uint8Array): FsmEvent {
    switch (messageType(message)) {
      case MessageType.open:
        return this.#openReceived(decodeOpen(message));
      case MessageType.keepalive:
        return { type: 'keepaliveReceived' };
      case MessageType.notification:
        return { type: 'notificationReceived', notification: decodeNotification(message) };
      case MessageType.update:
        return { type: 'unexpectedMessage', name: 'UPDATE' };
      default:
        return { type: 'unexpectedMessage', name: 'ROUTE-REFRESH' };
    }
  }

  #openReceived(open: OpenMessage): FsmEvent {
    if (!this.#owner.acceptsOpen(this, open)) return { type: 'collisionLost' };
    const ours = offerCapabilities(this.#owner.offer(), this.#fsm.withheld);
    return { type: 'openReceived', open, ours };
  }

  #open(): OpenMessage {
    const { config, withheld } = this.#fsm;
    return {
      version: 4,
      asn: config.localAsn > 0xffff ? AS_TRANS : config.localAsn,
      holdTimeSeconds: config.holdTimeSeconds,
      routerId: config.localRouterId,
      capabilities: encodeCapabilities(offerCapabilities(this.#owner.offer(), withheld)),
    };
  }

  /** RFC 4271 §10: 75–100 % of the time, so that speakers do not fall into step. */
  #jittered(timer: SessionTimer, ms: number): number {
    const isJittered = timer === 'connectRetry' || timer === 'keepalive' || timer === 'idleHold';
    return isJittered ? ms * (0.75 + 0.25 * this.#environment.random()) : ms;
  }
}

const timerEvents = {
  idleHold: 'idleHoldTimerExpired',
  connectRetry: 'connectRetryTimerExpired',
  hold: 'holdTimerExpired',
  keepalive: 'keepaliveTimerExpired',
  sendHold: 'sendHoldTimerExpired',
  stability: 'stabilityTimerExpired',
} as const;
