// A route as `ip -N -oneline route` and `ip monitor` print it → its facts.
//
//   10.9.0.0/24 nhid 1375731713 via 10.1.1.2 dev eth0 table 100 proto 114 metric 20
//   6 10.9.2.0/24 proto 114 metric 20                                  (a type other than unicast comes first, as a number)
//   10.9.1.0/24 nhid 7 proto 114 metric 20 \	nexthop via 10.1.1.2 dev eth0 weight 2 \	nexthop via …
import type { IpAddress } from '../net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../net/prefix.ts';
import { readWays } from './ways.ts';

const MAIN_TABLE = 254;
/** RTN_UNICAST and RTN_BLACKHOLE of linux/rtnetlink.h; `-N` prints the number. */
const UNICAST_TYPE = 1;
const BLACKHOLE_TYPE = 6;
/** RTPROT_BOOT: what `ip` does not print is what it sets when nothing is said. */
const BOOT_PROTOCOL = 3;

const isDigits = /^\d+$/;

export interface KernelRoute {
  /** As formatPrefix writes it. */
  readonly prefix: string;
  readonly isBlackhole: boolean;
  readonly nextHopId: number | undefined;
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
}

/** What a line says of a route behind its prefix, its ways aside. */
export interface RouteFacts {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  readonly tos: number;
  readonly source: string | undefined;
  readonly nextHopId: number | undefined;
}

/** One way out of a route with a gateway, as printed. */
export interface KernelGateway {
  readonly address: IpAddress;
  readonly device: string | undefined;
  readonly weight: number;
}

/** The facts of a printed route, or undefined when the line is no route. */
export function parseKernelRoute(text: string, isIpv6: boolean): KernelRoute | undefined {
  const [type, rest] = splitType(text);
  const [first, behind] = splitPrefix(rest);
  const prefix = readPrintedPrefix(first, isIpv6 || behind.includes(' pref '));
  if (prefix === undefined) return undefined;
  const { nextHopId, table, protocol, metric } = readRouteFacts(behind);
  return { prefix, isBlackhole: type === BLACKHOLE_TYPE, nextHopId, table, protocol, metric };
}

/** With `-N` the type (linux/rtnetlink.h) comes first, as a number, unless it is unicast. */
export function splitType(line: string): [type: number, rest: string] {
  const space = line.indexOf(' ');
  const word = line.slice(0, Math.max(space, 0));
  return isDigits.test(word) ? [Number(word), line.slice(space + 1)] : [UNICAST_TYPE, line];
}

export function splitPrefix(rest: string): [prefix: string, behind: string] {
  const space = rest.indexOf(' ');
  return space < 0 ? [rest, ''] : [rest.slice(0, space), rest.slice(space + 1)];
}

/** `behind`: the line behind the prefix. `protocol`: of routes whose line does not say. */
export function readRouteFacts(behind: string, protocol = BOOT_PROTOCOL): RouteFacts {
  const facts = { table: MAIN_TABLE, protocol, metric: 0, tos: 0 };
  let source: string | undefined;
  let nextHopId: number | undefined;
  const end = behind.indexOf('\\');
  const words = (end < 0 ? behind : behind.slice(0, end)).split(' ');
  for (let i = 0; i < words.length - 1; i++) {
    const value = words[i + 1]!;
    switch (words[i]) {
      case 'nhid':
        nextHopId = Number(value);
        break;
      case 'table':
        facts.table = Number(value);
        break;
      case 'proto':
        facts.protocol = Number(value);
        break;
      case 'metric':
        facts.metric = Number(value);
        break;
      case 'tos':
        facts.tos = Number(value);
        break;
      case 'src':
        source = value;
        break;
      case 'dev':
        break; // a device may be named like one of these words
      default:
        continue;
    }
    i++;
  }
  return { ...facts, source, nextHopId };
}

/** The gateways of a printed route, in order; routes without one have none. */
export function parseGateways(text: string): KernelGateway[] {
  return readWays(text).flatMap(({ gateway, device, weight }) =>
    gateway === undefined ? [] : [{ address: gateway, device, weight }],
  );
}

/** `ip` prints `default`, leaves out the length of a host route, and writes the old IPv4-compatible form (`::1.2.3.4`). */
export function readPrintedPrefix(text: string, isIpv6: boolean): string | undefined {
  if (text === 'default') return isIpv6 ? '::/0' : '0.0.0.0/0';
  const colon = text.includes(':');
  if (text.includes('/') && !(colon && text.includes('.'))) return text;
  const prefix = parsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(prefix);
}
