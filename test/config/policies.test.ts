// Policies in the configuration: what each text stands for, and every fault with its path.
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { formatPrefixRange } from '../../src/policy/prefix-range.ts';

const head = `bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers: [{ name: tor-a, address: 10.0.0.2, asn: 65001, import: p }]
prefixLists: { office: [192.0.2.0/24 ge 25, 198.51.100.0/24] }
`;

function clause(text: string): string {
  return `${head}policies:\n  p:\n    - ${text}\n`;
}

function accept(text: string) {
  const { config, problems } = parseConfig(clause(text));
  expect(problems).toBeUndefined();
  return config!.policies['p']![0]!;
}

describe('a condition', () => {
  it.each([
    [
      '{ match: { asPath: { contains: 65001 } }, action: accept }',
      { asPath: { contains: [65001] } },
    ],
    [
      '{ match: { asPath: { origin: [1, 2], length: { max: 3 } } }, action: next }',
      { asPath: { origin: [1, 2], length: { max: 3 } } },
    ],
    [
      '{ match: { asPath: { regex: "^65001_" } }, action: accept }',
      { asPath: { regex: '^65001_' } },
    ],
    [
      '{ match: { peer: tor-a, family: ipv6-unicast }, action: accept }',
      { peer: ['tor-a'], family: ['ipv6-unicast'] },
    ],
  ])('%s', (text, match) => {
    expect(accept(text).match).toEqual(match);
  });

  it('takes lines of prefix lists beside its own, in their order', () => {
    const { match } = accept(
      '{ match: { prefixes: [10.0.0.0/8 le 24, office, "fd00::/8"] }, action: accept }',
    );
    expect(match.prefixes!.map(formatPrefixRange)).toEqual([
      '10.0.0.0/8 le 24',
      '192.0.2.0/24 ge 25',
      '198.51.100.0/24',
      'fd00::/8',
    ]);
  });

  it('reads a list of communities as any of them', () => {
    const { match } = accept('{ match: { communities: [no-export, "65001:*"] }, action: accept }');
    expect(match.communities!.any!.map(({ text }) => text)).toEqual(['no-export', '65001:*']);
  });
});

it('is an empty map of conditions and changes where none are given', () => {
  expect(accept('{ action: reject }')).toEqual({ match: {}, set: {}, action: 'reject' });
});

describe('a fault', () => {
  it.each([
    ['{ action: drop }', 'action: must be accept, reject or next, is drop'],
    ['{ match: { prefix: [10.0.0.0/8] }, action: accept }', 'match.prefix: unknown key'],
    [
      '{ match: { prefixes: [10.0.0.1/8] }, action: accept }',
      'match.prefixes[0]: must be a prefix with its host bits clear (172.20.0.0/14 le 24) or a prefix list, is 10.0.0.1/8',
    ],
    [
      '{ match: { prefixes: [10.0.0.0/8 le 7] }, action: accept }',
      'match.prefixes[0]: must be a prefix with its host bits clear (172.20.0.0/14 le 24) or a prefix list, is 10.0.0.0/8 le 7',
    ],
    [
      '{ match: { prefixes: [nowhere] }, action: accept }',
      'match.prefixes: must be one of the prefix lists (office), is nowhere',
    ],
    [
      '{ match: { peer: tor-z }, action: accept }',
      'match.peer: must be one of the peers (tor-a), is tor-z',
    ],
    [
      '{ match: { asPath: { contains: 0 } }, action: accept }',
      'match.asPath.contains: must be ≥ 1, is 0',
    ],
    [
      '{ match: { asPath: { length: { min: 3, max: 2 } } }, action: accept }',
      'match.asPath.length: must have min ≤ max, is a map',
    ],
    [
      '{ match: { asPath: { regex: "(65001" } }, action: accept }',
      'match.asPath.regex: must have a closing ) for every (, at character 6, is (65001',
    ],
    [
      '{ match: { asPath: { regex: "([0-9]*1[0-9]{14}){3}" } }, action: accept }',
      'match.asPath.regex: must be simpler, it needs too many states, is ([0-9]*1[0-9]{14}){3}',
    ],
    [
      '{ match: { communities: ["65001:70000"] }, action: accept }',
      'match.communities[0]: must be a community (65001:100, 65001:*, no-export), is 65001:70000',
    ],
    [
      '{ match: { extendedCommunities: { all: ["color:1"] } }, action: accept }',
      'match.extendedCommunities.all[0]: must be a community (rt:65000:100, soo:10.0.0.1:*, 0x030b000000000001), is color:1',
    ],
    [
      '{ match: { nextHop: 10.0.0 }, action: accept }',
      'match.nextHop: must be an address or a prefix (192.0.2.1, 192.0.2.0/24), is 10.0.0',
    ],
    [
      '{ set: { communities: { add: ["65001:*"] } }, action: accept }',
      'set.communities.add[0]: must have no wildcard here, is 65001:*',
    ],
    [
      '{ set: { communities: { add: [], replace: [] } }, action: accept }',
      'set.communities: must have either replace, or remove and add, is a map',
    ],
    [
      '{ set: { prepend: { count: 100 } }, action: accept }',
      'set.prepend.count: must be ≤ 32, is 100',
    ],
    [
      '{ set: { nextHop: "fe80::1" }, action: accept }',
      'set.nextHop: must be an address that is valid on every link, is fe80::1',
    ],
    [
      '{ set: { med: 1 }, action: reject }',
      'must have no `set` where the action is reject, is a map',
    ],
  ])('%s', (text, expected) => {
    const { problems } = parseConfig(clause(text));
    const path = /^must/.test(expected) ? 'policies.p[0]: ' : 'policies.p[0].';
    expect(problems?.map((problem) => formatProblem(problem).replace(/^\d+:\d+ /, ''))).toEqual([
      `${path}${expected}`,
    ]);
  });
});
