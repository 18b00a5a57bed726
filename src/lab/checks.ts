// The proof that a lab works, by others' eyes: rows in NB, routes in the kernel, prefixes at the routers, pings both ways.
import { execute } from './execute.ts';
import type { LabNetwork, LabRouter } from './network.ts';
import { waitUntil } from './processes.ts';
import { type ExpectedRoute, expectedRoutes, isIpv6, pod, type Router } from './topology.ts';

/** Kernel route protocol of the agent's routes. */
const routeProtocol = '114';
const patience = { timeoutMs: 30_000, intervalMs: 100 } as const;

/** Waits until the learned routes are in NB, each with all its next hops; says how many. */
export async function untilInOvn(network: LabNetwork, stopped: AbortSignal): Promise<string> {
  const wanted = expectedRoutes().flatMap(pairs).sort();
  await waitUntil(async () => isSame(await northboundPairs(network), wanted), {
    what: `the routes ${wanted.join(', ')} in NB`,
    ...patience,
    stopped,
  });
  await network.ovn.sync();
  return `${wanted.length} rows for ${expectedRoutes().length} prefixes`;
}

/** Waits until the node's kernel has a route for every learned prefix. */
export async function untilInKernel(network: LabNetwork, stopped: AbortSignal): Promise<string> {
  const wanted = expectedRoutes().map(({ prefix }) => prefix);
  await waitUntil(async () => isSame(await kernelPrefixes(network), wanted.sort()), {
    what: `routes to ${wanted.join(', ')} in the node's kernel`,
    ...patience,
    stopped,
  });
  return `${wanted.length} routes of protocol ${routeProtocol}`;
}

/** Waits until every router has the pod's subnets in its kernel, learned from the agent. */
export async function untilAnnounced(network: LabNetwork, stopped: AbortSignal): Promise<string> {
  await waitUntil(
    async () => (await Promise.all(network.routers.map(hasPodSubnets))).every(Boolean),
    {
      what: `${pod.subnets.join(' and ')} on every router`,
      ...patience,
      stopped,
    },
  );
  return pod.subnets.join(' and ');
}

export interface Ping {
  readonly from: string;
  readonly to: string;
  /** `3 of 3, 0.31 ms`, or what ping said. */
  readonly text: string;
  readonly succeeded: boolean;
}

/** From the pod, an address of every learned prefix. */
export function pingsFromPod(network: LabNetwork): Promise<Ping[]> {
  return Promise.all(
    expectedRoutes().map(({ address }) =>
      ping({ namespace: network.podNamespace, from: 'pod', to: address }),
    ),
  );
}

/** From every router, by an address of a prefix that only it forwards for, so that the answer comes back to it. */
export function pingsToPod(network: LabNetwork): Promise<Ping[]> {
  return Promise.all(
    network.routers.flatMap(({ router, namespace }) =>
      [pod.ipv4, pod.ipv6].map((to) => {
        const source = ownRoute(router, isIpv6(to)).address;
        return ping({ namespace, from: `${router.name} (${source})`, to, source });
      }),
    ),
  );
}

/** A learned route whose only next hop is this router. */
function ownRoute(router: Router, wantIpv6: boolean): ExpectedRoute {
  const nextHop = wantIpv6 ? router.ipv6 : router.ipv4;
  const own = ({ nextHops }: ExpectedRoute) => nextHops.length === 1 && nextHops[0] === nextHop;
  return expectedRoutes().filter(own).at(-1)!;
}

async function northboundPairs(network: LabNetwork): Promise<string[]> {
  const text = await network.ovn.nbctl(
    ...['--format=json', '--columns=ip_prefix,nexthop', 'list', 'Logical_Router_Static_Route'],
  );
  const { data } = JSON.parse(text) as { data: [string, string][] };
  return data.map(([prefix, nextHop]) => `${prefix} via ${nextHop}`).sort();
}

function pairs({ prefix, nextHops }: ExpectedRoute): string[] {
  return nextHops.map((nextHop) => `${prefix} via ${nextHop}`);
}

async function kernelPrefixes(network: LabNetwork): Promise<string[]> {
  const show = async (family: '-4' | '-6') => {
    const args = [
      '-n',
      network.nodeNamespace,
      family,
      '-json',
      'route',
      'show',
      'proto',
      routeProtocol,
    ];
    return JSON.parse((await execute('ip', args)) || '[]') as { dst: string }[];
  };
  const shown = [...(await show('-4')), ...(await show('-6'))];
  return [...new Set(shown.map(({ dst }) => dst))].sort();
}

async function hasPodSubnets({ namespace }: LabRouter): Promise<boolean> {
  const found = await Promise.all(
    pod.subnets.map((subnet) => {
      const family = isIpv6(subnet) ? '-6' : '-4';
      return execute('ip', ['-n', namespace, family, 'route', 'show', subnet, 'proto', 'bgp']);
    }),
  );
  return found.every((text) => text !== '');
}

async function ping(options: {
  readonly namespace: string;
  readonly from: string;
  readonly to: string;
  readonly source?: string;
}): Promise<Ping> {
  const { namespace, from, to, source } = options;
  const args = ['-n', '-c', '3', '-i', '0.2', '-W', '2', ...(source ? ['-I', source] : []), to];
  const output = await execute('ping', args, { namespace }).catch((error: Error) => error.message);
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  const average = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  const succeeded = counts !== null && Number(counts[2]) > 0;
  const text = succeeded ? `${counts[2]} of ${counts[1]} answered, ${average} ms` : output.trim();
  return { from, to, text, succeeded };
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
