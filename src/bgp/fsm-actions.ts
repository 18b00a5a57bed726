// What the finite state machine answers: a state, and actions in their order. session.ts performs them.
import type { Withheld } from './capability-offer.ts';
import type { Notification } from './errors.ts';
import type { NegotiatedSession } from './negotiate.ts';

export type State = 'idle' | 'connect' | 'active' | 'openSent' | 'openConfirm' | 'established';

/** `stability`: how long a session must last until earlier failures are forgotten. */
export type SessionTimer =
  | 'idleHold'
  | 'connectRetry'
  | 'hold'
  | 'keepalive'
  | 'sendHold'
  | 'stability';

export type Action =
  | { readonly type: 'connect' }
  | { readonly type: 'closeConnection' }
  /** Without waiting for what is still to be sent. */
  | { readonly type: 'abortConnection' }
  | { readonly type: 'sendOpen' }
  | { readonly type: 'sendKeepalive' }
  | { readonly type: 'sendNotification'; readonly notification: Notification }
  | { readonly type: 'startTimer'; readonly timer: SessionTimer; readonly ms: number }
  | { readonly type: 'stopTimer'; readonly timer: SessionTimer }
  | { readonly type: 'stopTimers' }
  | { readonly type: 'adopt'; readonly negotiated: NegotiatedSession }
  | { readonly type: 'establish' }
  /** The session's routes go; `graceful`: those of the families the peer can restart stay as stale. */
  | { readonly type: 'releaseRoutes'; readonly graceful: boolean }
  | { readonly type: 'countFailure' }
  | { readonly type: 'clearFailures' }
  | { readonly type: 'withhold'; readonly withheld: Withheld };

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
  /** One clause for the log and `peers`; empty when nothing worth telling happened. */
  readonly reason: string;
}

export const connectNow: Action = { type: 'connect' };
export const closeConnection: Action = { type: 'closeConnection' };
export const abortConnection: Action = { type: 'abortConnection' };
export const sendKeepalive: Action = { type: 'sendKeepalive' };
export const stopTimers: Action = { type: 'stopTimers' };
export const clearFailures: Action = { type: 'clearFailures' };

export function to(state: State, reason: string, actions: readonly Action[] = []): Step {
  return { state, actions, reason };
}

export function startTimer(timer: SessionTimer, ms: number): Action {
  return { type: 'startTimer', timer, ms };
}

export function stopTimer(timer: SessionTimer): Action {
  return { type: 'stopTimer', timer };
}

export function sendNotification(notification: Notification): Action {
  return { type: 'sendNotification', notification };
}

export function releaseRoutes(graceful: boolean): Action {
  return { type: 'releaseRoutes', graceful };
}
