// Which networks must leave their kernel table alone, because it is another network's. Pure.
//
// cross-checks.ts refuses two networks that name one table. Which table a VRF device has is known only at run time: where it is another
// network's too, the network that comes first keeps it, and the other waits until its device has a table of its own. A table named in
// the configuration comes before those of devices, then the order of the configuration counts: the same after every restart.
import type { NetworkConfig } from '../config/config.ts';
import { networkTable, tableName } from '../config/followed-tables.ts';
import type { Devices } from '../iproute2/devices.ts';

type Network = Pick<NetworkConfig, 'name' | 'table' | 'vrf'>;

/** By the network that waits: why. `before`: the last answer; whoever's device has gone since may still have the table open. */
export function takenTables(
  networks: readonly Network[],
  devices: Devices,
  before: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const owners = new Map<string, string>();
  const taken = new Map<string, string>();
  const [ofDevices, named] = [true, false].map((isVrf) =>
    networks.filter(({ vrf }) => (vrf !== undefined) === isVrf),
  ) as [Network[], Network[]];
  for (const network of named) {
    const table = networkTable(network);
    if (table !== undefined) owners.set(table, network.name);
  }
  for (const { name, vrf } of ofDevices) {
    const number = devices.get(vrf!)?.vrfTable;
    if (number === undefined) {
      const reason = before.get(name);
      if (reason !== undefined) taken.set(name, reason);
      continue;
    }
    const owner = owners.get(tableName(number));
    if (owner === undefined) owners.set(tableName(number), name);
    else taken.set(name, `table ${number} of VRF device ${vrf} is network ${owner}'s`);
  }
  return taken;
}
