// Is this the server to talk to? Judges the row of our database in the `_Server` database (ovsdb-server(5)). Pure.
import type { MonitoredTable, Row } from './monitor.ts';

export const SERVER_DATABASE = '_Server';
export const DATABASE_TABLE = 'Database';

export const serverTables: readonly MonitoredTable[] = [
  { table: DATABASE_TABLE, columns: ['name', 'model', 'connected', 'leader', 'cid', 'index'] },
];

/** What we have seen of a cluster: its id, and the highest log index any of its servers showed us. */
export interface ClusterProgress {
  readonly clusterId: string | undefined;
  readonly index: number;
}

export const noProgress: ClusterProgress = { clusterId: undefined, index: 0 };

export type ServerVerdict =
  | { readonly suitable: true; readonly progress: ClusterProgress }
  | { readonly suitable: false; readonly reason: string };

/**
 * The rules of lib/ovsdb-cs.c: a cluster member must be connected to a quorum, be its leader if we want to read our own
 * writes at once, and not lag behind what another member has already shown us: its rows would be from the past.
 */
export function judgeServer(
  row: Row | undefined,
  database: string,
  leaderOnly: boolean,
  seen: ClusterProgress,
): ServerVerdict {
  if (!row) return unsuitable(`it does not serve database ${database}`);
  // A standalone database has no log and nothing to be behind of.
  if (row['model'] === 'standalone') return { suitable: true, progress: noProgress };
  if (row['connected'] !== true) return unsuitable('it is not connected to its cluster');
  if (leaderOnly && row['leader'] !== true)
    return unsuitable('it is not the leader of its cluster');
  const clusterId = row['cid'] as string | undefined;
  const index = (row['index'] as number | undefined) ?? 0;
  if (clusterId === seen.clusterId && index < seen.index) {
    return unsuitable(`it is at index ${index} of its log, expected ${seen.index} or more`);
  }
  return { suitable: true, progress: { clusterId, index } };
}

function unsuitable(reason: string): ServerVerdict {
  return { suitable: false, reason };
}
