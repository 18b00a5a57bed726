// What a peer's status shows of its session: the connection, and what was negotiated on it.
import { formatIpAddress } from '../net/ip-address.ts';
import { formatRouterId } from '../net/router-id.ts';
import type { NegotiatedSession } from './negotiate.ts';
import type { PeerStatus } from './peer-status.ts';
import type { Session } from './session.ts';

type SessionStatus = Pick<
  PeerStatus,
  | 'state'
  | 'nextAttemptMs'
  | 'localAddress'
  | 'localPort'
  | 'remotePort'
  | 'kind'
  | 'routerId'
  | 'hostName'
  | 'holdTimeSeconds'
  | 'keepaliveTimeSeconds'
  | 'families'
  | 'capabilities'
  | 'addPathReceive'
  | 'gracefulRestart'
>;

/** `asn`: once it is known. */
export function sessionStatus(session: Session): SessionStatus & { readonly asn?: number } {
  const { connection, state, fsm } = session;
  const { negotiated } = fsm;
  return {
    state,
    nextAttemptMs: state === 'established' ? undefined : session.nextAttemptMs,
    localAddress: connection && formatIpAddress(connection.localAddress),
    localPort: connection?.localPort,
    remotePort: connection?.remotePort,
    kind: negotiated?.kind,
    ...(negotiated && { asn: negotiated.peerAsn }),
    routerId: negotiated && formatRouterId(negotiated.routerId),
    hostName: negotiated?.hostName,
    holdTimeSeconds: negotiated?.holdTimeSeconds,
    keepaliveTimeSeconds: negotiated?.keepaliveTimeSeconds,
    families: negotiated?.families ?? [],
    capabilities: negotiated ? capabilityNames(negotiated) : [],
    addPathReceive: negotiated?.addPathReceive ?? [],
    gracefulRestart: negotiated?.gracefulRestart && {
      restartTimeSeconds: negotiated.gracefulRestart.restartTimeSeconds,
      families: negotiated.gracefulRestart.families.map(({ family }) => family),
      notification: negotiated.gracefulRestart.notification,
    },
  };
}

function capabilityNames(session: NegotiatedSession): string[] {
  const names: [string, boolean][] = [
    ['four-octet-as', session.fourOctetAs],
    ['route-refresh', session.routeRefresh],
    ['enhanced-route-refresh', session.enhancedRouteRefresh],
    ['extended-message', session.maxMessageBytes > 4096],
    ['graceful-restart', session.gracefulRestart !== undefined],
    ['add-path', session.addPathReceive.length > 0],
    ['extended-next-hop', session.extendedNextHop.length > 0],
  ];
  return names.flatMap(([name, holds]) => (holds ? [name] : []));
}
