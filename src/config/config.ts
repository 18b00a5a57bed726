// The configuration: every key, its default and what it means. The parser, the JSON Schema and the printed form come from here, and
// from a file for each of the larger sections.
//
// Keys of later stages (evpn, bfd) are checked in full and refused by
// unsupported.ts where they are used, so that a file says today what it will mean then.
import { z } from 'zod';
import type { Policy } from '../policy/policy.ts';
import type { advertisementSchema, aggregateSchema } from './announcements.ts';
import { bgpSchema } from './bgp.ts';
import { networkSchema } from './networks.ts';
import { policiesSchema, prefixListsSchema } from './policies.ts';
import { kernelSourceSchema } from './sources.ts';
import { duration, fileName, name, ovsdbRemotes, size, socketAddress } from './values.ts';

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
  bgp: bgpSchema.describe('The BGP speaker.'),
  policies: policiesSchema.default({}),
  prefixLists: prefixListsSchema.default({}),
  networks: z
    .array(networkSchema)
    .min(1)
    .prefault([{ name: 'default' }])
    .describe('Networks (VRFs): where routes go and what is announced.'),
  sources: z
    .array(kernelSourceSchema)
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
      metric: z
        .int()
        .min(1)
        .max(0xffff_ffff)
        .default(20)
        .describe(
          'Route metric. Another one is given to the routes that are there when the agent is started with it.',
        ),
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
export type Advertisement = DeepReadonly<z.output<typeof advertisementSchema>>;
export type Aggregate = DeepReadonly<z.output<typeof aggregateSchema>>;

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
