// The configuration parser: what a file becomes, and every problem it can have.
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { followedTables } from '../../src/config/followed-tables.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { formatProblem } from '../../src/config/problem.ts';

const head = 'bgp:\n  asn: 64512\n  routerId: 10.0.0.1\n';
const withPeer = (keys: string) =>
  `${head}  peers: [{ name: a, address: 10.0.0.2, asn: 65001, ${keys} }]\n`;

function accept(text: string): Config {
  const { config, problems } = parseConfig(text);
  expect(problems).toBeUndefined();
  return config!;
}

/** Problems without their positions. */
function refuse(text: string): string[] {
  return (parseConfig(text).problems ?? []).map(({ path, message }) =>
    path === '' ? message : `${path}: ${message}`,
  );
}

describe('a file that is right', () => {
  it('needs only an AS number and a router id', () => {
    const config = accept(head);
    expect(config.node).toBe('localhost');
    expect(config.networks).toMatchObject([{ name: 'default', advertise: [] }]);
    expect(config.bgp.listen).toEqual([{ address: Uint8Array.of(0, 0, 0, 0), port: 179 }]);
    expect(config.startup).toEqual({ deadline: 120_000, maxRemovalShare: 0.5 });
    expect(config.bgp.decision).toEqual({
      med: 'deterministic',
      multipath: 16,
      multipathRelax: true,
    });
    expect(config.http).toBeUndefined();
  });

  it('takes the node name from the host', () => {
    expect(parseConfig(head, 'worker-7').config?.node).toBe('worker-7');
  });

  it('is frozen all the way down', () => {
    const config = accept(withPeer('import: accept'));
    expect(Object.isFrozen(config.bgp.peers[0])).toBe(true);
    expect(Object.isFrozen(config.networks)).toBe(true);
  });

  it('reads durations, sizes, addresses, prefixes and communities as values', () => {
    const config =
      accept(`${withPeer('holdTime: 9s, localAddress: 10.0.0.1')}core: { memory: 512MiB }
networks:
  - name: default
    advertise: ["fd00::/64", { prefix: 10.1.0.0/16, nextHop: 10.0.0.9, med: 5, communities: ["65001:100", no-export] }]
`);
    expect(config.bgp.peers[0]).toMatchObject({ holdTime: 9000, keepaliveTime: 3000 });
    expect(config.bgp.peers[0]?.localAddress).toEqual(Uint8Array.of(10, 0, 0, 1));
    expect(config.core.memory).toBe(512 * 2 ** 20);
    const [v6, v4] = config.networks[0]!.advertise;
    expect(v6).toEqual({
      prefix: { address: Uint8Array.from([0xfd, ...new Array(15).fill(0)]), length: 64 },
      communities: [],
      policy: 'accept',
    });
    expect(v4).toMatchObject({ med: 5, communities: [0xfde90064, 0xffffff01] });
  });

  it.each([
    ['eBGP takes nothing without a policy (RFC 8212)', withPeer(''), 'reject'],
    [
      'iBGP takes everything',
      `${head}  peers: [{ name: a, address: 10.0.0.2, asn: internal }]`,
      'accept',
    ],
    ['accept takes everything', withPeer('import: accept'), 'accept'],
    [
      'a policy by its name',
      `${withPeer('import: all')}policies: { all: [{ action: accept }] }`,
      'all',
    ],
  ])('import: %s', (_, text, verdict) => {
    expect(accept(text).bgp.peers[0]?.import).toBe(verdict);
  });

  it.each([
    ['nothing given', withPeer(''), 'accept'],
    ['announce', withPeer('export: announce'), 'accept'],
    ['reject', withPeer('export: reject'), 'reject'],
  ])('export: %s', (_, text, verdict) => {
    expect(accept(text).bgp.peers[0]?.export).toBe(verdict);
  });

  it('knows `bgp` as the kernel route protocol 186', () => {
    expect(accept(`${head}host: { protocol: bgp }`).host.protocol).toBe(186);
  });

  it('takes a link-local peer with its interface', () => {
    const config = accept(
      `${head}  peers: [{ name: a, address: "fe80::1", interface: eth1, asn: external }]`,
    );
    expect(config.bgp.peers[0]).toMatchObject({ interface: 'eth1', asn: 'external' });
  });
});

describe('a file that is wrong', () => {
  it.each([
    ['', 'is empty'],
    ['- a', 'must be a map, is a list'],
    ['bgp: 3', 'bgp: must be a map, is 3'],
    [`${head}speed: 3`, 'speed: unknown key'],
    [`${head}  peers: {}`, 'bgp.peers: must be a list, is a map'],
    [`${head}networks: []`, 'networks: must not be empty, is empty'],
    ['bgp: { asn: 0, routerId: 1.1.1.1 }', 'bgp.asn: must be ≥ 1, is 0'],
    ['bgp: { asn: 4294967296, routerId: 1.1.1.1 }', 'bgp.asn: must be ≤ 4294967295, is 4294967296'],
    ['bgp: { asn: 23456, routerId: 1.1.1.1 }', 'bgp.asn: must not be AS_TRANS, is 23456'],
    ['bgp: { routerId: 1.1.1.1 }', 'bgp.asn: is required'],
    [
      'bgp: { asn: 1, routerId: 0.0.0.0 }',
      'bgp.routerId: must be an IPv4 address other than 0.0.0.0, is 0.0.0.0',
    ],
    [
      'bgp: { asn: 1, routerId: "::1" }',
      'bgp.routerId: must be an IPv4 address other than 0.0.0.0, is ::1',
    ],
    [withPeer('holdTime: 2s'), 'bgp.peers[0].holdTime: must be 0 or ≥ 3s, is 2s'],
    [
      withPeer('holdTime: 90'),
      'bgp.peers[0].holdTime: must be a duration with its unit (500ms, 90s, 10m), is 90',
    ],
    [withPeer('holdTime: 3500ms'), 'bgp.peers[0].holdTime: must be a multiple of 1s, is 3500ms'],
    [withPeer('holdTime: 1d'), 'bgp.peers[0].holdTime: must be ≤ 65535s, is 1d'],
    [
      withPeer('holdTime: 9s, keepaliveTime: 9s'),
      'bgp.peers[0].keepaliveTime: must be less than holdTime 9s, is 9s',
    ],
    [
      withPeer('holdTime: 0, keepaliveTime: 9s'),
      'bgp.peers[0].keepaliveTime: must be left out where holdTime is 0',
    ],
    [
      withPeer('families: [ipv5]'),
      'bgp.peers[0].families[0]: must be ipv4-unicast, ipv6-unicast or l2vpn-evpn, is ipv5',
    ],
    [withPeer('families: []'), 'bgp.peers[0].families: must not be empty, is empty'],
    [withPeer('port: 0'), 'bgp.peers[0].port: must be ≥ 1, is 0'],
    [
      withPeer('network: blue'),
      'bgp.peers[0].network: must be one of the networks (default), is blue',
    ],
    [
      withPeer('localAddress: "::1"'),
      'bgp.peers[0].localAddress: must be of the family of 10.0.0.2, is ::1',
    ],
    [
      withPeer('multihop: 2, ttlSecurity: 1'),
      'bgp.peers[0].ttlSecurity: must not be together with multihop',
    ],
    [
      withPeer('import: fabric'),
      'bgp.peers[0].import: must be accept, reject or the name of a policy, is fabric',
    ],
    [
      withPeer('maxPrefixes: { ipv4-unicast: 0 }'),
      'bgp.peers[0].maxPrefixes.ipv4-unicast: must be ≥ 1, is 0',
    ],
    [
      withPeer('gracefulRestart: { restartTime: 2h }'),
      'bgp.peers[0].gracefulRestart.restartTime: must be ≤ 4095s, is 2h',
    ],
    [
      `${head}  peers: [{ name: a, address: fe80::1, asn: 1 }]`,
      'bgp.peers[0].address: must come with an interface, is link-local fe80::1',
    ],
    [`${head}  peers: [{ name: a, asn: 1 }]`, 'bgp.peers[0]: must have an address or an interface'],
    [
      `${head}  peers: [{ name: a, address: 10.0.0.2, asn: many }]`,
      'bgp.peers[0].asn: must be a number, external or internal, is many',
    ],
    [
      `${head}networks: [{ name: "a b" }]`,
      'networks[0].name: must be 1–64 letters, digits and . _ : - that begin with a letter or digit, is a b',
    ],
    [
      `${head}networks: [{ name: a, table: main, vrf: red }]`,
      'networks[0].vrf: must not be together with table',
    ],
    [
      `${head}networks: [{ name: a, advertise: [10.0.0.1/8] }]`,
      'networks[0].advertise[0]: must have its host bits clear (10.0.0.0/8), is 10.0.0.1/8',
    ],
    [
      `${head}networks: [{ name: a, advertise: [10.0.0.0] }]`,
      'networks[0].advertise[0]: must be a prefix (10.0.0.0/8, fd00::/64), is 10.0.0.0',
    ],
    [
      `${head}networks: [{ name: a, advertise: [3] }]`,
      'networks[0].advertise[0]: must be a map or a text, is 3',
    ],
    [
      `${head}networks: [{ name: a, advertise: [10.0.0.0/8, 10.0.0.0/8] }]`,
      'networks[0].advertise[1]: must be unique, is 10.0.0.0/8',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ prefix: "fd00::/8", nextHop: 1.1.1.1 }] }]`,
      'networks[0].advertise[0].nextHop: must be an IPv6 address for fd00::/8, is 1.1.1.1',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ med: 3 }] }]`,
      'networks[0].advertise[0]: must have a prefix or ovn, is a map',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ prefix: 10.0.0.0/8, ovn: { switch: s } }] }]`,
      'networks[0].advertise[0].ovn: must not be together with prefix',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ ovn: { what: ports } }] }]`,
      'networks[0].advertise[0].ovn: must name one of switch, router, nat and loadBalancers',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ ovn: { switch: s, nat: r } }] }]`,
      'networks[0].advertise[0].ovn: must name one of switch, router, nat and loadBalancers',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ ovn: { nat: r, what: ports } }] }]`,
      'networks[0].advertise[0].ovn.what: must be floating-ips or egress-ips for a nat, is ports',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ ovn: { switch: s } }, { ovn: { switch: s, what: subnet } }] }]`,
      'networks[0].advertise[1]: must be unique, is switch subnet s',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ prefix: 10.0.0.0/8, extendedCommunities: ["rt:*:1"] }] }]`,
      'networks[0].advertise[0].extendedCommunities[0]: must have no wildcard here, is rt:*:1',
    ],
    [
      `${head}networks: [{ name: a, advertise: [{ prefix: 10.0.0.0/8, policy: p }] }]`,
      'networks[0].advertise[0].policy: must be accept, reject or the name of a policy, is p',
    ],
    [
      `${head}networks: [{ name: a, aggregates: [{ prefix: 10.0.0.0/8 }, { prefix: 10.0.0.0/8 }] }]`,
      'networks[0].aggregates[1].prefix: must be unique, is 10.0.0.0/8 like aggregates[0]',
    ],
    [
      `${head}networks: [{ name: a }, { name: b, exports: [{ to: a, policy: p }] }]`,
      'networks[1].exports[0].policy: must be accept, reject or the name of a policy, is p',
    ],
    [
      `${head}networks: [{ name: a, imports: [{ from: b }] }]`,
      'networks[0].imports[0].from: must be another network, is b',
    ],
    [
      `${head}networks: [{ name: a, imports: [{ from: a }] }]`,
      'networks[0].imports[0].from: must be another network, is a',
    ],
    [
      `${head}networks: [{ name: a }, { name: b, imports: [{ from: a }, { from: a }] }]`,
      'networks[1].imports[1].from: must be unique, is a like imports[0]',
    ],
    [
      `${head}networks: [{ name: a }, { name: b, imports: [{ from: a, policy: c }] }]`,
      'networks[1].imports[0].policy: must be accept, reject or the name of a policy, is c',
    ],
    [
      `${head}networks: [{ name: a, subnets: [10.1.0.0/16, 10.1.0.0/16] }]`,
      'networks[0].subnets[1]: must be unique, is 10.1.0.0/16',
    ],
    [
      `${head}networks: [{ name: a, subnets: ["::/0"] }]`,
      'networks[0].subnets[0]: must not be everything, is ::/0',
    ],
    [
      `${head}ovn: { northbound: "http://x" }`,
      'ovn.northbound: must be a comma list of unix:PATH, tcp:HOST:PORT and ssl:HOST:PORT, is http://x',
    ],
    [`${head}ovn: { northbound: "ssl:[::1]:6641" }`, 'ovn.tls: must be given for an ssl: remote'],
    [`${head}host: { protocol: 4 }`, 'host.protocol: must be ≥ 5, is 4'],
    [`${head}http: { listen: 9179 }`, 'http.listen: must be a text, is 9179'],
    [`${head}startup: { maxRemovalShare: 2 }`, 'startup.maxRemovalShare: must be ≤ 1, is 2'],
    [
      `${head}core: { memory: 1GB0 }`,
      'core.memory: must be a size with its unit (512MiB, 2GB), is 1GB0',
    ],
    [`${head}log: { level: trace }`, 'log.level: must be error, warn, info or debug, is trace'],
    [
      `${head}policies: { accept: [{ action: accept }] }`,
      'policies.accept: must have a name of its own, accept is built in',
    ],
  ])('%j', (text, problem) => {
    expect(refuse(text)).toEqual([problem]);
  });

  it('names both networks that share a router, an output port or a table', () => {
    const text = `${head}networks:
  - { name: red, table: 254, ovn: { router: gr, outputPort: a } }
  - { name: blue, table: main, ovn: { router: gr, outputPort: a } }
`;
    expect(refuse(text)).toEqual([
      'networks[1].table: must not be shared, is main of network red and network blue',
      'networks[1].ovn.router: must not be shared, is gr of network red and network blue',
      'networks[1].ovn.outputPort: must not be shared, is a of network red and network blue',
    ]);
  });

  it('names peers and addresses that are there twice', () => {
    const text = `${head}  peers:
    - { name: a, address: 10.0.0.2, asn: 1 }
    - { name: a, address: 10.0.0.2, asn: 1 }
`;
    expect(refuse(text)).toEqual([
      'bgp.peers[1].name: must be unique, is a like peers[0]',
      'bgp.peers[1].address: must be unique, is 10.0.0.2 like peers[0]',
    ]);
  });

  it('lets one address be two peers where they live in different VRFs', () => {
    const text = (elsewhere: string) => `${head}  peers:
    - { name: a, address: 10.0.0.2, asn: 1, network: red }
    - { name: b, address: 10.0.0.2, asn: 1, network: blue }
networks: [{ name: red, vrf: red }, { name: blue, ${elsewhere} }, { name: main }]
`;
    expect(parseConfig(text('vrf: blue')).problems).toBeUndefined();
    expect(parseConfig(text('table: 200')).problems).toBeUndefined();
    const main = text('table: 200').replace('network: red', 'network: main');
    expect(refuse(main)).toEqual([
      'bgp.peers[1].address: must be unique, is 10.0.0.2 like peers[0]',
    ]);
  });

  it('reports every problem at once, in the order of the file', () => {
    const { problems = [] } = parseConfig(
      `${head}  peers:\n    - { name: a, address: 10.0.0.2, asn: 1, holdTime: 2s, network: x }\n    - 5\nlog: { level: 3 }\n`,
    );
    expect(problems.map(formatProblem)).toEqual([
      '5:55 bgp.peers[0].holdTime: must be 0 or ≥ 3s, is 2s',
      '5:68 bgp.peers[0].network: must be one of the networks (default), is x',
      '6:7 bgp.peers[1]: must be a map, is 5',
      '7:15 log.level: must be error, warn, info or debug, is 3',
    ]);
  });

  it.each([
    ['bgp: [1\nx: 2', /^2:1 not YAML: /],
    ['a: 1\na: 2', /^2:1 not YAML: map keys must be unique/],
    ['a: &a [*a]', /./],
    ['a: *nobody', /not YAML: /],
    ['"\\ud800', /^1:\d+ not YAML: /],
  ])('says where %j is not YAML', (text, form) => {
    const { problems = [] } = parseConfig(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(formatProblem(problems[0]!)).toMatch(form);
  });

  it('stops at aliases that would expand without bound', () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++) {
      const [name, from] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
      lines.push(`${name}: &${name} [${new Array(9).fill(`*${from}`).join(',')}]`);
    }
    expect(refuse(lines.join('\n'))[0]).toMatch(/alias/i);
  });
});

describe('sources', () => {
  it('gives a followed table its name, network and protocol', () => {
    const config = accept(
      `${head}networks: [{ name: default }, { name: blue, vrf: blue, ovn: { router: r, outputPort: p } }]
sources: [{ kind: kernel, tables: [254], vrfs: [blue] }]`,
    );
    expect(followedTables(config)).toEqual([
      {
        name: 'kernel:main',
        table: 254,
        isVrf: false,
        protocol: 186,
        network: 'default',
        import: 'accept',
      },
      {
        name: 'kernel:blue',
        table: 'blue',
        isVrf: true,
        protocol: 186,
        network: 'blue',
        import: 'accept',
      },
    ]);
  });

  it.each([
    [
      'sources: [{ kind: kernel, tables: [main], import: eggs }]',
      'sources[0].import: must be accept, reject or the name of a policy, is eggs',
    ],
    ['sources: [{ kind: kernel }]', 'sources[0]: must name tables or vrfs'],
    [
      'sources: [{ kind: kernel, tables: [100] }]',
      'sources[0].tables[0]: must be the table of a network (main of default), is 100',
    ],
    [
      'networks: [{ name: default, table: 7 }]\nsources: [{ kind: kernel, tables: [7, main] }]',
      'sources[0].tables[1]: must be the table of a network (7 of default), is main',
    ],
    [
      'sources: [{ kind: kernel, tables: [main] }, { kind: kernel, tables: [254], protocol: 12 }]',
      'sources[1].tables[0]: must be followed once, is 254 once more',
    ],
    [
      'sources: [{ kind: kernel, tables: [main], protocol: eggs }]',
      'sources[0].protocol: must be a number, kernel, boot, static, zebra, bird, bgp, isis, ospf, rip or eigrp, is eggs',
    ],
  ])('%j is refused', (text, problem) => {
    expect(refuse(`${head}${text}`)).toEqual([problem]);
  });
});

describe('what a later release will do', () => {
  it.each([
    [withPeer('bfd: {}'), 'bgp.peers[0].bfd: not supported yet: BFD'],
    [
      `${head}  peers: [{ name: a, interface: eth1, asn: external }]`,
      'bgp.peers[0].interface: not supported yet: unnumbered peers, give an address too',
    ],
  ])('%j is checked and refused', (text, problem) => {
    expect(refuse(text)).toEqual([problem]);
  });
});
