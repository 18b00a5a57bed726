// A session as the speaker knows it → the object of `peers` and of the API: times as everywhere else, RFC 3339 in whole seconds.
import type { PeerStatus } from '../bgp/peer-status.ts';
import { formatTimeMs } from './route-object.ts';

export function sessionObject(status: PeerStatus): object {
  const { since, uptimeMs, lastError, lastNotification } = status;
  return {
    ...status,
    since: formatTimeMs(since),
    ...(uptimeMs === undefined ? {} : { uptimeMs: Math.round(uptimeMs) }),
    ...(lastError && { lastError: { ...lastError, at: formatTimeMs(lastError.at) } }),
    ...(lastNotification && {
      lastNotification: { ...lastNotification, at: formatTimeMs(lastNotification.at) },
    }),
  };
}
