// Routes that no session brought: learned from a source's records, and discard routes behind summaries.
import { beforeEach, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT, POLICY_FIRST } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { LearnResult } from '../../src/core/peers.ts';
import { encodeObservations, FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/policy.ts';

const NETWORK = 1;
const SOURCE = 7;
const FIB = 3;
const PREFIX = '203.0.113.0/24';

const corePeer = {
  network: NETWORK,
  address: parseIpAddress('0.0.0.0')!,
  asn: 65000,
  localAsn: 65000,
  localRouterId: 1,
  interfaceIndex: 0,
  importPolicy: POLICY_ACCEPT,
  enforceFirstAs: false,
  maxPrefixes: { 'ipv4-unicast': 100 },
} as const;

let core: RouteCore;
beforeEach(async () => {
  core = await loadCore();
  core.addNetwork(NETWORK, { med: 'deterministic', multipath: 4, multipathRelax: false });
  core.addFib(FIB, NETWORK, { holdRemovals: false });
  core.addPeer(SOURCE, corePeer);
});

/** `2001:db8::1%3`: with the interface; `192.0.2.1*2`: with a weight. */
function learn(prefix: string, nextHops: readonly string[] | 'discard'): LearnResult {
  const members = (nextHops === 'discard' ? [] : nextHops).map((text) => {
    const [way, weight = '1'] = text.split('*');
    const [address, interfaceIndex = '0'] = way!.split('%');
    const index = Number(interfaceIndex);
    return { address: parseIpAddress(address!)!, weight: Number(weight), interfaceIndex: index };
  });
  const { records, byteLength } = encodeObservations([
    { prefix: parsePrefix(prefix)!, set: { discard: nextHops === 'discard', members } },
  ]);
  return core.learn(SOURCE, records, byteLength, 1000);
}

function rows(): readonly RouteRow[] {
  return (['ipv4-unicast', 'ipv6-unicast'] as const).flatMap(
    (family) =>
      core.routes(
        { network: NETWORK, family, stage: 'adj-rib-in', match: { kind: 'all' } },
        undefined,
        100,
      ).rows,
  );
}

function drain(fib = FIB): string[] {
  const { buffer, count, byteLength } = core.drain(fib, 100);
  const batch = new FibBatch(buffer, count, byteLength);
  core.acknowledge(fib, []);
  return Array.from({ length: count }, (_, index) => {
    const { prefix, to } = batch.change(index);
    const hops = to?.members.map(({ address, weight, interfaceIndex }) => {
      const device = interfaceIndex ? `%${interfaceIndex}` : '';
      return `${formatIpAddress(address)}${device}${weight === 1 ? '' : `*${weight}`}`;
    });
    return `${formatPrefix(prefix)} ${to?.discard ? 'discard' : (hops?.join('|') ?? 'none')}`;
  });
}

describe('learned routes', () => {
  it('have an empty AS_PATH, ORIGIN incomplete and their next hop', () => {
    expect(learn(PREFIX, ['192.0.2.1'])).toMatchObject({ announcedCount: 1 });
    expect(rows()).toMatchObject([{ peer: SOURCE, pathId: 0, best: true, since: 1000 }]);
    expect([...rows()[0]!.attributes.bytes]).toEqual([0x40, 1, 1, 2, 0x40, 2, 0]);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1`]);
  });

  it('share the load where the record has several next hops', () => {
    learn(PREFIX, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2|192.0.2.3`]);
  });

  it('share it by their weights, as the smallest numbers that say so', () => {
    learn(PREFIX, ['192.0.2.1*200', '192.0.2.2*100']);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1*2|192.0.2.2`]);
    expect(rows().map(({ attributes }) => attributes.shareWeight)).toEqual([200, 100]);
    learn(PREFIX, ['192.0.2.1*2', '192.0.2.2']);
    expect(drain()).toEqual([]);
    learn(PREFIX, ['192.0.2.1', '192.0.2.2*2']);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2*2`]);
    learn(PREFIX, ['192.0.2.1*7', '192.0.2.2*7']);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2`]);
    learn(PREFIX, ['192.0.2.2*3']);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.2`]);
    learn(PREFIX, ['192.0.2.1*300', '192.0.2.2*256']); // more than a kernel gives
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2`]);
    learn(PREFIX, []);
    drain();
    expect(core.memory()).toMatchObject({ routeCount: 0, attributeSetCount: 0 });
  });

  it('keep their weights through a policy and in another network', () => {
    const policy: Policy = [{ match: {}, set: { localPref: 50 }, action: 'accept' }];
    core.setPolicy(POLICY_FIRST, compilePolicy(policy, { asn: 1, peer: () => 0 }).bytes);
    core.updatePeer(SOURCE, { ...corePeer, importPolicy: POLICY_FIRST });
    const [other, line] = [2, 101];
    core.addNetwork(other, { med: 'deterministic', multipath: 4, multipathRelax: false });
    core.addFib(other, other, { holdRemovals: false });
    core.addImport(line, { network: other, from: NETWORK, policy: POLICY_ACCEPT });
    learn(PREFIX, ['192.0.2.1*3', '192.0.2.2']);
    while (core.work(1000));
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1*3|192.0.2.2`]);
    expect(drain(other)).toEqual([`${PREFIX} 192.0.2.1*3|192.0.2.2`]);
  });

  it('become what the latest record says, whatever they were', () => {
    learn(PREFIX, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    drain();
    expect(learn(PREFIX, ['192.0.2.3'])).toMatchObject({ announcedCount: 1, withdrawnCount: 2 });
    expect(rows()).toHaveLength(1);
    expect(drain()).toEqual([`${PREFIX} 192.0.2.3`]);
    expect(learn(PREFIX, [])).toMatchObject({ announcedCount: 0, withdrawnCount: 1 });
    expect(drain()).toEqual([`${PREFIX} none`]);
    expect(core.memory()).toMatchObject({ routeCount: 0, prefixCount: 0, attributeSetCount: 0 });
  });

  it('keep the interface of a link-local next hop, also for IPv4 prefixes', () => {
    learn('2001:db8:1::/48', ['fe80::1%3', 'fe80::1%4']);
    learn(PREFIX, ['fe80::1%3']);
    expect(drain()).toEqual(['2001:db8:1::/48 fe80::1%3|fe80::1%4', `${PREFIX} fe80::1%3`]);
  });

  it('may lead nowhere', () => {
    learn(PREFIX, 'discard');
    expect(drain()).toEqual([`${PREFIX} discard`]);
  });

  it('are swept when a whole listing no longer has them', () => {
    learn(PREFIX, ['192.0.2.1']);
    learn('198.51.100.0/24', ['192.0.2.1']);
    core.beginRefresh(SOURCE, 'ipv4-unicast');
    learn(PREFIX, ['192.0.2.1']);
    core.endRefresh(SOURCE, 'ipv4-unicast');
    while (core.work(1000));
    expect(rows().map(({ prefix }) => formatPrefix(prefix!))).toEqual([PREFIX]);
  });

  it('obey the limit of their source', () => {
    const many = Array.from({ length: 101 }, (_, i) => ({
      prefix: parsePrefix(`10.0.${i}.0/24`)!,
      set: {
        discard: false,
        members: [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }],
      },
    }));
    const { records, byteLength } = encodeObservations(many);
    const result = core.learn(SOURCE, records, byteLength, 1);
    expect(result).toMatchObject({ announcedCount: 100, overLimitCount: 1 });
  });

  it('come in batches larger than the input buffer', () => {
    core.updatePeer(SOURCE, { ...corePeer, maxPrefixes: {} });
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      prefix: parsePrefix(`10.${i >> 8}.${i & 255}.0/24`)!,
      set: {
        discard: false,
        members: [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }],
      },
    }));
    const { records, byteLength } = encodeObservations(many);
    expect(core.learn(SOURCE, records, byteLength, 1)).toMatchObject({ announcedCount: 20_000 });
    expect(core.memory()).toMatchObject({ routeCount: 20_000, attributeSetCount: 1 });
  });

  it('are none of a peer that is not known', () => {
    const { records, byteLength } = encodeObservations([
      { prefix: parsePrefix(PREFIX)!, set: undefined },
    ]);
    expect(() => core.learn(99, records, byteLength, 1)).toThrow('peer 99 is not known');
  });
});

describe('a discard route', () => {
  it('shares no load with a route that is as good', () => {
    core.addPeer(SOURCE + 1, corePeer);
    const lead = (peer: number, set: Parameters<typeof encodeObservations>[0][0]['set']) => {
      const { records, byteLength } = encodeObservations([{ prefix: parsePrefix(PREFIX)!, set }]);
      core.learn(peer, records, byteLength, 1);
    };
    const members = [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }];
    lead(SOURCE, { discard: false, members });
    lead(SOURCE + 1, { discard: true, members: [] });
    expect(drain()).toEqual([`${PREFIX} 192.0.2.1`]);
    lead(SOURCE, { discard: true, members: [] });
    lead(SOURCE + 1, { discard: false, members });
    expect(drain()).toEqual([`${PREFIX} discard`]);
  });

  it('stands behind a summary until it is withdrawn', () => {
    const summary = parsePrefix('10.0.0.0/8')!;
    core.originate(NETWORK, summary, 1, { discard: true });
    expect(drain()).toEqual(['10.0.0.0/8 discard']);
    core.originate(NETWORK, summary, 1);
    expect(drain()).toEqual(['10.0.0.0/8 none']);
    core.originate(NETWORK, summary, 1, { discard: true });
    core.withdrawOriginated(NETWORK, summary);
    expect(drain()).toEqual([]);
    expect(core.memory()).toMatchObject({
      routeCount: 0,
      attributeSetCount: 0,
      nextHopSetCount: 0,
    });
  });

  it('is an own set of attributes beside those of a prefix that is only announced', () => {
    core.originate(NETWORK, parsePrefix('10.0.0.0/8')!, 1, { discard: true });
    core.originate(NETWORK, parsePrefix('10.1.0.0/16')!, 1);
    expect(core.memory()).toMatchObject({ attributeSetCount: 2, nextHopSetCount: 1 });
    expect(drain()).toEqual(['10.0.0.0/8 discard']);
  });
});
