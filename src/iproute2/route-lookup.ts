// Asks the kernel where next hops are: many addresses in one `ip -N -json -batch -`.
//
// A next hop that is reached only through a route of our own counts as unreachable: we would resolve through ourselves. Where our route
// merely is the longest match, the longest foreign match decides.
import { spawn } from 'node:child_process';
import { parseIpAddress } from '../net/ip-address.ts';
import { BatchReport } from './batch-report.ts';
import { endOf, ipArguments, readIpJson } from './command.ts';
import { LineSplitter } from './line-splitter.ts';
import {
  bestForeignMatch,
  isInsideVrf,
  isOwnRoute,
  type Location,
  locate,
  type RouteJson,
} from './route-answer.ts';

/** A VRF device whose table decides; undefined: the main tables. */
export type Vrf = string | undefined;

export interface LookupScope {
  readonly namespace: string | undefined;
  /** Kernel route protocol that marks our own routes. */
  readonly protocol: number;
  /** Where to look: in the first VRF, and for what is not there in the next. */
  readonly vrfs: readonly Vrf[];
}

type VrfScope = Omit<LookupScope, 'vrfs'> & { readonly vrf: Vrf };

/** Where each address is, in order; one that is nowhere has the first VRF's reason. Rejects when `ip` cannot be started. */
export async function lookUpRoutes(
  { vrfs, ...scope }: LookupScope,
  addresses: readonly string[],
): Promise<Location[]> {
  const found: Location[] = [];
  for (const vrf of vrfs) {
    const missing = addresses.flatMap((_, i) => (found[i]?.reachable ? [] : [i]));
    const texts = missing.map((i) => addresses[i]!);
    const locations = await lookUpInVrf({ ...scope, vrf }, texts);
    for (const [at, i] of missing.entries()) {
      if (found[i] === undefined || locations[at]!.reachable) found[i] = locations[at]!;
    }
  }
  return found;
}

async function lookUpInVrf(scope: VrfScope, addresses: readonly string[]): Promise<Location[]> {
  if (addresses.length === 0) return [];
  const answers = await askKernel(scope, addresses);
  return Promise.all(
    answers.map((answer, i) => {
      if (typeof answer === 'string') return { reachable: false as const, reason: answer };
      if (scope.vrf !== undefined && !isInsideVrf(answer)) {
        const reason = `${addresses[i]} is not inside VRF ${scope.vrf}`;
        return { reachable: false as const, reason };
      }
      if (!isOwnRoute(answer, scope.protocol)) return locate(addresses[i]!, answer);
      return lookUpForeign(scope, addresses[i]!);
    }),
  );
}

/** Per address the matching route, or why there is none. */
async function askKernel(
  scope: VrfScope,
  addresses: readonly string[],
): Promise<(RouteJson | string)[]> {
  const vrf = scope.vrf === undefined ? '' : ` vrf ${scope.vrf}`;
  const input = addresses.map((address) => `route get fibmatch ${address}${vrf}\n`).join('');
  const args = ipArguments(scope.namespace, ['-N', '-json', '-force', '-batch', '-']);
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const found: RouteJson[] = [];
  const answers = new LineSplitter((line) => {
    if (line.startsWith('[')) found.push(...(JSON.parse(line) as RouteJson[]));
  });
  const report = new BatchReport(1);
  const refusals = new LineSplitter((line) => report.take(line, 0));
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => answers.push(chunk));
  child.stderr.setEncoding('latin1').on('data', (chunk: string) => refusals.push(chunk));
  child.stdin.on('error', () => undefined); // The exit tells.
  child.stdin.end(input);
  await endOf(child);
  answers.end();
  const refused = new Map(report.failures.map(({ index, reason }) => [index, reason]));
  let next = 0;
  // A refused question prints no answer, so the answers are those of the others, in order.
  return addresses.map(
    (address, i) =>
      refused.get(i)?.toLowerCase() ?? found[next++] ?? `no answer from ip for ${address}`,
  );
}

async function lookUpForeign(scope: VrfScope, address: string): Promise<Location> {
  const family = parseIpAddress(address)?.length === 16 ? '-6' : '-4';
  const table = scope.vrf === undefined ? ['table', 'main'] : ['vrf', scope.vrf];
  const args = ['-N', family, 'route', 'show', 'to', 'match', address, ...table];
  const routes = (await readIpJson(scope.namespace, args)) as RouteJson[];
  const route = bestForeignMatch(routes, scope.protocol);
  if (route !== undefined) return locate(address, route);
  return { reachable: false, reason: `${address} is reached only through a route of our own` };
}
