// The BGP finite state machine: (session, event) → (state, actions, reason). Pure: no sockets, no clock (RFC 4271 §8).
//
// One SessionState is one connection's machine. A configured peer has one that runs all the time and, while the peer's
// connection and ours overlap, a second one for the incoming connection (RFC 4271 §8.2.1); peer.ts decides between the two
// with collision.ts and tells the loser `collisionLost`.
//
//   idle ──start──► connect ──connected──► openSent ──openReceived──► openConfirm ──keepaliveReceived──► established
//    ▲  ▲              │ ▲                    │
//    │  └─idleHold     ▼ │ connectRetry       │ connectionLost
//    │   TimerExpired active ◄────────────────┘
//    └──── every failure: back off, twice as long each time, until a session has been stable (DampPeerOscillations) ───────
//
// session.ts performs the actions in order and feeds back what happens as events. What the machine remembers (negotiated
// session, failures, refused capabilities) changes only in advance(). A passive peer waits in `active`, paced by the other side.
//
// RFC 4271 §8; RFC 6286 identifiers; RFC 6608 subcodes; RFC 8538 who keeps routes; RFC 9687 send hold timer. Not here:
// DelayOpen, and tracking of the TCP state beyond connected or not.
import type { Capabilities } from './capabilities.ts';
import type { Withheld } from './capability-offer.ts';
import {
  BgpError,
  cease,
  fsmError,
  hardReset,
  holdTimerExpired,
  type Notification,
  sendHoldTimerExpired,
} from './errors.ts';
import {
  type Action,
  abortConnection,
  clearFailures,
  closeConnection,
  connectNow,
  releaseRoutes,
  type State,
  type Step,
  sendKeepalive,
  sendNotification,
  startTimer,
  stopTimer,
  stopTimers,
  to,
} from './fsm-actions.ts';
import { CeaseReason, ErrorCode, OpenError } from './iana.ts';
import { isHardReset, notificationText } from './messages/notification.ts';
import type { OpenMessage } from './messages/open.ts';
import { type NegotiatedSession, negotiate, type OpenPolicy } from './negotiate.ts';

export interface FsmConfig extends OpenPolicy {
  readonly passive: boolean;
  readonly connectRetryMs: number;
  /** What a prefix limit does; undefined with `restart`: never by itself. */
  readonly prefixLimit: {
    readonly action: 'warn' | 'stop' | 'restart';
    readonly restartAfterMs: number;
  };
}

export interface SessionState {
  readonly state: State;
  readonly config: FsmConfig;
  readonly negotiated: NegotiatedSession | undefined;
  /** Failures in a row. */
  readonly failureCount: number;
  /** Capabilities this peer has refused. */
  readonly withheld: Withheld;
}

export type FsmEvent =
  | { readonly type: 'start' }
  /** Without a notification the connection just closes: a peer that helps our restart keeps our routes. */
  | { readonly type: 'stop'; readonly notification: Notification | undefined }
  | { readonly type: 'idleHoldTimerExpired' }
  | { readonly type: 'connectRetryTimerExpired' }
  | { readonly type: 'holdTimerExpired' }
  | { readonly type: 'keepaliveTimerExpired' }
  | { readonly type: 'sendHoldTimerExpired' }
  | { readonly type: 'stabilityTimerExpired' }
  | { readonly type: 'connected' }
  | { readonly type: 'connectFailed'; readonly reason: string }
  | { readonly type: 'connectionLost'; readonly reason: string }
  | { readonly type: 'collisionLost' }
  /** `ours`: what our OPEN on this connection offered. */
  | { readonly type: 'openReceived'; readonly open: OpenMessage; readonly ours: Capabilities }
  | { readonly type: 'keepaliveReceived' }
  | { readonly type: 'messagesReceived' }
  | { readonly type: 'notificationReceived'; readonly notification: Notification }
  | { readonly type: 'unexpectedMessage'; readonly name: string }
  | { readonly type: 'messageError'; readonly notification: Notification; readonly reason: string }
  /** `data` goes into the NOTIFICATION (RFC 4486 §4). */
  | { readonly type: 'prefixLimitReached'; readonly reason: string; readonly data: Uint8Array };

/** RFC 4271 §8.2.2: "a HoldTimer value of 4 minutes is suggested" before the OPEN has come. */
const OPEN_HOLD_MS = 240_000;
const FIRST_IDLE_HOLD_MS = 1000;
const LONGEST_IDLE_HOLD_MS = 60_000;
const STABILITY_MS = 60_000;

export function initialState(config: FsmConfig): SessionState {
  return { state: 'idle', config, negotiated: undefined, failureCount: 0, withheld: [] };
}

/** RFC 4271 §8.2.2. Pure: session.ts performs the actions. */
export function step(session: SessionState, event: FsmEvent): Step {
  switch (session.state) {
    case 'idle':
      return idle(session, event);
    case 'connect':
      return connect(session, event);
    case 'active':
      return active(session, event);
    case 'openSent':
      return openSent(session, event);
    case 'openConfirm':
      return openConfirm(session, event);
    case 'established':
      return established(session, event);
  }
}

/** The session after the step: what its actions tell the machine to remember. */
export function advance(session: SessionState, { state, actions }: Step): SessionState {
  let next: SessionState = { ...session, state };
  for (const action of actions) {
    if (action.type === 'adopt') next = { ...next, negotiated: action.negotiated };
    if (action.type === 'countFailure') next = { ...next, failureCount: next.failureCount + 1 };
    if (action.type === 'clearFailures') next = { ...next, failureCount: 0 };
    if (action.type === 'withhold')
      next = { ...next, withheld: joined(next.withheld, action.withheld) };
  }
  return state === 'idle' || state === 'active' ? { ...next, negotiated: undefined } : next;
}

function joined(a: Withheld, b: Withheld): Withheld {
  return a === 'all' || b === 'all' ? 'all' : [...new Set([...a, ...b])];
}

function idle(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'start':
    case 'idleHoldTimerExpired':
      return begin(session, event.type === 'start' ? 'started' : 'idle hold time over');
    case 'stop':
      return to('idle', 'stopped', [stopTimers, clearFailures]);
    case 'connected':
      // RFC 4271 §8.2.2: in Idle every connection is refused
      return to('idle', '', [closeConnection]);
    default:
      return to('idle', '');
  }
}

function begin({ config }: SessionState, reason: string): Step {
  if (config.passive) return to('active', reason, [stopTimers]);
  return to('connect', reason, [
    stopTimers,
    startTimer('connectRetry', config.connectRetryMs),
    connectNow,
  ]);
}

function connect(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'connected':
      return open();
    case 'connectFailed':
    case 'connectionLost':
      return to('active', event.reason, [
        startTimer('connectRetry', session.config.connectRetryMs),
      ]);
    case 'connectRetryTimerExpired':
      return to('connect', 'no answer within the connect retry time', [
        abortConnection,
        startTimer('connectRetry', session.config.connectRetryMs),
        connectNow,
      ]);
    case 'stop':
    case 'collisionLost':
      return stop(session, undefined);
    default:
      return to('connect', '');
  }
}

function active(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'connected':
      return open();
    case 'start':
    case 'connectRetryTimerExpired':
      return begin(session, 'connect retry time over');
    case 'stop':
    case 'collisionLost':
      return stop(session, undefined);
    default:
      return to('active', '');
  }
}

function open(): Step {
  return to('openSent', 'connected', [
    stopTimers,
    { type: 'sendOpen' },
    startTimer('hold', OPEN_HOLD_MS),
  ]);
}

function openSent(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'openReceived':
      return confirm(session, event.open, event.ours);
    case 'connectionLost':
      return to('active', event.reason, [
        stopTimers,
        closeConnection,
        startTimer('connectRetry', session.config.connectRetryMs),
      ]);
    default:
      return common(session, event);
  }
}

function confirm(session: SessionState, received: OpenMessage, ours: Capabilities): Step {
  try {
    const negotiated = negotiate(session.config, ours, received);
    return to('openConfirm', 'OPEN received', [
      { type: 'adopt', negotiated },
      sendKeepalive,
      ...sessionTimers(negotiated),
    ]);
  } catch (error) {
    if (error instanceof BgpError) return reset(session, error.notification, error.message);
    throw error;
  }
}

function openConfirm(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'keepaliveReceived':
      return to('established', 'established', [
        ...holdTimer(session),
        startTimer('stability', STABILITY_MS),
        { type: 'establish' },
      ]);
    case 'connectionLost':
      return fail(session, event.reason, [closeConnection]);
    default:
      return common(session, event);
  }
}

function established(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'messagesReceived':
    case 'keepaliveReceived':
      return to('established', '', holdTimer(session));
    case 'stabilityTimerExpired':
      return to('established', '', [clearFailures]);
    case 'connectionLost':
      return fail(session, event.reason, [closeConnection, releaseRoutes(true)]);
    case 'prefixLimitReached':
      return limit(session, event.reason, event.data);
    default:
      return common(session, event);
  }
}

/** What means the same in every state that has a connection. */
function common(session: SessionState, event: FsmEvent): Step {
  switch (event.type) {
    case 'stop':
      return stop(session, event.notification);
    case 'keepaliveTimerExpired':
      return to(session.state, '', [sendKeepalive, ...keepaliveTimer(session.negotiated)]);
    case 'holdTimerExpired':
      return reset(session, holdTimerExpired, 'hold timer expired');
    case 'sendHoldTimerExpired':
      // RFC 9687 §4.2: the NOTIFICATION can hardly be sent, and the connection is not waited for
      return fail(session, 'send hold timer expired', [
        { type: 'sendNotification', notification: sendHoldTimerExpired },
        abortConnection,
        ...release(session, keepsRoutes(session, sendHoldTimerExpired)),
      ]);
    case 'notificationReceived':
      return closedByPeer(session, event.notification);
    case 'messageError':
      return reset(session, event.notification, event.reason);
    case 'collisionLost':
      return reset(
        session,
        cease(CeaseReason.connectionCollisionResolution),
        'connection collision',
      );
    case 'openReceived':
      return reset(session, fsmError(session.state), 'unexpected OPEN');
    case 'keepaliveReceived':
      return reset(session, fsmError(session.state), 'unexpected KEEPALIVE');
    case 'unexpectedMessage':
      return reset(session, fsmError(session.state), `unexpected ${event.name}`);
    default:
      return to(session.state, '');
  }
}

function stop(session: SessionState, notification: Notification | undefined): Step {
  const inSession = session.state !== 'connect' && session.state !== 'active';
  const farewell = inSession && notification ? lastWord(session, notification) : undefined;
  return to('idle', 'stopped', [
    ...(farewell ? [sendNotification(farewell)] : []),
    closeConnection,
    stopTimers,
    clearFailures,
    ...release(session, isReset(notification) && keepsRoutes(session, notification!)),
  ]);
}

/** RFC 8538 §4: where notifications keep routes, the end must be said as a Hard Reset; a reset is meant to keep them. */
function lastWord({ negotiated }: SessionState, notification: Notification): Notification {
  const wouldKeep = negotiated?.gracefulRestart?.notification === true;
  return wouldKeep && !isReset(notification) ? hardReset(notification) : notification;
}

function isReset(notification: Notification | undefined): boolean {
  return (
    notification?.code === ErrorCode.cease &&
    notification.subcode === CeaseReason.administrativeReset
  );
}

function reset(session: SessionState, notification: Notification, reason: string): Step {
  return fail(session, reason, [
    sendNotification(notification),
    closeConnection,
    ...release(session, keepsRoutes(session, notification)),
  ]);
}

function closedByPeer(session: SessionState, notification: Notification): Step {
  const refused = refusedCapabilities(session, notification);
  return fail(session, `peer sent ${notificationText(notification)}`, [
    closeConnection,
    ...(refused === undefined ? [] : [{ type: 'withhold', withheld: refused } as const]),
    ...release(session, keepsRoutes(session, notification)),
  ]);
}

/** RFC 5492 §3, §5: a peer that cannot do with our capabilities is tried again without them. */
function refusedCapabilities(
  { state }: SessionState,
  { code, subcode, data }: Notification,
): Withheld | undefined {
  if (state === 'established' || code !== ErrorCode.openMessage) return undefined;
  if (subcode === OpenError.unsupportedOptionalParameter) return 'all';
  if (subcode !== OpenError.unsupportedCapability) return undefined;
  const codes: number[] = [];
  for (let offset = 0; offset + 1 < data.length; offset += 2 + data[offset + 1]!) {
    codes.push(data[offset]!);
  }
  return codes.length === 0 ? undefined : codes;
}

/** RFC 8538 §4: a NOTIFICATION keeps the routes only where both sides said so, and never a Hard Reset. */
function keepsRoutes({ negotiated }: SessionState, notification: Notification): boolean {
  return negotiated?.gracefulRestart?.notification === true && !isHardReset(notification);
}

/** RFC 4486 §4. `warn` never comes here. */
function limit(session: SessionState, reason: string, data: Uint8Array): Step {
  const { action, restartAfterMs } = session.config.prefixLimit;
  if (action === 'warn') return to('established', '');
  return to('idle', reason, [
    sendNotification(lastWord(session, cease(CeaseReason.maximumPrefixesReached, data))),
    closeConnection,
    stopTimers,
    releaseRoutes(false),
    ...(action === 'restart' ? [startTimer('idleHold', restartAfterMs)] : []),
  ]);
}

/** To Idle, and by itself out of it after a while that grows with each failure (RFC 4271 §8.1.1). */
function fail(session: SessionState, reason: string, actions: readonly Action[]): Step {
  const wait = Math.min(FIRST_IDLE_HOLD_MS * 2 ** session.failureCount, LONGEST_IDLE_HOLD_MS);
  return to('idle', reason, [
    ...actions,
    stopTimers,
    { type: 'countFailure' },
    // A passive peer cannot hurry us: it is paced by the other side, and must find us listening
    startTimer('idleHold', session.config.passive ? 0 : wait),
  ]);
}

function release({ state }: SessionState, graceful: boolean): Action[] {
  return state === 'established' ? [releaseRoutes(graceful)] : [];
}

function sessionTimers(negotiated: NegotiatedSession): Action[] {
  const { holdTimeSeconds } = negotiated;
  if (holdTimeSeconds === 0) return [stopTimer('hold')];
  return [startTimer('hold', holdTimeSeconds * 1000), ...keepaliveTimer(negotiated)];
}

function holdTimer({ negotiated }: SessionState): Action[] {
  const seconds = negotiated?.holdTimeSeconds ?? 0;
  return seconds === 0 ? [] : [startTimer('hold', seconds * 1000)];
}

function keepaliveTimer(negotiated: NegotiatedSession | undefined): Action[] {
  const seconds = negotiated?.keepaliveTimeSeconds ?? 0;
  return seconds === 0 ? [] : [startTimer('keepalive', seconds * 1000)];
}

/** RFC 9687 §4.3: eight minutes or twice the hold time, whichever is longer. */
export function sendHoldMs({ holdTimeSeconds }: NegotiatedSession): number {
  return Math.max(8 * 60, 2 * holdTimeSeconds) * 1000;
}
