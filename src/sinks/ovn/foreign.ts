// Rows on our router that are not ours, by canonical prefix: what our rows would silently share an ECMP group with. Pure.
//
// northd groups routes by prefix, route table and policy, whoever wrote them, and does not canonicalise: 10.7.0.5/16 beside
// 10.7.0.0/16 makes two flows of one match and one priority, and which one wins is luck. So 10.7.0.5/16 counts as 10.7.0.0/16 here.
import type { RouteRow } from './row.ts';

const NO_ROWS: readonly RouteRow[] = [];

export class ForeignRows {
  readonly #byPrefix = new Map<string, RouteRow[]>();
  #count = 0;

  /** All rows of others, also those that compete with none of ours (other route tables, policies by source). */
  get count(): number {
    return this.#count;
  }

  add(row: RouteRow): void {
    this.#count++;
    if (!row.competes || row.prefix === undefined) return;
    const rows = this.#byPrefix.get(row.prefix);
    if (rows) rows.push(row);
    else this.#byPrefix.set(row.prefix, [row]);
  }

  delete(row: RouteRow): void {
    this.#count--;
    if (!row.competes || row.prefix === undefined) return;
    const rest = this.#byPrefix.get(row.prefix)!.filter(({ uuid }) => uuid !== row.uuid);
    if (rest.length > 0) this.#byPrefix.set(row.prefix, rest);
    else this.#byPrefix.delete(row.prefix);
  }

  /** Rows of others that a row of ours with this prefix would share an ECMP group with. */
  at(prefix: string): readonly RouteRow[] {
    return this.#byPrefix.get(prefix) ?? NO_ROWS;
  }

  prefixes(): IterableIterator<string> {
    return this.#byPrefix.keys();
  }
}

export function describeCollision(foreign: RouteRow): string {
  return `row ${foreign.uuid} via ${foreign.nexthop} (owner: ${foreign.owner}) has ${foreign.prefix}, expected no other writer`;
}
