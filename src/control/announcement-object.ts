// What a peer was told of a prefix of ours, or why it was not → the object of `routes --stage adj-rib-out` and of the API.
import { type AnnouncedAttributes, encodeAttributes } from '../bgp/attributes/encode.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { formatPrefix, type Prefix, prefixFamily } from '../net/prefix.ts';
import { type AttributeFields, attributeFields, type RouteNextHop } from './attribute-fields.ts';
import { formatTimeMs } from './route-object.ts';

/**
 * `announced`: the peer holds it from us. `pending`: there is no session to say it in, or it is just being said. `waiting`: its
 * datapath is not in place. `suppressed`: an aggregate speaks for it. `overlapping`: two networks have it. `rejected`: by a policy.
 * `refused`: the session cannot carry it.
 */
export type AnnouncementState =
  | 'announced'
  | 'pending'
  | 'waiting'
  | 'suppressed'
  | 'overlapping'
  | 'rejected'
  | 'refused';

export interface AnnouncementObject extends AttributeFields {
  /** The network the prefix belongs to; the session may be another's (exports). */
  readonly network: string;
  readonly family: string;
  readonly prefix: string;
  readonly peer: string;
  readonly state: AnnouncementState;
  readonly reason?: string;
  /** Where it comes from: `configuration`, `port vm1 of switch blue`. */
  readonly source: string;
  /** As sent; empty where nothing was. */
  readonly nextHops: readonly RouteNextHop[];
  /** Since when the peer has been told so, RFC 3339. */
  readonly since?: string;
}

export interface AnnouncementRow {
  readonly network: string;
  readonly prefix: Prefix;
  readonly peer: string;
  readonly state: AnnouncementState;
  readonly reason: string | undefined;
  readonly source: string;
  readonly told: { readonly attributes: AnnouncedAttributes; readonly since: number } | undefined;
}

export function announcementObject(row: AnnouncementRow): AnnouncementObject {
  const { network, prefix, peer, state, reason, source, told } = row;
  return {
    network,
    family: prefixFamily(prefix),
    prefix: formatPrefix(prefix),
    peer,
    state,
    ...(reason === undefined ? undefined : { reason }),
    source,
    nextHops: told ? [{ address: formatIpAddress(told.attributes.nextHop), weight: 1 }] : [],
    ...(told && attributeFields(encodeAttributes(told.attributes, { fourOctetAs: true }, false))),
    ...(told && { since: formatTimeMs(told.since) }),
  };
}
