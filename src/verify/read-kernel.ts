// Reads a kernel table as it is now, and where the kernel sends packets for the next hops that the Loc-RIB names.
import { type KernelRoute, parseGateways } from '../iproute2/kernel-route.ts';
import { Links } from '../iproute2/links.ts';
import { lookUpRoutes } from '../iproute2/route-lookup.ts';
import { findTable, findVrf } from '../iproute2/table.ts';
import { readTable } from '../iproute2/table-reader.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import type { HostSinkOptions } from '../sinks/host/options.ts';
import type { PrintedRoute } from './host-tables.ts';

/** A next hop as the agent tells it. */
export interface WantedNextHop {
  readonly address: string;
  readonly weight: number;
  /** Kernel index of the device of a link-local address. */
  readonly interfaceIndex?: number;
}

export interface KernelRead {
  readonly printed: readonly PrintedRoute[];
  /** Where the kernel sends packets for these next hops. */
  labelOf(nextHops: readonly WantedNextHop[]): string;
}

/** Rejects when there is no such table, or `ip` fails. */
export async function readKernel(
  options: HostSinkOptions,
  nextHops: ReadonlySet<string>,
): Promise<KernelRead> {
  const { namespace, protocol } = options;
  const find = options.isVrf
    ? findVrf(namespace, String(options.table))
    : findTable(namespace, options.table);
  const table = await find;
  if (table === undefined) throw new Error(`no table or VRF device ${options.table}`);
  const printed: PrintedRoute[] = [];
  await readTable(namespace, table.number, (route, text) => {
    printed.push({ route, label: printedLabel(route, text) });
  });
  const links = new Links(namespace);
  await links.read();
  const addresses = [...nextHops];
  const vrfs = options.nextHopVrfs ?? [undefined];
  const found = await lookUpRoutes({ namespace, protocol, vrfs }, addresses);
  const locations = new Map(addresses.map((address, i) => [address, found[i]!]));
  const wayOf = ({ address, weight, interfaceIndex = 0 }: WantedNextHop): string => {
    if (interfaceIndex !== 0) {
      return way(address, links.get(interfaceIndex)?.name ?? `interface ${interfaceIndex}`, weight);
    }
    const location = locations.get(address);
    return location?.reachable
      ? way(location.gateway, location.device, weight)
      : `${address}, ${location?.reason ?? 'not asked for'}`;
  };
  return {
    printed,
    labelOf: (hops) => (hops.length === 0 ? BLACKHOLE : joined(hops.map(wayOf))),
  };
}

const BLACKHOLE = 'discard';

function printedLabel(route: KernelRoute, text: string): string {
  if (route.isBlackhole) return BLACKHOLE;
  const gateways = parseGateways(text);
  if (gateways.length > 0) {
    return joined(
      gateways.map(({ address, device, weight }) =>
        way(formatIpAddress(address), device ?? '', weight),
      ),
    );
  }
  const [type] = /^\d+(?= )/.exec(text) ?? [];
  return type === undefined ? `dev ${/ dev (\S+)/.exec(text)?.[1] ?? 'none'}` : `type ${type}`;
}

const way = (address: string, device: string, weight: number): string =>
  `${address}%${device}${weight === 1 ? '' : `*${weight}`}`;

const joined = (ways: readonly string[]): string => ways.toSorted().join(' ');
