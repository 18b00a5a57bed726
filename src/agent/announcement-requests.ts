// The configuration's `advertise`, `aggregates` and `exports` → what src/networks/announcements is asked for. Pure.

import { ovnParts } from '../config/announcements.ts';
import type { Advertisement, Aggregate, Config, NetworkConfig } from '../config/config.ts';
import { formatPrefix } from '../net/prefix.ts';
import type {
  Candidate,
  NetworkRequests,
  RequestedAttributes,
} from '../networks/announcements/announcement.ts';
import type { OvnRequest } from '../networks/announcements/ovn-request.ts';

export interface AnnouncementRequests {
  readonly networks: readonly NetworkRequests[];
  /** Prefixes that the configuration itself names. */
  readonly candidates: readonly Candidate[];
  readonly ovn: readonly OvnRequest[];
}

export function readAnnouncementRequests(config: Config): AnnouncementRequests {
  return {
    networks: config.networks.map(networkRequests),
    candidates: config.networks.flatMap(configuredCandidates),
    ovn: config.networks.flatMap(ovnRequests),
  };
}

function networkRequests(network: NetworkConfig): NetworkRequests {
  const table = network.vrf ?? network.table;
  return {
    name: network.name,
    requests: network.advertise.map((entry) => ({
      id: requestId(network, entry),
      attributes: attributesOf(entry),
    })),
    aggregates: network.aggregates.map((aggregate) => ({
      prefix: aggregate.prefix,
      suppress: aggregate.suppress,
      attributes: attributesOf(aggregate),
    })),
    exports: network.exports,
    table: table === undefined ? undefined : String(table),
  };
}

function configuredCandidates(network: NetworkConfig): Candidate[] {
  return network.advertise.flatMap((entry) => {
    const { prefix } = entry;
    if (prefix === undefined) return [];
    const request = requestId(network, entry);
    const source = 'configuration';
    return [{ network: network.name, request, prefix, source, notReady: undefined }];
  });
}

function ovnRequests(network: NetworkConfig): OvnRequest[] {
  return network.advertise.flatMap((entry) => {
    const asked = entry.ovn && ovnObject(entry.ovn);
    if (asked === undefined) return [];
    const id = requestId(network, entry);
    const gatewayRouter = network.ovn?.router;
    return [{ id, network: network.name, gatewayRouter, ...asked } as OvnRequest];
  });
}

/** The object that the entry names, and what of it. */
function ovnObject(
  asked: NonNullable<Advertisement['ovn']>,
): { kind: keyof typeof ovnParts; name: string; what: string } | undefined {
  for (const kind of ['switch', 'router', 'nat', 'loadBalancers'] as const) {
    const name = asked[kind];
    if (name !== undefined) return { kind, name, what: asked.what ?? ovnParts[kind][0] };
  }
  return undefined;
}

/** The same words have the same id in the next configuration too: what was found for them stays. */
function requestId({ name }: NetworkConfig, { prefix, ovn }: Advertisement): string {
  if (prefix !== undefined) return `${name} ${formatPrefix(prefix)}`;
  const { kind, name: object, what } = ovnObject(ovn!)!;
  return `${name} ${kind} ${what} ${object}`;
}

function attributesOf(entry: Advertisement | Aggregate): RequestedAttributes {
  const { origin, med, communities, largeCommunities, policy } = entry;
  const nextHop = 'nextHop' in entry ? entry.nextHop : undefined;
  const extendedCommunities = entry.extendedCommunities?.map(({ forms }) => forms[0]!.value);
  return { nextHop, origin, med, communities, largeCommunities, extendedCommunities, policy };
}
