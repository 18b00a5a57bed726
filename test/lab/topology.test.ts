// The lab's data: the agent's configuration parses, and the routes it must learn are the ones the drawing promises.
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import {
  agentConfiguration,
  expectedRoutes,
  frrConfiguration,
  gatewayRouter,
  pod,
  routers,
} from '../../src/lab/topology.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { containsPrefix, formatPrefix, parsePrefix } from '../../src/net/prefix.ts';

describe('the lab topology', () => {
  it('gives the agent a configuration without problems', () => {
    const text = agentConfiguration({ northbound: 'unix:/tmp/nb.sock', controlSocket: '/tmp/c' });
    const { config, problems } = parseConfig(text);
    expect(problems).toBeUndefined();
    expect(config!.bgp.peers.map(({ name, import: policy }) => [name, policy])).toEqual([
      ['tor-a', 'accept'],
      ['tor-b', 'accept'],
    ]);
    const network = config!.networks[0]!;
    expect(network.ovn).toMatchObject({ router: 'GR_worker-1', outputPort: 'rtoe-GR_worker-1' });
    const announced = network.advertise.map(({ prefix, nextHop }) => [
      formatPrefix(prefix!),
      formatIpAddress(nextHop!),
    ]);
    expect(announced).toEqual([
      [pod.subnets[0], gatewayRouter.outside.ipv4],
      [pod.subnets[1], gatewayRouter.outside.ipv6],
    ]);
  });

  it('expects both routers for common prefixes and the shorter AS_PATH for the others', () => {
    expect(expectedRoutes()).toMatchObject([
      { prefix: '203.0.113.0/24', nextHops: ['172.18.0.2', '172.18.0.3'] },
      { prefix: '2001:db8:113::/48', nextHops: ['fd00:172:18::2', 'fd00:172:18::3'] },
      { prefix: '198.18.0.0/16', nextHops: ['172.18.0.2'] },
      { prefix: '2001:db8:18::/48', nextHops: ['fd00:172:18::2'] },
      { prefix: '198.51.100.0/24', nextHops: ['172.18.0.2'] },
      { prefix: '2001:db8:a::/48', nextHops: ['fd00:172:18::2'] },
      { prefix: '192.0.2.0/24', nextHops: ['172.18.0.3'] },
      { prefix: '2001:db8:b::/48', nextHops: ['fd00:172:18::3'] },
    ]);
  });

  it.each(routers)('has $name answer on an address inside each prefix it provides', (router) => {
    for (const { prefix, address } of router.provides) {
      expect(containsPrefix(parsePrefix(prefix)!, parsePrefix(address)!)).toBe(true);
    }
  });

  it('has FRR prepend the AS numbers behind each prefix', () => {
    const lines = frrConfiguration(routers[1]!).split('\n');
    const map = lines
      .find((line) => line.includes('network 198.18.0.0/16'))!
      .split(' ')
      .at(-1)!;
    expect(lines[lines.indexOf(`route-map ${map} permit 10`) + 1]).toBe(
      ' set as-path prepend 64998 64999',
    );
  });
});
