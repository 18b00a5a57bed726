// What routes from outside may not claim in a network: the subnets it is said to have and what it announces, but for a default
// route. Host routes of ports are not in it: the local route wins where the port is here, and elsewhere it is somebody's to announce.
import type { NetworkConfig } from '../config/config.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';

/** `announced`: what is announced now, from whatever source. */
export function ownSubnets(
  { subnets, advertise }: Pick<NetworkConfig, 'subnets' | 'advertise'>,
  announced: Iterable<Prefix>,
): Prefix[] {
  const configured = advertise.flatMap(({ prefix }) => prefix ?? []);
  const wide = [...announced].filter(({ address, length }) => length < address.length * 8);
  const all = [...subnets, ...[...configured, ...wide].filter(({ length }) => length > 0)];
  return [...new Map(all.map((prefix) => [formatPrefix(prefix), prefix])).values()];
}
