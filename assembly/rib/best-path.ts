// The decision process: which of the routes to one destination is used (RFC 4271 §9.1), as one numbered ladder.
//
//    –  eligible?   own subnet, import policy, own AS in AS_PATH (§9.1.2), ORIGINATOR_ID ours (RFC 4456 §8)
//    1  next hop resolved                    §9.1.2.1
//    2  higher weight                        a policy's word, for this agent alone (as in FRR)
//    3  higher LOCAL_PREF                    §9.1.1
//    4  local before learned
//    5  shorter AS_PATH                      §9.1.2.2 a
//    6  lower ORIGIN                         §9.1.2.2 b
//    7  lower MED                            §9.1.2.2 c
//    8  eBGP before iBGP                     §9.1.2.2 d
//    9  lower IGP metric to the next hop     §9.1.2.2 e
//   ──  routes equal so far may share the load (multipath)
//   10  lower router id, ORIGINATOR_ID first §9.1.2.2 f, RFC 4456 §9
//   11  shorter CLUSTER_LIST                 RFC 4456 §9
//   12  lower peer address                   §9.1.2.2 g
//   13  lower path identifier                RFC 7911 (any total order will do)
//
// The numbers are DECISION_* of abi.ts, and src/core/decision-reasons.ts has their words.
//
// MED. Two routes' MEDs may be compared only within a neighbouring AS, so step 7 is not an order: among three routes it can
// go round in a circle, and the winner would depend on who came first. Here it is what the RFC describes, an elimination: of
// the routes that are equal in steps 1–6, those go for which another of the same neighbouring AS has a lower MED. What is
// left is ordered by steps 8–13. The answer depends on the set of routes only (deterministic MED).
//
// A comparison answers 0 for "equal at these steps", else the number of the step that decides: positive when the first route
// wins, negative when the second does.
import {
  DECISION_AS_PATH,
  DECISION_CLUSTER_LIST,
  DECISION_EBGP,
  DECISION_IGP_METRIC,
  DECISION_IMPORT_POLICY,
  DECISION_LOCAL,
  DECISION_LOCAL_PREF,
  DECISION_MED,
  DECISION_NEXT_HOP,
  DECISION_ONLY_PATH,
  DECISION_ORIGIN,
  DECISION_ORIGINATOR,
  DECISION_OWN_AS,
  DECISION_OWN_SUBNET,
  DECISION_PATH_ID,
  DECISION_PEER_ADDRESS,
  DECISION_ROUTER_ID,
  DECISION_WEIGHT,
} from '../abi';
import { AttributeSet } from './attribute-set';
import { Destination } from './destination';
import { announcerOf } from './imported';
import { Network } from './network';
import { LOCAL_PEER, Peer } from './peer';
import { Route } from './route';

/** 0 when the route takes part, else why it does not. */
export function ineligibility(route: Route, destination: Destination): i32 {
  const set = route.attributes;
  // What is the network's own is not for others to claim.
  if (destination.isInOwnSubnet && route.peer != LOCAL_PEER) return DECISION_OWN_SUBNET;
  if (route.isRejected) return DECISION_IMPORT_POLICY;
  if (set.hasOwnAs) return DECISION_OWN_AS;
  if (set.hasOriginator && set.originatorId == announcerOf(route).localRouterId) {
    return DECISION_ORIGINATOR;
  }
  // 1. Next hop resolved
  const nextHop = set.nextHop;
  return nextHop == null || nextHop.isResolved ? 0 : DECISION_NEXT_HOP;
}

/** Nothing but its next hop keeps the route from taking part, and the host has not said yet whether that is there. */
export function awaitsNextHop(route: Route, destination: Destination): bool {
  if (ineligibility(route, destination) != DECISION_NEXT_HOP) return false;
  const nextHop = route.attributes.nextHop;
  return nextHop != null && nextHop.awaitsAnswer;
}

/** Steps 2–6: a total preorder. */
function compareBeforeMed(route: Route, other: Route): i32 {
  const a = route.attributes;
  const b = other.attributes;
  // 2. Higher weight
  if (a.weight != b.weight) return decide(a.weight > b.weight, DECISION_WEIGHT);
  // 3. Higher LOCAL_PREF
  if (a.localPref != b.localPref) return decide(a.localPref > b.localPref, DECISION_LOCAL_PREF);
  // 4. Local before learned
  const isLocal = route.peer == LOCAL_PEER;
  if (isLocal != (other.peer == LOCAL_PEER)) return decide(isLocal, DECISION_LOCAL);
  // 5. Shorter AS_PATH
  if (a.asPathLength != b.asPathLength) {
    return decide(a.asPathLength < b.asPathLength, DECISION_AS_PATH);
  }
  // 6. Lower ORIGIN: IGP, EGP, INCOMPLETE
  if (a.origin != b.origin) return decide(a.origin < b.origin, DECISION_ORIGIN);
  return 0;
}

/** Step 7 for all routes of a destination, once per decision: what follows asks for the answer more than once. */
export function strikeOutByMed(destination: Destination, network: Network): void {
  for (let route = destination.head; route; route = route.next) {
    route.setBeaten(route.isEligible && isBeatenByMed(route, destination, null, network));
  }
}

/** 7. Whether another route, equal in steps 1–6 and of the same neighbouring AS, has a lower MED. */
function isBeatenByMed(
  route: Route,
  destination: Destination,
  except: Route | null,
  network: Network,
): bool {
  const set = route.attributes;
  if (set.med == 0) return false;
  for (let other = destination.head; other; other = other.next) {
    if (!other.isEligible || other == except) continue;
    const rival: AttributeSet = other.attributes;
    if (rival.med >= set.med) continue;
    if (rival.neighborAs != set.neighborAs && !network.alwaysCompareMed) continue;
    if (compareBeforeMed(other, route) == 0) return true;
  }
  return false;
}

/** Steps 8 and 9: what is equal here may share the load. */
function compareToBoundary(route: Route, other: Route): i32 {
  const a = announcerOf(route);
  const b = announcerOf(other);
  // 8. eBGP before iBGP
  if (a.isEbgp != b.isEbgp) return decide(a.isEbgp, DECISION_EBGP);
  // 9. Lower IGP metric
  const aMetric = igpMetric(route);
  const bMetric = igpMetric(other);
  if (aMetric != bMetric) return decide(aMetric < bMetric, DECISION_IGP_METRIC);
  return 0;
}

/** Steps 10–13: never equal for two routes of one destination. */
export function compareTieBreak(route: Route, other: Route): i32 {
  const a = route.attributes;
  const b = other.attributes;
  const aPeer = announcerOf(route);
  const bPeer = announcerOf(other);
  // 10. Lower router id; ORIGINATOR_ID stands for it
  const aRouterId = a.hasOriginator ? a.originatorId : aPeer.routerId;
  const bRouterId = b.hasOriginator ? b.originatorId : bPeer.routerId;
  if (aRouterId != bRouterId) return decide(aRouterId < bRouterId, DECISION_ROUTER_ID);
  // 11. Shorter CLUSTER_LIST
  if (a.clusterListCount != b.clusterListCount) {
    return decide(a.clusterListCount < b.clusterListCount, DECISION_CLUSTER_LIST);
  }
  // 12. Lower peer address; the peer's number, should two have the same one (in two networks)
  const order = comparePeers(aPeer, bPeer);
  if (order != 0) return decide(order < 0, DECISION_PEER_ADDRESS);
  // 13. Lower path identifier
  return decide(route.pathId < other.pathId, DECISION_PATH_ID);
}

/** The best of a destination's eligible routes, `except` left out; null when there is none. */
export function findBest(
  destination: Destination,
  except: Route | null,
  network: Network,
): Route | null {
  const top = findTop(destination, except);
  if (top == null) return null;
  let best: Route | null = null;
  for (let route = destination.head; route; route = route.next) {
    if (!route.isEligible || route == except || compareBeforeMed(route, top) != 0) continue;
    // Without one of them, the others may be struck out otherwise.
    const isBeaten =
      except == null ? route.isBeaten : isBeatenByMed(route, destination, except, network);
    if (isBeaten) continue;
    if (best == null || compareAfterMed(route, best) > 0) best = route;
  }
  return best;
}

/** Whether a route shares the load with the best path. */
export function isEqualCost(route: Route, best: Route, network: Network): bool {
  if (!route.isEligible || route.isBeaten || compareBeforeMed(route, best) != 0) return false;
  if (!route.attributes.nextHopPtr) return false; // a discard route has nothing to share
  if (compareToBoundary(route, best) != 0) return false;
  return network.multipathRelax || route.attributes.hasSameAsPath(best.attributes);
}

/** The number of the step at which a route won (the best path) or lost (any other). */
export function explain(route: Route, destination: Destination, network: Network): i32 {
  if (!route.isEligible) return ineligibility(route, destination);
  const best = destination.best();
  if (best == null) return DECISION_ONLY_PATH;
  if (route != best) return decisiveStep(best, route);
  const runnerUp = findBest(destination, best, network);
  if (runnerUp == null) return DECISION_ONLY_PATH;
  return decisiveStep(best, runnerUp);
}

function decisiveStep(winner: Route, loser: Route): i32 {
  const before = compareBeforeMed(winner, loser);
  if (before != 0) return abs(before);
  if (loser.isBeaten) return DECISION_MED;
  return abs(compareAfterMed(winner, loser));
}

function findTop(destination: Destination, except: Route | null): Route | null {
  let top: Route | null = null;
  for (let route = destination.head; route; route = route.next) {
    if (!route.isEligible || route == except) continue;
    if (top == null || compareBeforeMed(route, top) > 0) top = route;
  }
  return top;
}

function compareAfterMed(route: Route, other: Route): i32 {
  const order = compareToBoundary(route, other);
  return order != 0 ? order : compareTieBreak(route, other);
}

function decide(firstWins: bool, step: i32): i32 {
  return firstWins ? step : -step;
}

function igpMetric(route: Route): u32 {
  const nextHop = route.attributes.nextHop;
  return nextHop == null ? 0 : nextHop.metric;
}

/** IPv4 before IPv6, then by value, as RFC 6286's router ids are: unsigned. */
function comparePeers(a: Peer, b: Peer): i32 {
  if (a.addressVersion != b.addressVersion) return a.addressVersion < b.addressVersion ? -1 : 1;
  const order = memory.compare(a.addressPtr, b.addressPtr, 16);
  return order != 0 ? order : <i32>a.id - <i32>b.id;
}
