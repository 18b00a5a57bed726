// What the host sink must be told: which kernel table is ours to fill, and how our routes are marked.

export interface HostSinkOptions {
  /** Table number, table name (`main`), or the name of a VRF device. */
  readonly table: string | number;
  /** `table` can only be a VRF device: a table that happens to have the name is not meant. */
  readonly isVrf?: boolean;
  /** Where next hops are: VRF devices in this order, undefined for the main tables, which is the default. */
  readonly nextHopVrfs?: readonly (string | undefined)[];
  /** Kernel route protocol of every route and next hop object we own (1–255). */
  readonly protocol: number;
  /** Route metric (priority). */
  readonly metric: number;
  /** Routes of others in the table are told too: an aggregated table must stay clear of them. */
  readonly tellsForeign?: boolean;
  /** Network namespace to work in (`ip -n`), for tests and the lab; undefined is our own. */
  readonly namespace?: string;
}
