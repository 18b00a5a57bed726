// Why a route is what it is, as objects: what each clause of a policy said to it, and how the decision process saw it.
import type { PolicyTrial } from '../core/policy-trial.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import type { CommunityEdit, Policy, PolicySet } from '../policy/policy.ts';
import type { AnnouncementObject } from './announcement-object.ts';
import type { DecisionStep } from './decision-steps.ts';
import type { EntryObject, RouteObject } from './route-object.ts';

export interface Explanation {
  readonly network: string;
  readonly prefix: string;
  readonly routes: readonly ExplainedRoute[];
  /** What each target should hold, what it holds, and why not. */
  readonly entries: readonly EntryObject[];
  /** Of a prefix of the network's own: what each peer is told of it, or why not. */
  readonly announcements: readonly ExplainedAnnouncement[];
}

export interface ExplainedAnnouncement {
  readonly announcement: AnnouncementObject;
  /** The policies it met on its way out, in order, up to one that rejects. */
  readonly policies: readonly ExplainedPolicy[];
}

export interface ExplainedRoute {
  /** As the decision process sees it. */
  readonly route: RouteObject;
  /** As the peer sent it, where a policy changed it. */
  readonly received?: RouteObject;
  /** It takes part in the decision; `reason` says why not. */
  readonly eligible: boolean;
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
