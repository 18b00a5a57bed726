// Deferred work, all of it in slices: bad news first (imports, tables), then other imports and FIBs, then what a lack of memory left
// undone.
import { hasFibWork, workOnFibs } from './fib/fib-walk';
import { hasHeadroom } from './memory/arena';
import { hasOverflow, hasQueuedImports, hasUrgentImports, takeOverflow } from './rib/import-queue';
import { workOnImports, workOnUrgentImports } from './rib/imports';
import { networkById, networkIdLimit } from './rib/network';
import { endStarvation, isStarved } from './rib/starvation';
import {
  COST_PER_UNIT,
  hasTableWork,
  nextGeneration,
  requestWalks,
  workOnTables,
} from './rib/table-walk';

/** Does about `units` microseconds of work; true while there is more. */
export function workFor(units: i32): bool {
  if (isStarved && hasHeadroom()) feedTheStarved();
  if (takeOverflow()) walkForImporters();
  let left = workOnUrgentImports(units * COST_PER_UNIT);
  if (left > 0) left = workOnTables(left);
  if (left > 0) left = workOnImports(left);
  if (left > 0) workOnFibs((left + COST_PER_UNIT - 1) / COST_PER_UNIT);
  return hasImportWork() || hasTableWork() || hasFibWork();
}

function hasImportWork(): bool {
  return hasUrgentImports() || hasQueuedImports() || hasOverflow();
}

/** The queue of imports could not grow: walks find the destinations it has no place for. */
function walkForImporters(): void {
  const mark = nextGeneration();
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network != null) requestWalks(network, mark);
  }
}

/** Memory was short and no longer is: every network is decided and handed over anew. */
function feedTheStarved(): void {
  endStarvation();
  const mark = nextGeneration();
  for (let id: u32 = 0; id < networkIdLimit(); id++) {
    const network = networkById(id);
    if (network == null) continue;
    network.mark = mark;
    for (let fib = network.firstFib; fib; fib = fib.nextOfNetwork) fib.mark = mark;
    for (let line = network.firstImporter; line; line = line.nextImporter) line.lineMark = mark;
    requestWalks(network, mark);
  }
}
