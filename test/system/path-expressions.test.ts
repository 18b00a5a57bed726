// Expressions on AS_PATHs and patterns of communities mean what they mean in FRR: the same paths, the same expressions, the same answers.
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POLICY_FIRST } from '../../assembly/abi.ts';
import { noCapabilities } from '../../src/bgp/capabilities.ts';
import { encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { Framer, messageType } from '../../src/bgp/framing.ts';
import { MessageType } from '../../src/bgp/iana.ts';
import { encodeKeepalive } from '../../src/bgp/messages/keepalive.ts';
import { encodeOpen } from '../../src/bgp/messages/open.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { type Frr, startFrr } from '../../src/lab/frr.ts';
import { waitUntil } from '../../src/lab/processes.ts';
import { familyNumbers } from '../../src/net/address-family.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { parseCommunityPattern } from '../../src/policy/community-pattern.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { PolicyMatch } from '../../src/policy/policy.ts';
import { attribute, join, message } from '../core/updates.ts';
import { isRoot } from './agent-site.ts';
import { type BgpNetwork, bgpNetwork } from './bgp-network.ts';

const US = 64512;
const FRR_AS = 65000;

type Segments = readonly (number | readonly number[])[];

/** A list inside is an AS_SET. */
const paths: readonly Segments[] = [
  [],
  [65001],
  [165001],
  [650011],
  [65001, 8],
  [8, 65001],
  [65001, 18],
  [7, 65001, 8],
  [65001, 65001, 8],
  [65001, 174, 9],
  [65001, 1741],
  [4200000001, 4294967294],
  [[1, 2]],
  [7, [8, 65001]],
  [7, [8, 65001], 9],
  [7, [65001]],
  [65001, [1, 2, 3]],
  [[12, 65001], 12],
];

const expressions: readonly string[] = [
  '^$',
  '.',
  '^.$',
  '65001',
  '_65001_',
  '^65001_',
  '_65001$',
  '^65001$',
  '^65001',
  '_8$',
  '^_',
  '_$',
  '_',
  '__',
  '_8_65001_',
  '7_.*_9',
  '^65001 (3356|174)_',
  '^[0-9]+$',
  '^[0-9]+( [0-9]+)?$',
  '^[0-9 ]*$',
  '^(65001 )+8$',
  '[^0-9 ]',
  '\\{',
  '\\{.*\\}',
  '\\{.*\\}$',
  '\\{1,2\\}',
  '\\{1 2\\}',
  ',',
  '8,65001',
  '7 \\{8',
  '_1_2_',
  '1|7',
  '(_12)+$',
  '65001{1,2}$',
  '^.{5}$',
  '( [0-9]+){2}',
  '^[^7].*8$',
  '^[1-46-9]',
];

const communities: readonly (readonly string[])[] = [
  ['65001:100'],
  ['65001:1000'],
  ['65002:100'],
  ['1:65001', '65001:7'],
  ['65535:65281'],
  ['6500:1100'],
];
/** A pattern of ours and the list that says the same in FRR, where an expanded list is on the text. */
const patterns: readonly (readonly [string, string])[] = [
  ['65001:100', 'expanded _65001:100_'],
  ['65001:*', 'expanded _65001:[0-9]+_'],
  ['*:100', 'expanded _[0-9]+:100_'],
  ['65001:7', 'standard 65001:7'],
  ['no-export', 'standard no-export'],
];

describe.runIf(isRoot)('what FRR says', () => {
  let network: BgpNetwork;
  let frr: Frr;
  let socket: Socket;
  let core: RouteCore;
  const pathPrefix = (index: number) => `10.1.${index}.0/24`;
  const communityPrefix = (index: number) => `10.2.${index}.0/24`;

  beforeAll(async () => {
    core = await loadCore();
    network = await bgpNetwork('regexp', 46);
    frr = await startFrr({
      namespace: network.namespace,
      directory: `${network.directory}/frr`,
      processes: network.processes,
      configuration: [
        ...expressions.map((regex, i) => `bgp as-path access-list path${i} permit ${regex}`),
        ...patterns.map(([, list], i) => {
          const [kind, value] = list.split(' ');
          return `bgp community-list ${kind} some${i} permit ${value}`;
        }),
        `router bgp ${FRR_AS}`,
        ` bgp router-id ${network.ipv4(2)}`,
        ' no bgp ebgp-requires-policy',
        ` neighbor ${network.ipv4(1)} remote-as ${US}`,
        ` neighbor ${network.ipv4(1)} passive`,
        'exit',
        '',
      ].join('\n'),
    });
    const takes = async () =>
      (await frr.vtysh(`show bgp neighbors ${network.ipv4(1)}`)).includes('BGP state = Active');
    await waitUntil(takes, { what: 'FRR to take a session' });
    socket = connect({ host: network.ipv4(2), port: 179, localAddress: network.ipv4(1) });
    speak(socket, [
      ...paths.map((path, index) => announce(pathPrefix(index), path, [], network.ipv4(1))),
      ...communities.map((list, index) =>
        announce(communityPrefix(index), [US], list, network.ipv4(1)),
      ),
    ]);
    await waitUntil(
      async () => (await prefixes('json')).length === paths.length + communities.length,
      { what: 'all routes in FRR', timeoutMs: 20_000 },
    );
  }, 60_000);

  afterAll(async () => {
    socket?.destroy();
    await network?.[Symbol.asyncDispose]();
  });

  /** What `show bgp ipv4 unicast …` lists. */
  async function prefixes(what: string): Promise<string[]> {
    const text = await frr.vtysh(`show bgp ipv4 unicast ${what}`);
    if (!text.trim().startsWith('{')) return [];
    return Object.keys((JSON.parse(text) as { routes?: object }).routes ?? {}).sort();
  }

  function accepted(match: PolicyMatch): string[] {
    const policy = [{ match, set: {}, action: 'accept' as const }];
    core.setPolicy(POLICY_FIRST, compilePolicy(policy, { asn: US, peer: () => 0 }).bytes);
    const tried = [
      ...paths.map((path, index) => [pathPrefix(index), attributesOf(path, [])] as const),
      ...communities.map(
        (list, index) => [communityPrefix(index), attributesOf([US], list)] as const,
      ),
    ];
    return tried
      .filter(([prefix, attributes]) => {
        const route = { prefix: parsePrefix(prefix)!, attributes: Uint8Array.from(attributes) };
        return core.tryPolicy(POLICY_FIRST, { ...route, peer: 0 }).accepted;
      })
      .map(([prefix]) => prefix)
      .sort();
  }

  it.each(expressions.map((regex, i) => [regex, `path${i}`] as const))(
    'of %s',
    async (regex, list) => {
      expect(accepted({ asPath: { regex } })).toEqual(await prefixes(`filter-list ${list} json`));
    },
  );

  it.each(patterns.map(([text], i) => [text, `some${i}`] as const))('of %s', async (text, list) => {
    const any = [parseCommunityPattern('standard', text)!];
    const expected = await prefixes(`community-list ${list} json`);
    expect(expected).not.toEqual([]);
    expect(accepted({ communities: { any } })).toEqual(expected);
  });
});

/** Speaks BGP as far as FRR needs it to take the routes. */
function speak(socket: Socket, updates: readonly Uint8Array[]): void {
  const framer = new Framer();
  socket.write(
    encodeOpen({
      version: 4,
      asn: US,
      holdTimeSeconds: 90,
      routerId: 0xc0000201,
      capabilities: encodeCapabilities({
        ...noCapabilities,
        multiprotocol: [familyNumbers('ipv4-unicast')],
        fourOctetAsn: US,
      }),
    }),
  );
  socket.on('data', (chunk) => {
    framer.push(chunk);
    for (let each = framer.next(); each !== undefined; each = framer.next()) {
      const type = messageType(each);
      if (type === MessageType.open) socket.write(encodeKeepalive());
      if (type === MessageType.keepalive) socket.write(join(...updates));
    }
  });
}

function announce(
  prefix: string,
  path: Segments,
  list: readonly string[],
  nextHop: string,
): Uint8Array {
  const hop = attribute(0x40, 3, nextHop.split('.').map(Number));
  const attributes = [...attributesOf(path, list), ...hop];
  const { address, length } = parsePrefix(prefix)!;
  const nlri = [length, ...address.subarray(0, length / 8)];
  return message(2, [0, 0, 0, attributes.length, ...attributes, ...nlri]);
}

function attributesOf(path: Segments, list: readonly string[]): number[] {
  const segments = path.flatMap((each) =>
    typeof each === 'number'
      ? [2, 1, ...u32(each)]
      : [1, each.length, ...each.flatMap((asn) => u32(asn))],
  );
  const values = list.flatMap((text) => {
    const [high, low] = text.split(':').map(Number);
    return [high! >> 8, high! & 255, low! >> 8, low! & 255];
  });
  return [
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, segments),
    ...(values.length > 0 ? attribute(0xc0, 8, values) : []),
  ];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
