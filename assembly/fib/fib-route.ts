// The Loc-RIB's word to a FIB: each route is a row of its own, or the aggregation makes rows of the routes.
import { aggregateOf } from './aggregate/aggregate';
import { Fib } from './fib';

/** The label of a prefix, 0 for no route. False when there is no memory for it. */
export function setRoute(fib: Fib, family: u32, keyPtr: usize, bits: u32, label: u32): bool {
  const aggregate = aggregateOf(fib);
  fib.holesChanged = true;
  return changetype<usize>(aggregate)
    ? aggregate.setRoute(family, keyPtr, bits, label)
    : fib.setDesired(family, keyPtr, bits, label);
}
