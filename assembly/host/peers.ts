// Peers and their sessions, as the host configures, opens, feeds and closes them.
import { FAMILY_COUNT, PEER_FLAG_ENFORCE_FIRST_AS } from '../abi';
import { inputPtr } from '../memory/buffers';
import { forgetMemos } from '../policy/memo';
import { result } from '../result';
import { learnRecords } from '../rib/learn';
import { knownNetwork, Network, networkById } from '../rib/network';
import { ensurePeer, LOCAL_PEER, Peer, peerById, removePeerRecord } from '../rib/peer';
import { receiveChunk } from '../rib/receive';
import { beginReceiving, endReceiving, passAll, passRested, restlessCount } from '../rib/restless';
import { nextGeneration, requestSweep, requestWalk, requestWalks } from '../rib/table-walk';

/**
 * The address is in the input buffer. Adds the peer or changes it; false when there is no memory, no such network, or the peer
 * has routes in another one.
 */
export function setPeer(
  id: u32,
  networkId: u32,
  asn: u32,
  localAsn: u32,
  localRouterId: u32,
  interfaceIndex: u32,
  flags: u32,
  nameId: u32,
  importPolicy: u32,
  addressSize: u32,
): bool {
  if (id == LOCAL_PEER) return false;
  const network = networkById(networkId);
  if (network == null) return false;
  const peer = ensurePeer(id);
  if (peer == null || peer.isImport) return false;
  // Routes are found by the network of their peer: it changes only when there are none.
  if (peer.network != networkId && (peer.routeCount != 0 || peer.copyCount != 0)) return false;
  peer.network = networkId;
  peer.asn = asn;
  peer.interfaceIndex = interfaceIndex;
  const isEbgp = asn != localAsn;
  const isChanged =
    importPolicy != peer.importPolicy ||
    nameId != peer.nameId ||
    isEbgp != peer.isEbgp ||
    localRouterId != peer.localRouterId;
  peer.importPolicy = importPolicy;
  peer.nameId = nameId;
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

/**
 * An import line: a peer of network `networkId` whose routes are copies of those that network `sourceId` has chosen, as far as the
 * policy lets them through. Adds it or changes its policy; work() carries it out, closePeer ends it.
 */
export function setImport(id: u32, networkId: u32, sourceId: u32, policy: u32): bool {
  const source = networkById(sourceId);
  if (id == LOCAL_PEER || networkId == sourceId) return false;
  if (source == null || networkById(networkId) == null) return false;
  const known = peerById(id);
  if (known != null && !isLine(known, networkId, sourceId)) return false;
  const line = ensurePeer(id);
  if (line == null) return false;
  if (line.isOpen && line.linePolicy == policy) return true;
  if (!line.isOpen) source.addImporter(line);
  line.isImport = true;
  line.isOpen = true;
  line.network = networkId;
  line.sourceNetwork = <u16>sourceId;
  line.linePolicy = policy;
  tellLine(line);
  return true;
}

/** What an import line lets through is another thing now. */
export function tellLine(line: Peer): void {
  line.lineMark = nextGeneration();
  requestWalks(knownNetwork(line.sourceNetwork), line.lineMark);
}

function isLine(peer: Peer, networkId: u32, sourceId: u32): bool {
  return peer.isImport && peer.network == networkId && peer.sourceNetwork == sourceId;
}

export function setPeerLimit(id: u32, family: u32, limit: u32): void {
  const peer = peerById(id);
  if (peer != null) peer.family(family).limit = limit;
}

/** False while routes of it are left, or copies of them in other networks. */
export function removePeer(id: u32): bool {
  const peer = peerById(id);
  if (peer == null || id == LOCAL_PEER) return false;
  if (peer.routeCount != 0 || peer.copyCount != 0) return false;
  removePeerRecord(peer);
  return true;
}

export function openPeer(
  id: u32,
  routerId: u32,
  fourOctetAs: bool,
  maxMessageSize: u32,
  familyMask: u32,
  addPathMask: u32,
): bool {
  const peer = peerById(id);
  if (peer == null || peer.isImport) return false;
  peer.dropPartial();
  peer.isOpen = true;
  peer.maxMessageSize = maxMessageSize;
  peer.context.fourOctetAs = fourOctetAs ? 1 : 0;
  peer.context.familyMask = familyMask;
  peer.context.addPathMask = addPathMask;
  if (peer.routerId == routerId) return true;
  peer.routerId = routerId;
  decidePeer(knownNetwork(peer.network), peer);
  return true;
}

/**
 * Reads `size` bytes of the input buffer. `now` in seconds, `nowMs` the same instant modulo 2^32. `isContinued`: counts are added to
 * those of the last call.
 */
export function receive(id: u32, size: u32, now: u32, nowMs: u32, isContinued: bool): bool {
  const peer = peerById(id);
  if (peer == null || !peer.isOpen || peer.isImport) return false;
  if (!isContinued) result.clear();
  result.status = 0;
  beginReceiving(nowMs);
  receiveChunk(peer, size, now);
  forgetMemos();
  endReceiving();
  return true;
}

/**
 * For a source that is not a BGP session: whole observation records, `size` bytes of the input buffer, each with all the next hops
 * the prefix has from now on. `now` and `nowMs` as in receive(). Counts are added to the result record unless it begins anew.
 */
export function learn(id: u32, size: u32, now: u32, nowMs: u32, isContinued: bool): bool {
  const peer = peerById(id);
  if (peer == null || id == LOCAL_PEER || peer.isImport) return false;
  if (!isContinued) result.clear();
  beginReceiving(nowMs);
  learnRecords(peer, inputPtr, inputPtr + size, now);
  forgetMemos();
  endReceiving();
  return true;
}

/** Tells patient FIBs of restless prefixes that have come to rest; true while others have not. */
export function passRestedPrefixes(nowMs: u32): bool {
  return passRested(nowMs);
}

/** Prefixes that patient FIBs are not told of at once. */
export function readRestlessCount(): u32 {
  return restlessCount;
}

/** Routes of the families in `retainMask` are stale from now on; those of the others go, through work(). */
export function closePeer(id: u32, retainMask: u32): bool {
  const peer = peerById(id);
  if (peer == null) return false;
  peer.dropPartial();
  if (peer.isImport && peer.isOpen) knownNetwork(peer.sourceNetwork).removeImporter(peer);
  peer.isOpen = false;
  passAll(); // Bad news: nobody waits any more.
  const network = knownNetwork(peer.network);
  for (let family = 0; family < FAMILY_COUNT; family++) {
    peer.family(family).beginEpoch();
    if (((retainMask >>> family) & 1) == 0) requestSweep(peer, network.table(family));
  }
  return true;
}

export function beginRefresh(id: u32, family: u32): bool {
  const peer = peerById(id);
  if (peer == null) return false;
  peer.family(family).beginEpoch();
  return true;
}

export function endRefresh(id: u32, family: u32): bool {
  const peer = peerById(id);
  if (peer == null) return false;
  const network = networkById(peer.network);
  if (network != null) requestSweep(peer, network.table(family));
  return true;
}

/** Counters 3 × family: received, accepted, best. */
export function readPeerCounters(id: u32): bool {
  const peer = peerById(id);
  if (peer == null) return false;
  for (let family = 0; family < FAMILY_COUNT; family++) {
    const counters = peer.family(family);
    result.setCounter(family * 3, counters.received);
    result.setCounter(family * 3 + 1, counters.accepted);
    result.setCounter(family * 3 + 2, counters.best);
  }
  return true;
}

/** What the peer's routes depend on has changed. */
export function decidePeer(network: Network, peer: Peer): void {
  peer.mark = nextGeneration();
  for (let family = 0; family < FAMILY_COUNT; family++) {
    if (peer.family(family).received) requestWalk(network.table(family), peer.mark);
  }
}
