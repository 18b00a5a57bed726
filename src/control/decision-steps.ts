// How a path stood against the best path at each step of the decision process (assembly/rib/best-path.ts), in what was compared there.
import { decisionReasons } from '../core/decision-reasons.ts';
import type { RouteObject } from './route-object.ts';

export interface DecisionStep {
  readonly step: number;
  /** What is compared. */
  readonly compares: string;
  /** `equal`, or why the path lost. */
  readonly says: string;
  readonly route: string | number | boolean;
  readonly best: string | number | boolean;
}

/** What the decision process knows of a path beside its attributes. */
export interface PathFacts {
  readonly ebgp: boolean;
  /** Of the peer's session. */
  readonly routerId: string;
  readonly peerAddress: string;
  /** Cost of the way to the next hop. */
  readonly igpMetric: number;
}

export interface Contender {
  readonly route: RouteObject;
  readonly facts: PathFacts;
}

interface Step {
  readonly compares: string;
  readonly read: (contender: Contender) => string | number | boolean;
}

/** From the weight on. */
const FIRST_STEP = 2;
const ladder: readonly Step[] = [
  { compares: 'weight', read: ({ route }) => route.weight ?? 0 },
  { compares: 'LOCAL_PREF', read: ({ route }) => route.localPref ?? 100 },
  { compares: 'local', read: ({ route }) => route.peer === 'local' },
  { compares: 'AS_PATH length', read: ({ route }) => hopCount(route.asPath) },
  { compares: 'ORIGIN', read: ({ route }) => route.origin ?? 'igp' },
  { compares: 'MED', read: ({ route }) => route.med ?? 0 },
  { compares: 'eBGP', read: ({ facts }) => facts.ebgp },
  { compares: 'IGP metric', read: ({ facts }) => facts.igpMetric },
  { compares: 'router id', read: ({ route, facts }) => route.originatorId ?? facts.routerId },
  { compares: 'CLUSTER_LIST length', read: ({ route }) => route.clusterList?.length ?? 0 },
  { compares: 'peer address', read: ({ facts }) => facts.peerAddress },
  { compares: 'path id', read: ({ route }) => route.pathId ?? 0 },
];

/** The steps up to the one that decided against a path. None for the best path, and for one that did not take part. */
export function explainDecision(
  contender: Contender,
  best: Contender | undefined,
  others: readonly RouteObject[],
): DecisionStep[] {
  if (best === undefined || contender.route.best) return [];
  const { reason } = contender.route;
  const decisive = decisionReasons.find(({ lost }) => lost === reason)?.step ?? 0;
  if (decisive < FIRST_STEP || decisive >= FIRST_STEP + ladder.length) return [];
  return ladder.slice(0, decisive - FIRST_STEP + 1).map((each, index) => {
    const step = FIRST_STEP + index;
    const [route, ofBest] = [each.read(contender), each.read(best)];
    const lost = each.compares === 'MED' ? lostByMed(contender.route, best.route, others) : reason;
    const says = step === decisive ? lost : route === ofBest ? 'equal' : 'not compared';
    return { step, compares: each.compares, says, route, best: ofBest };
  });
}

/** A path may be struck out by another than the best one: MEDs are compared within a neighbouring AS. */
function lostByMed(route: RouteObject, best: RouteObject, others: readonly RouteObject[]): string {
  const rival = others.find(
    ({ asPath, med, reason }) =>
      neighbor(asPath) === neighbor(route.asPath) &&
      (med ?? 0) < (route.med ?? 0) &&
      reason !== 'rejected by import policy',
  );
  if (rival === undefined || neighbor(best.asPath) === neighbor(route.asPath)) return route.reason;
  return `${route.reason} than ${rival.peer}'s (${rival.med ?? 0})`;
}

function neighbor(asPath: RouteObject['asPath']): string {
  return JSON.stringify(asPath?.[0]);
}

/** RFC 4271 §9.1.2.2 a: a set is one hop; RFC 5065 §5.3: confederation segments are none. */
function hopCount(asPath: RouteObject['asPath']): number {
  return (asPath ?? []).filter((each) => typeof each === 'number' || 'set' in each).length;
}
