// The configuration: every key, its default and what it means. The parser, the JSON Schema and the printed form come from here.
//
// Keys of later stages (evpn, bfd) are checked here in full and refused by
// unsupported.ts where they are used, so that a file says today what it will mean then.
import { z } from 'zod';
import type { Policy } from '../policy/policy.ts';
import { communityValue, policiesSchema, prefixListsSchema } from './policies.ts';
import {
  asNumber,
  community,
  duration,
  interfaceName,
  ipAddress,
  largeCommunity,
  name,
  ovsdbRemotes,
  port,
  prefix,
  size,
  socketAddress,
} from './values.ts';

const family = z.enum(['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn']);
const fileName = z.string().min(1);
const routeTarget = z.string().regex(/^(\d{1,10}|\d+\.\d+\.\d+\.\d+):\d{1,10}$/, {
  error: 'must be a route target (65000:101, 10.0.0.1:101)',
});

const listenAddress = z.strictObject({
  address: ipAddress.describe('Local address to accept sessions on.'),
  port: port.default(179).describe('TCP port.'),
});

const maxPrefixes = z.strictObject({
  'ipv4-unicast': z.int().min(1).optional().describe('Most IPv4 prefixes taken from the peer.'),
  'ipv6-unicast': z.int().min(1).optional().describe('Most IPv6 prefixes taken from the peer.'),
  'l2vpn-evpn': z.int().min(1).optional().describe('Most EVPN routes taken from the peer.'),
  action: z
    .enum(['warn', 'stop', 'restart'])
    .default('warn')
    .describe(
      'At the limit: log and store no more; or close the session, for good or for a while.',
    ),
  restartAfter: duration({ minimum: '1s' })
    .prefault('10m')
    .describe('Time until a session closed by `restart` is opened again.'),
});

const bfd = z.strictObject({
  transmitInterval: duration({ minimum: '10ms' })
    .prefault('300ms')
    .describe('Desired Min TX Interval.'),
  receiveInterval: duration({ minimum: '10ms' })
    .prefault('300ms')
    .describe('Required Min RX Interval.'),
  multiplier: z.int().min(1).max(255).default(3).describe('Detection multiplier.'),
});

const peer = z.strictObject({
  name: name.describe('Name of the peer everywhere: logs, metrics, `--peer`.'),
  address: ipAddress
    .optional()
    .describe("The peer's address; a link-local one needs `interface` too."),
  interface: interfaceName
    .optional()
    .describe(
      'Interface of the session; without `address` the peer is found by itself (unnumbered).',
    ),
  asn: z
    .union([asNumber, z.enum(['external', 'internal'])])
    .describe("The peer's AS number, or any but ours (`external`), or ours (`internal`)."),
  network: name.default('default').describe('Network the session lives in and its routes go to.'),
  localAddress: ipAddress
    .optional()
    .describe('Our end of the session; default: what the kernel chooses.'),
  port: port.default(179).describe("The peer's TCP port."),
  passive: z.boolean().default(false).describe('Wait for the peer to connect.'),
  families: z
    .array(family)
    .min(1)
    .default(['ipv4-unicast', 'ipv6-unicast'])
    .describe('Address families offered (RFC 4760).'),
  holdTime: duration({ minimum: '3s', maximum: '65535s', orZero: true, step: '1s' })
    .prefault('90s')
    .describe('Hold time offered, 0 for none (RFC 4271 §4.2).'),
  keepaliveTime: duration({ minimum: '1s', maximum: '21845s', step: '1s' })
    .optional()
    .describe('Time between KEEPALIVEs; default: a third of the hold time.'),
  connectRetryTime: duration({ minimum: '1s', maximum: '1h' })
    .prefault('30s')
    .describe('Time between attempts to connect.'),
  multihop: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .describe('TTL of our packets towards an eBGP peer that is not on the link.'),
  ttlSecurity: z
    .int()
    .min(1)
    .max(254)
    .optional()
    .describe('Hops the peer may be away; packets from further are dropped (GTSM, RFC 5082).'),
  passwordFile: fileName.optional().describe('File with the TCP-MD5 password (RFC 2385).'),
  maxPrefixes: maxPrefixes.optional().describe('Prefix limits; default: none.'),
  gracefulRestart: z
    .strictObject({
      restartTime: duration({ maximum: '4095s', step: '1s' })
        .prefault('120s')
        .describe('Time the peer is asked to keep our routes while we restart (RFC 4724).'),
    })
    .prefault({})
    .describe('Graceful restart.'),
  bfd: bfd.optional().describe('Bidirectional forwarding detection (RFC 5880).'),
  import: z
    .string()
    .optional()
    .describe(
      'Policy for routes from the peer; default: `reject` for eBGP (RFC 8212), `accept` for iBGP.',
    ),
  export: z
    .string()
    .default('announce')
    .describe(
      "Policy for routes to the peer: `announce` (and `accept`) sends the networks' own prefixes, never learned ones.",
    ),
});

const decision = z.strictObject({
  med: z
    .enum(['deterministic', 'always'])
    .default('deterministic')
    .describe('MED within a neighbouring AS, whatever the order of arrival, or between all.'),
  multipath: z.int().min(1).max(16).default(16).describe('Most next hops that share the load.'),
  multipathRelax: z
    .boolean()
    .default(true)
    .describe('Paths of equal AS_PATH length may share the load, not only equal AS_PATHs.'),
});

const bgp = z.strictObject({
  asn: asNumber.describe('Our AS number.'),
  routerId: ipAddress
    .refine((address) => address.length === 4 && address.some((byte) => byte !== 0), {
      error: 'must be an IPv4 address other than 0.0.0.0',
    })
    .describe('Our BGP identifier (RFC 6286).'),
  listen: z
    .array(listenAddress)
    .prefault([{ address: '0.0.0.0' }])
    .describe('Where sessions are accepted; [] never listens.'),
  decision: decision.prefault({}).describe('The decision process (RFC 4271 §9.1.2).'),
  peers: z.array(peer).default([]).describe('BGP sessions.'),
});

const announcedAttributes = {
  origin: z.enum(['igp', 'egp', 'incomplete']).optional().describe('ORIGIN; default: igp.'),
  med: z.int().min(0).max(0xffff_ffff).optional().describe('MULTI_EXIT_DISC.'),
  communities: z.array(community).default([]).describe('Standard communities (RFC 1997).'),
  largeCommunities: z
    .array(largeCommunity)
    .optional()
    .describe('Large communities (RFC 8092): 65001:1:2.'),
  extendedCommunities: z
    .array(communityValue('extended'))
    .optional()
    .describe('Extended communities (RFC 4360): rt:65000:100, soo:10.0.0.1:1.'),
  policy: z
    .string()
    .default('accept')
    .describe('What of it is announced, and how: a policy, before those of exports and peers.'),
};

/** What of an object in the Northbound database is announced; the first is the default. */
export const ovnParts = {
  switch: ['subnet', 'ports'],
  router: ['networks', 'addresses'],
  nat: ['floating-ips', 'egress-ips'],
  loadBalancers: ['vips'],
} as const;

const ovnName = z.string().min(1).optional();

const ovnAdvertisement = z.strictObject({
  switch: ovnName.describe(
    'Name of a Logical_Switch: its subnet, or the addresses of its ports on this node.',
  ),
  router: ovnName.describe(
    'Name of a Logical_Router: the networks of its ports, or their addresses.',
  ),
  nat: ovnName.describe('Name of a Logical_Router: external addresses of its NAT rows.'),
  loadBalancers: ovnName.describe('Name of a Logical_Router: virtual IPs of its load balancers.'),
  what: z
    .enum(['subnet', 'ports', 'networks', 'addresses', 'floating-ips', 'egress-ips', 'vips'])
    .optional()
    .describe(
      'switch: subnet (default) or ports; router: networks (default) or addresses; nat: floating-ips (default) or egress-ips.',
    ),
});

const advertisement = z
  .strictObject({
    prefix: prefix.optional().describe('The prefix; or `ovn` for those of an object in OVN.'),
    ovn: ovnAdvertisement
      .optional()
      .describe('Prefixes from the Northbound database, announced while their datapath is here.'),
    nextHop: ipAddress.optional().describe('Default: our address in the session (next-hop-self).'),
    ...announcedAttributes,
  })
  .refine(({ prefix: seen, ovn }) => seen !== undefined || ovn !== undefined, {
    error: 'must have a prefix or ovn',
  });

const aggregate = z.strictObject({
  prefix: prefix.describe('Announced while a more specific prefix of the network is.'),
  suppress: z
    .boolean()
    .default(false)
    .describe('The more specific prefixes are not announced themselves.'),
  ...announcedAttributes,
});

// The map comes first: printing goes the other way, and every entry is a map by then.
const advertise = z.union([advertisement, prefix]);

const aggregation = z.enum(['off', 'exact', 'discard']);

const networkOvn = z.strictObject({
  router: z.string().min(1).describe('Name of the gateway Logical_Router.'),
  outputPort: z.string().min(1).describe('Name of the Logical_Router_Port that packets leave by.'),
  aggregation: aggregation
    .default('exact')
    .describe(
      'Fewest rows that forward alike; `off`: one for each route; `discard` may add rows that drop.',
    ),
  maxRoutes: z
    .int()
    .min(1)
    .default(50_000)
    .describe(
      'Most rows of ours on the router: what is in stays, then shorter prefixes first, IPv4 before IPv6, by address.',
    ),
  collision: z
    .enum(['skip', 'replace-when-gone', 'share'])
    .default('skip')
    .describe(
      'A row of someone else has the same prefix: leave ours out, take over when it goes, or join it.',
    ),
});

const evpn = z.strictObject({
  routeDistinguisher: z.union([z.literal('auto'), routeTarget]).default('auto'),
  l3vni: z.int().min(1).max(0xff_ffff).optional(),
  l2vni: z.int().min(1).max(0xff_ffff).optional(),
  routeTargets: z.strictObject({
    import: z.array(routeTarget).default([]),
    export: z.array(routeTarget).default([]),
  }),
});

const network = z.strictObject({
  name: name.describe('Name of the network everywhere, also in the rows it owns.'),
  table: z
    .union([z.int().min(1).max(0xffff_ffff), z.string().min(1)])
    .optional()
    .describe(
      'Host table: number, name or VRF device; without it (and `vrf`) the host is left alone.',
    ),
  vrf: interfaceName
    .optional()
    .describe(
      'VRF device the network lives in: its table is filled, its next hops and its sessions are inside.',
    ),
  hostAggregation: aggregation
    .default('off')
    .describe('The same for the host table: fewest routes that forward alike.'),
  ovn: networkOvn.optional().describe('The OVN router to fill; without it OVN is left alone.'),
  advertise: z
    .array(advertise)
    .default([])
    .describe('Prefixes announced to peers: from here, or from OVN.'),
  aggregates: z
    .array(aggregate)
    .default([])
    .describe('Summaries of what is announced, each with a discard route behind it.'),
  subnets: z
    .array(prefix)
    .default([])
    .describe(
      'All subnets of the network, on whatever node: routes from outside to one or to a part of one are refused. What is announced counts too.',
    ),
  imports: z
    .array(
      z.strictObject({
        from: name.describe('Network whose chosen routes are taken, its own ones alone.'),
        policy: z.string().default('accept').describe('Which of them, and how: a policy.'),
      }),
    )
    .default([])
    .describe("Routes of another network's Loc-RIB into this one."),
  exports: z
    .array(
      z.strictObject({
        to: name.describe('Network in whose sessions it is announced.'),
        policy: z.string().default('accept').describe('What of it, and how: a policy.'),
      }),
    )
    .default([])
    .describe("Networks in whose sessions this network's prefixes are announced too."),
  evpn: evpn.optional().describe('EVPN instance of the network.'),
});

/** rtnetlink(7) and rt_protos of iproute2. */
const protocolNumbers = {
  kernel: 2,
  boot: 3,
  static: 4,
  zebra: 11,
  bird: 12,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
} as const;
const protocolNames = Object.keys(protocolNumbers) as (keyof typeof protocolNumbers)[];

/** The protocol of routes that others write. */
const followedProtocol = z.codec(
  z.union([z.int().min(1).max(255), z.enum(protocolNames)]),
  z.int().min(1).max(255),
  {
    decode: (seen) => (typeof seen === 'number' ? seen : protocolNumbers[seen]),
    encode: (value) => value,
  },
);

const kernelSource = z.strictObject({
  kind: z.literal('kernel').describe('Routes that another program (FRR) installed in the kernel.'),
  tables: z
    .array(z.union([z.int().min(1).max(0xffff_ffff), z.string().min(1)]))
    .default([])
    .describe('Tables to follow, as `table` of a network names them; `main` is that of `default`.'),
  vrfs: z.array(interfaceName).default([]).describe('VRF devices whose tables to follow.'),
  protocol: followedProtocol
    .prefault('bgp')
    .describe('Kernel route protocol of what is learned: number or name.'),
  import: z.string().default('accept').describe('Policy for what is learned.'),
});

const tls = z.strictObject({
  keyFile: fileName.describe('Private key, PEM.'),
  certificateFile: fileName.describe('Our certificate, PEM.'),
  caFile: fileName.describe('Certificates that may sign the server, PEM.'),
});

/** rtnetlink(7): 186 is RTPROT_BGP. */
const routeProtocol = z.codec(
  z.union([z.int().min(5).max(255), z.literal('bgp')]),
  z.int().min(5).max(255),
  {
    decode: (seen) => (seen === 'bgp' ? 186 : seen),
    encode: (value) => value,
  },
);

export const configSchema = z.strictObject({
  node: name
    .optional()
    .describe('Name of this node, owner of what it writes; default: the host name.'),
  bgp: bgp.describe('The BGP speaker.'),
  policies: policiesSchema.default({}),
  prefixLists: prefixListsSchema.default({}),
  networks: z
    .array(network)
    .min(1)
    .prefault([{ name: 'default' }])
    .describe('Networks (VRFs): where routes go and what is announced.'),
  sources: z
    .array(kernelSource)
    .default([])
    .describe('Routes that do not come over a BGP session of ours.'),
  ovn: z
    .strictObject({
      northbound: ovsdbRemotes
        .prefault('unix:/var/run/ovn/ovnnb_db.sock')
        .describe('The OVN Northbound database; several remotes for raft.'),
      southbound: ovsdbRemotes
        .prefault('unix:/var/run/ovn/ovnsb_db.sock')
        .describe(
          'The OVN Southbound database, only read: what is bound on this node where `advertise` names OVN, and how long northd takes.',
        ),
      chassis: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Name of this node's Chassis; default: `system-id` of the local Open vSwitch, else `node`.",
        ),
      tls: tls.optional().describe('Needed for ssl: remotes.'),
    })
    .prefault({})
    .describe('OVN.'),
  host: z
    .strictObject({
      protocol: routeProtocol
        .prefault(114)
        .describe('Kernel route protocol: number, or `bgp` (186).'),
      metric: z.int().min(1).max(0xffff_ffff).default(20).describe('Route metric.'),
    })
    .prefault({})
    .describe("The host's kernel."),
  startup: z
    .strictObject({
      deadline: duration({ minimum: '1s' })
        .prefault('2m')
        .describe('Nothing is removed until every peer is in sync, but no longer than this.'),
      maxRemovalShare: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("A larger share of a network's routes is not removed without a known cause."),
    })
    .prefault({})
    .describe('Start without a flush.'),
  core: z
    .strictObject({
      memory: size({ minimum: '32MiB', maximum: '4GiB' })
        .prefault('2GiB')
        .describe(
          "Ceiling of the route core's memory; routes that do not fit are refused and counted.",
        ),
    })
    .prefault({})
    .describe('The route core.'),
  verify: z
    .strictObject({
      interval: duration({ minimum: '1s' })
        .prefault('5m')
        .describe('How often aggregation is checked against the routes while the agent runs.'),
      dumpDirectory: fileName
        .default('/var/lib/rutter')
        .describe('Where a fault that the check finds is described, as JSON.'),
    })
    .prefault({})
    .describe('The check of aggregation in the background.'),
  control: z
    .strictObject({
      socket: fileName
        .default('/run/rutter/rutter.sock')
        .describe('Unix socket of the control API.'),
    })
    .prefault({})
    .describe('The control API.'),
  http: z
    .strictObject({
      listen: socketAddress.prefault('127.0.0.1:9179').describe('Address and port.'),
    })
    .optional()
    .describe('Metrics and health over HTTP; without it there is no listener.'),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .describe('Least level logged.'),
    })
    .prefault({})
    .describe('Logs.'),
});

/** A file as it parses, before the defaults that depend on other keys. */
export type ParsedConfig = z.output<typeof configSchema>;

type ParsedPeer = ParsedConfig['bgp']['peers'][number];
type ParsedNetwork = ParsedConfig['networks'][number];

/** One prefix of ours on the wire, or what of an object in OVN is. */
export type Advertisement = DeepReadonly<z.output<typeof advertisement>>;
export type Aggregate = DeepReadonly<z.output<typeof aggregate>>;

export type PeerConfig = DeepReadonly<
  Omit<ParsedPeer, 'asn' | 'keepaliveTime' | 'import' | 'export'>
> & {
  /** `internal` has become our own number. */
  readonly asn: number | 'external';
  readonly keepaliveTime: number;
  /** Names of policies; `accept` and `reject` are built in. */
  readonly import: string;
  /** What of the networks' own prefixes, never of learned routes (P7). */
  readonly export: string;
};

export type NetworkConfig = DeepReadonly<Omit<ParsedNetwork, 'advertise'>> & {
  readonly advertise: readonly Advertisement[];
};

/** What the agent runs on: frozen, every default filled in, durations in milliseconds, addresses as values. */
export type Config = DeepReadonly<Omit<ParsedConfig, 'node' | 'bgp' | 'networks' | 'policies'>> & {
  readonly node: string;
  readonly policies: Readonly<Record<string, Policy>>;
  readonly bgp: DeepReadonly<Omit<ParsedConfig['bgp'], 'peers'>> & {
    readonly peers: readonly PeerConfig[];
  };
  readonly networks: readonly NetworkConfig[];
};

type DeepReadonly<T> = T extends Uint8Array | string | number | boolean | undefined
  ? T
  : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };
