// Which kernel tables are followed, under which names, and whose network each is. Pure.
//
// A followed table is the table of a network: the one it names with `table` or `vrf`, and `main` for `default` that names none. That network's
// host target is off: whoever fills the table keeps it. It may have BGP peers of its own all the same; their routes go to OVN alone.
import type { Config, NetworkConfig } from './config.ts';

/** ip-route(8): the names every kernel knows. */
const wellKnownTables: ReadonlyMap<string, string> = new Map([
  ['253', 'default'],
  ['254', 'main'],
  ['255', 'local'],
]);

/** One text for one table, as far as the configuration tells: numbers of well-known tables are their names. */
export function tableName(table: string | number): string {
  return wellKnownTables.get(String(table)) ?? String(table);
}

/** What the source of a table is called: a peer among peers. */
export function sourceName(table: string | number): string {
  return `kernel:${tableName(table)}`;
}

/** The name of the table that a network is about, if any. */
export function networkTable(network: {
  readonly name?: string | undefined;
  readonly table?: string | number | undefined;
  readonly vrf?: string | undefined;
}): string | undefined {
  const table = network.table ?? network.vrf ?? (network.name === 'default' ? 'main' : undefined);
  return table === undefined ? undefined : tableName(table);
}

/** One table that is followed. */
export interface FollowedTableConfig {
  /** `kernel:main`: of the source everywhere. */
  readonly name: string;
  /** Number, name or VRF device. */
  readonly table: string | number;
  /** It is a VRF device, and no table of that name. */
  readonly isVrf: boolean;
  /** Kernel route protocol. */
  readonly protocol: number;
  readonly network: string;
  /** Name of the policy for its routes. */
  readonly import: string;
}

export function followedTables(
  config: Pick<Config, 'sources' | 'networks'>,
): FollowedTableConfig[] {
  return config.sources.flatMap(({ tables, vrfs, protocol, import: policy }) =>
    [
      ...tables.map((table) => ({ table, isVrf: false })),
      ...vrfs.map((table) => ({ table, isVrf: true })),
    ].flatMap(({ table, isVrf }) => {
      const name = tableName(table);
      const network = config.networks.find((each) => networkTable(each) === name);
      if (network === undefined) return []; // cross-checks.ts has refused it
      return [
        { name: sourceName(table), table, isVrf, protocol, network: network.name, import: policy },
      ];
    }),
  );
}

/** Whether somebody else fills the network's table. */
export function isTableFollowed(
  config: Pick<Config, 'sources' | 'networks'>,
  network: NetworkConfig,
): boolean {
  return followedTables(config).some((each) => each.network === network.name);
}
