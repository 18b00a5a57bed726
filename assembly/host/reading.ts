// Reading tables: keys at PAGE_MATCH and PAGE_CURSOR of the input buffer, rows in the output buffer.
import { FAMILY_IPV4_UNICAST } from '../abi';
import { fibById } from '../fib/fib';
import { readCarriedRoutes, readFibPage } from '../fib/fib-page';
import { countLosses } from '../fib/losses';
import { result } from '../result';
import { readLabelPage } from '../rib/label-page';
import { lookUpAddresses } from '../rib/lookup';
import { networkById } from '../rib/network';
import { query, readRoutePage } from '../rib/route-page';
import { isVerifiable, verifyPart } from '../rib/verification';

export function readRoutes(
  networkId: u32,
  family: u32,
  stage: u32,
  peer: u32,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  query.stage = stage;
  query.peer = peer;
  query.match = match;
  query.matchBits = matchBits;
  query.cursorBits = cursorBits;
  query.limit = limit;
  readRoutePage(network.table(family));
  return true;
}

export function readFib(
  id: u32,
  family: u32,
  match: u32,
  matchBits: u32,
  cursorBits: i32,
  limit: u32,
): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  readFibPage(fib, family, match, matchBits, cursorBits, limit);
  return true;
}

export function readLabels(networkId: u32, family: u32, cursorBits: i32, limit: u32): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  readLabelPage(network.table(family), cursorBits, limit);
  return true;
}

/**
 * Compares what an aggregated FIB forwards to with its network's routes, from the cursor on, `budget` prefixes of all tables. Counter 0: whether
 * it could (it is not at rest otherwise); outputCount: ranges that differ, in the output buffer.
 */
export function verifyFib(id: u32, family: u32, cursorBits: i32, budget: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  const network = networkById(fib.network);
  if (network == null) return false;
  const isReady = isVerifiable(fib);
  result.setCounter(0, isReady ? 1 : 0);
  if (isReady) verifyPart(fib, network.table(family), cursorBits, budget);
  return true;
}

/** Counter 0: how many of the left-over entries, among `budget` entries from the cursor on, are losses. */
export function readLosses(id: u32, family: u32, cursorBits: i32, budget: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  result.setCounter(0, countLosses(fib, family, cursorBits, budget));
  return true;
}

/** The key of an entry is at PAGE_MATCH; the routes it stands for go to the output buffer, up to `limit`. */
export function readCarried(id: u32, family: u32, bits: u32, limit: u32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  readCarriedRoutes(fib, family, bits, limit);
  return true;
}

/** Longest matches of `count` addresses in the input buffer: prefix lengths as i16 in the output buffer, −1 for none. */
export function lookUp(networkId: u32, family: u32, count: u32): bool {
  const network = networkById(networkId);
  if (network == null) return false;
  lookUpAddresses(network.table(family), family == FAMILY_IPV4_UNICAST ? 4 : 16, count);
  return true;
}
