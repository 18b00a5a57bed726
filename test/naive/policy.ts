// A policy carried out as it reads, on plain objects: the twin of assembly/policy and src/policy together.

import { containsPrefix, type Prefix } from '../../src/net/prefix.ts';
import type { CommunityPattern } from '../../src/policy/community-pattern.ts';
import type {
  CommunityCondition,
  CommunityEdit,
  Policy,
  PolicyClause,
} from '../../src/policy/policy.ts';
import type { PrefixRange } from '../../src/policy/prefix-range.ts';

export interface Segment {
  readonly type: 'sequence' | 'set' | 'confedSequence' | 'confedSet';
  readonly asns: readonly number[];
}

export interface NaiveRoute {
  readonly prefix: Prefix;
  readonly asPath: readonly Segment[];
  readonly nextHop: Uint8Array;
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly weight: number;
  /** Communities of each kind, as bytes. */
  readonly communities: readonly Uint8Array[];
  readonly extendedCommunities: readonly Uint8Array[];
  readonly largeCommunities: readonly Uint8Array[];
  readonly peer: string;
}

/** The route as it comes out, or undefined when it is rejected. */
export function applyNaively(
  policy: Policy,
  route: NaiveRoute,
  ownAsn: number,
): NaiveRoute | undefined {
  let seen = route;
  for (const clause of policy) {
    if (!meets(clause, seen)) continue;
    if (clause.action === 'reject') return undefined;
    seen = change(clause, seen, ownAsn);
    if (clause.action === 'accept') return seen;
  }
  return undefined;
}

export function pathText(path: readonly Segment[]): string {
  const brackets = {
    sequence: ['', ''],
    set: ['{', '}'],
    confedSequence: ['(', ')'],
    confedSet: ['[', ']'],
  };
  return path
    .map(({ type, asns }) => {
      const separator = type === 'set' || type === 'confedSet' ? ',' : ' ';
      return `${brackets[type][0]}${asns.join(separator)}${brackets[type][1]}`;
    })
    .join(' ');
}

/** The expression in JavaScript's words. */
export function toRegExp(expression: string): RegExp {
  const border = '(?:^|[ {}()\\[\\],]|$)';
  const outside = expression.split(/(\\.|\[\^?\]?[^\]]*\])/);
  return new RegExp(
    outside
      .map((part, index) => (index % 2 ? classText(part) : part.replaceAll('_', border)))
      .join(''),
  );
}

/** A backslash is itself in a POSIX class, and so is a leading bracket. */
function classText(part: string): string {
  if (part.startsWith('\\')) return part;
  const [, negation, members] = /^\[(\^?)([\s\S]*)\]$/.exec(part)!;
  return `[${negation}${members!.replace(/[\\[\]]/g, '\\$&')}]`;
}

function meets({ match }: PolicyClause, route: NaiveRoute): boolean {
  const { prefixes, asPath, nextHop, family, peer } = match;
  const asns = route.asPath.flatMap((segment) => segment.asns);
  const last = route.asPath.at(-1);
  const origin = last?.type === 'sequence' ? last.asns.at(-1)! : undefined;
  const hops = route.asPath.reduce(
    (sum, { type, asns: list }) =>
      sum + (type === 'sequence' ? list.length : type === 'set' ? 1 : 0),
    0,
  );
  const host = { address: route.nextHop, length: route.nextHop.length * 8 };
  return (
    (!prefixes || prefixes.some((range) => isIn(range, route.prefix))) &&
    (!asPath?.contains || asPath.contains.some((asn) => asns.includes(asn))) &&
    (!asPath?.origin || (origin !== undefined && asPath.origin.includes(origin))) &&
    (!asPath?.length ||
      (hops >= (asPath.length.min ?? 0) && hops <= (asPath.length.max ?? Infinity))) &&
    (asPath?.regex === undefined || toRegExp(asPath.regex).test(pathText(route.asPath))) &&
    meetsCommunities(match.communities, route.communities) &&
    meetsCommunities(match.extendedCommunities, route.extendedCommunities) &&
    meetsCommunities(match.largeCommunities, route.largeCommunities) &&
    (!nextHop || nextHop.some((range) => isIn(range, host))) &&
    (!family ||
      family.includes(route.prefix.address.length === 4 ? 'ipv4-unicast' : 'ipv6-unicast')) &&
    (!peer || peer.includes(route.peer))
  );
}

function isIn({ prefix, ge, le }: PrefixRange, route: Prefix): boolean {
  return containsPrefix(prefix, route) && route.length >= ge && route.length <= le;
}

function meetsCommunities(
  condition: CommunityCondition | undefined,
  list: readonly Uint8Array[],
): boolean {
  if (!condition) return true;
  const { any, all, none } = condition;
  const has = (pattern: CommunityPattern) => list.some((value) => isMatched(pattern, value));
  return (!any || any.some(has)) && (!all || all.every(has)) && !none?.some(has);
}

function isMatched({ forms }: CommunityPattern, value: Uint8Array): boolean {
  return forms.some((form) => value.every((byte, i) => (byte & form.mask[i]!) === form.value[i]));
}

function change({ set }: PolicyClause, route: NaiveRoute, ownAsn: number): NaiveRoute {
  const { prepend, nextHop } = set;
  const isOfFamily = (nextHop?.length === 4) === (route.prefix.address.length === 4);
  return {
    ...route,
    med: set.med ?? route.med,
    localPref: set.localPref ?? route.localPref,
    weight: set.weight ?? route.weight,
    asPath: prepend
      ? prependTo(
          route.asPath,
          new Array(prepend.count).fill(prepend.asn === 'own' ? ownAsn : prepend.asn),
        )
      : route.asPath,
    nextHop: nextHop && isOfFamily ? nextHop : route.nextHop,
    communities: edit(set.communities, route.communities),
    extendedCommunities: edit(set.extendedCommunities, route.extendedCommunities),
    largeCommunities: edit(set.largeCommunities, route.largeCommunities),
  };
}

function prependTo(path: readonly Segment[], asns: readonly number[]): Segment[] {
  const [first, ...rest] = path;
  if (first?.type !== 'sequence' || first.asns.length + asns.length > 255) {
    return [{ type: 'sequence', asns }, ...path];
  }
  return [{ type: 'sequence', asns: [...asns, ...first.asns] }, ...rest];
}

function edit(
  change: CommunityEdit | undefined,
  list: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (!change) return list;
  const { remove = [], add = [], replace } = change;
  const kept = replace
    ? []
    : list.filter((value) => !remove.some((pattern) => isMatched(pattern, value)));
  for (const { forms } of replace ?? add) {
    const { value } = forms[0]!;
    if (!kept.some((other) => Buffer.compare(other, value) === 0)) kept.push(value);
  }
  return kept;
}
