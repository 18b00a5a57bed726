// Everything the host may call, and nothing else. src/core/core.ts is the only caller.
//
// Calls are few and fat: a TCP chunk in, a batch of changes out. Arguments are numbers; bytes cross in the input and output
// buffers; numbers that do not fit a return value are in the result record (abi.ts has every layout). A call with an unknown id
// answers false or 0 and changes nothing.
import { FAMILY_COUNT, FAMILY_IPV4_UNICAST } from './abi';
import * as configure from './configure';
import { acknowledgeBatch, drainFib, failRecord, forgetBatch } from './fib/batch';
import { LIST_REFUSED } from './fib/entry';
import { fibById } from './fib/fib';
import { readFibPage } from './fib/fib-page';
import { beginSnapshotOf, endSnapshotOf } from './fib/fib-walk';
import { readObservations } from './fib/observe';
import { judgeUpdate } from './judge';
import { initialiseNodes } from './lpm/node';
import { arenaUsedBytes, initialiseArena } from './memory/arena';
import * as buffers from './memory/buffers';
import { takeEvents } from './nexthop/next-hop';
import { nextHopSetCount } from './nexthop/next-hop-set';
import { result } from './result';
import { attributeSetCount } from './rib/attribute-set';
import { initialiseLocalPeer, originateRoute, withdrawLocalRoute } from './rib/local-routes';
import { lookUpAddresses } from './rib/lookup';
import { networkById, networkIdLimit } from './rib/network';
import { LOCAL_PEER, peerById, removePeerRecord } from './rib/peer';
import { receiveChunk } from './rib/receive';
import { query, readRoutePage } from './rib/route-page';
import { requestSweep } from './rib/table-walk';
import { workFor } from './work';

// ---- the module ----

/** The first call of all. `maximumBytes`: ceiling of linear memory. False when it is too low. */
export function initialise(maximumBytes: u32): bool {
  initialiseArena(maximumBytes);
  initialiseNodes();
  return buffers.initialiseBuffers() && initialiseLocalPeer();
}

export function inputBuffer(): usize {
  return buffers.inputPtr;
}

export function outputBuffer(): usize {
  return buffers.outputPtr;
}

export function resultRecord(): usize {
  return changetype<usize>(result);
}

/** Counters 0–4: used bytes, routes, prefixes, attribute sets, next-hop sets. */
export function readMemory(): void {
  let routeCount: u32 = 0;
  let prefixCount: u32 = 0;
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network == null) continue;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      routeCount += network.table(family).routeCount;
      prefixCount += network.table(family).trie.count;
    }
  }
  result.setCounter(0, arenaUsedBytes());
  result.setCounter(1, routeCount);
  result.setCounter(2, prefixCount);
  result.setCounter(3, attributeSetCount());
  result.setCounter(4, nextHopSetCount());
}

/** Does about `units` microseconds of deferred work; true while there is more. */
export function work(units: i32): bool {
  return workFor(units);
}

// ---- networks and next hops ----

export function setNetwork(id: u32, alwaysMed: bool, maximumPaths: u32, relax: bool): bool {
  return configure.configureNetwork(id, alwaysMed, maximumPaths, relax);
}

export function trackNextHops(id: u32, on: bool): bool {
  const network = networkById(id);
  if (network == null) return false;
  configure.setTracking(network, on);
  return true;
}

/** Writes up to `limit` events to the output buffer; their number. */
export function takeNextHopEvents(limit: u32): u32 {
  return takeEvents(buffers.outputPtr, limit);
}

export function setNextHop(id: u32, resolved: bool, metric: u32): bool {
  return configure.setNextHopState(id, resolved, metric);
}

// ---- peers ----

/** The peer's address is in the input buffer. */
export function setPeer(
  id: u32,
  network: u32,
  asn: u32,
  localAsn: u32,
  localRouterId: u32,
  interfaceIndex: u32,
  flags: u32,
  addressSize: u32,
): bool {
  if (id == LOCAL_PEER) return false;
  return configure.configurePeer(
    id,
    network,
    asn,
    localAsn,
    localRouterId,
    interfaceIndex,
    flags,
    addressSize,
  );
}

export function setPeerLimit(id: u32, family: u32, limit: u32): void {
  const peer = peerById(id);
  if (peer != null) peer.family(family).limit = limit;
}

/** False while routes of it are left. */
export function removePeer(id: u32): bool {
  const peer = peerById(id);
  if (peer == null || id == LOCAL_PEER || peer.routeCount != 0) return false;
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
  if (peer == null) return false;
  configure.openSession(peer, routerId, fourOctetAs, maxMessageSize, familyMask, addPathMask);
  return true;
}

/** Reads `size` bytes of the input buffer. `isContinued`: counts are added to those of the last call. */
export function receive(id: u32, size: u32, now: u32, isContinued: bool): bool {
  const peer = peerById(id);
  if (peer == null || !peer.isOpen) return false;
  if (!isContinued) result.clear();
  result.status = 0;
  receiveChunk(peer, size, now);
  return true;
}

export function closePeer(id: u32, retainMask: u32): bool {
  const peer = peerById(id);
  if (peer == null) return false;
  configure.closeSession(peer, retainMask);
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

// ---- local routes: the key is in the input buffer ----

export function originate(networkId: u32, family: u32, bits: u32, now: u32): bool {
  const network = networkById(networkId);
  return network != null && originateRoute(network, family, buffers.inputPtr, bits, now);
}

export function withdrawOriginated(networkId: u32, family: u32, bits: u32): void {
  const network = networkById(networkId);
  if (network != null) withdrawLocalRoute(network, family, buffers.inputPtr, bits);
}

// ---- FIBs ----

export function addFib(id: u32, networkId: u32, holdsRemovals: bool): bool {
  const network = networkById(networkId);
  return network != null && configure.addFibTo(network, id, holdsRemovals);
}

export function removeFib(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  const network = networkById(fib.network);
  if (network != null) configure.removeFibFrom(network, fib);
  return true;
}

export function isFibPending(id: u32): bool {
  const fib = fibById(id);
  return fib != null && fib.isPending;
}

/** Result: outputCount change records and the definitions of the sets they name, outputSize bytes in the output buffer. */
export function drain(id: u32, limit: u32): bool {
  const fib = fibById(id);
  if (fib == null || fib.batchCount) return false;
  result.outputSize = <u32>(drainFib(fib, limit) - buffers.outputPtr);
  result.outputCount = fib.batchCount;
  return true;
}

/** The indexes of the records that failed are in the input buffer, u32 each. */
export function acknowledge(id: u32, failedCount: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  for (let i: u32 = 0; i < failedCount; i++) {
    failRecord(fib, load<u32>(buffers.inputPtr + (i << 2)));
  }
  acknowledgeBatch(fib);
  return true;
}

export function forget(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  forgetBatch(fib);
  return true;
}

export function beginSnapshot(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  beginSnapshotOf(fib);
  return true;
}

/** Whole observation records, `size` bytes of the input buffer. `about`: ABOUT_* of abi.ts. */
export function observe(id: u32, size: u32, about: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  readObservations(fib, buffers.inputPtr, buffers.inputPtr + size, about);
  return true;
}

export function endSnapshot(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  endSnapshotOf(fib);
  return true;
}

export function releaseRemovals(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  fib.holdsRemovals = false;
  return true;
}

/** Counters 0–4: entries, installed, pending, refused, held. */
export function readFibCounters(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  result.setCounter(0, fib.desiredCount);
  result.setCounter(1, fib.installedCount);
  result.setCounter(2, fib.pendingCount);
  result.setCounter(3, fib.list(LIST_REFUSED).count);
  result.setCounter(4, fib.heldCount);
  return true;
}

// ---- reading: keys at PAGE_MATCH and PAGE_CURSOR of the input buffer, rows in the output buffer ----

export function readRoutes(
  networkId: u32,
  family: u32,
  stage: u32,
  peer: u32,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  query.stage = stage;
  query.peer = peer;
  query.match = match;
  query.matchBits = matchBits;
  query.cursorBits = cursorBits;
  query.limit = limit;
  readRoutePage(network.table(family));
  return true;
}

export function readFib(
  id: u32,
  family: u32,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  readFibPage(fib, family, match, matchBits, cursorBits, limit);
  return true;
}

/** Longest matches of `count` addresses in the input buffer: prefix lengths as i16 in the output buffer, −1 for none. */
export function lookUp(networkId: u32, family: u32, count: u32): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  lookUpAddresses(network.table(family), family == FAMILY_IPV4_UNICAST ? 4 : 16, count);
  return true;
}

// ---- without any table ----

/** Parses one UPDATE in the input buffer; its outcome, its error and its routes are in the result record. */
export function checkUpdate(
  size: u32,
  fourOctetAs: bool,
  isEbgp: bool,
  familyMask: u32,
  addPathMask: u32,
  peerAsn: u32,
  localAsn: u32,
): void {
  judgeUpdate(size, fourOctetAs, isEbgp, familyMask, addPathMask, peerAsn, localAsn);
}
