// Configuration of what a network announces: prefixes, objects in OVN, summaries.
import { z } from 'zod';
import { communityValue } from './policies.ts';
import { community, ipAddress, largeCommunity, prefix } from './values.ts';

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

export const advertisementSchema = z
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

export const aggregateSchema = z.strictObject({
  prefix: prefix.describe('Announced while a more specific prefix of the network is.'),
  suppress: z
    .boolean()
    .default(false)
    .describe('The more specific prefixes are not announced themselves.'),
  ...announcedAttributes,
});

// The map comes first: printing goes the other way, and every entry is a map by then.
export const advertiseSchema = z.union([advertisementSchema, prefix]);
