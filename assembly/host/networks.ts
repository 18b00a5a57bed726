// Networks, their next hops and their local routes, as the host configures them.
import { FAMILY_COUNT } from '../abi';
import { scratchKey, writeKey } from '../lpm/key';
import { inputPtr, outputPtr } from '../memory/buffers';
import { nextHopById, takeEvents, trackNextHopsOf } from '../nexthop/next-hop';
import { endOfObservation, observationAt } from '../nexthop/observation';
import { forgetMemos } from '../policy/memo';
import { MAXIMUM_PATHS } from '../rib/loc-rib';
import { originateRoute, withdrawLocalRoute } from '../rib/local-routes';
import {
  ensureNetwork,
  knownNetwork,
  Network,
  networkById,
  removeNetworkRecord,
} from '../rib/network';
import { LOCAL_PEER, peerById, peerIdLimit } from '../rib/peer';
import { forgetTable, passAll } from '../rib/restless';
import { nextGeneration, requestWalks } from '../rib/table-walk';

/** Adds a network or changes its options, which are applied by work(). False when there is no memory. */
export function setNetwork(id: u32, alwaysMed: bool, maximumPaths: u32, relax: bool): bool {
  const network = ensureNetwork(id);
  if (network == null) return false;
  const paths = min(max(maximumPaths, 1), MAXIMUM_PATHS);
  const isSame = network.maximumPaths == paths && network.multipathRelax == relax;
  if (isSame && network.alwaysCompareMed == alwaysMed) return true;
  network.alwaysCompareMed = alwaysMed;
  network.maximumPaths = paths;
  network.multipathRelax = relax;
  network.mark = nextGeneration();
  requestWalks(network, network.mark);
  return true;
}

/** Gives a network back. False while peers, import lines, FIBs or routes of it are left, or others import from it. */
export function removeNetwork(id: u32): bool {
  const network = networkById(id);
  if (network == null || !network.isEmpty || hasPeers(id)) return false;
  for (let family = 0; family < FAMILY_COUNT; family++) forgetTable(network.table(family));
  removeNetworkRecord(network);
  return true;
}

function hasPeers(network: u32): bool {
  for (let id: u32 = 0; id < peerIdLimit(); id++) {
    const peer = peerById(id);
    if (peer != null && id != LOCAL_PEER && peer.network == network) return true;
  }
  return false;
}

/**
 * The network's own subnets are those of the observation records (prefixes alone) in `size` bytes of the input buffer and, where
 * the call goes on with the last one, those that were there. Applied by work(). False when there is no memory for all of them.
 */
export function setOwnSubnets(id: u32, size: u32, isContinued: bool): bool {
  const network = networkById(id);
  if (network == null) return false;
  if (!isContinued) {
    for (let family = 0; family < FAMILY_COUNT; family++) network.table(family).ownSubnets.clear();
  }
  const isComplete = addOwnSubnets(network, inputPtr, inputPtr + size);
  network.mark = nextGeneration();
  requestWalks(network, network.mark);
  return isComplete;
}

function addOwnSubnets(network: Network, ptr: usize, end: usize): bool {
  for (let next = endOfObservation(ptr, end); next; next = endOfObservation(ptr, end)) {
    const subnet = observationAt(ptr);
    if (subnet.hasPrefix) {
      writeKey(scratchKey, subnet.addressPtr, 16, subnet.bits);
      if (!network.table(subnet.family).ownSubnets.add(scratchKey, subnet.bits)) return false;
    }
    ptr = next;
  }
  return true;
}

export function trackNextHops(id: u32, on: bool): bool {
  const network = networkById(id);
  if (network == null) return false;
  if (network.tracksNextHops == on) return true;
  network.tracksNextHops = on;
  const mark = nextGeneration();
  network.nextHopMark = mark;
  trackNextHopsOf(id, on, mark);
  requestWalks(network, mark);
  return true;
}

/** Writes up to `limit` events to the output buffer; their number. */
export function takeNextHopEvents(limit: u32): u32 {
  return takeEvents(outputPtr, limit);
}

/** False when the next hop is gone. */
export function setNextHop(id: u32, resolved: bool, metric: u32): bool {
  const nextHop = nextHopById(id);
  if (nextHop == null) return false;
  const wasResolved = nextHop.isResolved;
  if (!nextHop.setState(resolved, metric)) return true;
  const network = knownNetwork(nextHop.network);
  if (wasResolved && !nextHop.isResolved) passAll(); // Bad news: nobody waits any more.
  nextHop.mark = nextGeneration();
  network.nextHopMark = nextHop.mark;
  requestWalks(network, nextHop.mark);
  return true;
}

// ---- local routes: the key is in the input buffer ----

export function originate(networkId: u32, family: u32, bits: u32, isDiscard: bool, now: u32): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  const done = originateRoute(network, family, inputPtr, bits, isDiscard, now);
  forgetMemos();
  return done;
}

export function withdrawOriginated(networkId: u32, family: u32, bits: u32): void {
  const network = networkById(networkId);
  if (network == null) return;
  withdrawLocalRoute(network, family, inputPtr, bits);
  forgetMemos();
}
