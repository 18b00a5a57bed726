// Stored path attributes → the fields a route object shows. Sets are shared by many routes, so decoded ones are kept.
import type { AsPathElement } from '../bgp/attributes/as-path.ts';
import { describeAttributes } from '../bgp/attributes/describe.ts';
import type { StoredAttributes } from '../core/route-rows.ts';
import { formatIpAddress } from '../net/ip-address.ts';

export interface RouteNextHop {
  readonly address: string;
  /** The link-local address beside a global one (RFC 2545 §3). */
  readonly linkLocal?: string;
  readonly weight: number;
}

export interface AttributeFields {
  readonly origin?: string;
  readonly asPath?: readonly AsPathElement[];
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: true;
  readonly aggregator?: { readonly asn: number; readonly address: string };
  readonly communities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  readonly extendedCommunities?: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
}

export interface SharedFields {
  readonly nextHops: readonly RouteNextHop[];
  readonly attributes: AttributeFields;
}

interface Decoded extends SharedFields {
  readonly stored: StoredAttributes;
}

/** Sets kept decoded: rows of a dump that share one come close to each other. */
const CACHE_SIZE = 8192;
const cache = new Map<number, Decoded>();

export function sharedFields(stored: StoredAttributes): SharedFields {
  const known = cache.get(stored.id);
  // An id may belong to another set by now: the bytes decide.
  if (known !== undefined && isSame(known.stored, stored)) return known;
  if (cache.size >= CACHE_SIZE) cache.clear();
  const decoded = {
    stored,
    nextHops: [nextHopOf(stored)],
    attributes: attributeFields(stored.bytes),
  };
  cache.set(stored.id, decoded);
  return decoded;
}

function isSame(a: StoredAttributes, b: StoredAttributes): boolean {
  if (a === b) return true;
  return (
    a.shareWeight === b.shareWeight &&
    equalBytes(a.bytes, b.bytes) &&
    equalBytes(a.nextHop, b.nextHop) &&
    equalBytes(a.linkLocalNextHop ?? empty, b.linkLocalNextHop ?? empty)
  );
}

const empty = new Uint8Array();

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Stored attributes carry 4-octet AS numbers and no NLRI (core/route-core.ts); so do ours (announcement-object.ts). */
const storedContext = { fourOctetAs: true, addPath: new Set<string>() };

/** In the order in which they are shown; written out, because a dump makes hundreds of thousands. */
export function attributeFields(bytes: Uint8Array): AttributeFields {
  const { attributes } = describeAttributes(bytes, storedContext);
  const fields: Writable<AttributeFields> = {};
  if (attributes.origin !== undefined) fields.origin = attributes.origin;
  fields.asPath = attributes.asPath ?? [];
  if (attributes.med !== undefined) fields.med = attributes.med;
  if (attributes.localPref !== undefined) fields.localPref = attributes.localPref;
  if (attributes.atomicAggregate) fields.atomicAggregate = true;
  if (attributes.aggregator) fields.aggregator = attributes.aggregator;
  if (attributes.communities) fields.communities = attributes.communities;
  if (attributes.largeCommunities) fields.largeCommunities = attributes.largeCommunities;
  if (attributes.extendedCommunities) {
    fields.extendedCommunities = attributes.extendedCommunities.map(({ text }) => text);
  }
  if (attributes.originatorId !== undefined) fields.originatorId = attributes.originatorId;
  if (attributes.clusterList) fields.clusterList = attributes.clusterList;
  return fields;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function nextHopOf({
  nextHop,
  linkLocalNextHop,
  shareWeight: weight,
}: StoredAttributes): RouteNextHop {
  const address = formatIpAddress(nextHop);
  if (linkLocalNextHop === undefined) return { address, weight };
  return { address, linkLocal: formatIpAddress(linkLocalNextHop), weight };
}
