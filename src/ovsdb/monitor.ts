// The rows of the monitored tables, kept true by a server's notifications.
//
// A server tells changes in one of three ways, each an answer to a request for the initial rows and a notification:
//
//   request              notification   since      a changed row comes as
//   monitor_cond_since   update3        OVS 2.12   its difference, with the id of the transaction
//   monitor_cond         update2        OVS 2.6    its difference
//   monitor              update         RFC 7047   its new values, with the old values of what changed
//
// All three end in the same RowChange list. Invariants:
//
// - A snapshot (the answer to a monitor request, unless the server found our last transaction) is compared with the rows
//   here: what is equal says nothing, what is missing is a delete. The rows are never cleared and refilled, so a reader sees
//   no gap and a reconnect costs its consumers nothing when nothing changed.
// - Only columns that were asked for are kept. A column that the server's schema does not know reads as undefined.
// - A difference for a row that is not here means that we missed something: it is an error (`protocol`), and whoever owns the
//   connection asks for a snapshot.
//
// A table may be monitored without inserts. What is not here is then not missed, and learn() takes rows from elsewhere: the
// answer to a select, or what we have written ourselves and need not be told (src/sinks/ovn/row.ts has the figures).
//
// Rows are taken in slices (slices.ts). Between two of them some rows are as before and some as after; consumers are told when all are in.
//
// Set columns are changed in place and a change says what a set gained and lost, so that one route more on a router with
// 50 000 costs what one route costs. Where only whole values are told (`monitor`, snapshots) the sets are compared.
import { OvsdbError } from './errors.ts';
import type { DatabaseSchema } from './schema.ts';
import type { Sliced } from './slices.ts';
import type { Condition } from './transaction.ts';
import {
  applyDifference,
  areEqualValues,
  type ColumnType,
  compareSets,
  decodeValue,
  defaultValue,
  type SetChange,
  type Value,
} from './values.ts';

/** A row's monitored columns. Do not change it. */
export type Row = { readonly [column: string]: Value };
type MutableRow = { [column: string]: Value };

/** What to monitor of one table. */
export interface MonitoredTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** Rows that match any of these; all rows without it. Servers that only know `monitor` send all. */
  readonly where?: readonly Condition[];
  /** Rows inserted later are not told: whoever needs them learns of them otherwise and calls learn(). */
  readonly withoutInserts?: boolean;
  /** A database without the table will do: it is as if it were empty. */
  readonly isOptional?: boolean;
}

export interface RowChange {
  readonly table: string;
  readonly uuid: string;
  readonly kind: 'insert' | 'modify' | 'delete';
  /** The row as it is now; of a delete, as it was. */
  readonly row: Row;
  /** Of a modify: what each changed set column gained and lost. */
  readonly setChanges: ReadonlyMap<string, SetChange>;
}

/** How the server speaks of changes. */
export type MonitorMethod = 'monitor_cond_since' | 'monitor_cond' | 'monitor';

type WireRow = Record<string, unknown>;
type WireTables = Record<string, Record<string, WireRow>>;
/** update2 and update3: exactly one member. */
type RowUpdate2 = {
  readonly initial?: WireRow;
  readonly insert?: WireRow;
  readonly modify?: WireRow;
  readonly delete?: null;
};
/** update (RFC 7047 §4.1.6). */
type RowUpdate = { readonly old?: WireRow; readonly new?: WireRow };

interface Table {
  readonly name: string;
  readonly rows: Map<string, MutableRow>;
  readonly withoutInserts: boolean;
  columns: ReadonlyMap<string, ColumnType>;
  /** The row decoded last: what its neighbours share with it is kept once. */
  lastRow: Row;
}

const NO_COLUMNS: ReadonlyMap<string, ColumnType> = new Map();

/** Rows taken between two yields: one to three milliseconds. */
const ROWS_PER_SLICE = 500;

const NO_SET_CHANGES: ReadonlyMap<string, SetChange> = new Map();

export class Monitor {
  readonly #requested: readonly MonitoredTable[];
  readonly #tables = new Map<string, Table>();
  #schemaVersion = '';

  constructor(requested: readonly MonitoredTable[]) {
    this.#requested = requested;
    for (const { table: name, withoutInserts = false } of requested) {
      const table = { name, rows: new Map(), withoutInserts, columns: new Map(), lastRow: {} };
      this.#tables.set(name, table);
    }
  }

  /** Rows of a monitored table by uuid. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#tables.get(table)!.rows;
  }

  /** Of the database as last connected to; empty before that. */
  get schemaVersion(): string {
    return this.#schemaVersion;
  }

  /** Takes the server's column types; to be followed by a request for the initial rows. */
  useSchema(schema: DatabaseSchema): void {
    this.#schemaVersion = schema.version;
    for (const { table, columns, isOptional = false } of this.#requested) {
      const types = schema.tables.get(table) ?? (isOptional ? NO_COLUMNS : undefined);
      if (!types) {
        throw new OvsdbError(
          'unsuitable-server',
          `database ${schema.name} ${schema.version} has no table ${table}`,
        );
      }
      this.#tables.get(table)!.columns = new Map(
        columns.flatMap((column) => {
          const type = types.get(column);
          return type ? [[column, type] as const] : [];
        }),
      );
    }
  }

  /** The `<monitor-requests>` of the request, for columns the server has. */
  requests(method: MonitorMethod): Record<string, unknown> {
    return Object.fromEntries(
      this.#requested.flatMap(({ table, where, withoutInserts }) => {
        const columns = [...this.#tables.get(table)!.columns.keys()];
        if (columns.length === 0) return [];
        const isConditional = method !== 'monitor' && where !== undefined;
        const request = {
          columns,
          ...(isConditional ? { where } : {}),
          ...(withoutInserts ? { select: { insert: false } } : {}),
        };
        return [[table, [request]]];
      }),
    );
  }

  /** Takes a row that the server was asked not to tell, as it would stand in an update. */
  learn(table: string, uuid: string, wire: Readonly<Record<string, unknown>>): void {
    const { rows } = this.#tables.get(table)!;
    rows.set(uuid, decodeRow(this.#tables.get(table)!, wire));
  }

  /** Drops a row that nobody here needs, of a table that is monitored without inserts: what changes in it is passed over. */
  forget(table: string, uuid: string): void {
    this.#tables.get(table)!.rows.delete(uuid);
  }

  /** Takes the rows of a snapshot; returns how they differ from what was here. */
  *replace(method: MonitorMethod, snapshot: unknown): Sliced<RowChange[]> {
    const changes: RowChange[] = [];
    let rowCount = 0;
    for (const table of this.#tables.values()) {
      const wireRows = (snapshot as WireTables)[table.name] ?? {};
      for (const uuid of Object.keys(wireRows)) {
        if (++rowCount % ROWS_PER_SLICE === 0) yield;
        const update = wireRows[uuid]!;
        const wire =
          method === 'monitor' ? (update as RowUpdate).new : (update as RowUpdate2).initial;
        this.#put(table, uuid, wire ?? {}, changes);
      }
      for (const uuid of table.rows.keys()) {
        if (++rowCount % ROWS_PER_SLICE === 0) yield;
        if (!(uuid in wireRows)) this.#delete(table, uuid, changes);
      }
    }
    return changes;
  }

  /** Takes the `<table-updates2>` of update2 and update3. */
  *applyDifferences(updates: unknown): Sliced<RowChange[]> {
    const changes: RowChange[] = [];
    let rowCount = 0;
    for (const [table, rows] of this.#updatedTables(updates)) {
      for (const uuid of Object.keys(rows)) {
        if (++rowCount % ROWS_PER_SLICE === 0) yield;
        const update = rows[uuid] as RowUpdate2;
        if (update.modify) this.#modify(table, uuid, update.modify, changes);
        else if (update.delete !== undefined) this.#delete(table, uuid, changes);
        else this.#put(table, uuid, update.insert ?? update.initial ?? {}, changes);
      }
    }
    return changes;
  }

  /** Takes the `<table-updates>` of update (RFC 7047 §4.1.6). */
  *applyValues(updates: unknown): Sliced<RowChange[]> {
    const changes: RowChange[] = [];
    let rowCount = 0;
    for (const [table, rows] of this.#updatedTables(updates)) {
      for (const uuid of Object.keys(rows)) {
        if (++rowCount % ROWS_PER_SLICE === 0) yield;
        const update = rows[uuid] as RowUpdate;
        if (update.new) this.#put(table, uuid, update.new, changes);
        else this.#delete(table, uuid, changes);
      }
    }
    return changes;
  }

  #updatedTables(updates: unknown): [Table, Record<string, WireRow>][] {
    return Object.entries(updates as WireTables).map(([name, rows]) => {
      const table = this.#tables.get(name);
      if (!table)
        throw new OvsdbError('protocol', `update of table ${name}, which is not monitored`);
      return [table, rows];
    });
  }

  /** A whole row, new or not. */
  #put(table: Table, uuid: string, wire: WireRow, changes: RowChange[]): void {
    const row = decodeRow(table, wire);
    const before = table.rows.get(uuid);
    if (!before) {
      table.rows.set(uuid, row);
      changes.push({ table: table.name, uuid, kind: 'insert', row, setChanges: NO_SET_CHANGES });
      return;
    }
    const setChanges = compareRows(before, row);
    if (!setChanges) return;
    table.rows.set(uuid, row);
    changes.push({ table: table.name, uuid, kind: 'modify', row, setChanges });
  }

  #modify(table: Table, uuid: string, difference: WireRow, changes: RowChange[]): void {
    const row = table.rows.get(uuid);
    if (!row) {
      if (table.withoutInserts) return;
      throw new OvsdbError('protocol', `change of unknown row ${uuid} of table ${table.name}`);
    }
    const setChanges = new Map<string, SetChange>();
    for (const [column, wire] of Object.entries(difference)) {
      const type = table.columns.get(column);
      if (!type) continue;
      const { after, setChange } = applyDifference(row[column], wire, type);
      row[column] = after;
      if (setChange) setChanges.set(column, setChange);
    }
    changes.push({ table: table.name, uuid, kind: 'modify', row, setChanges });
  }

  #delete(table: Table, uuid: string, changes: RowChange[]): void {
    const row = table.rows.get(uuid);
    if (!row) return;
    table.rows.delete(uuid);
    changes.push({ table: table.name, uuid, kind: 'delete', row, setChanges: NO_SET_CHANGES });
  }
}

function decodeRow(table: Table, wire: Readonly<WireRow>): MutableRow {
  const row: MutableRow = {};
  for (const [column, type] of table.columns) {
    row[column] =
      column in wire ? decodeValue(wire[column], type, table.lastRow[column]) : defaultValue(type);
  }
  table.lastRow = row;
  return row;
}

/** What changed in set columns, or undefined when the rows are equal. */
function compareRows(before: Row, after: Row): ReadonlyMap<string, SetChange> | undefined {
  const setChanges = new Map<string, SetChange>();
  let isChanged = Object.keys(before).length !== Object.keys(after).length;
  for (const [column, value] of Object.entries(after)) {
    if (areEqualValues(before[column], value)) continue;
    isChanged = true;
    if (value instanceof Set && before[column] instanceof Set) {
      setChanges.set(column, compareSets(before[column], value));
    }
  }
  return isChanged ? setChanges : undefined;
}
