// Pages of a route-table dump: rows to the output buffer, from where the last page ended.
import {
  ANY_PEER,
  MATCH_ALL,
  MATCH_COVERING,
  MATCH_EXACT,
  MATCH_LONGER,
  MATCH_LONGEST,
  PAGE_CURSOR,
  PAGE_MATCH,
  ROUTE_ROW_ATTRIBUTE_SET,
  ROUTE_ROW_BITS,
  ROUTE_ROW_FIB_COUNT,
  ROUTE_ROW_FLAG_BEST,
  ROUTE_ROW_FLAG_IMPORTED,
  ROUTE_ROW_FLAG_MULTIPATH,
  ROUTE_ROW_FLAG_STALE,
  ROUTE_ROW_FLAGS,
  ROUTE_ROW_IMPORTED_FROM,
  ROUTE_ROW_PATH_ID,
  ROUTE_ROW_PEER,
  ROUTE_ROW_REASON,
  ROUTE_ROW_SINCE,
  ROUTE_ROW_SIZE,
  STAGE_LOC_RIB,
} from '../abi';
import { carrierOf, carrierState } from '../fib/aggregate/explanation';
import { isCovered, keySize } from '../lpm/key';
import { inputPtr, outputEnd, outputPtr } from '../memory/buffers';
import { result } from '../result';
import { explain } from './best-path';
import { Destination } from './destination';
import { announcerOf, isImported, visiblePathId } from './imported';
import { Network } from './network';
import { knownPeer } from './peer';
import { Route } from './route';
import { Table } from './table';

/** Destinations looked at for one page: a page of a rare peer must not hold the loop. */
const MOST_VISITS: u32 = 16384;

/** What a page selects. Filled by the caller of readRoutePage. */
@unmanaged
export class RouteQuery {
  stage: u32 = 0;
  peer: u32 = 0;
  match: u32 = 0;
  matchBits: u32 = 0;
  /** −1 at the start. */
  cursorBits: i32 = 0;
  limit: u32 = 0;
}

export const query = changetype<RouteQuery>(memory.data(offsetof<RouteQuery>(), 4));

let toPtr: usize = 0;
let rowCount: u32 = 0;

export function readRoutePage(table: Table): void {
  toPtr = outputPtr;
  rowCount = 0;
  result.nextBits = -1;
  if (query.match == MATCH_ALL || query.match == MATCH_LONGER) readInOrder(table);
  else if (query.match == MATCH_EXACT) writeMaybe(table, table.find(matchKey(), query.matchBits));
  else if (query.match == MATCH_COVERING) readCovering(table);
  else if (query.match == MATCH_LONGEST) readLongest(table);
  result.outputCount = rowCount;
  result.outputSize = <u32>(toPtr - outputPtr);
}

function matchKey(): usize {
  return inputPtr + PAGE_MATCH;
}

function cursorKey(): usize {
  return inputPtr + PAGE_CURSOR;
}

function readInOrder(table: Table): void {
  let destination = firstOfPage(table);
  for (let visits: u32 = 0; destination != null && isInside(destination); visits++) {
    if (rowCount >= query.limit || visits == MOST_VISITS || !writeRows(table, destination)) return;
    result.nextBits = destination.bits;
    memory.copy(cursorKey(), destination.keyPtr, keySize(destination.bits));
    destination = table.after(destination.keyPtr, destination.bits);
  }
  result.nextBits = -1;
}

function firstOfPage(table: Table): Destination | null {
  if (query.cursorBits >= 0) return table.after(cursorKey(), query.cursorBits);
  if (query.match == MATCH_ALL) return table.first();
  const exact = table.find(matchKey(), query.matchBits);
  return exact != null ? exact : table.after(matchKey(), query.matchBits);
}

function isInside(destination: Destination): bool {
  if (query.match == MATCH_ALL) return true;
  if (destination.bits < query.matchBits) return false;
  return isCovered(destination.keyPtr, matchKey(), query.matchBits);
}

/** Shortest first. */
function readCovering(table: Table): void {
  for (let bits: u32 = 0; bits <= query.matchBits; bits++) {
    // `find` compares whole keys, and the match's goes on behind these bits
    const covering = table.longestMatch(matchKey(), bits);
    if (covering != null && covering.bits == bits) writeRows(table, covering);
  }
}

/** The longest one that has a row at this stage. */
function readLongest(table: Table): void {
  let destination = table.longestMatch(matchKey(), query.matchBits);
  while (destination != null) {
    writeRows(table, destination);
    if (rowCount || destination.bits == 0) return;
    destination = table.longestMatch(matchKey(), destination.bits - 1);
  }
}

function writeMaybe(table: Table, destination: Destination | null): void {
  if (destination != null) writeRows(table, destination);
}

/** False when the rows do not fit any more, and there are others on the page already: they are the next page's. */
function writeRows(table: Table, destination: Destination): bool {
  const startPtr = toPtr;
  const startCount = rowCount;
  for (let route = destination.head; route; route = route.next) {
    if (query.peer != ANY_PEER && !isOf(route, query.peer)) continue;
    if (query.stage == STAGE_LOC_RIB && !route.isChosen) continue;
    if (writeRow(table, destination, route)) continue;
    if (startCount == 0) return true; // more paths to one prefix than a page holds: it is cut
    toPtr = startPtr;
    rowCount = startCount;
    return false;
  }
  return true;
}

/** Of the peer itself, or a copy of a route of it. */
function isOf(route: Route, peer: u32): bool {
  return route.peer == peer || announcerOf(route).id == peer;
}

function writeRow(table: Table, destination: Destination, route: Route): bool {
  const network = table.network;
  const fibCount = countFibs(network);
  const keyBytes = keySize(destination.bits);
  const size = ROUTE_ROW_SIZE + keyBytes + ((2 * fibCount + 3) & ~3);
  if (toPtr + size > outputEnd) return false;
  store<u16>(toPtr, destination.bits, ROUTE_ROW_BITS);
  store<u8>(toPtr, <u8>rowFlags(table, route), ROUTE_ROW_FLAGS);
  store<u8>(toPtr, <u8>explain(route, destination, network), ROUTE_ROW_REASON);
  store<u16>(toPtr, <u16>announcerOf(route).id, ROUTE_ROW_PEER);
  store<u16>(toPtr, <u16>fibCount, ROUTE_ROW_FIB_COUNT);
  store<u32>(toPtr, visiblePathId(route), ROUTE_ROW_PATH_ID);
  store<u32>(toPtr, route.since, ROUTE_ROW_SINCE);
  store<u32>(toPtr, <u32>changetype<usize>(route.attributes), ROUTE_ROW_ATTRIBUTE_SET);
  store<u32>(toPtr, knownPeer(route.peer).sourceNetwork, ROUTE_ROW_IMPORTED_FROM);
  memory.copy(toPtr + ROUTE_ROW_SIZE, destination.keyPtr, keyBytes);
  writeFibStates(network, table.family, destination, toPtr + ROUTE_ROW_SIZE + keyBytes);
  toPtr += size;
  rowCount++;
  return true;
}

function rowFlags(table: Table, route: Route): u32 {
  let flags: u32 = 0;
  if (route.isBest) flags |= ROUTE_ROW_FLAG_BEST;
  else if (route.isChosen) flags |= ROUTE_ROW_FLAG_MULTIPATH;
  if (knownPeer(route.peer).family(table.family).isStale(route.epoch)) {
    flags |= ROUTE_ROW_FLAG_STALE;
  }
  if (isImported(route)) flags |= ROUTE_ROW_FLAG_IMPORTED;
  return flags;
}

function countFibs(network: Network): u32 {
  let count: u32 = 0;
  for (let fib = network.firstFib; fib; fib = fib.nextOfNetwork) count++;
  return count;
}

function writeFibStates(
  network: Network,
  family: u32,
  destination: Destination,
  statePtr: usize,
): void {
  for (let fib = network.firstFib; fib; fib = fib.nextOfNetwork) {
    store<u8>(statePtr + 1, <u8>carrierOf(fib, family, destination.keyPtr, destination.bits));
    store<u8>(statePtr, <u8>carrierState);
    statePtr += 2;
  }
}
