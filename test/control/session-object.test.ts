// How the API shows a session: what the speaker says, with times as everywhere else.
import { expect, it } from 'vitest';
import type { PeerStatus } from '../../src/bgp/peer-status.ts';
import { sessionObject } from '../../src/control/session-object.ts';

it('has times in RFC 3339, and leaves out what is not known', () => {
  const status = {
    name: 'tor-a',
    state: 'idle',
    since: 1_795_356_000_500,
    uptimeMs: 10.75,
    lastError: { reason: 'connection refused', at: 1_795_356_001_000 },
    lastNotification: undefined,
  } as unknown as PeerStatus;
  expect(JSON.parse(JSON.stringify(sessionObject(status)))).toEqual({
    name: 'tor-a',
    state: 'idle',
    since: '2026-11-22T14:00:00Z',
    uptimeMs: 11,
    lastError: { reason: 'connection refused', at: '2026-11-22T14:00:01Z' },
  });
});
