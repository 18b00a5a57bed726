// Every bench there is, in the order in which `rutter bench` runs them.
import type { Scenario } from './harness/scenario.ts';
import { ingest } from './ingest.ts';
import { kernelTable } from './kernel-table.ts';
import { oneChange } from './one-change.ts';
import { restart } from './restart.ts';

export const scenarios: readonly Scenario[] = [ingest, kernelTable, oneChange, restart];
