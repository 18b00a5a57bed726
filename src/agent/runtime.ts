// The agent's own tables: which network, peer and target has which number in the core. Written at the start and by a reload, read
// everywhere.
import type { NetworkConfig, PeerConfig } from '../config/config.ts';
import type { FollowedTableConfig } from '../config/followed-tables.ts';
import type { Reconciler } from '../sinks/reconciler.ts';
import type { OutcomeCounts } from '../sources/kernel/followed-table.ts';
import type { KernelSourceState } from '../sources/kernel/messages.ts';
import type { InitialSync } from './initial-sync.ts';
import type { PeerReceiver } from './peer-receiver.ts';
import type { TargetKind, TargetPlan } from './targets.ts';

export interface NetworkRuntime {
  /** Network id in the core. */
  readonly id: number;
  config: NetworkConfig;
  targets: readonly TargetRuntime[];
  readonly initialSync: InitialSync;
}

export interface TargetRuntime {
  /** FIB id in the core. */
  readonly fib: number;
  readonly kind: TargetKind;
  readonly plan: TargetPlan;
  readonly reconciler: Reconciler;
}

export interface PeerRuntime {
  /** Peer id in the core; 0 is the local one. */
  readonly id: number;
  config: PeerConfig;
  readonly network: NetworkRuntime;
  readonly receiver: PeerReceiver;
  /** Prefixes it is to be told of. */
  readonly told: Set<string>;
}

export interface SourceRuntime {
  /** Its peer id in the core. */
  readonly id: number;
  config: FollowedTableConfig;
  readonly network: NetworkRuntime;
  state: KernelSourceState;
  reason: string;
  /** Milliseconds since 1970. */
  stateSince: number;
  /** Its routes are those of before it was lost, until it has told all again. */
  isStale: boolean;
  /** Prefixes of the followed protocol by what became of them. */
  counts: OutcomeCounts;
  /** Totals; updates in prefixes, the others in paths. */
  readonly counters: {
    updates: number;
    announced: number;
    withdrawn: number;
    overLimit: number;
    outOfMemory: number;
  };
}
