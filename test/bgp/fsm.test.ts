// The state machine: every state with every event, and what a session remembers (RFC 4271 §8.2.2).
import { describe, expect, it } from 'vitest';
import { type Capabilities, noCapabilities } from '../../src/bgp/capabilities.ts';
import { encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { resolveCollision } from '../../src/bgp/collision.ts';
import type { Notification } from '../../src/bgp/errors.ts';
import { cease } from '../../src/bgp/errors.ts';
import {
  advance,
  type FsmConfig,
  type FsmEvent,
  initialState,
  type SessionState,
  step,
} from '../../src/bgp/fsm.ts';
import type { State } from '../../src/bgp/fsm-actions.ts';
import type { NegotiatedSession } from '../../src/bgp/negotiate.ts';

const config: FsmConfig = {
  localAsn: 64512,
  localRouterId: 0x0a000001,
  peerAsn: 65001,
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
  passive: false,
  connectRetryMs: 5000,
  prefixLimit: { action: 'restart', restartAfterMs: 7000 },
};

const ours: Capabilities = {
  ...noCapabilities,
  multiprotocol: [{ afi: 1, safi: 1 }],
  fourOctetAsn: 64512,
};

const negotiated: NegotiatedSession = {
  kind: 'ebgp',
  peerAsn: 65001,
  routerId: 0x0a000002,
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
  families: ['ipv4-unicast'],
  fourOctetAs: true,
  maxMessageBytes: 4096,
  routeRefresh: true,
  enhancedRouteRefresh: false,
  addPathReceive: [],
  extendedNextHop: [],
  gracefulRestart: undefined,
  hostName: undefined,
};

const withNotificationBit: NegotiatedSession = {
  ...negotiated,
  gracefulRestart: { restartTimeSeconds: 120, restarting: false, notification: true, families: [] },
};

function inState(state: State, more: Partial<SessionState> = {}): SessionState {
  const hasSession = state === 'openConfirm' || state === 'established';
  return {
    ...initialState(config),
    state,
    negotiated: hasSession ? negotiated : undefined,
    ...more,
  };
}

function notice(code: number, subcode: number, data: readonly number[] = []): Notification {
  return { code, subcode, data: Uint8Array.from(data) };
}

function openFrom(asn: number, holdTimeSeconds = 90, routerId = 0x0a000002): FsmEvent {
  return {
    type: 'openReceived',
    ours,
    open: {
      version: 4,
      asn,
      holdTimeSeconds,
      routerId,
      capabilities: encodeCapabilities({ ...ours, fourOctetAsn: asn }),
    },
  };
}

const events: Record<string, FsmEvent> = {
  start: { type: 'start' },
  stop: { type: 'stop', notification: cease(2) },
  idleHoldTimerExpired: { type: 'idleHoldTimerExpired' },
  connectRetryTimerExpired: { type: 'connectRetryTimerExpired' },
  holdTimerExpired: { type: 'holdTimerExpired' },
  keepaliveTimerExpired: { type: 'keepaliveTimerExpired' },
  sendHoldTimerExpired: { type: 'sendHoldTimerExpired' },
  stabilityTimerExpired: { type: 'stabilityTimerExpired' },
  connected: { type: 'connected' },
  connectFailed: { type: 'connectFailed', reason: 'connection refused' },
  connectionLost: { type: 'connectionLost', reason: 'connection reset by the peer' },
  collisionLost: { type: 'collisionLost' },
  openReceived: openFrom(65001),
  keepaliveReceived: { type: 'keepaliveReceived' },
  messagesReceived: { type: 'messagesReceived' },
  notificationReceived: { type: 'notificationReceived', notification: cease(2) },
  unexpectedMessage: { type: 'unexpectedMessage', name: 'UPDATE' },
  messageError: { type: 'messageError', notification: notice(1, 1), reason: 'marker' },
  prefixLimitReached: {
    type: 'prefixLimitReached',
    reason: 'limit',
    data: Uint8Array.of(0, 1, 1, 0, 0, 0, 9),
  },
};

/** Action types in order; timers with their name, notifications with their codes. */
function brief(session: SessionState, event: FsmEvent): string {
  const { state, actions } = step(session, event);
  const words = actions.map((action) => {
    if (action.type === 'startTimer') return `+${action.timer}`;
    if (action.type === 'stopTimer') return `-${action.timer}`;
    if (action.type === 'sendNotification') {
      return `notify ${action.notification.code}/${action.notification.subcode}`;
    }
    if (action.type === 'releaseRoutes') return action.graceful ? 'retain' : 'release';
    return action.type;
  });
  return [state, ...words].join(' · ');
}

const failed = 'stopTimers · countFailure · +idleHold';

// RFC 4271 §8.2.2, one row per state, one column per event; an event that is not named changes nothing
const table: Record<State, Record<string, string>> = {
  idle: {
    start: 'connect · stopTimers · +connectRetry · connect',
    idleHoldTimerExpired: 'connect · stopTimers · +connectRetry · connect',
    stop: 'idle · stopTimers · clearFailures',
    connected: 'idle · closeConnection',
  },
  connect: {
    connected: 'openSent · stopTimers · sendOpen · +hold',
    connectFailed: 'active · +connectRetry',
    connectionLost: 'active · +connectRetry',
    connectRetryTimerExpired: 'connect · abortConnection · +connectRetry · connect',
    stop: 'idle · closeConnection · stopTimers · clearFailures',
    collisionLost: 'idle · closeConnection · stopTimers · clearFailures',
  },
  active: {
    start: 'connect · stopTimers · +connectRetry · connect',
    connectRetryTimerExpired: 'connect · stopTimers · +connectRetry · connect',
    connected: 'openSent · stopTimers · sendOpen · +hold',
    stop: 'idle · closeConnection · stopTimers · clearFailures',
    collisionLost: 'idle · closeConnection · stopTimers · clearFailures',
  },
  openSent: {
    openReceived: 'openConfirm · adopt · sendKeepalive · +hold · +keepalive',
    connectionLost: 'active · stopTimers · closeConnection · +connectRetry',
    stop: 'idle · notify 6/2 · closeConnection · stopTimers · clearFailures',
    holdTimerExpired: `idle · notify 4/0 · closeConnection · ${failed}`,
    keepaliveTimerExpired: 'openSent · sendKeepalive',
    sendHoldTimerExpired: `idle · notify 8/0 · abortConnection · ${failed}`,
    collisionLost: `idle · notify 6/7 · closeConnection · ${failed}`,
    keepaliveReceived: `idle · notify 5/1 · closeConnection · ${failed}`,
    notificationReceived: `idle · closeConnection · ${failed}`,
    unexpectedMessage: `idle · notify 5/1 · closeConnection · ${failed}`,
    messageError: `idle · notify 1/1 · closeConnection · ${failed}`,
  },
  openConfirm: {
    keepaliveReceived: 'established · +hold · +stability · establish',
    connectionLost: `idle · closeConnection · ${failed}`,
    stop: 'idle · notify 6/2 · closeConnection · stopTimers · clearFailures',
    holdTimerExpired: `idle · notify 4/0 · closeConnection · ${failed}`,
    keepaliveTimerExpired: 'openConfirm · sendKeepalive · +keepalive',
    sendHoldTimerExpired: `idle · notify 8/0 · abortConnection · ${failed}`,
    collisionLost: `idle · notify 6/7 · closeConnection · ${failed}`,
    openReceived: `idle · notify 5/2 · closeConnection · ${failed}`,
    notificationReceived: `idle · closeConnection · ${failed}`,
    unexpectedMessage: `idle · notify 5/2 · closeConnection · ${failed}`,
    messageError: `idle · notify 1/1 · closeConnection · ${failed}`,
  },
  established: {
    messagesReceived: 'established · +hold',
    keepaliveReceived: 'established · +hold',
    keepaliveTimerExpired: 'established · sendKeepalive · +keepalive',
    stabilityTimerExpired: 'established · clearFailures',
    connectionLost: `idle · closeConnection · retain · ${failed}`,
    stop: 'idle · notify 6/2 · closeConnection · stopTimers · clearFailures · release',
    holdTimerExpired: `idle · notify 4/0 · closeConnection · release · ${failed}`,
    sendHoldTimerExpired: `idle · notify 8/0 · abortConnection · release · ${failed}`,
    collisionLost: `idle · notify 6/7 · closeConnection · release · ${failed}`,
    openReceived: `idle · notify 5/3 · closeConnection · release · ${failed}`,
    notificationReceived: `idle · closeConnection · release · ${failed}`,
    unexpectedMessage: `idle · notify 5/3 · closeConnection · release · ${failed}`,
    messageError: `idle · notify 1/1 · closeConnection · release · ${failed}`,
    prefixLimitReached: 'idle · notify 6/1 · closeConnection · stopTimers · release · +idleHold',
  },
};

const rows = Object.keys(table).flatMap((state) =>
  Object.keys(events).map((event) => ({ state: state as State, event })),
);

describe('step', () => {
  it.each(rows)('$state, $event', ({ state, event }) => {
    expect(brief(inState(state), events[event]!)).toBe(table[state][event] ?? state);
  });

  it('waits in Active when it is passive', () => {
    const passive = inState('idle', { config: { ...config, passive: true } });
    expect(brief(passive, { type: 'start' })).toBe('active · stopTimers');
  });

  it('starts the negotiated hold timer, and a third of it for keepalives', () => {
    const { actions } = step(inState('openSent'), openFrom(65001, 30));
    const timers = actions.filter((action) => action.type === 'startTimer');
    expect(timers).toEqual([
      { type: 'startTimer', timer: 'hold', ms: 30_000 },
      { type: 'startTimer', timer: 'keepalive', ms: 10_000 },
    ]);
  });

  it('runs no timers with a hold time of zero (RFC 4271 §4.4)', () => {
    expect(brief(inState('openSent'), openFrom(65001, 0))).toBe(
      'openConfirm · adopt · sendKeepalive · -hold',
    );
  });

  it('refuses an OPEN from another AS with Bad Peer AS', () => {
    expect(brief(inState('openSent'), openFrom(65009))).toContain('notify 2/2');
  });

  it('backs off longer with each failure, up to a minute (DampPeerOscillations)', () => {
    const waits: number[] = [];
    let session = inState('openSent');
    for (let attempt = 0; attempt < 8; attempt++) {
      const next = step(session, { type: 'holdTimerExpired' });
      const hold = next.actions.find((action) => action.type === 'startTimer');
      waits.push(hold!.ms);
      session = { ...advance(session, next), state: 'openSent' };
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
  });

  it('forgets failures once a session is stable', () => {
    const session = inState('established', { failureCount: 5 });
    const next = advance(session, step(session, { type: 'stabilityTimerExpired' }));
    expect(next.failureCount).toBe(0);
  });

  it('keeps routes after its own NOTIFICATION when both sides set N (RFC 8538 §4)', () => {
    const session = inState('established', { negotiated: withNotificationBit });
    expect(brief(session, { type: 'holdTimerExpired' })).toContain('retain');
  });

  it('keeps routes after the peer’s NOTIFICATION when both sides set N, but not after Hard Reset', () => {
    const session = inState('established', { negotiated: withNotificationBit });
    const received = (notification: Notification) =>
      brief(session, { type: 'notificationReceived', notification });
    expect(received(cease(4))).toContain('retain');
    expect(received(cease(9, Uint8Array.of(6, 2)))).toContain('release');
  });

  it('shuts down with Hard Reset where notifications would keep the routes', () => {
    const session = inState('established', { negotiated: withNotificationBit });
    const { actions } = step(session, { type: 'stop', notification: cease(2) });
    expect(actions[0]).toEqual({
      type: 'sendNotification',
      notification: { code: 6, subcode: 9, data: Uint8Array.of(6, 2) },
    });
  });

  it('resets without Hard Reset and keeps routes where both sides set N', () => {
    const session = inState('established', { negotiated: withNotificationBit });
    expect(brief(session, { type: 'stop', notification: cease(4) })).toBe(
      'idle · notify 6/4 · closeConnection · stopTimers · clearFailures · retain',
    );
    expect(brief(inState('established'), { type: 'stop', notification: cease(4) })).toContain(
      'release',
    );
  });

  it('closes without a word when it is to restart', () => {
    expect(brief(inState('established'), { type: 'stop', notification: undefined })).toBe(
      'idle · closeConnection · stopTimers · clearFailures · release',
    );
  });

  it.each([
    { action: 'warn' as const, expected: 'established' },
    {
      action: 'stop' as const,
      expected: 'idle · notify 6/1 · closeConnection · stopTimers · release',
    },
    {
      action: 'restart' as const,
      expected: 'idle · notify 6/1 · closeConnection · stopTimers · release · +idleHold',
    },
  ])('answers the prefix limit with $action', ({ action, expected }) => {
    const limited = { ...config, prefixLimit: { action, restartAfterMs: 7000 } };
    const session = inState('established', { config: limited });
    expect(brief(session, events['prefixLimitReached']!)).toBe(expected);
  });

  it('offers no capability again to a peer that cannot do optional parameters (RFC 5492 §3)', () => {
    const session = inState('openSent');
    const event: FsmEvent = { type: 'notificationReceived', notification: notice(2, 4) };
    expect(advance(session, step(session, event)).withheld).toBe('all');
  });

  it('withholds the capabilities that the peer names as unsupported (RFC 5492 §5)', () => {
    const session = inState('openSent', { withheld: [6] });
    const data = [70, 0, 69, 4, 0, 1, 1, 1];
    const event: FsmEvent = { type: 'notificationReceived', notification: notice(2, 7, data) };
    expect(advance(session, step(session, event)).withheld).toEqual([6, 70, 69]);
  });

  it('withholds nothing for a NOTIFICATION inside a session', () => {
    const session = inState('established');
    const event: FsmEvent = { type: 'notificationReceived', notification: notice(2, 4) };
    expect(advance(session, step(session, event)).withheld).toEqual([]);
  });
});

describe('resolveCollision', () => {
  it.each([
    { local: 2, remote: 1, asns: [10, 20], stays: 'local' },
    { local: 1, remote: 2, asns: [20, 10], stays: 'remote' },
    { local: 0xff000000, remote: 0x01000000, asns: [1, 1], stays: 'local' },
    { local: 5, remote: 5, asns: [20, 10], stays: 'local' },
    { local: 5, remote: 5, asns: [10, 20], stays: 'remote' },
  ])('$local against $remote keeps the $stays one (RFC 4271 §6.8, RFC 6286 §2.3)', (row) => {
    const [localAsn, remoteAsn] = row.asns;
    const stays = resolveCollision(
      { routerId: row.local, asn: localAsn! },
      { routerId: row.remote, asn: remoteAsn! },
    );
    expect(stays).toBe(row.stays);
  });
});
