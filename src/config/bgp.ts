// Configuration of the BGP speaker: where it listens, its peers, its decisions.
import { z } from 'zod';
import { asNumber, duration, fileName, interfaceName, ipAddress, name, port } from './values.ts';

const family = z.enum(['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn']);

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

export const bgpSchema = z.strictObject({
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
