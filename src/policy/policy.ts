// A policy as the configuration says it: clauses in order, every name resolved to a value. compile.ts makes the core's form of it.
import type { AddressFamily } from '../net/address-family.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { CommunityPattern } from './community-pattern.ts';
import type { PrefixRange } from './prefix-range.ts';

export type Policy = readonly PolicyClause[];

export interface PolicyClause {
  /** All of them must hold; none: every route. */
  readonly match: PolicyMatch;
  readonly set: PolicySet;
  /** `next`: on to the next clause, which sees what was set. A route that no clause decides is rejected. */
  readonly action: 'accept' | 'reject' | 'next';
}

export interface PolicyMatch {
  readonly prefixes?: readonly PrefixRange[] | undefined;
  readonly asPath?:
    | {
        readonly contains?: readonly number[] | undefined;
        readonly origin?: readonly number[] | undefined;
        readonly length?:
          | { readonly min?: number | undefined; readonly max?: number | undefined }
          | undefined;
        readonly regex?: string | undefined;
      }
    | undefined;
  readonly communities?: CommunityCondition | undefined;
  readonly extendedCommunities?: CommunityCondition | undefined;
  readonly largeCommunities?: CommunityCondition | undefined;
  /** Each one a prefix that holds the next hop. */
  readonly nextHop?: readonly PrefixRange[] | undefined;
  readonly family?: readonly AddressFamily[] | undefined;
  /** Names. */
  readonly peer?: readonly string[] | undefined;
}

export interface CommunityCondition {
  /** A community of the route matches one of these. */
  readonly any?: readonly CommunityPattern[] | undefined;
  /** Each of these is matched by a community of the route. */
  readonly all?: readonly CommunityPattern[] | undefined;
  /** No community of the route matches one of these. */
  readonly none?: readonly CommunityPattern[] | undefined;
}

export interface PolicySet {
  readonly localPref?: number | undefined;
  readonly med?: number | undefined;
  readonly weight?: number | undefined;
  readonly prepend?: { readonly asn: number | 'own'; readonly count: number } | undefined;
  /** For routes of its own address family alone. */
  readonly nextHop?: IpAddress | undefined;
  readonly communities?: CommunityEdit | undefined;
  readonly extendedCommunities?: CommunityEdit | undefined;
  readonly largeCommunities?: CommunityEdit | undefined;
}

export interface CommunityEdit {
  /** First what is removed, then what is added. */
  readonly remove?: readonly CommunityPattern[] | undefined;
  /** Without wildcards. */
  readonly add?: readonly CommunityPattern[] | undefined;
  /** Instead of all there are; without wildcards. */
  readonly replace?: readonly CommunityPattern[] | undefined;
}
