// Row uuids that follow from what a row is for, so that a repeated insert is refused and not doubled (P4).
import { uuidV5 } from './uuid-v5.ts';

export interface RowKey {
  readonly owner: string;
  /** Name of the Logical_Router. */
  readonly router: string;
  /** OVN route table; '' is the main one. */
  readonly routeTable: string;
  /** Canonical text. */
  readonly prefix: string;
  /** Which of the prefix's rows, from 0. Not the next hop: a row keeps its id when its next hop changes (transaction.ts). */
  readonly member: number;
}

export function rowId(key: RowKey): string {
  return uuidV5([key.owner, key.router, key.routeTable, key.prefix, String(key.member)]);
}
