// Two readers of the same bytes: the core's parser, and the decoder for people. They must agree on every UPDATE the core accepts,
// real or mutated; and neither may stumble over anything.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeAttributes } from '../../../src/bgp/attributes/describe.ts';
import { describeMessage, messageLength } from '../../../src/bgp/messages/describe.ts';
import type { DescribedUpdate } from '../../../src/bgp/messages/describe-update.ts';
import { type DescribedRoute, describeRoutes } from '../../../src/bgp/nlri/describe.ts';
import { ByteReader } from '../../../src/net/byte-reader.ts';
import { formatPrefix, type Prefix } from '../../../src/net/prefix.ts';
import {
  bytesOf,
  dataDirectory,
  dataFiles,
  type Fixture,
  fixtureFiles,
  readFixtures,
  readWhole,
} from '../../fixture-data.ts';
import { type Context, loadParser, type RouteList, type View } from './parser.ts';

const families = ['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn'];
const UPDATE = 2;

let parse: (message: Uint8Array, context?: Context) => View;
beforeAll(async () => {
  parse = await loadParser();
});

const fixtureLists = [...fixtureFiles('fixtures'), ...fixtureFiles('lab')];

describe.skipIf(fixtureLists.length === 0)(`UPDATEs of ${dataDirectory}`, () => {
  for (const file of fixtureLists) {
    it(`reads those of ${file} as the decoder does`, async () => {
      for (const fixture of (await readFixtures(file)).filter(isUpdate)) {
        const context = contextOf(fixture);
        const message = bytesOf(fixture);
        expectAgreement(parse(message, context), message, context, fixture.name);
      }
    });

    it(`judges those of ${file} as they say`, async () => {
      for (const fixture of (await readFixtures(file)).filter(isUpdate)) {
        expectVerdict(parse(bytesOf(fixture), contextOf(fixture)), fixture);
      }
    });
  }

  it('survives mutations of every fixture, and agrees on what it accepts', async () => {
    const fixtures = (await Promise.all(fixtureLists.map(readFixtures))).flat().filter(isUpdate);
    const mutation = fc.record({
      fixture: fc.nat({ max: fixtures.length - 1 }),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      cut: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(mutation, ({ fixture: index, changes, cut }) => {
        const fixture = fixtures[index]!;
        const context = contextOf(fixture);
        const message = mutated(bytesOf(fixture), changes, cut);
        expectAgreement(parse(message, context), message, context, fixture.name);
      }),
      { numRuns: 5000 },
    );
  });
});

const corpora = fixtureFiles('fuzz');

describe.skipIf(corpora.length === 0)(`fuzz corpus of ${dataDirectory}`, () => {
  it.each(corpora)('%s ends neither reader', async (file) => {
    for (const fixture of await readFixtures(file)) {
      for (const message of messagesOf(bytesOf(fixture))) {
        for (const context of [{}, { fourOctetAs: false, addPath: [0, 1, 2] }]) {
          expectAgreement(parse(message, context), message, context, fixture.name);
        }
      }
    }
  });
});

const streams = dataFiles('bulk', /\.bgp(\.xz)?$/);

describe.skipIf(streams.length === 0)(`streams of ${dataDirectory}`, () => {
  it.each(streams)('%s is read alike', async (file) => {
    for (const message of messagesOf(await readWhole(file))) {
      if (message[18] !== UPDATE) continue;
      const view = parse(message);
      expect(view.outcome).toBe('accept');
      expectAgreement(view, message, {}, file);
    }
  });
});

function isUpdate({ kind }: Fixture): boolean {
  return kind === 'update';
}

function contextOf({ context }: Fixture): Context {
  return {
    fourOctetAs: context?.asn4 !== false,
    addPath: families.flatMap((name, index) => (context?.addpath?.includes(name) ? [index] : [])),
    session: context?.session ?? 'ibgp',
    localAsn: context?.local_as ?? 0,
    peerAsn: context?.peer_as ?? 0,
  };
}

function mutated(
  bytes: Uint8Array,
  changes: readonly (readonly [number, number])[],
  cut: number | null,
): Uint8Array {
  const message = bytes.slice(0, cut === null ? undefined : 19 + (cut % (bytes.length - 18)));
  for (const [position, value] of changes) {
    if (message.length > 19) message[19 + (position % (message.length - 19))] = value;
  }
  new DataView(message.buffer).setUint16(16, message.length);
  return message;
}

/** Messages back to back; what is not one is handed over as it is. */
function* messagesOf(stream: Uint8Array): Generator<Uint8Array> {
  let rest = stream;
  while (rest.length > 0) {
    const length = messageLength(rest) ?? rest.length;
    yield rest.subarray(0, length);
    rest = rest.subarray(length);
  }
}

function expectAgreement(view: View, message: Uint8Array, context: Context, name: string): void {
  const decodeContext = {
    fourOctetAs: context.fourOctetAs ?? true,
    addPath: new Set((context.addPath ?? []).map((index) => families[index]!)),
  };
  if (message.length < 19) return;
  const described = describeMessage(message, decodeContext);
  if (described.type !== 'update' || message[18] !== UPDATE) return;
  if (view.outcome !== 'accept' && view.outcome !== 'attribute-discard') return;
  expect(listed(view.nlri, view.reach), name).toEqual(carried(described.announced).sort());
  expect(listed(view.withdrawn, view.unreach), name).toEqual(carried(described.withdrawn).sort());
  expectFacts(view, described, name);
}

/** The core's routes in the decoder's words. Unicast keys are prefixes; EVPN keys leave out what is not key. */
function listed(...lists: readonly (RouteList | undefined)[]): string[] {
  return lists
    .flatMap(
      (list) => list?.routes.map((route) => [families[list.family], ...words(list, route)]) ?? [],
    )
    .map((parts) => parts.join(' '))
    .sort();
}

function words(
  list: RouteList,
  { bits, key, pathId, payload }: RouteList['routes'][number],
): string[] {
  const id = String(pathId);
  if (list.family === 2) return [id, ...evpnWords(key, payload)];
  const address = new Uint8Array(list.family === 0 ? 4 : 16);
  address.set(key);
  const prefix: Prefix = { address, length: bits };
  return [id, formatPrefix(prefix)];
}

/** Puts key and payload together again as the wire had them, for the decoder to read. */
function evpnWords(key: Uint8Array, payload: Uint8Array): string[] {
  const [type = 0, ...fields] = key;
  const value = Uint8Array.from(wireValue(type, fields, [...payload]));
  const routes: DescribedRoute[] = [];
  const wire = Uint8Array.of(type, value.length, ...value);
  describeRoutes(new ByteReader(wire), 25, 70, false, routes);
  return [JSON.stringify({ ...routes[0], family: undefined })];
}

function wireValue(type: number, key: number[], payload: number[]): number[] {
  const distinguisher = key.slice(0, 8);
  const rest = key.slice(8);
  switch (type) {
    case 1:
      return [...key, ...payload];
    case 2: {
      const [tag, mac] = [rest.slice(0, 4), rest.slice(4)];
      return [...distinguisher, ...payload.slice(0, 10), ...tag, 48, ...mac, ...payload.slice(10)];
    }
    case 5:
      return [...distinguisher, ...payload.slice(0, 10), ...rest, ...payload.slice(10)];
    default:
      return key;
  }
}

/** Routes of the families the core carries, EVPN types it knows, and no multicast prefixes, which it ignores. */
function carried(routes: readonly DescribedRoute[]): string[] {
  return routes
    .filter(({ family, prefix, routeType, routeTypeName }) => {
      if (!families.includes(family)) return false;
      return routeType === undefined ? !isMulticast(prefix!) : routeTypeName !== undefined;
    })
    .map(({ family, pathId = 0, prefix, ...route }) => {
      if (family !== 'l2vpn-evpn') return `${family} ${pathId} ${prefix}`;
      const { nextHop: _, linkLocalNextHop: __, ...evpn } = route as Record<string, unknown>;
      const whole = prefix === undefined ? evpn : { ...evpn, prefix };
      return `${family} ${pathId} ${JSON.stringify(inOrder(whole))}`;
    });
}

/** The decoder's order of fields, which taking `prefix` out and back has changed. */
function inOrder(route: Record<string, unknown>): Record<string, unknown> {
  const { gateway, labels, prefix, ...first } = route;
  return prefix === undefined ? route : { ...first, prefix, gateway, labels };
}

function isMulticast(prefix: string): boolean {
  const [address = '', length = '0'] = prefix.split('/');
  if (address.includes(':'))
    return /^ff/i.test(address) && address.indexOf(':') === 4 && Number(length) >= 8;
  const first = Number(address.split('.')[0]);
  return first >= 224 && first < 240 && Number(length) >= 4;
}

function expectFacts(view: View, described: DescribedUpdate, name: string): void {
  if (described.announced.length === 0) return;
  const canonical = describeAttributes(view.attributes, { fourOctetAs: true, addPath: new Set() });
  expect(canonical.errors, name).toEqual([]);
  const { origin, communities, med } = described.attributes;
  expect(canonical.attributes.origin, name).toBe(origin);
  expect(canonical.attributes.communities, name).toEqual(communities);
  expect(canonical.attributes.med, name).toBe(med);
}

function expectVerdict(view: View, { name, context = {}, expect: expected }: Fixture): void {
  const { error } = expected;
  if (error && outcomes.includes(error.class)) {
    expect(view.outcome, name).toBe(error.class);
    if (error.attr) expect(view.errorAttribute, name).toBe(error.attr);
    if (error.notification) {
      expect([view.errorCode, view.errorSubcode], name).toEqual(error.notification);
    }
  } else if (!error) expect(view.outcome, name).toBe(soundOutcome(expected, context));
}

const outcomes = ['attribute-discard', 'treat-as-withdraw', 'session-reset'];

/**
 * What RFC 7606 makes of a message that reads well: some of the data is decoded without a fault and still no UPDATE a session
 * accepts. `expect` alone decides here, not the core.
 */
function soundOutcome(
  { announce, attrs = {} }: Fixture['expect'],
  { asn4, session }: NonNullable<Fixture['context']>,
): string {
  // RFC 4271 §6.3: an unrecognised attribute that is not optional
  if (attrs.other?.some(({ flags }: { flags: number }) => (flags & 0x80) === 0))
    return 'session-reset';
  // RFC 7606 §7.11: an IPv6 prefix by a next hop of four bytes
  if (attrs.mp_reach?.family === 'ipv6-unicast' && attrs.mp_reach.nexthop.includes('.')) {
    return attrs.mp_reach.nexthop.includes(':') ? 'accept' : 'session-reset';
  }
  // RFC 7606 §3 (g), §7.5, §7.9, §7.10, RFC 6793 §4.1
  const isInternal = attrs.local_pref ?? attrs.originator_id ?? attrs.cluster_list;
  const isDiscarded =
    attrs.duplicate ||
    (session === 'ebgp' && isInternal !== undefined) ||
    (asn4 !== false && (attrs.as4_path || attrs.as4_aggregator));
  const sound = isDiscarded ? 'attribute-discard' : 'accept';
  if (announce.length === 0) return sound;
  const isBody = announce.some(({ family }: { family: string }) => family === 'ipv4-unicast');
  const usesNextHop = isBody && attrs.mp_reach?.family !== 'ipv4-unicast';
  // RFC 7606 §3 (d)
  if (!attrs.origin || !attrs.as_path || (usesNextHop && !attrs.next_hop))
    return 'treat-as-withdraw';
  // RFC 4271 §6.3: no host address
  if (usesNextHop && /^(0|127|22[4-9]|2[345]\d)\./.test(attrs.next_hop)) return 'treat-as-withdraw';
  if (attrs.mp_reach?.family.endsWith('unicast') && attrs.mp_reach.nexthop === '::1') {
    return 'treat-as-withdraw';
  }
  // RFC 7607 §2
  const asns = (attrs.as_path as [string, number[]][]).flatMap(([, members]) => members);
  return asns.includes(0) ? 'treat-as-withdraw' : sound;
}
