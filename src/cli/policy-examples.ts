// Examples of what a policy does: read from YAML, tried in a core of their own, compared with what they expect.
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { PolicyTable } from '../agent/policy-table.ts';
import { asSequence } from '../bgp/attributes/as-path.ts';
import { describeAttributes } from '../bgp/attributes/describe.ts';
import { encodeAttributes } from '../bgp/attributes/encode.ts';
import type { Config } from '../config/config.ts';
import { formatPath } from '../config/problem.ts';
import { asNumber, ipAddress, name, prefix, text } from '../config/values.ts';
import { type ExplainedClause, explainClauses } from '../control/explanation.ts';
import type { PolicyTrial } from '../core/policy-trial.ts';
import type { RouteCore } from '../core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../net/ip-address.ts';
import { type CommunityKind, parseCommunityPattern } from '../policy/community-pattern.ts';

const uint32 = z.int().min(0).max(0xffff_ffff);

/** A community as it is written, and as bytes. */
function community(kind: CommunityKind) {
  return text<Uint8Array>(
    `a ${kind} community`,
    (seen) => {
      const pattern = parseCommunityPattern(kind, seen);
      return pattern === undefined || pattern.hasWildcard ? undefined : pattern.forms[0]!.value;
    },
    (value) => Buffer.from(value).toString('hex'),
  );
}

const path = z.array(z.union([asNumber, z.strictObject({ set: z.array(asNumber).min(1) })]));

const attributes = {
  asPath: path.optional(),
  nextHop: ipAddress.optional(),
  med: uint32.optional(),
  localPref: uint32.optional(),
  weight: uint32.optional(),
  communities: z.array(community('standard')).optional(),
  extendedCommunities: z.array(community('extended')).optional(),
  largeCommunities: z.array(community('large')).optional(),
};

const example = z.strictObject({
  name: z.string().min(1).optional(),
  policy: name,
  route: z.strictObject({
    prefix,
    peer: name.optional(),
    origin: z.enum(['igp', 'egp', 'incomplete']).default('igp'),
    ...attributes,
  }),
  expect: z.strictObject({ action: z.enum(['accept', 'reject']), ...attributes }),
});

const exampleFile = z.strictObject({ tests: z.array(example).min(1) });

export type PolicyExample = z.output<typeof example>;

export interface ExampleResult {
  readonly example: string;
  readonly policy: string;
  readonly passed: boolean;
  /** What is other than expected. */
  readonly differences: readonly {
    readonly field: string;
    readonly expected: string;
    readonly seen: string;
  }[];
  readonly clauses: readonly ExplainedClause[];
}

/** Throws an Error that names the path of each problem. */
export function readExamples(yaml: string): readonly PolicyExample[] {
  const document = parseDocument(yaml);
  const [fault] = document.errors;
  if (fault) throw new Error(`not YAML: ${fault.message}`);
  const parsed = exampleFile.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data.tests;
  const problems = parsed.error.issues.map(
    (issue) => `${formatPath(issue.path as (string | number)[])}: ${issue.message}`,
  );
  throw new Error(problems.join('\n'));
}

/** Tries examples one after the other; the core is theirs. */
export function tryExamples(
  core: RouteCore,
  config: Config,
  examples: readonly PolicyExample[],
): ExampleResult[] {
  const policies = new PolicyTable(core, config.bgp.asn);
  policies.configure(config);
  return examples.map((each, index) => tryExample(policies, config, each, index));
}

function tryExample(
  policies: PolicyTable,
  config: Config,
  { name: given, policy, route, expect }: PolicyExample,
  index: number,
): ExampleResult {
  const known = ['accept', 'reject', ...Object.keys(config.policies)];
  if (!known.includes(policy)) {
    throw new Error(`tests[${index}].policy: must be one of ${known.join(', ')}, is ${policy}`);
  }
  const size = route.prefix.address.length;
  const nextHop = route.nextHop ?? parseIpAddress(size === 4 ? '192.0.2.1' : '2001:db8::1')!;
  const { weight = 0 } = route;
  const tried = { prefix: route.prefix, attributes: encode(route, nextHop), nextHop, weight };
  const trial = policies.try(policy, tried, route.peer);
  const entry = policies.get(policy);
  const differences = compare(expect, trial);
  return {
    example: given ?? `${index + 1}`,
    policy,
    passed: differences.length === 0,
    differences,
    clauses: explainClauses(trial, entry?.policy, entry?.compiled.conditions ?? []),
  };
}

function encode(route: PolicyExample['route'], nextHop: Uint8Array): Uint8Array {
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);
  const encoded = encodeAttributes(
    {
      origin: route.origin,
      asPath: segments(route.asPath ?? []),
      nextHop,
      med: route.med,
      localPref: route.localPref,
      communities: route.communities?.map((each) => view(each).getUint32(0)),
      extendedCommunities: route.extendedCommunities,
      largeCommunities: route.largeCommunities?.map((each) => {
        const large = view(each);
        return [large.getUint32(0), large.getUint32(4), large.getUint32(8)] as const;
      }),
    },
    { fourOctetAs: true },
    false,
  );
  return encoded;
}

function segments(asPath: z.output<typeof path>) {
  return asPath.flatMap((each) =>
    typeof each === 'number' ? asSequence([each]) : [{ type: 'set' as const, asns: each.set }],
  );
}

/** Only what is expected is compared: an example need not say everything. */
function compare(
  { action, ...expected }: PolicyExample['expect'],
  { accepted, route }: PolicyTrial,
): { field: string; expected: string; seen: string }[] {
  const seenAction = accepted ? 'accept' : 'reject';
  if (action !== seenAction) return [{ field: 'action', expected: action, seen: seenAction }];
  if (route === undefined) return [];
  const seen = describe(route);
  return Object.entries(describeExpected(expected)).flatMap(([field, value]) =>
    value === undefined || value === seen[field]
      ? []
      : [{ field, expected: value || 'none', seen: seen[field] || 'none' }],
  );
}

type Texts = Record<string, string | undefined>;

function describe({
  attributes: bytes,
  nextHop,
  weight,
}: NonNullable<PolicyTrial['route']>): Texts {
  const context = { fourOctetAs: true, addPath: new Set<string>() };
  const { attributes: seen } = describeAttributes(bytes, context);
  return {
    asPath: pathText(seen.asPath ?? []),
    nextHop: nextHop && formatIpAddress(nextHop),
    med: numberText(seen.med),
    localPref: numberText(seen.localPref),
    weight: `${weight}`,
    communities: (seen.communities ?? []).join(' '),
    extendedCommunities: (seen.extendedCommunities ?? []).map((each) => each.hex).join(' '),
    largeCommunities: (seen.largeCommunities ?? []).join(' '),
  };
}

function describeExpected(expected: Omit<PolicyExample['expect'], 'action'>): Texts {
  const words = (bytes: Uint8Array, size: number) =>
    Array.from({ length: bytes.length / size }, (_, i) =>
      Number.parseInt(Buffer.from(bytes.subarray(i * size, (i + 1) * size)).toString('hex'), 16),
    ).join(':');
  return {
    asPath: expected.asPath && pathText(expected.asPath),
    nextHop: expected.nextHop && formatIpAddress(expected.nextHop),
    med: numberText(expected.med),
    localPref: numberText(expected.localPref),
    weight: numberText(expected.weight),
    communities: expected.communities?.map((each) => words(each, 2)).join(' '),
    extendedCommunities: expected.extendedCommunities
      ?.map((each) => Buffer.from(each).toString('hex'))
      .join(' '),
    largeCommunities: expected.largeCommunities?.map((each) => words(each, 4)).join(' '),
  };
}

function numberText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value}`;
}

function pathText(asPath: readonly (number | object)[]): string {
  return asPath
    .map((each) =>
      typeof each === 'number' ? `${each}` : `{${(Object.values(each)[0] as number[]).join(' ')}}`,
    )
    .join(' ');
}
