// What a network has to announce, and what it was asked to: the values that the other files of this folder pass around.
//
//   request    a line of the configuration: a prefix, or "the ports of this switch"
//   candidate  one prefix for one reason: the line itself, a port, a NAT row
//   announcement  what becomes of all candidates of a prefix in their network
import type { LargeCommunity } from '../../net/community.ts';
import type { IpAddress } from '../../net/ip-address.ts';
import type { Prefix } from '../../net/prefix.ts';

/** Path attributes of a request; every prefix of it goes out with these. */
export interface RequestedAttributes {
  /** Default: our own address in the session. */
  readonly nextHop?: IpAddress | undefined;
  readonly origin?: 'igp' | 'egp' | 'incomplete' | undefined;
  readonly med?: number | undefined;
  readonly communities?: readonly number[] | undefined;
  readonly largeCommunities?: readonly LargeCommunity[] | undefined;
  /** 8 bytes each. */
  readonly extendedCommunities?: readonly Uint8Array[] | undefined;
  /** Name of the policy that has the first word; default: accept. */
  readonly policy?: string | undefined;
}

export interface Request {
  /** Unique among all networks' requests, and the same for the same words of the configuration. */
  readonly id: string;
  readonly attributes: RequestedAttributes;
}

export interface AggregateRequest {
  readonly prefix: Prefix;
  /** The more specific prefixes are not announced themselves. */
  readonly suppress: boolean;
  readonly attributes: RequestedAttributes;
}

export interface ExportLine {
  readonly to: string;
  /** Name of the policy that says which of them, and how. */
  readonly policy: string;
}

/** What is configured for one network. */
export interface NetworkRequests {
  readonly name: string;
  /** In order of precedence: where two give the same prefix, the first that is ready speaks. */
  readonly requests: readonly Request[];
  readonly aggregates: readonly AggregateRequest[];
  /** Networks in whose sessions this network's prefixes are announced too. */
  readonly exports: readonly ExportLine[];
  /** The host table it forwards by, where it has one: networks that share it meet there. */
  readonly table: string | undefined;
}

export interface Candidate {
  readonly network: string;
  /** Id of the request. */
  readonly request: string;
  readonly prefix: Prefix;
  /** For people: `configuration`, `port vm1 of switch blue`. */
  readonly source: string;
  /** Why its datapath is not in place here (P8); undefined: it is. */
  readonly notReady: string | undefined;
}

export interface Announcement {
  readonly prefix: Prefix;
  /** The prefix as text. */
  readonly text: string;
  readonly source: string;
  readonly attributes: RequestedAttributes;
  /** `waiting`: its datapath is not in place. `suppressed`: an aggregate speaks for it. */
  readonly state: 'ready' | 'waiting' | 'suppressed';
  /** Why it is not `ready`. */
  readonly reason: string | undefined;
  /** A summary: what is inside and has no route of its own must be discarded here, not sent back. */
  readonly isAggregate: boolean;
}
