// Carries out what the host configures: networks, peers, sessions, FIBs. Numbers in, records changed, walks requested.
import { FAMILY_COUNT, PEER_FLAG_ENFORCE_FIRST_AS, PEER_FLAG_REJECT_IMPORT } from './abi';
import { forgetBatch } from './fib/batch';
import { Fib, newFib, removeFibRecord } from './fib/fib';
import { inputPtr } from './memory/buffers';
import { nextHopById, trackNextHopsOf } from './nexthop/next-hop';
import { MAXIMUM_PATHS } from './rib/loc-rib';
import { ensureNetwork, knownNetwork, Network, networkById } from './rib/network';
import { ensurePeer, Peer } from './rib/peer';
import { nextGeneration, requestSweep, requestWalk, requestWalks } from './rib/table-walk';

export function configureNetwork(id: u32, alwaysMed: bool, paths: u32, relax: bool): bool {
  const network = ensureNetwork(id);
  if (network == null) return false;
  network.alwaysCompareMed = alwaysMed;
  network.maximumPaths = min(max(paths, 1), MAXIMUM_PATHS);
  network.multipathRelax = relax;
  decideAll(network);
  return true;
}

export function setTracking(network: Network, on: bool): void {
  if (network.tracksNextHops == on) return;
  network.tracksNextHops = on;
  const mark = nextGeneration();
  network.nextHopMark = mark;
  trackNextHopsOf(network.id, on, mark);
  requestWalks(network, mark);
}

/** False when the next hop is gone. */
export function setNextHopState(id: u32, resolved: bool, metric: u32): bool {
  const nextHop = nextHopById(id);
  if (nextHop == null) return false;
  if (!nextHop.setState(resolved, metric)) return true;
  const network = knownNetwork(nextHop.network);
  nextHop.mark = nextGeneration();
  network.nextHopMark = nextHop.mark;
  requestWalks(network, nextHop.mark);
  return true;
}

/**
 * The address is in the input buffer. Adds the peer or changes it; false when there is no memory, no such network, or the peer
 * has routes in another one.
 */
export function configurePeer(
  id: u32,
  networkId: u32,
  asn: u32,
  localAsn: u32,
  localRouterId: u32,
  interfaceIndex: u32,
  flags: u32,
  addressSize: u32,
): bool {
  const network = networkById(networkId);
  const peer = ensurePeer(id);
  if (network == null || peer == null) return false;
  // Routes are found by the network of their peer: it changes only when there are none.
  if (peer.network != networkId && peer.routeCount != 0) return false;
  peer.network = networkId;
  peer.asn = asn;
  peer.interfaceIndex = interfaceIndex;
  const rejects = (flags & PEER_FLAG_REJECT_IMPORT) != 0;
  const isEbgp = asn != localAsn;
  const isChanged =
    rejects != peer.rejectsImport || isEbgp != peer.isEbgp || localRouterId != peer.localRouterId;
  peer.rejectsImport = rejects;
  peer.isEbgp = isEbgp;
  peer.localRouterId = localRouterId;
  peer.addressVersion = addressSize == 4 ? 4 : 6;
  memory.fill(peer.addressPtr, 0, 16);
  memory.copy(peer.addressPtr, inputPtr, addressSize);
  peer.context.isEbgp = isEbgp ? 1 : 0;
  peer.context.localAsn = localAsn;
  peer.context.peerAsn = asn;
  peer.context.enforceFirstAs = flags & PEER_FLAG_ENFORCE_FIRST_AS ? 1 : 0;
  if (isChanged) decidePeer(network, peer);
  return true;
}

export function openSession(
  peer: Peer,
  routerId: u32,
  fourOctetAs: bool,
  maxMessageSize: u32,
  familyMask: u32,
  addPathMask: u32,
): void {
  peer.dropPartial();
  peer.isOpen = true;
  peer.maxMessageSize = maxMessageSize;
  peer.context.fourOctetAs = fourOctetAs ? 1 : 0;
  peer.context.familyMask = familyMask;
  peer.context.addPathMask = addPathMask;
  if (peer.routerId == routerId) return;
  peer.routerId = routerId;
  decidePeer(knownNetwork(peer.network), peer);
}

/** Routes of the families in `retainMask` are stale from now on; those of the others go. */
export function closeSession(peer: Peer, retainMask: u32): void {
  peer.dropPartial();
  peer.isOpen = false;
  const network = knownNetwork(peer.network);
  for (let family = 0; family < FAMILY_COUNT; family++) {
    peer.family(family).beginEpoch();
    if (((retainMask >>> family) & 1) == 0) requestSweep(peer, network.table(family));
  }
}

export function addFibTo(network: Network, id: u32, holdsRemovals: bool): bool {
  const fib = newFib(id, network.id, holdsRemovals);
  if (fib == null) return false;
  fib.mark = nextGeneration();
  network.addFib(fib);
  requestWalks(network, fib.mark);
  return true;
}

export function removeFibFrom(network: Network, fib: Fib): void {
  network.removeFib(fib);
  forgetBatch(fib);
  removeFibRecord(fib);
}

function decideAll(network: Network): void {
  network.mark = nextGeneration();
  requestWalks(network, network.mark);
}

function decidePeer(network: Network, peer: Peer): void {
  peer.mark = nextGeneration();
  for (let family = 0; family < FAMILY_COUNT; family++) {
    if (peer.family(family).received) requestWalk(network.table(family), peer.mark);
  }
}
