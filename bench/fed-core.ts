// A route core with one established eBGP peer in network 1: what the benches in process feed.
import { POLICY_ACCEPT } from '../assembly/abi.ts';
import { loadCore } from '../src/core/core.ts';
import type { FibOptions } from '../src/core/fibs.ts';
import type { CorePeer } from '../src/core/peers.ts';
import type { RouteCore } from '../src/core/route-core.ts';

export const NETWORK = 1;
export const PEER = 1;
export const FIB = 1;
export const PEER_ASN = 65001;
export const LOCAL_ASN = 65000;
export const MAX_MESSAGE_BYTES = 65535;
/** What a TCP read of Node brings. */
const CHUNK_BYTES = 65536;

export const decision = { med: 'deterministic', multipath: 16, multipathRelax: false } as const;

export const peerOptions: CorePeer = {
  network: NETWORK,
  address: Uint8Array.of(192, 0, 2, 254),
  asn: PEER_ASN,
  localAsn: LOCAL_ASN,
  localRouterId: 1,
  interfaceIndex: 0,
  importPolicy: POLICY_ACCEPT,
  enforceFirstAs: true,
  maxPrefixes: {},
};

/** Without `fib`, the Loc-RIB alone. */
export async function newFedCore(fib?: FibOptions): Promise<RouteCore> {
  const core = await loadCore({ maximumBytes: 2 ** 31 });
  core.addNetwork(NETWORK, decision);
  if (fib) core.addFib(FIB, NETWORK, fib);
  core.addPeer(PEER, peerOptions);
  core.openPeer(PEER, {
    routerId: 2,
    fourOctetAs: true,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    families: ['ipv4-unicast', 'ipv6-unicast'],
    addPath: [],
  });
  return core;
}

/** A stream of messages in pieces as a socket brings them, all of which must be taken; the longest call, and the routes announced. */
export function receiveFeed(
  core: RouteCore,
  feed: Uint8Array,
): { readonly announcedCount: number; readonly worstMs: number } {
  let worstMs = 0;
  let announcedCount = 0;
  for (let offset = 0; offset < feed.length; offset += CHUNK_BYTES) {
    const before = performance.now();
    const taken = core.receive(PEER, feed.subarray(offset, offset + CHUNK_BYTES), 1);
    worstMs = Math.max(worstMs, performance.now() - before);
    announcedCount += taken.announcedCount;
    if (taken.status !== 'done') throw new Error(`feed taken as ${taken.status}, expected done`);
  }
  return { announcedCount, worstMs };
}
