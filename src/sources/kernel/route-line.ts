// A route as `ip -N -oneline route` and `ip monitor` print it → what following it takes. Pure.
//
//   10.9.0.0/24 nhid 12 proto 186 metric 20 \	nexthop via 10.1.1.2 dev eth0 weight 1 \	nexthop via …
//   2001:db8::/48 via fe80::2 dev eth0 table 7 proto 186 metric 20 pref medium
//
// What a route with a next-hop object is expanded to is left out: the object decides, and the kernel may not expand it
// (net.ipv4.nexthop_compat_mode).
import { readPrintedPrefix } from '../../iproute2/kernel-route.ts';
import { type IpAddress, parseIpAddress } from '../../net/ip-address.ts';

const MAIN_TABLE = 254;
/** RTPROT_BOOT: what `ip` does not print is what it sets when nothing is said. */
const BOOT_PROTOCOL = 3;
/** Distinct texts behind a prefix that are remembered: a table has as many as it has next-hop sets. */
const REMEMBERED_TEXTS = 8192;

/** One way out of a route. */
export interface Way {
  /** Undefined: on the link itself. */
  readonly gateway: IpAddress | undefined;
  readonly device: string;
  readonly weight: number;
  /** The kernel does not use it: its device is down (RTNH_F_DEAD). */
  readonly isDead: boolean;
}

/** Everything about a route but its prefix; one object for all routes that are printed alike. */
export interface RouteBody {
  /** Route type number of linux/rtnetlink.h. */
  readonly type: number;
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  /** A route of another type of service is another route; ours have none. */
  readonly tos: number;
  /** Address the kernel sends from: the route goes when it goes. */
  readonly source: string | undefined;
  readonly nextHopId: number | undefined;
  /** Empty with a next-hop object. */
  readonly ways: readonly Way[];
}

export interface PrintedRoute {
  /** As formatPrefix writes it. */
  readonly prefix: string;
  readonly body: RouteBody;
}

const UNICAST = 1;
const isDigits = /^\d+$/;

/** Reads lines; those that differ in the prefix only share their body. */
export class RouteLineReader {
  readonly #bodies = new Map<string, RouteBody>();

  /** Undefined when the line is no route. `protocol`: of routes whose line does not say, in a listing of that protocol. */
  read(line: string, isIpv6: boolean, protocol = BOOT_PROTOCOL): PrintedRoute | undefined {
    const [type, rest] = splitType(line);
    const space = rest.indexOf(' ');
    const first = space < 0 ? rest : rest.slice(0, space);
    const text = space < 0 ? '' : rest.slice(space + 1);
    const prefix = readPrintedPrefix(first, isIpv6 || text.includes(' pref '));
    if (prefix === undefined) return undefined;
    const key = `${type} ${protocol} ${text}`;
    const known = this.#bodies.get(key);
    if (known !== undefined) return { prefix, body: known };
    const body = parseBody(type, protocol, text);
    if (this.#bodies.size >= REMEMBERED_TEXTS) this.#bodies.clear();
    this.#bodies.set(key, body);
    return { prefix, body };
  }
}

/** With `-N` the type comes first, as a number, unless it is unicast. */
function splitType(line: string): [number, string] {
  const space = line.indexOf(' ');
  const word = line.slice(0, Math.max(space, 0));
  return isDigits.test(word) ? [Number(word), line.slice(space + 1)] : [UNICAST, line];
}

function parseBody(type: number, protocol: number, text: string): RouteBody {
  const [common = '', ...hops] = text.split('\\');
  const facts = { type, table: MAIN_TABLE, protocol, metric: 0, tos: 0 };
  let source: string | undefined;
  let nextHopId: number | undefined;
  const words = common.split(' ');
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
  const ways = nextHopId !== undefined ? [] : (hops.length > 0 ? hops : [common]).flatMap(readWay);
  return { ...facts, source, nextHopId, ways };
}

/** Its first `via` and `dev`, if it has a device. */
function readWay(text: string): Way[] {
  const words = text.trim().split(' ');
  let gateway: IpAddress | undefined;
  let device: string | undefined;
  let weight = 1;
  let isDead = false;
  for (let i = 0; i < words.length; i++) {
    switch (words[i]) {
      case 'via': {
        const isOtherFamily = words[i + 1] === 'inet6' || words[i + 1] === 'inet';
        i += isOtherFamily ? 2 : 1;
        gateway ??= parseIpAddress(words[i] ?? '');
        break;
      }
      case 'dev':
        device ??= words[++i];
        break;
      case 'weight':
        weight = Number(words[++i]) || 1;
        break;
      case 'dead':
        isDead = true;
        break;
    }
  }
  return device === undefined ? [] : [{ gateway, device, weight, isDead }];
}
