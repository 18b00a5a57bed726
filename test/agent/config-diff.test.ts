// What a reload has to do, as a table: the same small file, changed in one place.
import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/agent/config-diff.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';

const base = `
node: node
bgp:
  asn: 64512
  routerId: 10.0.0.1
  peers:
    - { name: a, address: 10.0.0.2, asn: 65001, import: accept }
    - { name: b, address: 10.0.0.3, asn: 65002, import: accept }
networks:
  - { name: default, table: 100, advertise: [10.244.1.0/24] }
  - { name: blue, table: 200 }
`;

function parse(text: string): Config {
  const { config, problems } = parseConfig(text, 'host');
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** The parts of a diff that are not empty, with names for objects. */
function differences(from: string, to: string, rekeyed: string[] = []): object {
  const { peers, networks, needsRestart } = diffConfig(
    parse(base),
    parse(base.replace(from, to)),
    new Set(rekeyed),
  );
  const entries = [
    ...Object.entries(peers),
    ...Object.entries(networks).map(([key, list]) => [`${key} networks`, list] as const),
    ['needsRestart', needsRestart] as const,
  ];
  return Object.fromEntries(
    entries
      .filter(([, list]) => list.length > 0)
      .map(([key, list]) => [
        key,
        (list as readonly (string | { name: string })[]).map((item) =>
          typeof item === 'string' ? item : item.name,
        ),
      ]),
  );
}

describe('diffConfig', () => {
  it.each<[string, string, string, object]>([
    ['nothing', 'node: node', 'node: node', {}],
    ['a comment', 'node: node', 'node: node # mine', {}],
    [
      'a new peer',
      'networks:',
      '    - { name: c, address: 10.0.0.4, asn: 65003 }\nnetworks:',
      { added: ['c'] },
    ],
    [
      'a peer gone',
      '    - { name: b, address: 10.0.0.3, asn: 65002, import: accept }\n',
      '',
      { removed: ['b'] },
    ],
    ['another address', '10.0.0.3', '10.0.0.9', { replaced: ['b'] }],
    ['another import policy', '65002, import: accept', '65002, import: reject', { updated: ['b'] }],
    ['another export policy', '65002,', '65002, export: reject,', { updated: ['b'] }],
    ['a policy and a timer', '65002, import: accept', '65002, holdTime: 30s', { replaced: ['b'] }],
    ['another announcement', '10.244.1.0/24', '10.244.2.0/24', { 'changed networks': ['default'] }],
    ['another table', 'table: 200', 'table: 201', { 'changed networks': ['blue'] }],
    ['a network gone', '  - { name: blue, table: 200 }\n', '', { 'removed networks': ['blue'] }],
    [
      'a new network',
      '  - { name: blue, table: 200 }\n',
      '  - { name: blue, table: 200 }\n  - { name: red }\n',
      { 'added networks': ['red'] },
    ],
    [
      'another database',
      'node: node',
      'node: node\novn: { northbound: "unix:/x" }',
      { 'changed networks': ['default', 'blue'] },
    ],
    ['another node', 'node: node', 'node: other', { needsRestart: ['node'] }],
    ['another AS', 'asn: 64512', 'asn: 64513', { needsRestart: ['bgp.asn'] }],
    [
      'another log level',
      'node: node',
      'node: node\nlog: { level: debug }',
      { needsRestart: ['log'] },
    ],
  ])('%s', (_name, from, to, expected) => {
    expect(differences(from, to)).toEqual(expected);
  });

  it('a network that moves to another VRF takes its peers along, and is told to who imports from it', () => {
    const inVrf = (vrf: string) =>
      parse(
        base
          .replace('65002,', '65002, network: blue,')
          .replace('table: 200', `vrf: ${vrf}`)
          .replace('table: 100,', 'table: 100, imports: [{ from: blue }],'),
      );
    const { peers, networks } = diffConfig(inVrf('blue'), inVrf('teal'));
    expect(peers.replaced.map(({ name }) => name)).toEqual(['b']);
    expect(peers.updated).toEqual([]);
    expect(networks.changed.map(({ name }) => name)).toEqual(['default', 'blue']);
  });

  it('opens a session anew for another password', () => {
    expect(differences('node: node', 'node: node', ['a'])).toEqual({ replaced: ['a'] });
  });

  it('keeps what cannot change in the configuration that runs, and takes the rest', () => {
    const { config } = diffConfig(
      parse(base),
      parse(base.replace('64512', '64513').replace('200', '201')),
    );
    expect(config.bgp.asn).toBe(64512);
    expect(config.networks[1]!.table).toBe(201);
  });
});
