// The decision process through the whole core, against the RFC's own wording (test/naive/best-path.ts), in any order of arrival.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_ACCEPT, POLICY_REJECT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import { decisionReasons, describeDecision } from '../../src/core/decision-reasons.ts';
import type { CorePeer } from '../../src/core/peers.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { type Candidate, decide, type Options } from '../naive/best-path.ts';
import { announcement, withdrawal } from './updates.ts';

const PREFIX = '203.0.113.0/24';
const LOCAL_AS = 65000;
const LOCAL_ROUTER_ID = 77;
const NEXT_HOPS = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];

interface PeerFacts {
  readonly id: number;
  readonly address: string;
  readonly asn: number;
  readonly routerId: number;
  readonly addPath: boolean;
  readonly rejects: boolean;
}

const peers: readonly PeerFacts[] = [
  { id: 1, address: '10.0.0.9', asn: 65001, routerId: 5, addPath: false, rejects: false },
  { id: 2, address: '10.0.0.10', asn: 65001, routerId: 5, addPath: false, rejects: false },
  { id: 3, address: '10.0.0.3', asn: 65002, routerId: 3, addPath: true, rejects: false },
  { id: 4, address: '10.0.0.4', asn: LOCAL_AS, routerId: 4, addPath: true, rejects: false },
  { id: 5, address: '10.0.0.5', asn: LOCAL_AS, routerId: 9, addPath: false, rejects: false },
  { id: 6, address: '200.0.0.6', asn: 65003, routerId: 1, addPath: false, rejects: true },
];

interface Announced {
  readonly peer: PeerFacts;
  readonly pathId: number;
  readonly asPath: readonly number[];
  readonly origin: number;
  readonly med: number | undefined;
  readonly localPref: number;
  readonly originatorId: number | undefined;
  readonly clusterList: readonly number[];
  readonly nextHop: string;
}

interface NextHopState {
  readonly resolved: boolean;
  readonly metric: number;
}

const announced: fc.Arbitrary<Announced> = fc.record({
  peer: fc.constantFrom(...peers),
  pathId: fc.integer({ min: 1, max: 3 }),
  asPath: fc.constantFrom([65001], [65002], [65001, 7], [65002, 7], [65001, 8], [65001, LOCAL_AS]),
  origin: fc.constantFrom(0, 0, 2),
  med: fc.constantFrom(undefined, 0, 5, 10),
  localPref: fc.constantFrom(100, 100, 100, 200),
  originatorId: fc.constantFrom(undefined, undefined, 4, 6, LOCAL_ROUTER_ID),
  clusterList: fc.constantFrom([], [], [1], [1, 2]),
  nextHop: fc.constantFrom(...NEXT_HOPS),
});

const routeSet = fc.uniqueArray(announced, {
  maxLength: 12,
  selector: ({ peer, pathId }) => (peer.addPath ? `${peer.id}/${pathId}` : `${peer.id}`),
});

const nextHopStates = fc.tuple(
  ...NEXT_HOPS.map(() =>
    fc.record({
      resolved: fc.constantFrom(true, true, true, false),
      metric: fc.constantFrom(0, 0, 10),
    }),
  ),
);

const optionSet: fc.Arbitrary<Options> = fc.record({
  med: fc.constantFrom('deterministic' as const, 'always' as const),
  multipath: fc.constantFrom(1, 2, 3, 16),
  multipathRelax: fc.boolean(),
});

describe('best path', () => {
  it('is the one the RFC’s elimination leaves, whatever came first', async () => {
    await fc.assert(
      fc.asyncProperty(
        routeSet,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        fc.array(announced, { maxLength: 3 }),
        nextHopStates,
        optionSet,
        fc.boolean(),
        async (routes, order, passing, states, options, hasLocal) => {
          const core = await newCore(options);
          const byOrder = [...routes.keys()].sort((a, b) => order[a]! - order[b]!);
          for (const route of passing) announce(core, route);
          for (const index of byOrder) announce(core, routes[index]!);
          for (const route of passing) {
            const key = ({ peer, pathId }: Announced) => `${peer.id}/${peer.addPath ? pathId : 0}`;
            if (!routes.some((other) => key(other) === key(route))) withdraw(core, route);
          }
          if (hasLocal) core.originate(1, parsePrefix(PREFIX)!, 0);
          resolve(core, states);
          while (core.work(10));
          const local = hasLocal ? [localRoute] : [];
          expectDecision(
            core,
            [...routes.map((route) => candidate(route, states)), ...local],
            options,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('numbers its reasons as the ladder does', () => {
    expect(decisionReasons.map(({ step }) => step)).toEqual([...decisionReasons.keys()]);
    const texts = decisionReasons.slice(1).map(({ lost }) => lost);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

type NamedCandidate = Candidate & { readonly key: string; readonly refusal: string };

const localRoute: NamedCandidate = {
  key: '0/0',
  refusal: '',
  eligible: true,
  isLocal: true,
  weight: 0,
  localPref: 100,
  asPath: [],
  origin: 0,
  med: 0,
  isEbgp: false,
  igpMetric: 0,
  originatorId: undefined,
  peerRouterId: 0,
  clusterListLength: 0,
  peerAddress: '0.0.0.0',
  pathId: 0,
  nextHop: '0.0.0.0',
};

function candidate(route: Announced, states: readonly NextHopState[]): NamedCandidate {
  const { peer, pathId, asPath, origin, med, nextHop } = route;
  const isEbgp = peer.asn !== LOCAL_AS;
  const state = states[NEXT_HOPS.indexOf(nextHop)]!;
  // LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST of an eBGP peer are ignored (RFC 7606 §7.5, §7.9, §7.10).
  const originatorId = isEbgp ? undefined : route.originatorId;
  const refusal = refusalOf(peer, asPath, originatorId, state);
  return {
    key: `${peer.id}/${peer.addPath ? pathId : 0}`,
    refusal,
    eligible: refusal === '',
    isLocal: false,
    weight: 0,
    localPref: isEbgp ? 100 : route.localPref,
    asPath,
    origin,
    med: med ?? 0,
    isEbgp,
    igpMetric: state.metric,
    originatorId,
    peerRouterId: peer.routerId,
    clusterListLength: isEbgp ? 0 : route.clusterList.length,
    peerAddress: peer.address,
    pathId: peer.addPath ? pathId : 0,
    nextHop,
  };
}

function refusalOf(
  peer: PeerFacts,
  asPath: readonly number[],
  originatorId: number | undefined,
  state: NextHopState,
): string {
  if (peer.rejects) return 'rejected by import policy';
  if (asPath.includes(LOCAL_AS)) return 'own AS in AS_PATH';
  if (originatorId === LOCAL_ROUTER_ID) return 'own ORIGINATOR_ID';
  return state.resolved ? '' : 'next hop unresolved';
}

async function newCore(options: Options): Promise<RouteCore> {
  const core = await loadCore();
  core.addNetwork(1, options);
  core.trackNextHops(1, true);
  core.addFib(1, 1, { holdRemovals: false });
  for (const peer of peers) {
    core.addPeer(peer.id, corePeer(peer));
    core.openPeer(peer.id, {
      routerId: peer.routerId,
      fourOctetAs: true,
      maxMessageBytes: 4096,
      families: ['ipv4-unicast'],
      addPath: peer.addPath ? ['ipv4-unicast'] : [],
    });
  }
  return core;
}

function corePeer(peer: PeerFacts): CorePeer {
  return {
    network: 1,
    address: parseIpAddress(peer.address)!,
    asn: peer.asn,
    localAsn: LOCAL_AS,
    localRouterId: LOCAL_ROUTER_ID,
    interfaceIndex: 0,
    importPolicy: peer.rejects ? POLICY_REJECT : POLICY_ACCEPT,
    enforceFirstAs: false,
    maxPrefixes: {},
  };
}

function announce(core: RouteCore, route: Announced): void {
  const { peer, pathId, asPath, origin, med, nextHop, localPref, originatorId, clusterList } =
    route;
  const attributes = {
    asPath,
    origin,
    nextHop,
    ...(med === undefined ? {} : { med }),
    localPref,
    ...(originatorId === undefined ? {} : { originatorId }),
    ...(clusterList.length === 0 ? {} : { clusterList }),
  };
  const path = peer.addPath ? { pathId } : {};
  const bytes = announcement({ attributes, prefixes: [PREFIX], ...path });
  expect(core.receive(peer.id, bytes, 0)).toMatchObject({ status: 'done', announcedCount: 1 });
}

function withdraw(core: RouteCore, { peer, pathId }: Announced): void {
  core.receive(peer.id, withdrawal([PREFIX], peer.addPath ? pathId : undefined), 0);
}

function resolve(core: RouteCore, states: readonly NextHopState[]): void {
  for (const { id, address, kind } of core.takeNextHopEvents()) {
    expect(kind).toBe('added');
    core.setNextHop(id, states[NEXT_HOPS.indexOf(formatIpAddress(address))]!);
  }
}

function expectDecision(
  core: RouteCore,
  candidates: readonly NamedCandidate[],
  options: Options,
): void {
  const decision = decide(candidates, options);
  const rows = new Map<string, RouteRow>();
  const query = { network: 1, family: 'ipv4-unicast', match: { kind: 'all' } } as const;
  for (const row of core.routes({ ...query, stage: 'adj-rib-in' }, undefined, 100).rows) {
    rows.set(`${row.peer}/${row.pathId}`, row);
  }
  expect([...rows.keys()].sort()).toEqual(candidates.map(({ key }) => key).sort());
  for (const route of candidates) {
    const best = route === decision.best;
    const { key } = route;
    expect(rows.get(key), key).toMatchObject({
      best,
      multipath: !best && decision.chosen.includes(route),
      reason: route.eligible ? describeDecision(decision.steps.get(route)!, best) : route.refusal,
    });
  }
  const [entry] = core.fibEntries(1, 'ipv4-unicast', { kind: 'all' }, undefined, 10).rows;
  const members = entry?.desired?.map(({ address }) => formatIpAddress(address));
  expect(members ?? []).toEqual([...decision.nextHops].sort());
  const chosen = core.routes({ ...query, stage: 'loc-rib' }, undefined, 100).rows;
  expect(chosen.map(({ peer, pathId }) => `${peer}/${pathId}`).sort()).toEqual(
    decision.chosen.map(({ key }) => key).sort(),
  );
}
