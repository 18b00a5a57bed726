// Import policies of a running agent between FRR and BIRD: what they take and change, a reload that changes them while the sessions
// stay up, and `rutter explain` as its user reads it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/control/explanation.ts';
import type { Bird } from '../../src/lab/bird.ts';
import type { RunningProcess } from '../../src/lab/processes.ts';
import { AgentSite, BIRD, FRR, isRoot, OUTPUT_PORT, peer, ROUTER, TABLE } from './agent-site.ts';

/** tor-a marks it 65001:7, tor-b does not. */
const MARKED = '203.0.113.0/24';
/** tor-a's path goes through 64999. */
const DRAINED = '198.51.100.0/24';
/** Both, unmarked: nothing but the router id tells them apart. */
const EQUAL = '198.18.0.0/16';
const PRIVATE = '10.99.0.0/16';
const LATER = '192.0.2.0/24';

const reject = { match: { prefixes: ['10.0.0.0/8 le 32'] }, action: 'reject' };
const drain = {
  match: { asPath: { contains: 64999 } },
  set: { localPref: 50, communities: { add: ['64512:50'] } },
  action: 'next',
};
const marked = {
  match: { communities: ['65001:7'], prefixes: ['0.0.0.0/0 ge 16 le 24'] },
  set: { localPref: 200 },
  action: 'accept',
};
const fromB = {
  match: { asPath: { regex: '^65002(_|$)' }, peer: 'tor-b' },
  set: { largeCommunities: { add: ['64512:1:1'] } },
  action: 'accept',
};
const rest = { match: { asPath: { length: { max: 5 } } }, action: 'accept' };
const before = [reject, drain, marked, fromB, rest];

/** Of another network, on its way out: as its line, the export and each peer have it. */
const OWN = '10.45.0.0/24';
const outbound = {
  tagged: [{ set: { med: 5, communities: { add: ['64512:45'] } }, action: 'accept' }],
  few: [{ match: { prefixes: ['10.45.0.0/16 le 24'] }, action: 'accept' }],
  longer: [
    { match: { communities: ['64512:46'] }, action: 'reject' },
    { match: { communities: ['64512:45'] }, set: { med: 9 }, action: 'accept' },
  ],
  none: [{ match: { prefixes: ['10.0.0.0/8 le 32'] }, action: 'reject' }],
};

const config = (fabric: readonly object[]) => ({
  bgp: {
    peers: [
      peer('tor-a', FRR, 65001, { import: 'fabric', export: 'longer' }),
      peer('tor-b', BIRD, 65002, { import: 'fabric', export: 'none' }),
    ],
  },
  policies: { fabric, ...outbound },
  networks: [
    {
      name: 'default',
      table: TABLE,
      ovn: { router: ROUTER, outputPort: OUTPUT_PORT, aggregation: 'off' },
    },
    {
      name: 'red',
      advertise: [{ prefix: OWN, policy: 'tagged' }],
      exports: [{ to: 'default', policy: 'few' }],
    },
  ],
});

describe.runIf(isRoot)('policies of a running agent', () => {
  let site: AgentSite;
  let bird: Bird;
  let agent: RunningProcess;
  const ofB = [MARKED, DRAINED, EQUAL, PRIVATE];

  beforeAll(async () => {
    site = await AgentSite.open();
    await site.startNorthbound();
    await site.addRouter();
    await site.frr(
      [
        ' address-family ipv4 unicast',
        ...[MARKED, DRAINED, EQUAL, PRIVATE].map((prefix) => `  network ${prefix}`),
        '  neighbor 10.78.1.1 route-map marks out',
        ' exit-address-family',
      ],
      [
        `ip prefix-list marked permit ${MARKED}`,
        `ip prefix-list drained permit ${DRAINED}`,
        'route-map marks permit 10',
        ' match ip address prefix-list marked',
        ' set community 65001:7',
        'exit',
        'route-map marks permit 20',
        ' match ip address prefix-list drained',
        ' set community 65001:8',
        ' set as-path prepend 65001 64999',
        'exit',
        'route-map marks permit 30',
        'exit',
      ],
    );
    bird = await site.bird(ofB);
    agent = await site.agent({ config: config(before) });
  }, 60_000);

  afterAll(() => site?.[Symbol.asyncDispose]());

  const both = (prefix: string) => [`${prefix} via ${FRR}`, `${prefix} via ${BIRD}`];

  async function untilTables(expected: readonly string[]): Promise<void> {
    const same = (seen: readonly string[]) => `${seen}` === `${[...expected].sort()}`;
    await site.until(`${expected} in Northbound`, async () => same(await site.rows()));
    await site.until(`${expected} in the kernel`, async () => same(await site.kernelRoutes()));
  }

  async function reload(fabric: readonly object[]): Promise<void> {
    const count = (await site.logged(agent, 'reloaded')).length;
    await site.configure(config(fabric));
    agent.signal('SIGHUP');
    await site.until(
      'the reload',
      async () => (await site.logged(agent, 'reloaded')).length > count,
    );
  }

  async function explain(prefix: string, ...args: readonly string[]): Promise<Explanation> {
    const { code, stdout, stderr } = await site.asked('explain', prefix, ...args, '-o', 'json');
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Explanation;
  }

  it('take, change and reject what they say', async () => {
    await untilTables([`${MARKED} via ${FRR}`, `${DRAINED} via ${BIRD}`, ...both(EQUAL)]);
  });

  it('are explained: what was received, which clause did what, why a path lost', async () => {
    const { stdout, stderr, code } = await site.asked('explain', DRAINED);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.replaceAll(/ +$/gm, '')).toBe(`${DRAINED} of tor-b: best path, higher LOCAL_PREF
  received   nextHop=${BIRD}  asPath=65002  origin=igp
  effective  nextHop=${BIRD}  asPath=65002  origin=igp  largeCommunities=64512:1:1
  bgp.peers.tor-b.import: fabric → accept
    clause 1  no match: prefixes
    clause 2  no match: asPath.contains
    clause 3  no match: communities.any
    clause 4  matched: peer, asPath.regex  set largeCommunities add 64512:1:1  → accept

${DRAINED} of tor-a: not used, lower LOCAL_PREF
  received   nextHop=${FRR}  asPath=65001 65001 64999  origin=igp  med=0  communities=65001:8
  effective  nextHop=${FRR}  asPath=65001 65001 64999  origin=igp  med=0  localPref=50  communities=65001:8 64512:50
  bgp.peers.tor-a.import: fabric → accept
    clause 1  no match: prefixes
    clause 2  matched: asPath.contains  set localPref=50, communities add 64512:50  → next
    clause 3  no match: communities.any
    clause 4  no match: peer, asPath.regex
    clause 5  matched: asPath.length  → accept
  step 2  weight 0: equal
  step 3  LOCAL_PREF 50, best path 100: lower LOCAL_PREF

PREFIX           NEXT HOP   TARGET  INSTALLED  PROGRAMMED  ROUTES  FAILURE
${DRAINED}  ${BIRD}  ovn     yes
${DRAINED}  ${BIRD}  host    yes
`);
    const { routes, entries } = await explain(MARKED, '--peer', 'tor-b');
    expect(routes).toMatchObject([
      {
        route: { peer: 'tor-b', best: false, reason: 'lower LOCAL_PREF' },
        eligible: true,
        policies: [{ policy: 'fabric', verdict: 'accept' }],
        decision: [{ step: 2 }, { step: 3, route: 100, best: 200, says: 'lower LOCAL_PREF' }],
      },
    ]);
    expect(entries).toMatchObject([
      { target: 'ovn', installed: 'yes', nextHops: [{ address: FRR }] },
      { target: 'host', installed: 'yes' },
    ]);
  });

  it('are explained down to the last steps, and where they rejected', async () => {
    const [a, b] = (await explain(EQUAL)).routes;
    expect(a).toMatchObject({ route: { best: true, reason: 'lower router id' }, decision: [] });
    expect(b!.route).toMatchObject({ multipath: true, reason: 'higher router id' });
    expect(b!.decision.map(({ step, says }) => `${step} ${says}`)).toEqual([
      ...[2, 3, 4, 5, 6, 7, 8, 9].map((step) => `${step} equal`),
      '10 higher router id',
    ]);
    expect(b!.decision.at(-1)).toMatchObject({ route: BIRD, best: FRR });
    const { stdout, stderr, code } = await site.asked('explain', PRIVATE, '--peer', 'tor-a');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${PRIVATE} of tor-a: not eligible, rejected by import policy
  received   nextHop=${FRR}  asPath=65001  origin=igp  med=0
  bgp.peers.tor-a.import: fabric → reject
    clause 1  matched: prefixes  → reject

no target has or should have it
`);
    expect(await site.asked('explain', LATER)).toMatchObject({
      code: 1,
      stderr: `rutter: no route to ${LATER} in network default\n`,
    });
    expect(await site.asked('explain', EQUAL, '--peer', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'rutter: peer nobody, expected one of tor-a, tor-b\n',
    });
  });

  it('are explained on the way out: each policy of the line, the export and the peer', async () => {
    const { stdout, stderr, code } = await site.asked('explain', OWN, '--network', 'red');
    expect([code, stderr]).toEqual([0, '']);
    const withoutTimes = stdout.replaceAll(/since \S+/g, 'since T');
    expect(withoutTimes).toBe(`${OWN} of local: best path, only path

${OWN} towards tor-a: announced since T
  source     configuration
  networks.red.advertise: tagged → accept
    clause 1  matched: everything  set med=5, communities add 64512:45  → accept
  networks.red.exports.default: few → accept
    clause 1  matched: prefixes  → accept
  bgp.peers.tor-a.export: longer → accept
    clause 1  no match: communities.any
    clause 2  matched: communities.any  set med=9  → accept
  told       nextHop=10.78.1.1  asPath=64512  origin=igp  med=9  communities=64512:45

${OWN} towards tor-b: rejected, export policy none rejects it
  source     configuration
  networks.red.advertise: tagged → accept
    clause 1  matched: everything  set med=5, communities add 64512:45  → accept
  networks.red.exports.default: few → accept
    clause 1  matched: prefixes  → accept
  bgp.peers.tor-b.export: none → reject
    clause 1  matched: prefixes  → reject

`);
    const args = ['explain', '10.45.0.7', '--network', 'red', '--peer', 'tor-b', '-o', 'json'];
    const explained = JSON.parse((await site.asked(...args)).stdout) as Explanation;
    expect(explained.announcements).toMatchObject([
      {
        announcement: { peer: 'tor-b', state: 'rejected' },
        policies: [{}, {}, { policy: 'none' }],
      },
    ]);
  });

  it('are followed by the routes that are there and those that come, with no session reset', async () => {
    // No prefix is private any more, what is marked is worth less, and equal paths go through tor-b alone.
    const heavier = { match: { prefixes: [EQUAL], peer: 'tor-b' }, set: { weight: 1 } };
    const less = { ...marked, set: { localPref: 90 } };
    await reload([{ ...heavier, action: 'next' }, drain, less, fromB, rest]);
    await untilTables([
      `${MARKED} via ${BIRD}`,
      `${DRAINED} via ${BIRD}`,
      `${EQUAL} via ${BIRD}`,
      ...both(PRIVATE),
    ]);
    expect((await explain(EQUAL, '--peer', 'tor-a')).routes[0]!.decision).toMatchObject([
      { step: 2, compares: 'weight', says: 'lower weight', route: 0, best: 1 },
    ]);
    await site.birdAnnounces(bird, [EQUAL, LATER]);
    await untilTables([
      `${MARKED} via ${FRR}`,
      `${DRAINED} via ${FRR}`,
      `${EQUAL} via ${BIRD}`,
      `${PRIVATE} via ${FRR}`,
      `${LATER} via ${BIRD}`,
    ]);
    await reload([reject, { match: { peer: 'tor-b' }, action: 'reject' }, rest]);
    await untilTables([MARKED, DRAINED, EQUAL].map((prefix) => `${prefix} via ${FRR}`));
    await reload(before);
    await untilTables([
      `${MARKED} via ${FRR}`,
      `${DRAINED} via ${FRR}`,
      ...both(EQUAL),
      `${LATER} via ${BIRD}`,
    ]);
    for (const each of await site.list('peers')) {
      expect(each).toMatchObject({ state: 'established', establishedCount: 1 });
    }
  });
});
