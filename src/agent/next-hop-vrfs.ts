// Where the next hops of a network are: which VRF devices are asked for them, in this order. `undefined` stands for the main tables. Pure.
import type { Config, NetworkConfig } from '../config/config.ts';
import { isTableFollowed } from '../config/followed-tables.ts';
import type { Vrf } from '../iproute2/route-lookup.ts';

type Networks = Pick<Config, 'networks' | 'sources'>;

/** Of a network's own routes: in its VRF. Where it follows FRR, whose leaked routes lead out of the VRF, that may be any. */
export function vrfsOf(config: Networks, network: NetworkConfig): Vrf[] {
  const own = network.vrf;
  if (!isTableFollowed(config, network)) return [own];
  return unique([own, undefined, ...config.networks.map(({ vrf }) => vrf)]);
}

/** Of the routes a network imports: where their own networks have them. */
export function importedVrfs(config: Networks, network: NetworkConfig): Vrf[] {
  const sources = network.imports.flatMap(
    ({ from }) => config.networks.find(({ name }) => name === from) ?? [],
  );
  return unique(sources.flatMap((source) => vrfsOf(config, source)));
}

function unique(vrfs: readonly Vrf[]): Vrf[] {
  return [...new Set(vrfs)];
}
