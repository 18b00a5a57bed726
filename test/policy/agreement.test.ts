// The policy engine against its naive twin: random policies and routes, through the trace (tryPolicy) and through the core's tables.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT, POLICY_FIRST } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { formatHex } from '../../src/net/hex.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { type Prefix, parsePrefix, prefixFamily } from '../../src/net/prefix.ts';
import {
  type CommunityKind,
  type CommunityPattern,
  parseCommunityPattern,
} from '../../src/policy/community-pattern.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { Policy, PolicyClause, PolicySet } from '../../src/policy/policy.ts';
import { hostsOf, type PrefixRange } from '../../src/policy/prefix-range.ts';
import { attribute, message } from '../core/updates.ts';
import { applyNaively, type NaiveRoute, type Segment } from '../naive/policy.ts';

const OWN_AS = 65000;
const POLICY = POLICY_FIRST;
const peerNames = ['tor-a', 'tor-b'];

// ---- a small world, so that conditions meet routes ----
const asn = fc.constantFrom(1, 12, 65001, 65002, 64999, 4200000001);
const number = fc.constantFrom(0, 1, 100, 4294967295);
const prefixTexts = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/9',
  '10.128.0.0/9',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.2.3/32',
  '255.255.255.255/32',
  '::/0',
  'fd00::/8',
  'fd00:1::/32',
  'fd00:1:2::/48',
  'fd00:1:2:3::/64',
  'fd00:1:2:3::1/128',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
];
const prefix: fc.Arbitrary<Prefix> = fc.constantFrom(
  ...prefixTexts.map((text) => parsePrefix(text)!),
);
const range: fc.Arbitrary<PrefixRange> = fc.tuple(prefix, fc.nat(), fc.nat()).map(([of, a, b]) => {
  const most = of.address.length * 8;
  const ge = of.length + (a % 3 === 0 ? 0 : a % (most - of.length + 1));
  return { prefix: of, ge, le: b % 3 === 0 ? ge : ge + (b % (most - ge + 1)) };
});
const nextHops = ['192.0.2.1', '192.0.2.129', '2001:db8::1', 'fd00::1'].map(
  (text) => parseIpAddress(text)!,
);
const segment: fc.Arbitrary<Segment> = fc.record({
  type: fc.constantFrom('sequence', 'sequence', 'sequence', 'set', 'confedSequence', 'confedSet'),
  asns: fc.array(asn, { minLength: 1, maxLength: 4 }),
});
const longSegment: fc.Arbitrary<Segment> = fc.record({
  type: fc.constant('sequence' as const),
  asns: fc.array(asn, { minLength: 250, maxLength: 255 }),
});
const texts: Record<CommunityKind, readonly string[]> = {
  standard: ['65001:100', '65001:200', '65002:100', 'no-export', '0:0'],
  extended: ['rt:65000:1', 'rt:65001:1', 'rt:4200000001:7', 'soo:10.0.0.1:5', '0x030b000000000009'],
  large: ['65001:1:1', '65001:1:2', '4294967295:0:9'],
};
const wild: Record<CommunityKind, readonly string[]> = {
  standard: ['65001:*', '*:100', '*:*'],
  extended: ['rt:65000:*', 'rt:*:1', 'soo:10.0.0.1:*', 'soo:*:*'],
  large: ['65001:*:*', '65001:1:*', '*:*:9'],
};

function community(kind: CommunityKind): fc.Arbitrary<CommunityPattern> {
  return fc.constantFrom(...texts[kind]).map((text) => parseCommunityPattern(kind, text)!);
}

function pattern(kind: CommunityKind): fc.Arbitrary<CommunityPattern> {
  return fc
    .constantFrom(...texts[kind], ...wild[kind])
    .map((text) => parseCommunityPattern(kind, text)!);
}

function list<T>(item: fc.Arbitrary<T>, maxLength = 3): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength });
}

function maybe<T>(item: fc.Arbitrary<T>, frequency = 4): fc.Arbitrary<T | undefined> {
  return fc.option(item, { nil: undefined, freq: frequency }).map((value) => value ?? undefined);
}

function rarely<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: item });
}

function condition(kind: CommunityKind) {
  return rarely(
    fc.record({
      any: maybe(list(pattern(kind))),
      all: rarely(list(pattern(kind))),
      none: rarely(list(pattern(kind))),
    }),
  );
}

function editOf(kind: CommunityKind): fc.Arbitrary<PolicySet['communities']> {
  return rarely(
    fc.oneof(
      fc.record({ remove: maybe(list(pattern(kind))), add: maybe(list(community(kind))) }),
      fc.record({ replace: fc.array(community(kind), { maxLength: 2 }) }),
    ),
  );
}

const clause: fc.Arbitrary<PolicyClause> = fc.record({
  match: fc.record({
    prefixes: rarely(list(range, 8)),
    asPath: rarely(
      fc
        .record({
          contains: maybe(list(asn)),
          origin: rarely(list(asn)),
          length: rarely(fc.record({ min: maybe(fc.nat(3)), max: maybe(fc.nat(6)) })),
          regex: rarely(
            fc.constantFrom(
              '_65001_',
              '^65001',
              '(_12)+$',
              '\\{.*1.*\\}',
              '^$',
              '^[0-9]+( [0-9]+)?$',
              '\\(',
            ),
          ),
        })
        .map(({ length, ...rest }) => (length ? { ...rest, length } : rest)),
    ),
    communities: condition('standard'),
    extendedCommunities: condition('extended'),
    largeCommunities: condition('large'),
    nextHop: rarely(
      list(
        fc
          .constantFrom('192.0.2.0/25', '192.0.2.1/32', 'fd00::/8', '::/0')
          .map((text) => hostsOf(parsePrefix(text)!)),
      ),
    ),
    family: rarely(list(fc.constantFrom<AddressFamily>('ipv4-unicast', 'ipv6-unicast'))),
    peer: rarely(list(fc.constantFrom(...peerNames))),
  }),
  set: fc.record({
    localPref: rarely(number),
    med: rarely(number),
    weight: rarely(number),
    prepend: rarely(
      fc.record({
        asn: fc.constantFrom<number | 'own'>('own', 65001, 4200000001),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    ),
    nextHop: rarely(fc.constantFrom(...nextHops)),
    communities: editOf('standard'),
    extendedCommunities: editOf('extended'),
    largeCommunities: editOf('large'),
  }),
  action: fc.constantFrom('accept', 'accept', 'next', 'next', 'reject'),
});

const policy: fc.Arbitrary<Policy> = fc.oneof(
  { weight: 9, arbitrary: fc.array(clause, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(clause, { minLength: 60, maxLength: 80 }) },
);

function values(kind: CommunityKind): fc.Arbitrary<Uint8Array[]> {
  return fc
    .uniqueArray(community(kind), { maxLength: 4, selector: ({ text }) => text })
    .map((all) => all.map(({ forms }) => forms[0]!.value));
}

const route: fc.Arbitrary<NaiveRoute> = fc
  .record({
    prefix,
    asPath: fc.oneof(
      { weight: 9, arbitrary: fc.array(segment, { maxLength: 3 }) },
      { weight: 1, arbitrary: fc.tuple(longSegment, segment) },
    ),
    v4: fc.constantFrom(nextHops[0]!, nextHops[1]!),
    v6: fc.constantFrom(nextHops[2]!, nextHops[3]!),
    med: maybe(number),
    localPref: maybe(number),
    communities: values('standard'),
    extendedCommunities: values('extended'),
    largeCommunities: values('large'),
    peer: fc.constantFrom(...peerNames),
  })
  .map(({ v4, v6, ...rest }) => ({
    ...rest,
    weight: 0,
    nextHop: rest.prefix.address.length === 4 ? v4 : v6,
  }));

describe('the engine', () => {
  let core: RouteCore;
  beforeAll(async () => {
    core = await loadCore();
  });

  it('makes of a route what its twin does, step by step', () => {
    fc.assert(
      fc.property(policy, fc.array(route, { minLength: 1, maxLength: 8 }), (clauses, routes) => {
        core.setPolicy(POLICY, compile(clauses));
        for (const each of routes) {
          const trial = core.tryPolicy(POLICY, {
            prefix: each.prefix,
            attributes: Uint8Array.from(attributesOf(each)),
            nextHop: each.nextHop,
            weight: each.weight,
            peer: nameId(each.peer),
          });
          const expected = applyNaively(clauses, each, OWN_AS);
          expect(trial.accepted).toBe(expected !== undefined);
          if (!expected) continue;
          expect(formatHex(trial.route!.attributes)).toBe(
            formatHex(Uint8Array.from(attributesOf(expected))),
          );
          expect(trial.route!.weight).toBe(expected.weight);
          expect(trial.route!.nextHop).toEqual(expected.nextHop);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('fills the tables as its twin does, keeps what was received, and follows a change', async () => {
    await fc.assert(
      fc.asyncProperty(
        policy,
        policy,
        fc.array(route, { minLength: 1, maxLength: 6 }),
        async (first, second, routes) => {
          const tables = await newTables();
          tables.setPolicy(POLICY, compile(first));
          // One UPDATE per route with several prefixes of its family: they take different ways through the policy.
          const announced = routes.map((each, index) => announce(tables, each, index));
          expectTables(tables, announced, first);
          tables.setPolicy(POLICY, compile(second));
          while (tables.work(3));
          expectTables(tables, announced, second);
          for (const id of [1, 2]) tables.updatePeer(id, peerOptions(id, POLICY_ACCEPT));
          while (tables.work(3));
          expectTables(tables, announced, [{ match: {}, set: {}, action: 'accept' }]);
          for (const id of [1, 2]) tables.closePeer(id, []);
          while (tables.work(100));
          tables.takeNextHopEvents();
          expect(tables.memory()).toMatchObject({ routeCount: 0, attributeSetCount: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface Announced {
  readonly route: NaiveRoute;
  readonly prefixes: readonly Prefix[];
}

/** Later routes take prefixes over from earlier ones of the same peer: what is left is what the tables must hold. */
function expectTables(core: RouteCore, announced: readonly Announced[], clauses: Policy): void {
  const expected = new Map<string, string>();
  for (const { route: each, prefixes } of announced) {
    for (const of of prefixes) {
      const out = applyNaively(clauses, { ...each, prefix: of }, OWN_AS);
      const received = `received ${formatHex(Uint8Array.from(attributesOf(each)))}`;
      const text = out
        ? `${formatHex(Uint8Array.from(attributesOf(out)))} ${formatHex(out.nextHop)} ${out.weight}`
        : 'rejected';
      expected.set(`${each.peer} ${formatHex(of.address)}/${of.length}`, `${received} ${text}`);
    }
  }
  const seen = new Map<string, string>();
  for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
    const query = { network: 1, family, stage: 'adj-rib-in', match: { kind: 'all' } } as const;
    for (const row of core.routes(query, undefined, 1000).rows) {
      const { attributes, received } = row;
      const text =
        row.reason === 'rejected by import policy'
          ? 'rejected'
          : `${formatHex(attributes.bytes)} ${formatHex(attributes.nextHop)} ${attributes.weight}`;
      const key = `${peerNames[row.peer - 1]} ${formatHex(row.prefix!.address)}/${row.prefix!.length}`;
      seen.set(key, `received ${formatHex(received.bytes)} ${text}`);
    }
  }
  expect(new Map([...seen].sort())).toEqual(new Map([...expected].sort()));
}

function announce(core: RouteCore, each: NaiveRoute, index: number): Announced {
  const family = prefixFamily(each.prefix);
  // What no peer may announce is for tryPolicy alone.
  const prefixes = prefixTexts
    .filter((text) => !/^(255|ffff)/.test(text))
    .map((text) => parsePrefix(text)!)
    .filter((of, i) => prefixFamily(of) === family && (i + index) % 2 === 0);
  const nlri = prefixes.flatMap(({ address, length }) => [
    length,
    ...address.subarray(0, (length + 7) >> 3),
  ]);
  const isIpv4 = family === 'ipv4-unicast';
  const hop = isIpv4
    ? attribute(0x40, 3, [...each.nextHop])
    : attribute(0x90, 14, [0, 2, 1, 16, ...each.nextHop, 0, ...nlri]);
  const attributes = [...attributesOf(each), ...hop];
  const size = (length: number) => [length >> 8, length & 255];
  const body = [0, 0, ...size(attributes.length), ...attributes, ...(isIpv4 ? nlri : [])];
  const result = core.receive(nameId(each.peer), message(2, body), 1);
  expect(result.announcedCount).toBe(prefixes.length);
  return { route: each, prefixes };
}

async function newTables(): Promise<RouteCore> {
  const core = await loadCore({ maximumBytes: 32 << 20 });
  core.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: true });
  for (const id of [1, 2]) {
    core.addPeer(id, peerOptions(id, POLICY));
    core.openPeer(id, {
      routerId: id,
      fourOctetAs: true,
      maxMessageBytes: 65535,
      families: ['ipv4-unicast', 'ipv6-unicast'],
      addPath: [],
    });
  }
  return core;
}

function peerOptions(id: number, importPolicy: number) {
  return {
    network: 1,
    address: Uint8Array.of(10, 0, 0, id),
    asn: OWN_AS,
    localAsn: OWN_AS,
    localRouterId: 9,
    interfaceIndex: 0,
    nameId: id,
    importPolicy,
    enforceFirstAs: false,
    maxPrefixes: {},
  };
}

function compile(clauses: Policy): Uint8Array {
  return compilePolicy(clauses, { asn: OWN_AS, peer: nameId }).bytes;
}

function nameId(name: string): number {
  return peerNames.indexOf(name) + 1;
}

/** Canonical attributes, by hand from the RFCs. */
function attributesOf(each: NaiveRoute): number[] {
  const types = { set: 1, sequence: 2, confedSequence: 3, confedSet: 4 };
  const path = each.asPath.flatMap(({ type, asns }) => [
    types[type],
    asns.length,
    ...asns.flatMap(bytes),
  ]);
  const flat = (all: readonly Uint8Array[]) => all.flatMap((value) => [...value]);
  return [
    ...attribute(0x40, 1, [0]),
    ...attribute(path.length > 255 ? 0x50 : 0x40, 2, path),
    ...(each.med === undefined ? [] : attribute(0x80, 4, bytes(each.med))),
    ...(each.localPref === undefined ? [] : attribute(0x40, 5, bytes(each.localPref))),
    ...(each.communities.length ? attribute(0xc0, 8, flat(each.communities)) : []),
    ...(each.extendedCommunities.length ? attribute(0xc0, 16, flat(each.extendedCommunities)) : []),
    ...(each.largeCommunities.length ? attribute(0xc0, 32, flat(each.largeCommunities)) : []),
  ];
}

function bytes(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
