// A pair of OVN databases in memory: rows go in, and what a monitor would tell of them comes out (src/ovsdb/monitor.ts).
import type { Row, RowChange } from '../../../src/ovsdb/monitor.ts';
import { compareSets, type SetChange, type Value } from '../../../src/ovsdb/values.ts';

/** What a column holds that a test does not name. */
const defaults: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  Logical_Switch: { name: '', other_config: new Map(), ports: new Set() },
  Logical_Switch_Port: {
    ...{ name: '', type: '', up: undefined, enabled: undefined, addresses: new Set() },
    ...{ dynamic_addresses: undefined, options: new Map() },
  },
  Logical_Router: {
    ...{ name: '', enabled: undefined, options: new Map(), ports: new Set(), nat: new Set() },
    ...{ load_balancer: new Set(), load_balancer_group: new Set() },
  },
  Logical_Router_Port: {
    ...{ name: '', networks: new Set(), enabled: undefined, gateway_chassis: new Set() },
    ...{ ha_chassis_group: undefined },
  },
  NAT: {
    ...{ type: 'snat', external_ip: '', logical_port: undefined, external_mac: undefined },
    ...{ gateway_port: undefined },
  },
  Load_Balancer: { name: '', vips: new Map() },
  Load_Balancer_Group: { load_balancer: new Set() },
  Port_Binding: { logical_port: '', chassis: undefined, up: undefined, type: '' },
};

export class OvnModel {
  readonly #rows = new Map<string, { table: string; row: Record<string, Value> }>();

  /** Inserts the row, or changes the columns given. */
  put(table: string, uuid: string, columns: Readonly<Record<string, Value>>): RowChange {
    const known = this.#rows.get(uuid);
    if (known === undefined) {
      const row = { ...defaults[table], ...columns };
      this.#rows.set(uuid, { table, row });
      return { table, uuid, kind: 'insert', row, setChanges: new Map() };
    }
    const setChanges = new Map<string, SetChange>();
    for (const [column, value] of Object.entries(columns)) {
      const before = known.row[column];
      if (before instanceof Set && value instanceof Set) {
        const change = compareSets(before, value);
        if (change.added.length + change.removed.length > 0) setChanges.set(column, change);
      }
      known.row[column] = value; // in place, as a monitor does
    }
    return { table, uuid, kind: 'modify', row: known.row, setChanges };
  }

  remove(uuid: string): RowChange[] {
    const known = this.#rows.get(uuid);
    if (known === undefined) return [];
    this.#rows.delete(uuid);
    return [{ table: known.table, uuid, kind: 'delete', row: known.row, setChanges: new Map() }];
  }

  has(uuid: string): boolean {
    return this.#rows.has(uuid);
  }

  row(uuid: string): Row {
    return this.#rows.get(uuid)!.row;
  }

  /** Everything, as to somebody who has just connected. */
  snapshot(): RowChange[] {
    return [...this.#rows].map(([uuid, { table, row }]) => ({
      ...{ table, uuid, kind: 'insert', setChanges: new Map() },
      row: { ...row },
    }));
  }
}
