// The keys of policies and prefix lists: clauses with their conditions and changes, every text turned into the value it stands for.
import { z } from 'zod';
import { isLinkLocal, parseIpAddress } from '../net/ip-address.ts';
import { comparePrefixes, formatPrefix, parsePrefix } from '../net/prefix.ts';
import { compilePathExpression } from '../policy/automaton.ts';
import {
  type CommunityKind,
  type CommunityPattern,
  parseCommunityPattern,
} from '../policy/community-pattern.ts';
import { ExpressionError } from '../policy/path-expression.ts';
import type { Policy } from '../policy/policy.ts';
import {
  formatPrefixRange,
  hostsOf,
  type PrefixRange,
  parsePrefixRange,
} from '../policy/prefix-range.ts';
import { asNumber, ipAddress, name, text } from './values.ts';

/** Most members of a list inside a clause; prefix lists have no limit. */
const MOST_MEMBERS = 64;
const MOST_CLAUSES = 1024;

const uint32 = z.int().min(0).max(0xffff_ffff);

/** One value or a list of them; what it means is a list. The list comes first: printing goes the other way. */
function oneOrMany<Item extends z.ZodType>(item: Item) {
  const many = z.array(item).min(1).max(MOST_MEMBERS);
  return z.codec(z.union([many, item]), z.array(z.custom<z.output<Item>>()), {
    decode: (seen) => (Array.isArray(seen) ? seen : [seen as z.output<Item>]),
    encode: (values) => values as z.output<typeof many>,
  });
}

/** A prefix with `ge` and `le`, its host bits clear. */
const prefixRange = text<PrefixRange>(
  'a prefix with its host bits clear, and `ge` and `le` no shorter (172.20.0.0/14 ge 16 le 24)',
  (seen) => {
    const range = parsePrefixRange(seen);
    const address = parseIpAddress(seen.slice(0, Math.max(0, seen.indexOf('/'))));
    if (range === undefined || address === undefined) return undefined;
    return comparePrefixes({ ...range.prefix, address }, range.prefix) === 0 ? range : undefined;
  },
  formatPrefixRange,
);

/** The name of a prefix list, until parse.ts has put its lines in its place. */
interface ListName {
  readonly list: string;
}

const listName = z.codec(
  name,
  z.custom<ListName>((value) => isListName(value)),
  {
    decode: (list): ListName => ({ list }),
    encode: ({ list }) => list,
  },
);

function isListName(value: unknown): value is ListName {
  return typeof value === 'object' && value !== null && 'list' in value;
}

/** Told apart by the slash: a name has none. */
const prefixCondition = z.codec(z.string(), z.custom<PrefixRange | ListName>(), {
  decode: (seen, context) => {
    const result = seen.includes('/')
      ? z.safeDecode(prefixRange, seen)
      : z.safeDecode(listName, seen);
    if (result.success) return result.data;
    const message =
      'must be a prefix with its host bits clear (172.20.0.0/14 le 24) or a prefix list';
    context.issues.push({ code: 'custom', message, input: seen });
    return z.NEVER;
  },
  encode: (value) => (isListName(value) ? value.list : formatPrefixRange(value)),
});

/** An address or a prefix: every next hop inside. */
const nextHopCondition = text<PrefixRange>(
  'an address or a prefix (192.0.2.1, 192.0.2.0/24)',
  (seen) => {
    const prefix = parsePrefix(seen);
    return prefix && hostsOf(prefix);
  },
  ({ prefix }) => formatPrefix(prefix),
);

const examples: Readonly<Record<CommunityKind, string>> = {
  standard: '65001:100, 65001:*, no-export',
  extended: 'rt:65000:100, soo:10.0.0.1:*, 0x030b000000000001',
  large: '65001:1:2, 65001:1:*',
};

function pattern(kind: CommunityKind) {
  return text<CommunityPattern>(
    `a community (${examples[kind]})`,
    (seen) => parseCommunityPattern(kind, seen),
    (value) => value.text,
  );
}

function communityCondition(kind: CommunityKind) {
  const patterns = z.array(pattern(kind)).min(1).max(MOST_MEMBERS);
  const sides = z.strictObject({
    any: patterns.optional().describe('A community of the route is one of these.'),
    all: z
      .array(pattern(kind))
      .min(1)
      .max(MOST_MEMBERS / 4)
      .optional()
      .describe('Each of these is a community of the route.'),
    none: patterns.optional().describe('No community of the route is one of these.'),
  });
  return z.codec(z.union([sides, patterns]), z.custom<z.output<typeof sides>>(), {
    decode: (seen) => (Array.isArray(seen) ? { any: seen } : seen),
    encode: (value) => value,
  });
}

/** One community, for where there is nothing to match. */
export function communityValue(kind: CommunityKind) {
  return pattern(kind).refine(({ hasWildcard }) => !hasWildcard, {
    error: 'must have no wildcard here',
  });
}

function communityEdit(kind: CommunityKind) {
  const values = z.array(communityValue(kind)).max(MOST_MEMBERS);
  return z
    .strictObject({
      remove: z
        .array(pattern(kind))
        .max(MOST_MEMBERS)
        .optional()
        .describe('Taken away first; wildcards are welcome.'),
      add: values.optional().describe('Added where it is not there yet.'),
      replace: values.optional().describe('In the place of all there are; empty: none.'),
    })
    .refine(({ remove, add, replace }) => replace === undefined || !(remove ?? add), {
      error: 'must have either replace, or remove and add',
    });
}

const pathExpression = z.string().check(({ value, issues }) => {
  try {
    compilePathExpression(value);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    issues.push({ code: 'custom', message: error.message, input: value });
  }
});

const asPath = z.strictObject({
  contains: oneOrMany(asNumber).optional().describe('One of these is anywhere in the path.'),
  origin: oneOrMany(asNumber).optional().describe('The path began in one of these.'),
  length: z
    .strictObject({ min: uint32.optional(), max: uint32.optional() })
    .refine(({ min = 0, max = 0xffff_ffff }) => min <= max, { error: 'must have min ≤ max' })
    .optional()
    .describe('Hops, counted as the decision process does: a set is one.'),
  regex: pathExpression
    .optional()
    .describe('On the text of the path, `65001 64999 {1,2}`; `_` is a border of numbers.'),
});

const match = z.strictObject({
  prefixes: z
    .array(prefixCondition)
    .min(1)
    .optional()
    .describe('Prefixes with `ge` and `le`, and names of prefix lists; one of them must match.'),
  asPath: asPath.optional().describe('AS_PATH.'),
  communities: communityCondition('standard').optional().describe('Communities (RFC 1997).'),
  extendedCommunities: communityCondition('extended')
    .optional()
    .describe('Extended communities (RFC 4360).'),
  largeCommunities: communityCondition('large')
    .optional()
    .describe('Large communities (RFC 8092).'),
  nextHop: oneOrMany(nextHopCondition).optional().describe('Addresses or prefixes.'),
  family: oneOrMany(z.enum(['ipv4-unicast', 'ipv6-unicast']))
    .optional()
    .describe('Address family of the prefix.'),
  peer: oneOrMany(name)
    .optional()
    .describe('Peers the route came from, or goes to in an export policy.'),
});

const prepend = z.strictObject({
  asn: z
    .union([asNumber, z.literal('own')])
    .default('own')
    .describe('AS number, or ours.'),
  count: z.int().min(1).max(32).default(1).describe('How often.'),
});

const set = z.strictObject({
  localPref: uint32.optional().describe('LOCAL_PREF.'),
  med: uint32.optional().describe('MULTI_EXIT_DISC.'),
  weight: uint32
    .optional()
    .describe('Decides before LOCAL_PREF, and only here: it is told to nobody.'),
  prepend: prepend.optional().describe('AS numbers put in front of AS_PATH.'),
  nextHop: ipAddress
    .refine((address) => !isLinkLocal(address) && address.some((byte) => byte !== 0), {
      error: 'must be an address that is valid on every link',
    })
    .optional()
    .describe('Next hop, for prefixes of its own address family.'),
  communities: communityEdit('standard').optional().describe('Communities (RFC 1997).'),
  extendedCommunities: communityEdit('extended')
    .optional()
    .describe('Extended communities (RFC 4360).'),
  largeCommunities: communityEdit('large').optional().describe('Large communities (RFC 8092).'),
});

const clause = z
  .strictObject({
    match: match.default({}).describe('All conditions must hold; none: every route.'),
    set: set.default({}).describe('What is changed on the way.'),
    action: z
      .enum(['accept', 'reject', 'next'])
      .describe('The verdict; `next` goes on to the next clause with what was set.'),
  })
  .refine(({ set: changes, action }) => action !== 'reject' || Object.keys(changes).length === 0, {
    error: 'must have no `set` where the action is reject',
  });

export const policiesSchema = z
  .record(name, z.array(clause).min(1).max(MOST_CLAUSES))
  .describe('Import and export policies by name. What no clause decides is rejected.');

export const prefixListsSchema = z
  .record(name, z.array(prefixRange))
  .describe('Prefix lists by name, for `prefixes` of policies.');

type ParsedPolicies = z.output<typeof policiesSchema>;
type PrefixLists = z.output<typeof prefixListsSchema>;

/** Puts the lines of prefix lists in the place of their names. */
export function resolvePrefixLists(
  policies: ParsedPolicies,
  lists: PrefixLists,
): Readonly<Record<string, Policy>> {
  return Object.fromEntries(
    Object.entries(policies).map(([policyName, clauses]) => [
      policyName,
      clauses.map((each) => ({ ...each, match: resolveMatch(each.match, lists) })),
    ]),
  );
}

function resolveMatch({ prefixes, ...others }: z.output<typeof match>, lists: PrefixLists) {
  if (prefixes === undefined) return others;
  return {
    ...others,
    prefixes: prefixes.flatMap((each) => (isListName(each) ? lists[each.list]! : [each])),
  };
}
