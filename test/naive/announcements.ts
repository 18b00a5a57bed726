// What is announced where, computed from scratch by comparing everything with everything: the twin of src/networks/announcements.
import { containsPrefix, formatPrefix, type Prefix } from '../../src/net/prefix.ts';
import type { Candidate, NetworkRequests } from '../../src/networks/announcements/announcement.ts';

interface Own {
  readonly network: NetworkRequests;
  readonly prefix: Prefix;
  readonly text: string;
  readonly source: string;
  readonly isReady: boolean;
  readonly isSuppressed: boolean;
}

/** One line per prefix and place: `in default: 10.0.0.0/24 of blue from configuration`, or `not` and the kind of reason. */
export function naiveAnnouncements(
  networks: readonly NetworkRequests[],
  candidates: readonly Candidate[],
  isAdmitted: (policy: string | undefined, prefix: Prefix) => boolean,
): string[] {
  const own = networks.flatMap((network) => ownPrefixes(network, candidates));
  return networks
    .flatMap((place) =>
      own
        .filter(({ network }) => network === place || exportsTo(network, place))
        .map(
          (each) => `in ${place.name}: ${each.text} of ${each.network.name} ${fate(each, place)}`,
        ),
    )
    .sort();

  function fate(each: Own, place: NetworkRequests): string {
    if (!each.isReady) return 'waiting';
    if (each.isSuppressed) return 'suppressed';
    if (!isIn(each, place)) return 'rejected';
    const rivals = own.filter(
      (other) =>
        other.network !== each.network &&
        (containsPrefix(other.prefix, each.prefix) || containsPrefix(each.prefix, other.prefix)),
    );
    const meetsInSessions = rivals.some((rival) => isIn(rival, place));
    const { table } = each.network;
    const meetsInTable = rivals.some(
      ({ network }) => table !== undefined && network.table === table,
    );
    return meetsInSessions || meetsInTable ? 'overlapping' : `from ${each.source}`;
  }

  function isIn({ network, prefix }: Own, place: NetworkRequests): boolean {
    const line = network.exports.find(({ to }) => to === place.name);
    return network === place || (line !== undefined && isAdmitted(line.policy, prefix));
  }
}

function ownPrefixes(network: NetworkRequests, all: readonly Candidate[]): Own[] {
  const order = network.requests.map(({ id }) => id);
  const candidates = all.filter(
    (each) => each.network === network.name && order.includes(each.request),
  );
  const ready = candidates.filter(({ notReady }) => notReady === undefined);
  const isActive = (outer: Prefix) => ready.some(({ prefix }) => isWithin(outer, prefix));
  const prefixes = new Map<string, Prefix>(
    [...candidates, ...network.aggregates].map(({ prefix }) => [formatPrefix(prefix), prefix]),
  );
  return [...prefixes].map(([text, prefix]) => {
    const here = (each: { readonly prefix: Prefix }) => formatPrefix(each.prefix) === text;
    const [best] = ready
      .filter(here)
      .sort(
        (a, b) =>
          order.indexOf(a.request) - order.indexOf(b.request) || (a.source < b.source ? -1 : 1),
      );
    const isAggregate = network.aggregates.some(here);
    return {
      network,
      prefix,
      text,
      source: best?.source ?? 'aggregate',
      isReady: best !== undefined || (isAggregate && isActive(prefix)),
      isSuppressed: network.aggregates.some(
        (each) => each.suppress && isWithin(each.prefix, prefix) && isActive(each.prefix),
      ),
    };
  });
}

function isWithin(outer: Prefix, inner: Prefix): boolean {
  return outer.length < inner.length && containsPrefix(outer, inner);
}

function exportsTo(network: NetworkRequests, place: NetworkRequests): boolean {
  return network.exports.some(({ to }) => to === place.name);
}
