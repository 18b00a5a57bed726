// Networks, their next hops and their local routes, as the host configures them.
import { inputPtr, outputPtr } from '../memory/buffers';
import { nextHopById, takeEvents, trackNextHopsOf } from '../nexthop/next-hop';
import { MAXIMUM_PATHS } from '../rib/loc-rib';
import { originateRoute, withdrawLocalRoute } from '../rib/local-routes';
import { ensureNetwork, knownNetwork, networkById } from '../rib/network';
import { passAll } from '../rib/restless';
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
  if (!nextHop.setState(resolved, metric)) return true;
  const network = knownNetwork(nextHop.network);
  if (!resolved) passAll(); // Bad news: nobody waits any more.
  nextHop.mark = nextGeneration();
  network.nextHopMark = nextHop.mark;
  requestWalks(network, nextHop.mark);
  return true;
}

// ---- local routes: the key is in the input buffer ----

export function originate(networkId: u32, family: u32, bits: u32, isDiscard: bool, now: u32): bool {
  const network = networkById(networkId);
  return network != null && originateRoute(network, family, inputPtr, bits, isDiscard, now);
}

export function withdrawOriginated(networkId: u32, family: u32, bits: u32): void {
  const network = networkById(networkId);
  if (network != null) withdrawLocalRoute(network, family, inputPtr, bits);
}
