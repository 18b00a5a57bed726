// Restless routes as UPDATEs: what a peer says when it flaps, withdraws, moves or hunts for a path. One prefix per UPDATE.
import type { IpAddress } from '../../src/net/ip-address.ts';
import type { Feed } from './stream.ts';

export const churnKinds = ['announce', 'withdraw', 'next-hop', 'flap', 'hunt'] as const;
export type ChurnKind = (typeof churnKinds)[number];

export interface ChurnOptions {
  readonly kind: ChurnKind;
  /** How many of the feed's routes take part, the first ones. */
  readonly routes: number;
  readonly nextHop: IpAddress;
  readonly otherNextHop: IpAddress;
}

/** What becomes of a route, in turn. A step is taken by all routes, and then the next one. */
const courses: Readonly<Record<ChurnKind, readonly Step[]>> = {
  // the same way with other attributes: nothing forwards differently
  announce: [{ pathLength: 1 }, { pathLength: 0 }],
  withdraw: ['withdraw', { pathLength: 0 }],
  'next-hop': [{ pathLength: 0, isElsewhere: true }, { pathLength: 0 }],
  // the one that takes its whole course before the next route does
  flap: ['withdraw', { pathLength: 0 }],
  // longer and longer ways before the route is given up, as RFC 4271 speakers behind a lost origin say them
  hunt: [
    { pathLength: 1, isElsewhere: true },
    { pathLength: 2 },
    { pathLength: 3, isElsewhere: true },
    'withdraw',
    { pathLength: 0 },
  ],
};

type Step = 'withdraw' | { readonly pathLength: number; readonly isElsewhere?: true };

/** UPDATE number `index` of the churn, without end. After a whole number of periods every route is as in the table. */
export function churnUpdate(feed: Feed, options: ChurnOptions, index: number): Uint8Array {
  const steps = courses[options.kind];
  const isAtOnce = options.kind === 'flap';
  const route = Math.floor(index / (isAtOnce ? steps.length : 1)) % options.routes;
  const step = steps[Math.floor(index / (isAtOnce ? 1 : options.routes)) % steps.length]!;
  if (step === 'withdraw') return feed.encodeWithdrawal(route);
  const nextHop = step.isElsewhere ? options.otherNextHop : options.nextHop;
  return feed.encodeChange(route, nextHop, step.pathLength);
}

/** UPDATEs after which every route is as in the table again. */
export function churnPeriod({ kind, routes }: Pick<ChurnOptions, 'kind' | 'routes'>): number {
  return courses[kind].length * routes;
}
