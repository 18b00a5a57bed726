// What the OVN sink must be told: where the Northbound database is, and which router is ours to fill.

export interface OvnSinkOptions {
  /** Remotes in ovn-nbctl's form: `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`; several for a raft cluster. */
  readonly remotes: readonly string[];
  /** Remotes of the Southbound database, where it may be read: only to see how long northd takes. */
  readonly southbound?: readonly string[];
  readonly tls?: {
    readonly keyFile: string;
    readonly certificateFile: string;
    readonly caFile: string;
  };
  /** Owner written into every row: the node's name. */
  readonly owner: string;
  /** Network name written into every row. */
  readonly network: string;
  /** Name of the Logical_Router. */
  readonly router: string;
  /** Name of the Logical_Router_Port that packets leave by. */
  readonly outputPort: string;
  /** Most rows of ours on the router; what exceeds it is refused with code `limit`. */
  readonly maxRoutes: number;
  /** Rows stand for each other: none is written over one that is refused (holes.ts). */
  readonly isAggregated?: boolean;
  readonly collision: 'skip' | 'replace-when-gone' | 'share';
}
