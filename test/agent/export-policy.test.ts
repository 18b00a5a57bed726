// What the real engine makes of a route of ours on its way out.
import { beforeAll, describe, expect, it } from 'vitest';
import { applyPolicy } from '../../src/agent/export-policy.ts';
import { PolicyTable } from '../../src/agent/policy-table.ts';
import type { AdvertisedRoute } from '../../src/bgp/speaker.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { loadCore } from '../../src/core/core.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { parsePrefix } from '../../src/net/prefix.ts';

const text = `
bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers: [{ name: tor-a, address: 10.0.0.2, asn: 65001 }]
policies:
  hosts: [{ match: { prefixes: [10.0.0.0/8 ge 32] }, action: accept }]
  to-tor-a: [{ match: { peer: [tor-a] }, action: accept }]
  everything:
    - set:
        med: 7
        localPref: 300
        nextHop: 192.0.2.9
        prepend: { asn: own, count: 2 }
        communities: { remove: ["64512:*"], add: ["65001:1"] }
        largeCommunities: { add: ["64512:1:2"] }
        extendedCommunities: { add: ["rt:64512:5"] }
      action: accept
  tagged: [{ match: { communities: ["64512:1"] }, action: accept }]
`;

describe('applyPolicy', () => {
  let policies: PolicyTable;

  beforeAll(async () => {
    const { config, problems } = parseConfig(text);
    expect(problems).toBeUndefined();
    policies = new PolicyTable(await loadCore(), 64512);
    policies.configure(config!);
  });

  const route = (prefix: string, more: Partial<AdvertisedRoute> = {}): AdvertisedRoute => ({
    prefix: parsePrefix(prefix)!,
    ...more,
  });

  it.each<[string, string, AdvertisedRoute, string | undefined, boolean]>([
    ['accept', 'accept', route('10.0.0.0/8'), undefined, true],
    ['announce', 'announce', route('10.0.0.0/8'), undefined, true],
    ['reject', 'reject', route('10.0.0.0/8'), undefined, false],
    ['a prefix that matches', 'hosts', route('10.0.0.1/32'), undefined, true],
    ['a prefix that does not', 'hosts', route('10.0.0.0/24'), undefined, false],
    ['the peer it goes to', 'to-tor-a', route('10.0.0.0/8'), 'tor-a', true],
    ['another peer', 'to-tor-a', route('10.0.0.0/8'), 'tor-b', false],
    ['no peer yet', 'to-tor-a', route('10.0.0.0/8'), undefined, false],
    ['a community', 'tagged', route('fd00::/64', { communities: [0xfc000001] }), undefined, true],
    ['no community', 'tagged', route('fd00::/64'), undefined, false],
    ['a policy that is not there', 'gone', route('10.0.0.0/8'), undefined, false],
  ])('%s', (_name, policy, given, peer, isAccepted) => {
    expect(applyPolicy(policies, policy, given, peer) !== undefined).toBe(isAccepted);
  });

  it('takes over everything that the policy sets', () => {
    const after = applyPolicy(
      policies,
      'everything',
      route('10.0.0.0/8', {
        origin: 'incomplete',
        med: 1,
        communities: [0xfc000001, 0xfde80005],
        nextHop: parseIpAddress('10.0.0.9'),
        largeCommunities: [[1, 2, 3]],
      }),
    );
    expect(after).toMatchObject({
      origin: 'incomplete',
      med: 7,
      localPref: 300,
      asPath: [64512, 64512],
      nextHop: parseIpAddress('192.0.2.9'),
      extendedCommunities: [Uint8Array.of(0, 2, 0xfc, 0, 0, 0, 0, 5)],
    });
    expect(after!.communities).toEqual(expect.arrayContaining([0xfde80005, 0xfde90001]));
    expect(after!.communities).toHaveLength(2);
    expect(after!.largeCommunities).toEqual([
      [1, 2, 3],
      [64512, 1, 2],
    ]);
  });
});
