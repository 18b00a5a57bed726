// What is kept of a fault the verifier found, for whoever looks into it: the ranges, and the routes and entries around them, as JSON.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FibDifference, FibForwarding } from '../core/verification.ts';
import { formatIpAddress, type IpAddress } from '../net/ip-address.ts';
import type { Fault } from './fib-verifier.ts';
import type { RouteReader } from './route-reader.ts';

/** Ranges described with their surroundings; the others are named only. */
const RANGES_DESCRIBED = 20;
/** Rows told per range and table. */
const MOST_ROWS = 100;
/** Dumps kept in the directory. */
const DUMPS_KEPT = 20;

const DUMP_NAME = /^rutter-fault-.*\.json$/;

/** A range as a person reads it. */
export interface RangeText {
  readonly first: string;
  readonly last: string;
  readonly expected: string;
  readonly actual: string;
}

export function rangeText({ first, last, expected, actual }: FibDifference): RangeText {
  return {
    first: formatIpAddress(first),
    last: formatIpAddress(last),
    expected: forwardingText(expected),
    actual: forwardingText(actual),
  };
}

function forwardingText({ nextHops, withForeign }: FibForwarding): string {
  const foreign = withForeign ? ['foreign'] : [];
  if (nextHops === undefined) return foreign[0] ?? 'none';
  if (nextHops.length === 0) return ['discard', ...foreign].join(' ');
  const hops = nextHops.map(({ address, weight, interfaceIndex }) => {
    const device = interfaceIndex === 0 ? '' : `%${interfaceIndex}`;
    return `${formatIpAddress(address)}${device}${weight === 1 ? '' : `*${weight}`}`;
  });
  return [...hops, ...foreign].join(' ');
}

export async function describeFault(
  { target, family, differences }: Fault,
  reader: Pick<RouteReader, 'routes'>,
): Promise<object> {
  const { network } = target;
  const around = async (stage: 'loc-rib' | 'fib', { first, last }: FibDifference) => {
    const rows = new Map<string, object>();
    const ends = [first, last].map((end) => `${formatIpAddress(end)}/${end.length * 8}`);
    for (const [prefix, match] of [
      ...ends.map((end) => [end, 'covering'] as const),
      [networkOf(first, last), 'longer'] as const,
    ]) {
      for await (const row of reader.routes({ network, stage, prefix, match })) {
        if (rows.size === MOST_ROWS) break;
        rows.set(JSON.stringify(row), row);
      }
    }
    return [...rows.values()].filter((row) => isOf(row, target.target));
  };
  const ranges: object[] = [];
  for (const range of differences.slice(0, RANGES_DESCRIBED)) {
    const routes = await around('loc-rib', range);
    ranges.push({ ...rangeText(range), routes, entries: await around('fib', range) });
  }
  return {
    ...target,
    family,
    at: new Date().toISOString(),
    rangeCount: differences.length,
    ranges: [...ranges, ...differences.slice(RANGES_DESCRIBED).map(rangeText)],
  };
}

/** Entries of the network's other targets are not asked for. */
function isOf(row: object, target: string): boolean {
  const of = (row as { readonly target?: string }).target;
  return of === undefined || of === target;
}

/** The longest prefix around a range. */
function networkOf(first: IpAddress, last: IpAddress): string {
  const bits = commonBits(first, last);
  const address = first.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))));
  return `${formatIpAddress(address)}/${bits}`;
}

function commonBits(first: IpAddress, last: IpAddress): number {
  const at = first.findIndex((byte, i) => byte !== last[i]);
  return at < 0 ? first.length * 8 : at * 8 + Math.clz32(first[at]! ^ last[at]!) - 24;
}

/** Writes a dump and lets the oldest go when there are many; its file name. */
export async function writeDump(directory: string, dump: object): Promise<string> {
  await mkdir(directory, { recursive: true });
  const names = (await readdir(directory)).filter((name) => DUMP_NAME.test(name)).toSorted();
  for (const name of names.slice(0, Math.max(0, names.length + 1 - DUMPS_KEPT))) {
    await rm(join(directory, name), { force: true });
  }
  const { at, network, target, family } = dump as {
    [Key in 'at' | 'network' | 'target' | 'family']: string;
  };
  const time = at.replaceAll(':', '-');
  const name = `rutter-fault-${time}-${encodeURIComponent(network)}-${target}-${family}.json`;
  const file = join(directory, name);
  await writeFile(file, `${JSON.stringify(dump, null, 2)}\n`, { mode: 0o600 });
  return file;
}
