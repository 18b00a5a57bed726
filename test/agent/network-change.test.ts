// A network asked for while running becomes a whole configuration, or every problem with it.
import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/agent/config-diff.ts';
import { withNetwork, withoutNetwork } from '../../src/agent/network-change.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { formatProblem } from '../../src/config/problem.ts';

const config = parseConfig(
  `bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers:
    - { name: tor-a, address: 172.18.0.2, asn: external, import: accept, passwordFile: /nowhere }
    - { name: tor-b, address: 172.18.0.3, asn: internal, holdTime: 0, network: red }
networks:
  - { name: default, table: main, advertise: [10.244.1.0/24, { prefix: "fd00::/64", med: 5 }] }
  - { name: red, ovn: { router: gr-red, outputPort: rtoe-red }, imports: [{ from: default }] }
http: { listen: "127.0.0.1:9179" }
`,
  'worker-1',
).config!;

function problemsOf(result: ReturnType<typeof withNetwork>): string[] {
  return (result.problems ?? []).map((problem) => formatProblem(problem).replace(/^\S+ /, ''));
}

describe('a network', () => {
  it('is added, and nothing else is another than it was', () => {
    const { config: after } = withNetwork(config, 'blue', { imports: [{ from: 'default' }] });
    const diff = diffConfig(config, after!);
    expect(diff.networks.added).toMatchObject([
      { name: 'blue', imports: [{ from: 'default', policy: 'accept' }] },
    ]);
    expect(diff.networks).toMatchObject({ removed: [], changed: [] });
    expect(diff.peers).toEqual({ added: [], removed: [], replaced: [], updated: [] });
    expect(diff.needsRestart).toEqual([]);
    expect(after!.node).toBe('worker-1');
  });

  it('is changed under the name it is asked for by', () => {
    const { config: after } = withNetwork(config, 'red', { name: 'other', table: 100 });
    const diff = diffConfig(config, after!);
    expect(diff.networks).toMatchObject({ added: [], removed: [], changed: [{ name: 'red' }] });
  });

  it('is removed', () => {
    const { config: between } = withNetwork(config, 'blue', {});
    const diff = diffConfig(between!, withoutNetwork(between!, 'blue').config!);
    expect(diff.networks).toMatchObject({ added: [], removed: ['blue'], changed: [] });
  });

  it('is refused with every problem a file would be refused for', () => {
    const wrong = { table: 'main', colour: 'blue', imports: [{ from: 'green' }] };
    expect(problemsOf(withNetwork(config, 'blue', wrong))).toEqual([
      'networks[2].table: must not be shared, is main of network default and network blue',
      'networks[2].colour: unknown key',
      'networks[2].imports[0].from: must be another network, is green',
    ]);
  });

  it('stays while others need it', () => {
    expect(problemsOf(withoutNetwork(config, 'default'))).toEqual([
      'bgp.peers[0].network: must be one of the networks (red), is default',
      'networks[0].imports[0].from: must be another network, is default',
    ]);
  });
});
