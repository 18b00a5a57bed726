// Settling: makes the rows those of the routes again, in slices. Up from the nodes that have changed, then down to the rows.
import { hasHeadroom } from '../../memory/arena';
import { Aggregate } from './aggregate';
import { emit } from './emission';
import { forgetExpansions } from './expansion';
import { NodeState } from './node-state';
import { isSweepDue, lowestFullLabel, sweepSavings } from './savings';
import { workOut } from './work-out';

/** Fewer marked nodes than this are settled at once, whatever their share. */
const FEW_NODES: u32 = 256;
/** A node's visit, in units of RouteCore.work(). */
const COST_OF_VISIT: i32 = 1;

/** The expansions in scratch are of this aggregate. */
let expanding: Aggregate = changetype<Aggregate>(0);

/** One that lacks memory waits until there is some. */
export function canSettle(aggregate: Aggregate): bool {
  return !aggregate.isStarved || hasHeadroom();
}

/** Whether to settle now. A load that goes on is let go on, within limits: what is between its parts is nobody's wish. */
export function isWorthSettling(aggregate: Aggregate): bool {
  if (aggregate.downList.mask) return true;
  const marked = aggregate.upList.count;
  if (marked <= FEW_NODES || marked << 5 <= aggregate.nodeCount) return true;
  const changes = aggregate.changeCount;
  if (changes == aggregate.seenCount || changes >= aggregate.count << 1) return true;
  aggregate.seenCount = changes;
  return false;
}

/** Goes on until the rows are those of the routes or the budget is used up; what is left of it. */
export function settle(aggregate: Aggregate, budget: i32): i32 {
  if (aggregate.isStarved) {
    if (!hasHeadroom()) return budget;
    aggregate.isStarved = false;
    aggregate.markAll();
  }
  if (expanding != aggregate) forgetExpansions();
  expanding = aggregate;
  const up = aggregate.upList;
  const down = aggregate.downList;
  while (budget > 0) {
    if (up.mask) climb(aggregate, up.takeDeepest());
    else if (down.mask) descend(aggregate, down.takeShallowest());
    else break;
    budget -= COST_OF_VISIT;
  }
  if ((up.mask | down.mask) == 0) rest(aggregate);
  return budget;
}

function climb(aggregate: Aggregate, state: NodeState): void {
  const before = state.savings;
  workOut(aggregate, state);
  if (state.savings == before || !changetype<usize>(state.parent)) {
    // What it inherits stays as it is.
    descend(aggregate, state);
    return;
  }
  aggregate.upList.add(state.parent);
  if (!state.hasNoRows) return;
  // The parent will say what it inherits. A guess while the expansion is there spares most nodes of a load another visit.
  state.inherited = lowestFullLabel(state.savings, aggregate.costModel);
  descend(aggregate, state);
}

function descend(aggregate: Aggregate, state: NodeState): void {
  aggregate.downList.remove(state);
  emit(aggregate, state);
  aggregate.visitCount++;
}

function rest(aggregate: Aggregate): void {
  aggregate.changeCount = 0;
  aggregate.seenCount = 0;
  const fib = aggregate.fib;
  if (!aggregate.isStarved) fib.isUnsettled = false;
  if (!fib.holdsRemovals) aggregate.looksAtPlace = false;
  // Only now: a label that a node inherits is held by the row that carries it, and until here rows were changing.
  if (!isSweepDue() && aggregate.count) return;
  forgetExpansions();
  sweepSavings();
}
