// Records of a batch → the rows to change → one OVSDB transaction. Pure.
//
// Which uuid a row gets decides what a changed next hop costs:
//
//   key of the row                        changing the next hop of a prefix
//   prefix and next hop                   delete the row, insert another, change the router's set twice
//   prefix and member number (chosen)     update the row in place; the router's set is not touched
//
// Median milliseconds of a transaction (bench/row-keys.ts, ovsdb-server 3.1, unix socket), in place / delete and insert:
//
//   rows present     1 next hop changed     1000 next hops changed
//         1 000         0.04 / 0.06               5.8 / 22.7
//        10 000         0.03 / 0.17               5.8 / 22.5
//        50 000         0.03 / 1.03               6.4 / 15.3
//
// In place is the same however many rows there are, and no packet meets a prefix without a row.
//
// So a plan keeps rows whose next hop stays, turns rows that are not needed into the ones that are, and only then inserts or
// removes. All of a record's rows change in one transaction: no reader sees half of an ECMP set.
//
// The router's set is changed by one `mutate` with only what comes and goes: writing the whole set costs 181 ms at 50 000 routes.
// A removed row is not deleted: nothing names it any more, so the server collects it.
import { Transaction } from '../../ovsdb/transaction.ts';
import { wireUuidSet } from '../../ovsdb/values.ts';
import { ROUTE_TABLE, ROUTER_TABLE, type RouteRow, type RowIdentity, rowEncoder } from './row.ts';

/** One record: the rows a prefix must have. */
export interface RouteRecord {
  /** Its place in the batch. */
  readonly index: number;
  /** Canonical text. */
  readonly prefix: string;
  /** `nexthop` of each row; none removes the prefix. */
  readonly nexthops: readonly string[];
}

/** The rows to change for one record. */
export interface RecordPlan {
  readonly inserts: readonly { readonly uuid: string; readonly nexthop: string }[];
  readonly updates: readonly { readonly uuid: string; readonly nexthop: string }[];
  readonly deletes: readonly string[];
}

/**
 * The fewest row changes from `existing` to `nexthops`. `memberId(n)` is the uuid of member n; a member whose uuid `isTaken` is
 * passed over, also when its row goes in this very transaction: the server does not take an id back that soon.
 */
export function planRecord(
  existing: readonly RouteRow[],
  nexthops: readonly string[],
  memberId: (member: number) => string,
  isTaken: (uuid: string) => boolean,
): RecordPlan {
  const missing = [...nexthops];
  const surplus: RouteRow[] = [];
  const deletes: string[] = [];
  for (const row of existing) {
    const place = missing.indexOf(row.nexthop);
    if (!row.isSound) deletes.push(row.uuid);
    else if (place >= 0) missing.splice(place, 1);
    else surplus.push(row);
  }
  const updates = surplus
    .splice(0, missing.length)
    .map(({ uuid }) => ({ uuid, nexthop: missing.shift()! }));
  deletes.push(...surplus.map(({ uuid }) => uuid));
  let member = 0;
  const inserts = missing.map((nexthop) => {
    let uuid = memberId(member++);
    while (isTaken(uuid)) uuid = memberId(member++);
    return { uuid, nexthop };
  });
  return { inserts, updates, deletes };
}

/** As many of the next hops as there are sound rows: those in place first. */
export function someOf(nexthops: readonly string[], existing: readonly RouteRow[]): string[] {
  const sound = existing.filter(({ isSound }) => isSound);
  const others = [...nexthops];
  const inPlace: string[] = [];
  for (const { nexthop } of sound) {
    const place = others.indexOf(nexthop);
    if (place >= 0) inPlace.push(...others.splice(place, 1));
  }
  return [...inPlace, ...others].slice(0, sound.length);
}

/** Whether the rows are what is wanted, so that a plan would be empty. */
export function isInPlace(existing: readonly RouteRow[], nexthops: readonly string[]): boolean {
  if (existing.length !== nexthops.length) return false;
  if (!existing.every(({ isSound }) => isSound)) return false;
  if (existing.length === 1) return existing[0]!.nexthop === nexthops[0];
  const missing = [...nexthops];
  return existing.every(({ nexthop }) => {
    const place = missing.indexOf(nexthop);
    if (place >= 0) missing.splice(place, 1);
    return place >= 0;
  });
}

export function changeCount(plan: RecordPlan): number {
  return plan.inserts.length + plan.updates.length + plan.deletes.length;
}

/** Rows gained, or lost when negative. */
export function rowDelta(plan: RecordPlan): number {
  return plan.inserts.length - plan.deletes.length;
}

/** One transaction for many plans. The last operation's `count` says whether the router was there to take the rows. */
export function buildTransaction(
  plans: readonly { readonly prefix: string; readonly plan: RecordPlan }[],
  target: { readonly routerUuid: string; readonly lock: string; readonly identity: RowIdentity },
): Transaction {
  const transaction = new Transaction().assertLock(target.lock);
  const encodeRow = rowEncoder(target.identity);
  const inserted: string[] = [];
  const deleted: string[] = [];
  for (const { prefix, plan } of plans) {
    for (const { uuid, nexthop } of plan.inserts) {
      transaction.insert(ROUTE_TABLE, encodeRow(prefix, nexthop), uuid);
      inserted.push(uuid);
    }
    for (const { uuid, nexthop } of plan.updates)
      transaction.update(ROUTE_TABLE, uuid, { nexthop });
    deleted.push(...plan.deletes);
  }
  // Also with nothing to add or take: a router that is gone must not pass for a success.
  return transaction.mutate(ROUTER_TABLE, target.routerUuid, [
    ['static_routes', 'delete', wireUuidSet(deleted)],
    ['static_routes', 'insert', wireUuidSet(inserted)],
  ]);
}
