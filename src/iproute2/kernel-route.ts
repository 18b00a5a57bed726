// A route as `ip -N -oneline route` and `ip monitor` print it → its facts.
//
//   10.9.0.0/24 nhid 1375731713 via 10.1.1.2 dev eth0 table 100 proto 114 metric 20
//   6 10.9.2.0/24 proto 114 metric 20                                  (a type other than unicast comes first, as a number)
//   10.9.1.0/24 nhid 7 proto 114 metric 20 \	nexthop via 10.1.1.2 dev eth0 weight 2 \	nexthop via …
import { parseIpAddress } from '../net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../net/prefix.ts';

const MAIN_TABLE = 254;
/** RTN_BLACKHOLE of linux/rtnetlink.h; `-N` prints the number. */
const BLACKHOLE_TYPE = 6;
/** RTPROT_BOOT: what `ip` does not print is what it sets when nothing is said. */
const BOOT_PROTOCOL = 3;

export interface KernelRoute {
  /** As formatPrefix writes it. */
  readonly prefix: string;
  readonly isBlackhole: boolean;
  readonly nextHopId: number | undefined;
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
}

/** One way out of a route, as printed. */
export interface KernelGateway {
  readonly address: Uint8Array;
  readonly device: string | undefined;
  readonly weight: number;
}

/** The facts of a printed route, or undefined when the line is no route. */
export function parseKernelRoute(text: string, isIpv6: boolean): KernelRoute | undefined {
  const end = text.indexOf('\\');
  const words = (end < 0 ? text : text.slice(0, end)).split(' ');
  const hasType = isNumber(words[0]!);
  const start = hasType ? 1 : 0;
  const prefix = readPrintedPrefix(words[start] ?? '', isIpv6 || text.includes(' pref '));
  if (prefix === undefined) return undefined;
  let nextHopId: number | undefined;
  let table = MAIN_TABLE;
  let protocol = BOOT_PROTOCOL;
  let metric = 0;
  for (let i = start + 1; i < words.length - 1; i++) {
    const value = words[i + 1]!;
    switch (words[i]) {
      case 'nhid':
        nextHopId = Number(value);
        break;
      case 'table':
        table = Number(value);
        break;
      case 'proto':
        protocol = Number(value);
        break;
      case 'metric':
        metric = Number(value);
        break;
      case 'dev':
        break; // a device may be named like one of these words
      default:
        continue;
    }
    i++;
  }
  const isBlackhole = hasType && Number(words[0]) === BLACKHOLE_TYPE;
  return { prefix, isBlackhole, nextHopId, table, protocol, metric };
}

/** The gateways of a printed route, in order; routes without one have none. */
export function parseGateways(text: string): KernelGateway[] {
  const hops = text.includes('nexthop ') ? text.split('\\').slice(1) : [text];
  return hops.flatMap((hop) => {
    const address = parseIpAddress(/ via (?:inet6 )?(\S+)/.exec(hop)?.[1] ?? '');
    if (address === undefined) return [];
    const device = / dev (\S+)/.exec(hop)?.[1];
    return [{ address, device, weight: Number(/ weight (\d+)/.exec(hop)?.[1] ?? 1) }];
  });
}

/** `ip` prints `default`, leaves out the length of a host route, and writes the old IPv4-compatible form (`::1.2.3.4`). */
export function readPrintedPrefix(text: string, isIpv6: boolean): string | undefined {
  if (text === 'default') return isIpv6 ? '::/0' : '0.0.0.0/0';
  const colon = text.includes(':');
  if (text.includes('/') && !(colon && text.includes('.'))) return text;
  const prefix = parsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(prefix);
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
