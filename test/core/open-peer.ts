// A peer with an open session, as most tests of the core want one: external, both families, everything accepted.
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import type { CorePeer } from '../../src/core/peers.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { CoreSession } from '../../src/core/sessions.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';

/** Peer `id` is 10.0.0.id, which is its router id too; `different`: what else it is. */
export function addOpenPeer(
  core: Pick<RouteCore, 'addPeer' | 'openPeer'>,
  id: number,
  different: Partial<CorePeer & CoreSession> = {},
): void {
  core.addPeer(id, corePeer(id, different));
  core.openPeer(id, coreSession(id, different));
}

export function corePeer(id: number, different: Partial<CorePeer> = {}): CorePeer {
  return {
    network: 1,
    address: parseIpAddress(`10.0.0.${id}`)!,
    asn: 65001,
    localAsn: 65000,
    localRouterId: 1,
    interfaceIndex: 0,
    importPolicy: POLICY_ACCEPT,
    enforceFirstAs: true,
    maxPrefixes: {},
    ...different,
  };
}

export function coreSession(id: number, different: Partial<CoreSession> = {}): CoreSession {
  return {
    routerId: id,
    fourOctetAs: true,
    maxMessageBytes: 4096,
    families: ['ipv4-unicast', 'ipv6-unicast'],
    addPath: [],
    ...different,
  };
}
