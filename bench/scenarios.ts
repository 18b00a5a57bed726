// Every bench there is, in the order in which `rutter bench` runs them.

import { aggregation } from './aggregation.ts';
import { aggregationLoad } from './aggregation-load.ts';
import { churns } from './churn.ts';
import { failover } from './failover.ts';
import { flapStorm } from './flap-storm.ts';
import { followKernel } from './follow-kernel.ts';
import type { Scenario } from './harness/scenario.ts';
import { ingest, ingestTen } from './ingest.ts';
import { kernelAggregated, kernelTable } from './kernel-table.ts';
import { kernels } from './kernels.ts';
import { memory } from './memory.ts';
import { networks } from './networks.ts';
import { northbound } from './northbound.ts';
import { oneChange } from './one-change.ts';
import { oneFlow } from './one-flow.ts';
import { ovnLoad } from './ovn-load.ts';
import { restart } from './restart.ts';
import { rowKeys } from './row-keys.ts';

export const scenarios: readonly Scenario[] = [
  kernels,
  networks,
  aggregation,
  aggregationLoad,
  ingest,
  ingestTen,
  memory,
  ...churns,
  kernelTable,
  kernelAggregated,
  northbound,
  rowKeys,
  ovnLoad,
  oneChange,
  followKernel,
  oneFlow,
  flapStorm,
  failover,
  restart,
];
