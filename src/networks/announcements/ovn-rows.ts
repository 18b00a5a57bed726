// Rows of OVN's databases by name and by relation, kept true from change to change. Knows nothing of announcing.
//
// What refers to what: a switch names its ports, a router its ports, NAT rows and load balancers; a port does not name its switch.
// So the parent of a row is kept here.
import type { Row, RowChange } from '../../ovsdb/monitor.ts';
import { type Carrier, carrierOf } from './ovn-request.ts';

export interface NamedRow {
  readonly uuid: string;
  readonly row: Row;
}

/** Columns that name rows of another table, as `Table.column`. */
const references = [
  'Logical_Switch.ports',
  'Logical_Router.ports',
  'Logical_Router.nat',
  'Logical_Router.load_balancer',
  'Logical_Router.load_balancer_group',
  'Load_Balancer_Group.load_balancer',
] as const;
type Reference = (typeof references)[number];

/** Tables whose rows are looked up by name. */
const namedTables = [
  'Logical_Switch',
  'Logical_Switch_Port',
  'Logical_Router',
  'Logical_Router_Port',
] as const;
type NamedTable = (typeof namedTables)[number];

export class OvnRows {
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #names = new Map<NamedTable, SetMap>(namedTables.map((table) => [table, new SetMap()]));
  readonly #nameOf = new Map<string, string>();
  readonly #parents = new Map<Reference, SetMap>(references.map((each) => [each, new SetMap()]));
  readonly #natsByPort = new SetMap();
  readonly #portOfNat = new Map<string, string>();
  /** Uuids of the bindings that carry a port, by its name. */
  readonly #carriers = new SetMap();
  /** Switch ports of type `router`: few beside the ports of workloads. */
  readonly #routerAttachments = new Set<string>();
  #chassis: string | undefined;

  take(changes: readonly RowChange[]): void {
    for (const change of changes) this.#take(change);
  }

  #take(change: RowChange): void {
    const { table, uuid, kind, row } = change;
    const isGone = kind === 'delete';
    let rows = this.#rows.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#rows.set(table, rows);
    }
    if (isGone) rows.delete(uuid);
    else rows.set(uuid, row);
    this.#takeName(table, uuid, isGone ? undefined : (row['name'] as string | undefined));
    for (const reference of references) {
      if (reference.startsWith(`${table}.`)) this.#takeReference(reference, change);
    }
    if (table === 'Logical_Switch_Port') {
      if (!isGone && row['type'] === 'router') this.#routerAttachments.add(uuid);
      else this.#routerAttachments.delete(uuid);
    }
    if (table === 'NAT') {
      this.#move(this.#natsByPort, this.#portOfNat, uuid, isGone ? undefined : portOf(row));
    }
    if (table === 'Port_Binding') this.#takeBinding(uuid, row, isGone);
  }

  #takeName(table: string, uuid: string, name: string | undefined): void {
    const names = this.#names.get(table as NamedTable);
    if (names !== undefined) this.#move(names, this.#nameOf, uuid, name);
  }

  /** One port more on a switch with 10 000 costs what one port costs. */
  #takeReference(reference: Reference, { uuid, kind, row, setChanges }: RowChange): void {
    const parents = this.#parents.get(reference)!;
    const column = columnOf(reference);
    const members = (row[column] ?? []) as Iterable<string>;
    const change = setChanges.get(column);
    const added = kind === 'insert' ? members : kind === 'modify' ? (change?.added ?? []) : [];
    const removed = kind === 'delete' ? members : (change?.removed ?? []);
    for (const child of removed) parents.delete(child as string, uuid);
    for (const child of added) parents.add(child as string, uuid);
  }

  #move(index: SetMap, current: Map<string, string>, uuid: string, key: string | undefined): void {
    const before = current.get(uuid);
    if (before === key) return;
    if (before !== undefined) index.delete(before, uuid);
    if (key === undefined) current.delete(uuid);
    else {
      current.set(uuid, key);
      index.add(key, uuid);
    }
  }

  #takeBinding(uuid: string, row: Row, isGone: boolean): void {
    const carrier = carrierOf(row['type'] as string);
    if (carrier === undefined) return;
    const key = `${carrier} ${row['logical_port']}`;
    const isHere = this.#chassis !== undefined && row['chassis'] === this.#chassis;
    if (!isGone && isHere && row['up'] === true) this.#carriers.add(key, uuid);
    else this.#carriers.delete(key, uuid);
  }

  /** Another row stands for our chassis, or none: forgets every binding. */
  setChassis(uuid: string | undefined): void {
    this.#chassis = uuid;
    this.#rows.delete('Port_Binding');
    this.#carriers.clear();
  }

  /** Whether this chassis carries the logical port: bound, and its flows installed (`up`, ovn-sb(5)). */
  isCarriedHere(carrier: Carrier, logicalPort: string): boolean {
    return this.#carriers.has(`${carrier} ${logicalPort}`);
  }

  /** All rows of a table that have the name: names of switches and routers need not be unique. In an order that stays. */
  named(table: NamedTable, name: string): NamedRow[] {
    return this.#resolve(table, [...this.#names.get(table)!.get(name)].sort());
  }

  all(table: string): NamedRow[] {
    return [...(this.#rows.get(table) ?? [])].map(([uuid, row]) => ({ uuid, row }));
  }

  row(table: string, uuid: string): Row | undefined {
    return this.#rows.get(table)?.get(uuid);
  }

  /** Rows whose reference column names the row. */
  parents(reference: Reference, child: string): NamedRow[] {
    const table = reference.split('.')[0]!;
    return this.#resolve(table, [...this.#parents.get(reference)!.get(child)].sort());
  }

  /** Ports by which routers are attached to the switch. */
  routerPortsOf(switchUuid: string): NamedRow[] {
    const attached = [...this.#routerAttachments].filter((uuid) =>
      this.#parents.get('Logical_Switch.ports')!.hasMember(uuid, switchUuid),
    );
    return this.#resolve('Logical_Switch_Port', attached.sort()).flatMap(({ row }) => {
      const name = (row['options'] as ReadonlyMap<string, string>).get('router-port');
      return name === undefined ? [] : this.named('Logical_Router_Port', name);
    });
  }

  /** Rows that a reference column names, as far as they are known. */
  children(reference: Reference, parent: NamedRow, table: string): NamedRow[] {
    return this.#resolve(table, (parent.row[columnOf(reference)] ?? []) as Iterable<string>);
  }

  /** NAT rows that are done where a logical port is. */
  natsOfPort(logicalPort: string): Iterable<string> {
    return this.#natsByPort.get(logicalPort);
  }

  #resolve(table: string, uuids: Iterable<string>): NamedRow[] {
    const rows = this.#rows.get(table);
    return [...uuids].flatMap((uuid) => {
      const row = rows?.get(uuid);
      return row === undefined ? [] : [{ uuid, row }];
    });
  }
}

function columnOf(reference: Reference): string {
  return reference.slice(reference.indexOf('.') + 1);
}

function portOf(row: Row): string | undefined {
  return row['logical_port'] as string | undefined;
}

/** A map from text to a set of texts, without empty sets. */
class SetMap {
  readonly #sets = new Map<string, Set<string>>();

  get(key: string): Iterable<string> {
    return this.#sets.get(key) ?? [];
  }

  has(key: string): boolean {
    return this.#sets.has(key);
  }

  hasMember(key: string, member: string): boolean {
    return this.#sets.get(key)?.has(member) ?? false;
  }

  add(key: string, member: string): void {
    const set = this.#sets.get(key);
    if (set) set.add(member);
    else this.#sets.set(key, new Set([member]));
  }

  delete(key: string, member: string): void {
    const set = this.#sets.get(key);
    if (set === undefined) return;
    set.delete(member);
    if (set.size === 0) this.#sets.delete(key);
  }

  clear(): void {
    this.#sets.clear();
  }
}
