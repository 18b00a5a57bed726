// The lab's network as data: who is in it, which addresses they have, what each router provides, what must be learned. Pure.
//
//   provider          tor-a AS 65001        tor-b AS 65002
//   (upstream AS 64999)   │ .2                  │ .3
//                         └────── br-ex ────────┘        172.18.0.0/24   fd00:172:18::/64
//   node                     │ .254 host, agent (AS 64512)
//                            │ .253 gateway router GR_worker-1 ── switch ── pod 10.244.1.10, fd00:10:244:1::a
//
// The agent peers with both routers from the host's address and announces the pod's subnets with the gateway router's address
// as next hop, so packets between the provider and the pod pass the gateway router and not the host.

export const chassis = 'worker-1';
export const agentAsn = 64512;

/** The host's end of br-ex, where the agent's sessions end. */
export const host = { ipv4: '172.18.0.254', ipv6: 'fd00:172:18::fe' } as const;

export const gatewayRouter = {
  name: `GR_${chassis}`,
  outside: {
    port: `rtoe-GR_${chassis}`,
    logicalSwitch: `ext_${chassis}`,
    mac: '0a:58:ac:12:00:fd',
    ipv4: '172.18.0.253',
    ipv6: 'fd00:172:18::fd',
  },
  inside: {
    port: `rtos-${chassis}`,
    logicalSwitch: chassis,
    mac: '0a:58:0a:f4:01:01',
    ipv4: '10.244.1.1',
    ipv6: 'fd00:10:244:1::1',
  },
} as const;

export const pod = {
  mac: '0a:58:0a:f4:01:0a',
  ipv4: '10.244.1.10',
  ipv6: 'fd00:10:244:1::a',
  subnets: ['10.244.1.0/24', 'fd00:10:244:1::/64'],
} as const;

/** A prefix that a router provides. */
interface ProvidedPrefix {
  readonly prefix: string;
  /** An address in it that the router answers on. */
  readonly address: string;
  /** AS_PATH behind the router's own AS number. */
  readonly upstream: readonly number[];
}

export interface Router {
  readonly name: string;
  readonly asn: number;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly provides: readonly ProvidedPrefix[];
}

const provided = (prefix: string, address: string, upstream: readonly number[]) => ({
  prefix,
  address,
  upstream,
});

/** Equal on both routers: two next hops that share the load. */
const common = [
  provided('203.0.113.0/24', '203.0.113.1', [64999]),
  provided('2001:db8:113::/48', '2001:db8:113::1', [64999]),
];

/** On both routers, with one AS more on tor-b: tor-a wins by the shorter AS_PATH. */
const preferred = (upstream: readonly number[]) => [
  provided('198.18.0.0/16', '198.18.0.1', upstream),
  provided('2001:db8:18::/48', '2001:db8:18::1', upstream),
];

export const routers: readonly Router[] = [
  {
    name: 'tor-a',
    asn: 65001,
    ipv4: '172.18.0.2',
    ipv6: 'fd00:172:18::2',
    provides: [
      ...common,
      ...preferred([64999]),
      provided('198.51.100.0/24', '198.51.100.1', [64999, 64900]),
      provided('2001:db8:a::/48', '2001:db8:a::1', [64999, 64900]),
    ],
  },
  {
    name: 'tor-b',
    asn: 65002,
    ipv4: '172.18.0.3',
    ipv6: 'fd00:172:18::3',
    provides: [
      ...common,
      ...preferred([64998, 64999]),
      provided('192.0.2.0/24', '192.0.2.1', [64998]),
      provided('2001:db8:b::/48', '2001:db8:b::1', [64998]),
    ],
  },
];

/** A prefix with the next hops that must be programmed for it, and an address that answers. */
export interface ExpectedRoute {
  readonly prefix: string;
  readonly address: string;
  readonly nextHops: readonly string[];
}

/** What the decision process must choose of all that is provided: the shortest AS_PATH, every router that has it. */
export function expectedRoutes(): ExpectedRoute[] {
  const offers = routers.flatMap((router) => router.provides.map((offer) => ({ router, offer })));
  const prefixes = [...new Set(offers.map(({ offer }) => offer.prefix))];
  return prefixes.map((prefix) => {
    const candidates = offers.filter(({ offer }) => offer.prefix === prefix);
    const shortest = Math.min(...candidates.map(({ offer }) => offer.upstream.length));
    const best = candidates.filter(({ offer }) => offer.upstream.length === shortest);
    const family = isIpv6(prefix) ? 'ipv6' : 'ipv4';
    const { address } = best[0]!.offer;
    return { prefix, address, nextHops: best.map(({ router }) => router[family]).sort() };
  });
}

/** frr.conf of a router. Prefixes of equal AS_PATH share a route-map. */
export function frrConfiguration(router: Router): string {
  const paths = [...new Set(router.provides.map(({ upstream }) => upstream.join(' ')))];
  const mapOf = (offer: ProvidedPrefix) => `upstream-${paths.indexOf(offer.upstream.join(' '))}`;
  const networks = (wanted: boolean) =>
    router.provides
      .filter(({ prefix }) => isIpv6(prefix) === wanted)
      .map((offer) => `  network ${offer.prefix} route-map ${mapOf(offer)}`);
  return [
    `hostname ${router.name}`,
    ...paths.flatMap((path, index) => [
      `route-map upstream-${index} permit 10`,
      ` set as-path prepend ${path}`,
      'exit',
    ]),
    `router bgp ${router.asn}`,
    ` bgp router-id ${router.ipv4}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ` neighbor ${host.ipv4} remote-as ${agentAsn}`,
    ` neighbor ${host.ipv4} timers connect 1`,
    ' address-family ipv4 unicast',
    ...networks(false),
    ' exit-address-family',
    ' address-family ipv6 unicast',
    `  neighbor ${host.ipv4} activate`,
    ...networks(true),
    ' exit-address-family',
    'exit',
    '',
  ].join('\n');
}

/** The agent's configuration file: a first real one to look at and to change. */
export function agentConfiguration(paths: {
  readonly northbound: string;
  readonly controlSocket: string;
}): string {
  const { name, outside } = gatewayRouter;
  const peers = routers.flatMap((router) => [
    `    - name: ${router.name}`,
    `      address: ${router.ipv4}`,
    `      asn: ${router.asn}`,
    `      localAddress: ${host.ipv4}`,
    '      connectRetryTime: 1s',
    '      import: accept            # without it an eBGP peer is taken nothing from (RFC 8212)',
  ]);
  const advertise = pod.subnets.map((subnet) => {
    const nextHop = isIpv6(subnet) ? outside.ipv6 : outside.ipv4;
    return `      - { prefix: "${subnet}", nextHop: "${nextHop}" }`;
  });
  return [
    `node: ${chassis}`,
    'bgp:',
    `  asn: ${agentAsn}`,
    `  routerId: ${host.ipv4}`,
    `  listen: [{ address: ${host.ipv4}, port: 179 }]`,
    '  peers:',
    ...peers,
    'networks:',
    '  - name: default',
    '    table: main                   # the host learns too',
    `    ovn: { router: ${name}, outputPort: ${outside.port} }`,
    '    advertise:                    # through the gateway router, past the host',
    ...advertise,
    `ovn: { northbound: "${paths.northbound}" }`,
    `control: { socket: "${paths.controlSocket}" }`,
    '',
  ].join('\n');
}

export function isIpv6(text: string): boolean {
  return text.includes(':');
}
