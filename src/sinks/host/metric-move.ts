// Routes of ours that have another metric than ours have now, for the configuration's was another: they get the one of now.
//
// A route's like with the new metric goes in first, through the same next hop object, then the old one goes: whichever of the two the kernel takes
// meanwhile, a packet goes the same way. What is in place with the new metric already stays, whosever it is.
import type { IpBatch } from '../../iproute2/batch.ts';
import type { KernelRoute } from '../../iproute2/kernel-route.ts';
import { RouteLines, type RouteMark, refusals } from './route-line.ts';

export interface MisplacedRoute {
  readonly prefix: string;
  readonly metric: number;
  readonly nextHopId: number;
}

/** Routes that are in the kernel twice at a time. */
const ROUTES_PER_STEP = 10_000;

/** By protocol and next hop object: the metric says nothing, and a number of ours on a route without an object of ours says too little. */
export function misplacedRoute(
  { prefix, protocol, metric, nextHopId }: KernelRoute,
  mark: RouteMark,
  isOwnId: (id: number) => boolean,
): MisplacedRoute | undefined {
  if (protocol !== mark.protocol || metric === mark.metric) return undefined;
  if (nextHopId === undefined || !isOwnId(nextHopId)) return undefined;
  return { prefix, metric, nextHopId };
}

/** Those that the kernel will not take with the new metric stay as they are. */
export async function moveToMetric(
  ip: Pick<IpBatch, 'run'>,
  routes: readonly MisplacedRoute[],
  mark: RouteMark,
): Promise<void> {
  const lines = new RouteLines(mark);
  for (let start = 0; start < routes.length; start += ROUTES_PER_STEP) {
    const step = routes.slice(start, start + ROUTES_PER_STEP);
    const refused = await ip.run(step.map(({ prefix, nextHopId }) => lines.add(prefix, nextHopId)));
    const kept = new Set(
      refused.filter(({ reason }) => refusals.get(reason) !== 'exists').map(({ index }) => index),
    );
    const replaced = step.filter((_, index) => !kept.has(index));
    await ip.run(
      replaced.map(({ prefix, metric, nextHopId }) =>
        new RouteLines({ ...mark, metric }).remove(prefix, nextHopId),
      ),
    );
  }
}
