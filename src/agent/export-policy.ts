// Policies on the way out: what a policy makes of a route of ours before a peer is told (RFC 4271 §9.1.3).
//
// The core evaluates them, on the form it knows: path attributes as bytes. Our own AS number is not in the path yet.
import type { AsPathElement } from '../bgp/attributes/as-path.ts';
import { asSequence } from '../bgp/attributes/as-path.ts';
import { describeAttributes } from '../bgp/attributes/describe.ts';
import { encodeAttributes } from '../bgp/attributes/encode.ts';
import type { AdvertisedRoute } from '../bgp/speaker.ts';
import type { PolicyTrial } from '../core/policy-trial.ts';
import { parseCommunity, parseLargeCommunity } from '../net/community.ts';
import { parseHex } from '../net/hex.ts';
import type { PolicyTable } from './policy-table.ts';

/** A policy on the way out, and where it stands: `bgp.peers.tor-a.export`. */
export interface ExportStep {
  readonly at: string;
  readonly policy: string;
  /** Who the route goes to, where that is known. */
  readonly peer?: string;
}

/** The route as the policy leaves it; undefined: rejected. `peer`: who it goes to, where that is known. */
export function applyPolicy(
  policies: Pick<PolicyTable, 'try'>,
  policy: string,
  route: AdvertisedRoute,
  peer?: string,
): AdvertisedRoute | undefined {
  return tryPolicy(policies, policy, route, peer).after;
}

/** The same, with what each clause said; no trial of a policy that is built in. */
export function tryPolicy(
  policies: Pick<PolicyTable, 'try'>,
  policy: string,
  route: AdvertisedRoute,
  peer: string | undefined,
): { readonly trial?: PolicyTrial; readonly after: AdvertisedRoute | undefined } {
  if (policy === 'accept' || policy === 'announce') return { after: route };
  if (policy === 'reject') return { after: undefined };
  const tried = { prefix: route.prefix, nextHop: route.nextHop, attributes: bytesOf(route) };
  const trial = policies.try(policy, tried, peer);
  if (!trial.accepted || trial.route === undefined) return { trial, after: undefined };
  const { nextHop, attributes } = trial.route;
  return { trial, after: { prefix: route.prefix, nextHop, ...attributesOf(attributes) } };
}

function bytesOf(route: AdvertisedRoute): Uint8Array {
  const attributes = {
    ...route,
    origin: route.origin ?? 'igp',
    asPath: asSequence(route.asPath ?? []),
    nextHop: new Uint8Array(4), // not among the bytes
  } as const;
  return encodeAttributes(attributes, { fourOctetAs: true }, false);
}

/** In the core's form AS numbers have four octets. */
const context = { fourOctetAs: true, addPath: new Set<string>() };

function attributesOf(bytes: Uint8Array): Omit<AdvertisedRoute, 'prefix' | 'nextHop'> {
  const { attributes } = describeAttributes(bytes, context);
  return {
    origin: attributes.origin,
    asPath: (attributes.asPath ?? []).filter(isAsn),
    med: attributes.med,
    localPref: attributes.localPref,
    communities: attributes.communities?.map((text) => parseCommunity(text)!),
    largeCommunities: attributes.largeCommunities?.map((text) => parseLargeCommunity(text)!),
    extendedCommunities: attributes.extendedCommunities?.map(({ hex }) => parseHex(hex)!),
  };
}

/** Ours are plain sequences: nothing is aggregated from what was learned. */
function isAsn(element: AsPathElement): element is number {
  return typeof element === 'number';
}
