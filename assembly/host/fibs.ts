// FIBs, their batches, and what their sinks say.
import { AGGREGATION_DISCARD, AGGREGATION_ENDED, AGGREGATION_OFF } from '../abi';
import { aggregateFib } from '../fib/aggregate/aggregate';
import { acknowledgeBatch, drainFib, failRecord, forgetBatch } from '../fib/batch';
import { LIST_REFUSED } from '../fib/entry';
import { fibById, newFib, orderFib, removeFibRecord } from '../fib/fib';
import { beginSnapshotOf, endSnapshotOf } from '../fib/fib-walk';
import { readObservations } from '../fib/observe';
import { inputPtr, outputPtr } from '../memory/buffers';
import { result } from '../result';
import { networkById } from '../rib/network';
import { nextGeneration, requestWalks } from '../rib/table-walk';

/** A FIB of a network that has routes is filled by work(). False when the id is taken or there is no memory. */
export function addFib(
  id: u32,
  networkId: u32,
  holdsRemovals: bool,
  isPatient: bool,
  aggregation: u32,
  costModel: u32,
): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  const fib = newFib(id, network.id, holdsRemovals, isPatient);
  if (fib == null) return false;
  if (aggregation != AGGREGATION_OFF) {
    const isDone =
      aggregation == AGGREGATION_ENDED
        ? orderFib(fib)
        : aggregateFib(fib, costModel, aggregation == AGGREGATION_DISCARD);
    if (!isDone) {
      removeFibRecord(fib);
      return false;
    }
  }
  fib.mark = nextGeneration();
  network.addFib(fib);
  requestWalks(network, fib.mark);
  return true;
}

export function removeFib(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  const network = networkById(fib.network);
  if (network != null) network.removeFib(fib);
  forgetBatch(fib);
  removeFibRecord(fib);
  return true;
}

export function isFibPending(id: u32): bool {
  const fib = fibById(id);
  return fib != null && fib.isPending;
}

/** Whether bad news can be drained. */
export function isFibUrgent(id: u32): bool {
  const fib = fibById(id);
  return fib != null && fib.isPending && fib.urgentCount != 0;
}

/** Result: outputCount change records and the definitions of the sets they name, outputSize bytes in the output buffer. */
export function drain(id: u32, limit: u32): bool {
  const fib = fibById(id);
  if (fib == null || fib.batchCount) return false;
  result.outputSize = <u32>(drainFib(fib, limit) - outputPtr);
  result.outputCount = fib.batchCount;
  return true;
}

/** The indexes of the records that failed are in the input buffer, u32 each. */
export function acknowledge(id: u32, failedCount: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  for (let i: u32 = 0; i < failedCount; i++) {
    failRecord(fib, load<u32>(inputPtr + (i << 2)));
  }
  acknowledgeBatch(fib);
  return true;
}

export function forget(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  forgetBatch(fib);
  return true;
}

export function beginSnapshot(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  beginSnapshotOf(fib);
  return true;
}

/** Whole observation records, `size` bytes of the input buffer. `about`: ABOUT_* of abi.ts. */
export function observe(id: u32, size: u32, about: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  readObservations(fib, inputPtr, inputPtr + size, about);
  return true;
}

export function endSnapshot(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  endSnapshotOf(fib);
  return true;
}

export function releaseRemovals(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  fib.holdsRemovals = false;
  fib.holesChanged = true;
  return true;
}

/** Counters 0–4: entries, installed, pending, refused, held. */
export function readFibCounters(id: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  result.setCounter(0, fib.desiredCount);
  result.setCounter(1, fib.installedCount);
  result.setCounter(2, fib.pendingCount);
  result.setCounter(3, fib.list(LIST_REFUSED).count);
  result.setCounter(4, fib.heldCount);
  return true;
}
