// Rows of the core → the route object of every command and of the API. Field names are the contract with other programs.
import type { FibNextHop, FibRow, FibState } from '../core/fib-rows.ts';
import type { RouteCarrier, RouteRow } from '../core/route-rows.ts';
import { formatHex } from '../net/hex.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import { clearHostBits, formatPrefix, type Prefix } from '../net/prefix.ts';
import { type AttributeFields, type RouteNextHop, sharedFields } from './attribute-fields.ts';

/** Where a FIB writes to. */
export type TargetName = 'ovn' | 'host' | 'memory';
type InstallState = 'yes' | 'no' | 'pending' | 'refused' | 'held';

/** One path to a prefix. */
export interface RouteObject extends AttributeFields {
  readonly network: string;
  readonly family: string;
  /** EVPN: the key bytes of the route, in hex. */
  readonly prefix: string;
  /** ADD-PATH identifier, where the peer sends them. */
  readonly pathId?: number;
  readonly best: boolean;
  /** Shares the load with the best path. */
  readonly multipath?: true;
  /** Kept from before the peer's restart, not yet sent again (RFC 4724). */
  readonly stale?: true;
  readonly peer: string;
  /** The network an import line took it from; `peer` is a peer there. */
  readonly importedFrom?: string;
  readonly nextHops: readonly RouteNextHop[];
  /** Administrative weight a policy gave it: decides before everything else. */
  readonly weight?: number;
  /** RFC 3339, whole seconds. */
  readonly since: string;
  readonly installed?: Partial<Record<TargetName, InstallState>>;
  /** The entry that stands for the route, where it is not its own: of an aggregated target. `parts`: several inside the prefix. */
  readonly carriedBy?: Partial<Record<TargetName, string>>;
  readonly reason: string;
}

/** What a target should hold for a prefix, and what it holds. */
export interface EntryObject {
  readonly network: string;
  readonly family: string;
  readonly prefix: string;
  readonly target: TargetName;
  /** What should be there; empty where nothing should, or with `discard`. */
  readonly nextHops: readonly RouteNextHop[];
  /** Packets are dropped on purpose. */
  readonly discard?: true;
  readonly installed: InstallState;
  /** What is there, where it is something else. */
  readonly programmed?: readonly RouteNextHop[];
  /** Why the target does not take it. */
  readonly failure?: EntryFailure;
  /** How many routes the entry stands for, where its target is aggregated. */
  readonly routeCount?: number;
  /** There were too many to look at all of them: routeCount is the least. */
  readonly moreRoutes?: true;
  /** The first of those routes, where a prefix was asked for. */
  readonly routes?: readonly string[];
}

export interface EntryFailure {
  readonly code: string;
  readonly message: string;
  /** First refusal in a row, RFC 3339. */
  readonly since: string;
  /** Refusals in a row. */
  readonly attempts: number;
  /** When it is tried again, RFC 3339; left out while it is being tried. */
  readonly retryAt?: string;
}

/** A failure with times in milliseconds since 1970. */
export interface TimedFailure {
  readonly code: string;
  readonly message: string;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number | undefined;
}

/** What a row says by number, in words. */
export interface RouteNames {
  readonly network: string;
  readonly peer: (peer: number) => string;
  /** Of an import line's source. */
  readonly source: (network: number) => string;
  readonly target: (fib: number) => TargetName | undefined;
}

/** `received`: with the attributes the peer sent, not with what the import policy made of them. */
export function routeObject(
  row: RouteRow,
  names: RouteNames,
  { received = false }: { readonly received?: boolean } = {},
): RouteObject {
  const isLocal = row.peer === 0;
  const stored = received ? row.received : row.attributes;
  const { nextHops, attributes } = isLocal ? local : sharedFields(stored);
  return {
    network: names.network,
    family: row.family,
    prefix: row.prefix === undefined ? formatHex(row.nlri!) : formatPrefix(row.prefix),
    ...(row.pathId === 0 ? undefined : { pathId: row.pathId }),
    best: row.best,
    ...(row.multipath ? { multipath: true } : undefined),
    ...(row.stale ? { stale: true } : undefined),
    peer: isLocal ? 'local' : names.peer(row.peer),
    ...(row.importedFrom === undefined
      ? undefined
      : { importedFrom: names.source(row.importedFrom) }),
    nextHops,
    ...(stored.weight === 0 ? undefined : { weight: stored.weight }),
    ...attributes,
    since: formatTime(row.since),
    ...installedIn(row, names),
    reason: row.reason,
  };
}

const local = { nextHops: [], attributes: {} };

export function entryObject(
  row: FibRow,
  target: {
    readonly network: string;
    readonly target: TargetName;
    readonly failure?: TimedFailure | undefined;
    readonly routes?: readonly Prefix[] | undefined;
  },
): EntryObject {
  const nextHops = row.desired?.map(describeNextHop) ?? [];
  const programmed = row.installed?.map(describeNextHop);
  return {
    network: target.network,
    family: row.family,
    prefix: formatPrefix(row.prefix),
    target: target.target,
    nextHops,
    ...(row.desired?.length === 0 ? { discard: true } : undefined),
    installed: installStates[row.state],
    ...(programmed === undefined || isSameText(programmed, nextHops) ? undefined : { programmed }),
    ...(target.failure === undefined ? undefined : { failure: describeFailure(target.failure) }),
    ...(row.routeCount === 0 ? undefined : { routeCount: row.routeCount }),
    ...(row.hasMoreRoutes ? { moreRoutes: true } : undefined),
    ...(target.routes?.length ? { routes: target.routes.map(formatPrefix) } : undefined),
  };
}

function describeFailure({ code, message, since, attempts, retryAt }: TimedFailure): EntryFailure {
  return {
    code,
    message,
    since: formatTimeMs(since),
    attempts,
    ...(retryAt === undefined ? undefined : { retryAt: formatTimeMs(retryAt) }),
  };
}

/** RFC 3339, whole seconds. */
export function formatTimeMs(milliseconds: number): string {
  return formatTime(Math.floor(milliseconds / 1000));
}

/** The fields, where there is a target with a name. */
function installedIn(
  row: RouteRow,
  names: RouteNames,
): Pick<RouteObject, 'installed' | 'carriedBy'> | undefined {
  const installed: Partial<Record<TargetName, InstallState>> = {};
  const carriedBy: Partial<Record<TargetName, string>> = {};
  for (const { fib, state, carrier } of row.fibStates) {
    const target = names.target(fib);
    if (target === undefined) continue;
    installed[target] = installStates[state];
    const entry = carrierText(row.prefix, carrier);
    if (entry !== undefined) carriedBy[target] = entry;
  }
  if (Object.keys(installed).length === 0) return undefined;
  return { installed, ...(Object.keys(carriedBy).length === 0 ? undefined : { carriedBy }) };
}

function carrierText(prefix: Prefix | undefined, carrier: RouteCarrier): string | undefined {
  if (prefix === undefined || carrier === undefined || carrier === prefix.length) return undefined;
  return carrier === 'parts'
    ? carrier
    : formatPrefix({ address: clearHostBits(prefix.address, carrier), length: carrier });
}

const installStates: Readonly<Record<FibState, InstallState>> = {
  absent: 'no',
  installed: 'yes',
  pending: 'pending',
  refused: 'refused',
  held: 'held',
};

function describeNextHop({ address, weight }: FibNextHop): RouteNextHop {
  return { address: formatIpAddress(address), weight };
}

function isSameText(a: readonly RouteNextHop[], b: readonly RouteNextHop[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const SECONDS_PER_DAY = 86_400;
/** The day of the last time formatted: a dump has few days and many times. */
let dayFormatted = { day: Number.NaN, text: '' };

function formatTime(seconds: number): string {
  const day = Math.floor(seconds / SECONDS_PER_DAY);
  if (day !== dayFormatted.day) {
    const text = new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 11);
    dayFormatted = { day, text };
  }
  const time = seconds - day * SECONDS_PER_DAY;
  const hour = Math.floor(time / 3600);
  const minute = Math.floor(time / 60) % 60;
  return `${dayFormatted.text}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[time % 60]}Z`;
}

const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
