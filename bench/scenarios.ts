// Every bench there is, in the order in which `rutter bench` runs them.

import { aggregation } from './aggregation.ts';
import { churns } from './churn.ts';
import { failover } from './failover.ts';
import { flapStorm } from './flap-storm.ts';
import { followKernel } from './follow-kernel.ts';
import type { Scenario } from './harness/scenario.ts';
import { ingest, ingestTen } from './ingest.ts';
import { kernelAggregated, kernelTable } from './kernel-table.ts';
import { memory } from './memory.ts';
import { oneChange } from './one-change.ts';
import { oneFlow } from './one-flow.ts';
import { ovnLoad } from './ovn-load.ts';
import { restart } from './restart.ts';

export const scenarios: readonly Scenario[] = [
  {
    kind: 'standalone',
    name: 'kernels',
    question: 'what does the route core take per route, alone and in process?',
    run: async (print) => (await import('./kernels.ts')).run(print),
  },
  {
    kind: 'standalone',
    name: 'networks',
    question: 'what do 100 networks that import 10 000 routes each cost the core?',
    run: async (print) => (await import('./networks.ts')).run(print),
  },
  aggregation,
  ingest,
  ingestTen,
  memory,
  ...churns,
  kernelTable,
  kernelAggregated,
  {
    kind: 'standalone',
    name: 'northbound',
    question: 'how fast do rows get into OVN Northbound, beside the bare server?',
    run: async (print) => (await import('./ovsdb.ts')).run(print),
  },
  ovnLoad,
  oneChange,
  followKernel,
  oneFlow,
  flapStorm,
  failover,
  restart,
];
