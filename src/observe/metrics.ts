// Prometheus metrics, read from the running agent at each scrape. Names: rutter_<noun>_<unit>, seconds and bytes.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** One sample of everything below; the agent fills it when asked. */
export interface MetricsSample {
  readonly peers: readonly {
    readonly peer: string;
    readonly network: string;
    readonly established: boolean;
    readonly receivedPrefixes: number;
    readonly acceptedPrefixes: number;
    readonly advertisedPrefixes: number;
    readonly updates: number;
    readonly treatedAsWithdraw: number;
    readonly attributeDiscard: number;
    readonly overLimit: number;
    readonly outOfMemory: number;
  }[];
  readonly networks: readonly {
    readonly network: string;
    readonly waiting: boolean;
    /** Prefixes of its own by state. */
    readonly announcements: Readonly<Record<string, number>>;
    readonly overlapping: number;
  }[];
  readonly imports: readonly {
    readonly network: string;
    readonly from: string;
    readonly routes: number;
    readonly best: number;
  }[];
  readonly sources: readonly {
    readonly source: string;
    readonly network: string;
    readonly following: boolean;
    readonly receivedPrefixes: number;
    readonly updates: number;
    readonly outOfMemory: number;
    readonly skipped: Readonly<Record<string, number>>;
  }[];
  readonly targets: readonly {
    readonly network: string;
    readonly target: string;
    readonly ready: boolean;
    readonly installed: number;
    readonly pending: number;
    readonly refused: number;
    readonly held: number;
    readonly written: number;
    readonly failures: number;
    readonly refusedByCode: Readonly<Record<string, number>>;
    readonly lastBatchSeconds: number;
    readonly aggregationEnded: boolean;
    readonly aggregationFaults: number;
    /** Seconds since 1970, 0 for never. */
    readonly verifiedSeconds: number;
  }[];
  readonly core: {
    readonly linearBytes: number;
    readonly usedBytes: number;
    readonly routes: number;
    readonly prefixes: number;
  };
  readonly eventLoopWorstSeconds: number;
  /** Since the sample before. */
  readonly eventLoopRecentWorstSeconds: number;
  readonly restlessPrefixes: number;
}

type Sample = { readonly labels: Record<string, string>; readonly value: number };

/** The text of a scrape, made by the returned function. */
export function createMetrics(read: () => MetricsSample): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const declare = (
    name: string,
    help: string,
    labelNames: readonly string[],
    samples: () => readonly Sample[],
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.set(labels, value);
      },
    });
  };

  let sample = read();
  const perPeer = (
    name: string,
    help: string,
    value: (peer: MetricsSample['peers'][number]) => number,
  ) =>
    declare(name, help, ['peer', 'network'], () =>
      sample.peers.map((peer) => ({
        labels: { peer: peer.peer, network: peer.network },
        value: value(peer),
      })),
    );
  perPeer('rutter_peer_established', '1 while the session is established', (p) =>
    Number(p.established),
  );
  perPeer('rutter_peer_received_prefixes', 'prefixes in Adj-RIB-In', (p) => p.receivedPrefixes);
  perPeer(
    'rutter_peer_accepted_prefixes',
    'prefixes eligible for the decision process',
    (p) => p.acceptedPrefixes,
  );
  perPeer(
    'rutter_peer_advertised_prefixes',
    'prefixes the peer was told',
    (p) => p.advertisedPrefixes,
  );
  perPeer('rutter_peer_updates_total', 'UPDATE messages received', (p) => p.updates);
  perPeer(
    'rutter_peer_treated_as_withdraw_total',
    'malformed UPDATEs treated as withdraw (RFC 7606)',
    (p) => p.treatedAsWithdraw,
  );
  perPeer(
    'rutter_peer_attribute_discard_total',
    'UPDATEs with a discarded attribute (RFC 7606)',
    (p) => p.attributeDiscard,
  );
  perPeer(
    'rutter_peer_over_limit_total',
    'prefixes refused by the prefix limit',
    (p) => p.overLimit,
  );
  perPeer(
    'rutter_peer_out_of_memory_total',
    'prefixes refused at the memory ceiling',
    (p) => p.outOfMemory,
  );

  const perImport = (name: string, help: string, key: 'routes' | 'best') =>
    declare(name, help, ['network', 'from'], () =>
      sample.imports.map(({ network, from, ...counts }) => ({
        labels: { network, from },
        value: counts[key],
      })),
    );
  perImport('rutter_import_routes', 'routes taken from another network', 'routes');
  perImport('rutter_import_best_routes', 'of those, chosen', 'best');

  declare(
    'rutter_network_waiting',
    '1 while the VRF device of the network does not exist',
    ['network'],
    () =>
      sample.networks.map(({ network, waiting }) => ({
        labels: { network },
        value: Number(waiting),
      })),
  );

  declare(
    'rutter_network_announcements',
    'prefixes of the network by state: ready, waiting for their datapath, suppressed by an aggregate',
    ['network', 'state'],
    () =>
      sample.networks.flatMap(({ network, announcements }) =>
        Object.entries(announcements).map(([state, value]) => ({
          labels: { network, state },
          value,
        })),
      ),
  );
  declare(
    'rutter_network_overlapping_prefixes',
    "prefixes not announced where they overlap another network's",
    ['network'],
    () =>
      sample.networks.map(({ network, overlapping }) => ({
        labels: { network },
        value: overlapping,
      })),
  );

  const perSource = (
    name: string,
    help: string,
    value: (source: MetricsSample['sources'][number]) => number,
  ) =>
    declare(name, help, ['source', 'network'], () =>
      sample.sources.map((source) => ({
        labels: { source: source.source, network: source.network },
        value: value(source),
      })),
    );
  perSource('rutter_source_following', '1 while the source is followed', (s) =>
    Number(s.following),
  );
  perSource('rutter_source_routes', 'paths learned from the source', (s) => s.receivedPrefixes);
  perSource('rutter_source_updates_total', 'prefixes the source told of', (s) => s.updates);
  perSource(
    'rutter_source_out_of_memory_total',
    'paths refused at the memory ceiling',
    (s) => s.outOfMemory,
  );
  declare(
    'rutter_source_skipped_prefixes',
    'prefixes of the source that cannot be learned, by reason',
    ['source', 'network', 'reason'],
    () =>
      sample.sources.flatMap(({ source, network, skipped }) =>
        Object.entries(skipped).map(([reason, value]) => ({
          labels: { source, network, reason },
          value,
        })),
      ),
  );

  const perTarget = (
    name: string,
    help: string,
    value: (target: MetricsSample['targets'][number]) => number,
  ) =>
    declare(name, help, ['network', 'target'], () =>
      sample.targets.map((target) => ({
        labels: { network: target.network, target: target.target },
        value: value(target),
      })),
    );
  perTarget('rutter_target_ready', '1 while the target takes batches', (t) => Number(t.ready));
  perTarget('rutter_target_installed_entries', 'entries in place', (t) => t.installed);
  perTarget('rutter_target_pending_entries', 'entries waiting to be written', (t) => t.pending);
  perTarget('rutter_target_refused_entries', 'entries the target does not take', (t) => t.refused);
  declare(
    'rutter_target_refused_entries_by_code',
    'entries the target does not take, by reason: collision, limit, …',
    ['network', 'target', 'code'],
    () =>
      sample.targets.flatMap(({ network, target, refusedByCode }) =>
        Object.entries(refusedByCode).map(([code, value]) => ({
          labels: { network, target, code },
          value,
        })),
      ),
  );
  perTarget(
    'rutter_target_held_entries',
    'removals held until the first sync has finished',
    (t) => t.held,
  );
  perTarget('rutter_target_written_total', 'entries written since the start', (t) => t.written);
  perTarget(
    'rutter_target_failures_total',
    'entries that failed since the start',
    (t) => t.failures,
  );
  perTarget(
    'rutter_target_last_batch_seconds',
    'time the last batch took',
    (t) => t.lastBatchSeconds,
  );
  perTarget(
    'rutter_target_aggregation_ended',
    '1 while the target goes without its aggregation, which was at fault',
    (t) => Number(t.aggregationEnded),
  );
  perTarget(
    'rutter_target_aggregation_faults_total',
    'times aggregation forwarded otherwise than the routes',
    (t) => t.aggregationFaults,
  );
  perTarget(
    'rutter_target_verified_timestamp_seconds',
    'when aggregation was last found to forward as the routes do, 0: never',
    (t) => t.verifiedSeconds,
  );

  const single = (name: string, help: string, value: () => number) =>
    declare(name, help, [], () => [{ labels: {}, value: value() }]);
  single(
    'rutter_core_linear_bytes',
    "size of the core's linear memory",
    () => sample.core.linearBytes,
  );
  single('rutter_core_used_bytes', 'of that, in use', () => sample.core.usedBytes);
  single('rutter_core_routes', 'routes in every Adj-RIB-In', () => sample.core.routes);
  single('rutter_core_prefixes', 'prefixes in every table', () => sample.core.prefixes);
  single(
    'rutter_event_loop_worst_seconds',
    'longest hold of the main loop since the start',
    () => sample.eventLoopWorstSeconds,
  );
  single(
    'rutter_event_loop_recent_worst_seconds',
    'longest hold of the main loop since the last scrape',
    () => sample.eventLoopRecentWorstSeconds,
  );
  single(
    'rutter_restless_prefixes',
    'prefixes that change so often that OVN is told of them when they have come to rest',
    () => sample.restlessPrefixes,
  );

  return () => {
    sample = read();
    return registry.metrics();
  };
}
