// The static routes of our router as the database has them, ours and others', and the networks of its ports, by prefix. Pure.
//
// A row counts when the router's `static_routes` names it. Which of our prefixes and which of others' a change touched is what
// drift, collisions and releases are decided on.
import { ConnectedNetworks } from './connected.ts';
import { ForeignRows } from './foreign.ts';
import type { RouteRow } from './row.ts';

/** Prefixes whose rows have changed. */
export interface TouchedPrefixes {
  readonly owned: Set<string>;
  readonly foreign: Set<string>;
}

const NO_ROWS: readonly RouteRow[] = [];

export class RouterRows {
  readonly #byUuid = new Map<string, RouteRow>();
  readonly #owned = new Map<string, RouteRow[]>();
  /** Rows of ours whose prefix is no prefix any more. */
  readonly #unreadable = new Map<string, RouteRow>();
  readonly foreign = new ForeignRows();
  readonly connected = new ConnectedNetworks();
  #ownedCount = 0;

  /** Rows of ours, not prefixes. */
  get ownedCount(): number {
    return this.#ownedCount;
  }

  owned(prefix: string): readonly RouteRow[] {
    return this.#owned.get(prefix) ?? NO_ROWS;
  }

  ownedPrefixes(): IterableIterator<string> {
    return this.#owned.keys();
  }

  unreadable(): readonly RouteRow[] {
    return [...this.#unreadable.values()];
  }

  /** Prefixes that others have routes for: their rows, and the networks of the router's ports. */
  othersPrefixes(): Set<string> {
    return new Set([...this.foreign.prefixes(), ...this.connected.prefixes()]);
  }

  isOthers(prefix: string): boolean {
    return this.foreign.at(prefix).length > 0 || this.connected.port(prefix) !== undefined;
  }

  uuids(): IterableIterator<string> {
    return this.#byUuid.keys();
  }

  /** Rows that depend on a BFD session. */
  dependingOn(session: string): string[] {
    return [...this.#byUuid.values()].flatMap(({ uuid, bfd }) => (bfd === session ? [uuid] : []));
  }

  /** Says what a row is now; undefined: gone, or not of our router. */
  set(uuid: string, row: RouteRow | undefined, touched: TouchedPrefixes): void {
    const before = this.#byUuid.get(uuid);
    if (before) this.#remove(before, touched);
    if (row) this.#insert(row, touched);
  }

  #insert(row: RouteRow, touched: TouchedPrefixes): void {
    this.#byUuid.set(row.uuid, row);
    touch(row, touched);
    if (!row.isOurs) {
      this.foreign.add(row);
      return;
    }
    this.#ownedCount++;
    if (row.prefix === undefined) {
      this.#unreadable.set(row.uuid, row);
      return;
    }
    const rows = this.#owned.get(row.prefix);
    if (rows) rows.push(row);
    else this.#owned.set(row.prefix, [row]);
  }

  #remove(row: RouteRow, touched: TouchedPrefixes): void {
    this.#byUuid.delete(row.uuid);
    touch(row, touched);
    if (!row.isOurs) {
      this.foreign.delete(row);
      return;
    }
    this.#ownedCount--;
    if (row.prefix === undefined) {
      this.#unreadable.delete(row.uuid);
      return;
    }
    const rest = this.#owned.get(row.prefix)!.filter(({ uuid }) => uuid !== row.uuid);
    if (rest.length > 0) this.#owned.set(row.prefix, rest);
    else this.#owned.delete(row.prefix);
  }
}

function touch(row: RouteRow, touched: TouchedPrefixes): void {
  if (row.prefix === undefined) return;
  (row.isOurs ? touched.owned : touched.foreign).add(row.prefix);
}
