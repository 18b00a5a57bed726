// Imports between networks: each import line keeps copies of the routes another network has chosen, as routes of a peer of its own.
//
// What is copied. What the source network chooses (best path and its equals) among its own routes: heard from its peers, not
// imported and not originated there. Nothing that was imported is imported again, nor has a say in what is, so there are no loops to
// look for and networks may import from each other. A copy is an ordinary route record that shares the original's attribute set and, through it, its next hop as the source network resolved it;
// the decision process, FIBs, epochs, sweeps and dumps of the importing network treat it as any other.
//
// How copies are kept true. A destination that is decided anew is queued (import-queue.ts); telling its importers means comparing
// what each has with what it should have, per destination, from scratch: nothing is remembered that could be missed. A new import
// line, or one whose policy is another, has a mark; the walk of the source table tells it every destination (table-walk.ts).
import { POLICY_ACCEPT } from '../abi';
import { applyPolicy, policyLacksMemory } from '../policy/apply';
import { dropDestination, insertRoute, removeRoute, renewCopy } from './adj-rib-in';
import { AttributeSet } from './attribute-set';
import { Destination, IMPORTERS_AWAIT_WALK, IMPORTERS_DECIDE } from './destination';
import {
  Entry,
  hasQueuedImports,
  hasUrgentImports,
  takeOrdinary,
  takeUrgent,
} from './import-queue';
import { announcerOf, copyId, isImported } from './imported';
import { chooseForOthers, decideCopies, setLabel } from './loc-rib';
import { knownNetwork } from './network';
import { LOCAL_PEER, Peer } from './peer';
import { endReceiving, resumeReceiving } from './restless';
import { Route } from './route';
import { noteStarvation } from './starvation';
import { Table } from './table';

/** In the unit of table-walk.ts; telling one importer of one destination takes about a microsecond. */
const COST_OF_IMPORTER: i32 = 4;

const taken = changetype<Entry>(memory.data(8, 4));

/** Tells importers bad news for `budget`; what is left of it. */
export function workOnUrgentImports(budget: i32): i32 {
  while (budget > 0 && hasUrgentImports()) {
    takeUrgent(taken);
    budget -= tellImporters(taken.table, taken.destination);
  }
  return budget;
}

export function workOnImports(budget: i32): i32 {
  while (budget > 0 && hasQueuedImports()) {
    takeOrdinary(taken);
    budget -= tellImporters(taken.table, taken.destination);
  }
  return budget;
}

/** Brings every importer's copies of a destination up to date; what that cost. The destination may be gone afterwards. */
export function tellImporters(table: Table, destination: Destination): i32 {
  const mustDecide = (destination.flags & IMPORTERS_DECIDE) != 0;
  destination.flags &= ~(IMPORTERS_DECIDE | IMPORTERS_AWAIT_WALK);
  let cost = COST_OF_IMPORTER;
  if (hasCopies(destination)) chooseForOthers(table, destination);
  // Restless prefixes are no less so where they are imported; what the core found out by itself waits for nobody.
  if (!mustDecide) resumeReceiving();
  for (let line = table.network.firstImporter; line; line = line.nextImporter) {
    tellImporter(line, table, destination, mustDecide);
    cost += COST_OF_IMPORTER;
  }
  endReceiving();
  if (!destination.head) dropDestination(table, destination);
  return cost;
}

/** Tells the importers whose line changed at generation `since` or later. */
export function tellChangedImporters(table: Table, destination: Destination, since: u32): void {
  let isFirst = true;
  for (let line = table.network.firstImporter; line; line = line.nextImporter) {
    if (line.lineMark < since) continue;
    if (isFirst && hasCopies(destination)) chooseForOthers(table, destination);
    isFirst = false;
    tellImporter(line, table, destination, false);
  }
}

function hasCopies(destination: Destination): bool {
  for (let route = destination.head; route; route = route.next) if (isImported(route)) return true;
  return false;
}

/** `mustDecide`: what the decision looks at changed, though the routes may be the same. */
function tellImporter(line: Peer, source: Table, original: Destination, mustDecide: bool): void {
  const table = knownNetwork(line.network).table(source.family);
  let destination = table.find(original.keyPtr, original.bits);
  let isChanged = mustDecide;
  const competes = hasCopies(original);
  for (let route = original.head; route; route = route.next) {
    if (!isForOthers(route, competes)) continue;
    const set = importedSet(line, source, original, route);
    if (set == null) continue;
    const id = copyId(route.peer, ordinalOf(route, original, competes));
    let copy: Route | null = null;
    if (destination != null) copy = destination.find(line.id, id);
    if (copy != null) {
      if (renewCopy(copy, line, table, set, route.since)) isChanged = true;
      copy.setWanted(true);
      continue;
    }
    const inserted = insertCopy(line, table, destination, original, id, set, route.since);
    if (inserted == null) continue;
    destination = inserted;
    isChanged = true;
  }
  if (destination == null) return;
  if (removeUnwanted(line, table, destination)) isChanged = true;
  if (!isChanged) return;
  if (destination.head) {
    decideCopies(table, destination);
  } else {
    setLabel(table, destination, 0);
    dropDestination(table, destination);
  }
}

/** `competes`: the destination has copies itself. */
function isForOthers(route: Route, competes: bool): bool {
  if (route.peer == LOCAL_PEER || isImported(route)) return false;
  return competes ? route.isForOthers : route.isChosen;
}

/** What the import line makes of a route's attributes; null when it rejects the route. */
function importedSet(
  line: Peer,
  source: Table,
  original: Destination,
  route: Route,
): AttributeSet | null {
  const set = route.attributes;
  if (line.linePolicy == POLICY_ACCEPT) return set;
  const keyPtr = original.keyPtr;
  const bits: u32 = original.bits;
  const made = applyPolicy(line.linePolicy, source.family, keyPtr, bits, set, route.peer);
  if (made == null && policyLacksMemory()) noteStarvation();
  return made;
}

/** How many routes of the same peer that are copied come before this one. */
function ordinalOf(route: Route, original: Destination, competes: bool): u32 {
  let ordinal: u32 = 0;
  for (let other = original.head; other; other = other.next) {
    if (other.peer != route.peer || other.pathId >= route.pathId) continue;
    if (isForOthers(other, competes)) ordinal++;
  }
  return ordinal;
}

function insertCopy(
  line: Peer,
  table: Table,
  known: Destination | null,
  original: Destination,
  id: u32,
  set: AttributeSet,
  since: u32,
): Destination | null {
  const keyPtr = original.keyPtr;
  const destination = insertRoute(line, table, known, keyPtr, original.bits, id, set, since);
  if (destination == null) {
    noteStarvation();
    return null;
  }
  // A new route is put in front.
  destination.head.setWanted(true);
  announcerOf(destination.head).copyCount++;
  return destination;
}

/** Removes the line's copies that nothing asked for; true when there were any. */
function removeUnwanted(line: Peer, table: Table, destination: Destination): bool {
  let isChanged = false;
  for (let route = destination.head; route; ) {
    const next: Route | null = route.next;
    if (route.peer == line.id) {
      if (route.isWanted) {
        route.setWanted(false);
      } else {
        removeRoute(table, destination, route);
        isChanged = true;
      }
    }
    route = next;
  }
  return isChanged;
}
