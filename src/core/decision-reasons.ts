// The words for the steps of the decision process: what `routes --why` says. The numbers are those of assembly/rib/best-path.ts.
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
} from '../../assembly/abi.ts';

/** One row of the ladder: said of the best path that won by it, and of a route that lost by it. */
export interface DecisionReason {
  readonly step: number;
  readonly won: string;
  readonly lost: string;
}

export const decisionReasons: readonly DecisionReason[] = [
  { step: DECISION_ONLY_PATH, won: 'only path', lost: 'only path' },
  { step: DECISION_NEXT_HOP, won: 'next hop resolved', lost: 'next hop unresolved' },
  { step: DECISION_WEIGHT, won: 'higher weight', lost: 'lower weight' },
  { step: DECISION_LOCAL_PREF, won: 'higher LOCAL_PREF', lost: 'lower LOCAL_PREF' },
  { step: DECISION_LOCAL, won: 'local', lost: 'not local' },
  { step: DECISION_AS_PATH, won: 'shorter AS_PATH', lost: 'longer AS_PATH' },
  { step: DECISION_ORIGIN, won: 'lower ORIGIN', lost: 'higher ORIGIN' },
  { step: DECISION_MED, won: 'lower MED', lost: 'higher MED' },
  { step: DECISION_EBGP, won: 'eBGP over iBGP', lost: 'iBGP, not eBGP' },
  { step: DECISION_IGP_METRIC, won: 'lower IGP metric', lost: 'higher IGP metric' },
  { step: DECISION_ROUTER_ID, won: 'lower router id', lost: 'higher router id' },
  { step: DECISION_CLUSTER_LIST, won: 'shorter CLUSTER_LIST', lost: 'longer CLUSTER_LIST' },
  { step: DECISION_PEER_ADDRESS, won: 'lower peer address', lost: 'higher peer address' },
  { step: DECISION_PATH_ID, won: 'lower path id', lost: 'higher path id' },
  { step: DECISION_IMPORT_POLICY, won: 'accepted', lost: 'rejected by import policy' },
  { step: DECISION_OWN_AS, won: 'no loop', lost: 'own AS in AS_PATH' },
  { step: DECISION_ORIGINATOR, won: 'no loop', lost: 'own ORIGINATOR_ID' },
  { step: DECISION_OWN_SUBNET, won: 'not our own', lost: 'own subnet' },
];

/** What is said of a route that won (the best path) or lost at a step. */
export function describeDecision(step: number, isBest: boolean): string {
  const reason = decisionReasons[step]!;
  return isBest ? reason.won : reason.lost;
}
