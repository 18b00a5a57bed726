// Others' routes of the same router or table, as the sink tells them: barriers of the aggregation.
//
// They are in a trie of their own beside the one with the routes: few in most places, they must be found without a walk over
// every route when a snapshot has ended and those it did not name are gone.
import { FAMILY_COUNT, FOREIGN_NONE, FOREIGN_YIELDS } from '../../abi';
import { keySize, scratchKey } from '../../lpm/key';
import { Fib } from '../fib';
import { aggregateOf } from './aggregate';
import { AggregateRoute, newAggregateRoute, routeOf } from './aggregate-route';

/** The prefix is at scratchKey. `kind`: FOREIGN_* of abi.ts. False when there is no memory. */
export function observeBarrier(fib: Fib, family: u32, bits: u32, kind: u32): bool {
  const aggregate = aggregateOf(fib);
  if (!changetype<usize>(aggregate)) return true;
  if (kind == FOREIGN_NONE) {
    removeBarrier(fib, family, scratchKey, bits);
    return true;
  }
  const yields = kind == FOREIGN_YIELDS;
  const barriers = aggregate.barriers(family);
  let barrier = changetype<AggregateRoute | null>(<usize>barriers.find(scratchKey, bits));
  if (barrier == null) {
    barrier = newAggregateRoute(scratchKey, bits, true);
    if (barrier == null) return false;
    if (!barriers.insert(<u32>changetype<usize>(barrier))) {
      barrier.free();
      return false;
    }
  }
  barrier.setBarrier(true, yields);
  barrier.setSeen(fib.parity);
  return aggregate.setBarrier(family, barrier.keyPtr, bits, true, yields);
}

function removeBarrier(fib: Fib, family: u32, keyPtr: usize, bits: u32): void {
  const barriers = aggregateOf(fib).barriers(family);
  const record = barriers.find(keyPtr, bits);
  if (!record) return;
  const barrier = routeOf(record);
  aggregateOf(fib).setBarrier(family, barrier.keyPtr, bits, false, false);
  barriers.remove(barrier.keyPtr, bits);
  barrier.free();
}

/** Goes on removing what the snapshot did not name, from where fib.prune… stands; what is left of the budget. */
export function pruneBarriers(fib: Fib, budget: i32): i32 {
  if (!fib.aggregatePtr) return budget;
  const family: u32 = fib.pruneFamily - <u8>FAMILY_COUNT;
  const barriers = aggregateOf(fib).barriers(family);
  for (; budget > 0; budget--) {
    const record =
      fib.pruneBits < 0 ? barriers.first() : barriers.after(fib.pruneKeyPtr, fib.pruneBits);
    if (!record) return budget;
    const barrier = routeOf(record);
    memory.copy(fib.pruneKeyPtr, barrier.keyPtr, keySize(barrier.bits));
    fib.pruneBits = <i16>barrier.bits;
    if (!barrier.isSeen(fib.parity)) removeBarrier(fib, family, fib.pruneKeyPtr, barrier.bits);
  }
  return budget;
}
