// Configuration of networks: the tables they fill, what they announce, and what they have of each other's.
import { z } from 'zod';
import { advertiseSchema, aggregateSchema } from './announcements.ts';
import { interfaceName, name, prefix } from './values.ts';

const routeTarget = z.string().regex(/^(\d{1,10}|\d+\.\d+\.\d+\.\d+):\d{1,10}$/, {
  error: 'must be a route target (65000:101, 10.0.0.1:101)',
});

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

export const networkSchema = z.strictObject({
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
    .array(advertiseSchema)
    .default([])
    .describe('Prefixes announced to peers: from here, or from OVN.'),
  aggregates: z
    .array(aggregateSchema)
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
