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

/** How the rounds over the routes differ, in turn. */
const rounds: Readonly<Record<ChurnKind, readonly Round[]>> = {
  // the same way with other attributes: nothing forwards differently
  announce: [{ pathLength: 1 }, { pathLength: 0 }],
  withdraw: ['withdraw', { pathLength: 0 }],
  'next-hop': [{ pathLength: 0, isElsewhere: true }, { pathLength: 0 }],
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

type Round = 'withdraw' | { readonly pathLength: number; readonly isElsewhere?: true };

/** UPDATE number `index` of the churn, without end. After a whole number of periods every route is as in the table. */
export function churnUpdate(feed: Feed, options: ChurnOptions, index: number): Uint8Array {
  const steps = rounds[options.kind];
  const route = index % options.routes;
  const step = steps[Math.floor(index / options.routes) % steps.length]!;
  if (step === 'withdraw') return feed.encodeWithdrawal(route);
  const nextHop = step.isElsewhere ? options.otherNextHop : options.nextHop;
  return feed.encodeChange(route, nextHop, step.pathLength);
}

/** UPDATEs after which every route is as in the table again. */
export function churnPeriod({ kind, routes }: Pick<ChurnOptions, 'kind' | 'routes'>): number {
  return rounds[kind].length * routes;
}
