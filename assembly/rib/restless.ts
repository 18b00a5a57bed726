// Restless prefixes: those that change so often that a target which pays for each change is told of them less often.
//
// A prefix that changes now and then is nobody's business: its changes pass at once. One that has changed RESTLESS_CHANGES times in
// quick succession is restless until it has been quiet for QUIET_MS. While it is, a patient FIB is told
//
//   at once            what only takes away of what it was told: a withdrawal, a member of an equal-cost set (bad news first)
//   when it is quiet   everything else, as it is then; nothing when that is what the FIB was told last
//   now and then       the state of the moment, after FIRST_PATIENCE_MS, then twice that, … up to LONGEST_PATIENCE_MS, but not of
//                      a prefix that lost something within LASTING_MS: what it has now would be taken away a moment later, at two rows
//
// So a route that goes and comes all day costs a few rows a minute, and stands in its last state QUIET_MS after it has come to rest.
// Unlike route flap damping (RFC 2439) nothing is punished: quiet is quiet, whatever was before.
//
// Only what peers say in UPDATEs waits, and what a source says of its table. What the core decides because a peer or a next hop is lost passes at once, and with it
// everything that waits (passAll).
//
// A fixed number of prefixes is remembered, the oldest forgotten first; who is forgotten is followed at once.
import { FAMILY_L2VPN_EVPN } from '../abi';
import { setRoute } from '../fib/fib-route';
import { keySize, keysEqual } from '../lpm/key';
import { allocate, free } from '../memory/arena';
import { HashTable, valueAt } from '../memory/hash-table';
import { losesMembers, releaseSet, retainSet } from '../nexthop/next-hop-set';
import { noteStarvation } from './starvation';
import { Table } from './table';

/** Changes in quick succession that make a prefix restless: it went, came back and went again. */
const RESTLESS_CHANGES: u32 = 4;
/** Changes closer than this are one: nothing was written in between. */
const BURST_MS: u32 = 20;
/** A prefix without a change for so long has come to rest. */
const QUIET_MS: u32 = 400;
const FIRST_PATIENCE_MS: u32 = 10_000;
const LONGEST_PATIENCE_MS: u32 = 60_000;
/** A restless prefix that goes and comes is neither gone nor there for QUIET_MS: it goes at least so often. */
const LASTING_MS: u32 = 2 * QUIET_MS;
/** Prefixes remembered, at 56 bytes and a slot of 8 to 16. */
const CAPACITY: u32 = 32_768;

const records = changetype<HashTable>(memory.data(12, 4));
/** By their last change, the oldest first. */
let oldest: u32 = 0;
let newest: u32 = 0;
/** Prefixes that patient FIBs wait with. */
export let restlessCount: u32 = 0;

/** Milliseconds, as the host counts; wraps. */
let clock: u32 = 0;
let isReceiving: bool = false;

// RestlessPrefix, 56 bytes
//   0      4       8      10       11     12        16        20         24        28     32       36     40
//   | hash | table | bits | changes | held | counted | changed | reported | patience | told | before | after | key, 16 bytes
//
// held      patient FIBs were told `told`, whatever the Loc-RIB says
// counted   time of the change counted last, changed of any change, reported of the last time patient FIBs were told the state of the moment,
//           or so much later that LASTING_MS of the patience are left after a loss
@unmanaged
class RestlessPrefix {
  hash: u32 = 0;
  table: u32 = 0;
  bits: u16 = 0;
  changes: u8 = 0;
  isHeld: bool = false;
  countedAt: u32 = 0;
  changedAt: u32 = 0;
  reportedAt: u32 = 0;
  patienceMs: u32 = 0;
  told: u32 = 0;
  before: u32 = 0;
  after: u32 = 0;
  key0: u64 = 0;
  key1: u64 = 0;

  get keyPtr(): usize {
    return changetype<usize>(this) + offsetof<RestlessPrefix>('key0');
  }
}

function at(ptr: u32): RestlessPrefix {
  return changetype<RestlessPrefix>(<usize>ptr);
}

/** Between these two, changes are what peers say. */
export function beginReceiving(now: u32): void {
  clock = now;
  isReceiving = true;
}

/** What follows is what peers said a moment ago, in another network. */
export function resumeReceiving(): void {
  isReceiving = true;
}

export function endReceiving(): void {
  isReceiving = false;
}

/** Whether patient FIBs wait with a change of a prefix's label. To be asked once per change, before anybody is told. */
export function mustWait(table: Table, keyPtr: usize, bits: u32, before: u32, label: u32): bool {
  if (table.family == FAMILY_L2VPN_EVPN) return false;
  const hash = hashOf(table, keyPtr, bits);
  const record = find(table, keyPtr, bits, hash);
  if (!isReceiving) {
    if (record != null) endHold(record);
    return false;
  }
  if (record == null) {
    if (before) remember(table, keyPtr, bits, hash);
    return false;
  }
  noteChange(record);
  if (record.changes < RESTLESS_CHANGES) return false;
  if (!record.isHeld) beginHold(record, before);
  if (!losesMembers(label, before)) postponeReport(record);
  if (losesMembers(label, record.told)) return true;
  setTold(record, label);
  return false;
}

/** What patient FIBs were told last of a prefix whose label is `label`. */
export function labelTold(table: Table, keyPtr: usize, bits: u32, label: u32): u32 {
  if (!restlessCount) return label;
  const record = find(table, keyPtr, bits, hashOf(table, keyPtr, bits));
  return record != null && record.isHeld ? record.told : label;
}

/** Tells patient FIBs of what has waited long enough; true while anything waits. */
export function passRested(now: u32): bool {
  clock = now;
  let quietMs = QUIET_MS;
  let ptr = oldest;
  while (ptr) {
    const record = at(ptr);
    ptr = record.after;
    if (!record.isHeld) continue;
    if (clock - record.changedAt >= quietMs) {
      quietMs = QUIET_MS >> 1; // Those that came to rest together pass together: one batch, not two.
      endHold(record);
    } else if (clock - record.reportedAt >= record.patienceMs) {
      report(record);
    }
  }
  return restlessCount != 0;
}

/** Tells patient FIBs of everything that waits. */
export function passAll(): void {
  for (let ptr = oldest; ptr && restlessCount; ptr = at(ptr).after) endHold(at(ptr));
}

function noteChange(record: RestlessPrefix): void {
  unlink(record);
  append(record);
  if (clock - record.changedAt >= QUIET_MS && !record.isHeld) {
    record.changes = 1;
    record.countedAt = clock;
  } else if (clock - record.countedAt >= BURST_MS) {
    record.changes = <u8>min(<u32>record.changes + 1, RESTLESS_CHANGES);
    record.countedAt = clock;
  }
  record.changedAt = clock;
}

function beginHold(record: RestlessPrefix, told: u32): void {
  record.isHeld = true;
  record.reportedAt = clock;
  record.patienceMs = FIRST_PATIENCE_MS;
  setTold(record, told);
  restlessCount++;
}

function endHold(record: RestlessPrefix): void {
  if (!record.isHeld) return;
  record.isHeld = false;
  record.changes = 0;
  restlessCount--;
  tellPatientFibs(record);
  setTold(record, 0);
}

/** Something was only taken away. */
function postponeReport(record: RestlessPrefix): void {
  const longest = record.patienceMs - LASTING_MS;
  if (clock - record.reportedAt > longest) record.reportedAt = clock - longest;
}

function report(record: RestlessPrefix): void {
  record.reportedAt = clock;
  record.patienceMs = min(2 * record.patienceMs, LONGEST_PATIENCE_MS);
  setTold(record, tellPatientFibs(record));
}

function setTold(record: RestlessPrefix, label: u32): void {
  retainSet(label);
  releaseSet(record.told);
  record.told = label;
}

/** The Loc-RIB's label, now that patient FIBs know it. */
function tellPatientFibs(record: RestlessPrefix): u32 {
  const table = changetype<Table>(<usize>record.table);
  const destination = table.find(record.keyPtr, record.bits);
  const label = destination == null ? 0 : destination.label;
  for (let fib = table.network.firstFib; fib; fib = fib.nextOfNetwork) {
    if (!fib.isPatient) continue;
    if (!setRoute(fib, table.family, record.keyPtr, record.bits, label)) noteStarvation();
  }
  return label;
}

function hashOf(table: Table, keyPtr: usize, bits: u32): u32 {
  let hash = <u32>changetype<usize>(table) ^ bits;
  for (const end = keyPtr + keySize(bits); keyPtr < end; keyPtr += 4) {
    hash = (hash ^ load<u32>(keyPtr)) * 0x9e3779b1;
    hash ^= hash >>> 15;
  }
  return hash;
}

function find(table: Table, keyPtr: usize, bits: u32, hash: u32): RestlessPrefix | null {
  for (let slot = records.first(hash); slot; slot = records.next(slot, hash)) {
    const record = at(<u32>valueAt(slot));
    if (record.table != <u32>changetype<usize>(table) || record.bits != bits) continue;
    if (keysEqual(record.keyPtr, keyPtr, bits)) return record;
  }
  return null;
}

/** Begins to watch a prefix that has changed. Without memory it is not watched. */
function remember(table: Table, keyPtr: usize, bits: u32, hash: u32): void {
  const ptr = records.count < CAPACITY ? allocate(offsetof<RestlessPrefix>()) : forgetOldest();
  if (!ptr) return;
  memory.fill(ptr, 0, offsetof<RestlessPrefix>());
  const record = changetype<RestlessPrefix>(ptr);
  record.hash = hash;
  record.table = <u32>changetype<usize>(table);
  record.bits = <u16>bits;
  record.changes = 1;
  record.countedAt = clock;
  record.changedAt = clock;
  memory.copy(record.keyPtr, keyPtr, keySize(bits));
  if (records.insert(hash, ptr)) append(record);
  else free(ptr, offsetof<RestlessPrefix>());
}

/** Of a table that goes. */
export function forgetTable(table: Table): void {
  let ptr = oldest;
  while (ptr) {
    const record = at(ptr);
    ptr = record.after;
    if (record.table != <u32>changetype<usize>(table)) continue;
    endHold(record);
    unlink(record);
    records.remove(record.hash, changetype<usize>(record));
    free(changetype<usize>(record), offsetof<RestlessPrefix>());
  }
}

/** The block of the record that is forgotten. */
function forgetOldest(): usize {
  const record = at(oldest);
  endHold(record);
  unlink(record);
  records.remove(record.hash, changetype<usize>(record));
  return changetype<usize>(record);
}

function append(record: RestlessPrefix): void {
  const ptr = <u32>changetype<usize>(record);
  record.before = newest;
  record.after = 0;
  if (newest) at(newest).after = ptr;
  else oldest = ptr;
  newest = ptr;
}

function unlink(record: RestlessPrefix): void {
  if (record.before) at(record.before).after = record.after;
  else oldest = record.after;
  if (record.after) at(record.after).before = record.before;
  else newest = record.before;
}
