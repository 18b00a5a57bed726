// Why a route is what it is, as objects: what each clause of a policy said to it, and how it stood against the best path at each
// step of the decision process.
import { decisionReasons } from '../core/decision-reasons.ts';
import type { PolicyTrial } from '../core/route-core.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import type { CommunityEdit, Policy, PolicySet } from '../policy/policy.ts';
import type { EntryObject, RouteObject } from './route-object.ts';

export interface Explanation {
  readonly network: string;
  readonly prefix: string;
  readonly routes: readonly ExplainedRoute[];
  /** What each target should hold, what it holds, and why not. */
  readonly entries: readonly EntryObject[];
}

export interface ExplainedRoute {
  /** As the decision process sees it. */
  readonly route: RouteObject;
  /** As the peer sent it, where a policy changed it. */
  readonly received?: RouteObject;
  /** The policies it went through, in order. */
  readonly policies: readonly ExplainedPolicy[];
  /** Against the best path: the steps up to the one that decided. */
  readonly decision: readonly DecisionStep[];
}

export interface ExplainedPolicy {
  /** Where it stands: `bgp.peers.tor-a.import`, `networks.blue.imports.default`. */
  readonly at: string;
  readonly policy: string;
  readonly verdict: 'accept' | 'reject';
  readonly clauses: readonly ExplainedClause[];
}

export interface ExplainedClause {
  /** Counted from 1. */
  readonly clause: number;
  readonly matched: boolean;
  readonly conditions: readonly { readonly condition: string; readonly holds: boolean }[];
  /** Only of a clause that matched. */
  readonly set?: object;
  readonly action?: 'accept' | 'reject' | 'next';
}

export interface DecisionStep {
  readonly step: number;
  readonly says: string;
  readonly route: string | number | boolean;
  readonly best: string | number | boolean;
}

/** The clauses that were tried; none for a policy that is built in. */
export function explainClauses(
  trial: PolicyTrial,
  policy: Policy | undefined,
  conditions: readonly (readonly string[])[],
): ExplainedClause[] {
  return trial.steps.map(({ clause: index, holds }) => {
    const clause = policy?.[index];
    const matched = holds.every((each) => each);
    return {
      clause: index + 1,
      matched,
      conditions: holds.map((each, i) => ({
        condition: conditions[index]?.[i] ?? '',
        holds: each,
      })),
      ...(matched && clause ? { set: describeSet(clause.set), action: clause.action } : {}),
    };
  });
}

function describeSet(set: PolicySet): object {
  const { prepend, nextHop, communities, extendedCommunities, largeCommunities, ...numbers } = set;
  return {
    ...numbers,
    ...(prepend && { prepend }),
    ...(nextHop && { nextHop: formatIpAddress(nextHop) }),
    ...(communities && { communities: describeEdit(communities) }),
    ...(extendedCommunities && { extendedCommunities: describeEdit(extendedCommunities) }),
    ...(largeCommunities && { largeCommunities: describeEdit(largeCommunities) }),
  };
}

function describeEdit(edit: CommunityEdit): object {
  return Object.fromEntries(
    Object.entries(edit).map(([key, patterns]) => [
      key,
      (patterns as CommunityEdit['add'])?.map(({ text }) => text),
    ]),
  );
}

type StepValue = (route: RouteObject) => string | number | boolean;

/** Steps 2–8 of the ladder (assembly/rib/best-path.ts) as far as the route itself says them; the others by their words alone. */
const stepValues: readonly StepValue[] = [
  ({ weight }) => weight ?? 0,
  ({ localPref }) => localPref ?? 100,
  ({ peer }) => peer === 'local',
  ({ asPath }) => hopCount(asPath),
  ({ origin }) => origin ?? 'igp',
  ({ med }) => med ?? 0,
];
const FIRST_STEP = 2;

/** How a route stands against the best path, up to the step that decided against it. */
export function explainDecision(route: RouteObject, best: RouteObject | undefined): DecisionStep[] {
  if (best === undefined || route.best) return [];
  const decisive = decisionReasons.find(({ lost }) => lost === route.reason)?.step ?? 0;
  const steps: DecisionStep[] = [];
  for (const [index, read] of stepValues.entries()) {
    const step = FIRST_STEP + index;
    if (step > decisive) break;
    const says = decisionReasons[step]!;
    const [mine, others] = [read(route), read(best)];
    const outcome = step === decisive ? says.lost : mine === others ? 'equal' : 'not compared';
    steps.push({ step, says: outcome, route: mine, best: others });
  }
  return steps;
}

/** RFC 4271 §9.1.2.2 a: a set is one hop; RFC 5065 §5.3: confederation segments are none. */
function hopCount(asPath: RouteObject['asPath']): number {
  return (asPath ?? []).filter((each) => typeof each === 'number' || 'set' in each).length;
}
