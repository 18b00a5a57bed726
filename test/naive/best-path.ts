// The decision process as the RFC tells it: a list of candidates, and rule after rule that strikes some out. The twin of
// assembly/rib/best-path.ts, which compares pairs.

export interface Candidate {
  readonly eligible: boolean;
  readonly isLocal: boolean;
  readonly weight: number;
  readonly localPref: number;
  readonly asPath: readonly number[];
  readonly origin: number;
  readonly med: number;
  readonly isEbgp: boolean;
  readonly igpMetric: number;
  readonly originatorId: number | undefined;
  readonly peerRouterId: number;
  readonly clusterListLength: number;
  readonly peerAddress: string;
  readonly pathId: number;
  readonly nextHop: string;
}

export interface Options {
  readonly med: 'deterministic' | 'always';
  readonly multipath: number;
  readonly multipathRelax: boolean;
}

interface Rule<Route> {
  readonly step: number;
  keep(candidates: readonly Route[]): Route[];
}

export interface Decision<Route> {
  readonly best: Route | undefined;
  /** The best path and those that share the load with it. */
  readonly chosen: readonly Route[];
  readonly nextHops: readonly string[];
  /** For every eligible route: the step that struck it out, or that let the best path win. */
  readonly steps: ReadonlyMap<Route, number>;
}

export function decide<Route extends Candidate>(
  routes: readonly Route[],
  options: Options,
): Decision<Route> {
  const eligible = routes.filter((route) => route.eligible);
  const steps = new Map<Route, number>();
  const [best] = run(eligible, allRules(options), steps);
  if (best === undefined) return { best: undefined, chosen: [], nextHops: [], steps };
  const others = eligible.filter((route) => route !== best);
  const [runnerUp] = run(others, allRules(options), new Map());
  steps.set(best, runnerUp === undefined ? 0 : steps.get(runnerUp)!);
  const { chosen, nextHops } = share(best, eligible, options);
  return { best, chosen, nextHops, steps };
}

/** What is left when every rule has been applied; `steps` says which rule struck out the others. */
function run<Route extends Candidate>(
  routes: readonly Route[],
  rules: readonly Rule<Route>[],
  steps: Map<Route, number>,
): Route[] {
  let left = [...routes];
  for (const rule of rules) {
    const kept = rule.keep(left);
    for (const route of left) if (!kept.includes(route)) steps.set(route, rule.step);
    left = kept;
  }
  return left;
}

function share<Route extends Candidate>(
  best: Route,
  eligible: readonly Route[],
  options: Options,
): { chosen: Route[]; nextHops: string[] } {
  if (best.isLocal) return { chosen: [best], nextHops: [] };
  if (options.multipath === 1) return { chosen: [best], nextHops: [best.nextHop] };
  const equal = run(eligible, rulesToBoundary(options), new Map()).filter(
    (route) => options.multipathRelax || `${route.asPath}` === `${best.asPath}`,
  );
  const nextHops: string[] = [];
  for (const route of inOrder(equal)) {
    if (nextHops.length < options.multipath && !nextHops.includes(route.nextHop)) {
      nextHops.push(route.nextHop);
    }
  }
  return { chosen: equal.filter((route) => nextHops.includes(route.nextHop)), nextHops };
}

function inOrder<Route extends Candidate>(routes: readonly Route[]): Route[] {
  const left = [...routes];
  const ordered: Route[] = [];
  while (left.length > 0) {
    const [next] = run(left, tieBreakRules(), new Map());
    ordered.push(...left.splice(left.indexOf(next!), 1));
  }
  return ordered;
}

function allRules<Route extends Candidate>(options: Options): Rule<Route>[] {
  return [...rulesToBoundary<Route>(options), ...tieBreakRules<Route>()];
}

function rulesToBoundary<Route extends Candidate>(options: Options): Rule<Route>[] {
  return [
    lowest(2, (route) => -route.weight),
    lowest(3, (route) => -route.localPref),
    lowest(4, (route) => (route.isLocal ? 0 : 1)),
    lowest(5, (route) => route.asPath.length),
    lowest(6, (route) => route.origin),
    { step: 7, keep: (routes) => routes.filter((route) => !hasLowerMed(routes, route, options)) },
    lowest(8, (route) => (route.isEbgp ? 0 : 1)),
    lowest(9, (route) => route.igpMetric),
  ];
}

function tieBreakRules<Route extends Candidate>(): Rule<Route>[] {
  return [
    lowest(10, (route) => route.originatorId ?? route.peerRouterId),
    lowest(11, (route) => route.clusterListLength),
    lowest(12, (route) => addressNumber(route.peerAddress)),
    lowest(13, (route) => route.pathId),
  ];
}

function hasLowerMed<Route extends Candidate>(
  routes: readonly Route[],
  route: Route,
  options: Options,
): boolean {
  return routes.some(
    (other) =>
      other.med < route.med && (options.med === 'always' || other.asPath[0] === route.asPath[0]),
  );
}

function lowest<Route extends Candidate>(
  step: number,
  value: (route: Route) => number,
): Rule<Route> {
  return {
    step,
    keep: (routes) => {
      const minimum = Math.min(...routes.map(value));
      return routes.filter((route) => value(route) === minimum);
    },
  };
}

function addressNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}
