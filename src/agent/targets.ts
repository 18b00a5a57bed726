// Which places a network's routes are written to, and what each sink must be told. Pure: configuration in, options out.
import { isDeepStrictEqual } from 'node:util';
import type { Config, NetworkConfig } from '../config/config.ts';
import { isTableFollowed } from '../config/followed-tables.ts';
import type { Aggregation } from '../core/fibs.ts';
import type { SinkOptions } from '../workers/messages.ts';
import { importedVrfs, vrfsOf } from './next-hop-vrfs.ts';

/** The kind of place, as `routes --stage` and `installed` name it. */
export type TargetKind = 'ovn' | 'host';

export interface TargetPlan {
  readonly kind: TargetKind;
  /** `ended`: the verifier found it at fault. */
  readonly aggregation: Aggregation | 'ended';
  readonly sink: SinkOptions;
}

/** `dryRun`: the same targets with sinks that only remember. */
export function planTargets(config: Config, network: NetworkConfig, dryRun: boolean): TargetPlan[] {
  const plans = [...ovnTarget(config, network), ...hostTarget(config, network)];
  if (!dryRun) return plans;
  return plans.map((plan) => ({ ...plan, sink: { kind: 'memory', network: network.name } }));
}

function ovnTarget(config: Config, network: NetworkConfig): TargetPlan[] {
  if (network.ovn === undefined) return [];
  const { router, outputPort, maxRoutes, collision, aggregation } = network.ovn;
  const sink: SinkOptions = {
    kind: 'ovn',
    remotes: config.ovn.northbound,
    southbound: config.ovn.southbound,
    ...(config.ovn.tls === undefined ? {} : { tls: config.ovn.tls }),
    owner: config.node,
    network: network.name,
    router,
    outputPort,
    maxRoutes,
    ...(aggregation !== 'off' && { isAggregated: true }),
    collision,
  };
  return [{ kind: 'ovn', aggregation, sink }];
}

function hostTarget(config: Config, network: NetworkConfig): TargetPlan[] {
  // What somebody else fills is not ours to write.
  if (isTableFollowed(config, network)) return [];
  const { vrf, table, hostAggregation: aggregation } = network;
  const { protocol, metric } = config.host;
  const vrfs = [...new Set([...vrfsOf(config, network), ...importedVrfs(config, network)])];
  const mark = {
    kind: 'host',
    protocol,
    metric,
    ...(aggregation !== 'off' && { tellsForeign: true }),
    ...(vrfs.some((each) => each !== undefined) && { nextHopVrfs: vrfs }),
  } as const;
  if (vrf !== undefined) {
    return [{ kind: 'host', aggregation, sink: { ...mark, table: vrf, isVrf: true } }];
  }
  return table === undefined ? [] : [{ kind: 'host', aggregation, sink: { ...mark, table } }];
}

export interface TargetDiff {
  /** `flush`: the place itself is given up, so our routes in it go. */
  readonly leaving: readonly { readonly plan: TargetPlan; readonly flush: boolean }[];
  readonly coming: readonly TargetPlan[];
}

/** What changes between two plans of one network. A place that stays is taken over with what is in it (P3). */
export function diffTargets(
  before: readonly TargetPlan[],
  after: readonly TargetPlan[],
): TargetDiff {
  const isIn = (plans: readonly TargetPlan[], plan: TargetPlan) =>
    plans.some((each) => isDeepStrictEqual(each, plan));
  return {
    leaving: before
      .filter((plan) => !isIn(after, plan))
      .map((plan) => ({ plan, flush: !after.some((each) => placeOf(each) === placeOf(plan)) })),
    coming: after.filter((plan) => !isIn(before, plan)),
  };
}

/** Names the place that is written to, whatever the other options. */
function placeOf({ kind, sink }: TargetPlan): string {
  switch (sink.kind) {
    case 'ovn':
      return `${kind} ${sink.router}`;
    case 'host':
      return `${kind} ${sink.table}`;
    case 'memory':
      return kind;
  }
}
