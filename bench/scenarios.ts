// Every bench there is, in the order in which `rutter bench` runs them.
import type { Scenario } from './harness/scenario.ts';
import { ingest } from './ingest.ts';
import { kernelTable } from './kernel-table.ts';

export const scenarios: readonly Scenario[] = [ingest, kernelTable];
