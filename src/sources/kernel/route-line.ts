// A route as `ip -N -oneline route` and `ip monitor` print it → what following it takes. Pure.
//
//   10.9.0.0/24 nhid 12 proto 186 metric 20 \	nexthop via 10.1.1.2 dev eth0 weight 1 \	nexthop via …
//   2001:db8::/48 via fe80::2 dev eth0 table 7 proto 186 metric 20 pref medium
//
// What a route with a next-hop object is expanded to is left out: the object decides, and the kernel may not expand it
// (net.ipv4.nexthop_compat_mode).
import {
  type RouteFacts,
  readPrintedPrefix,
  readRouteFacts,
  splitPrefix,
  splitType,
} from '../../iproute2/kernel-route.ts';
import { type PrintedWay, readWays } from '../../iproute2/ways.ts';

/** Distinct texts behind a prefix that are remembered: a table has as many as it has next-hop sets. */
const REMEMBERED_TEXTS = 8192;

export interface Way extends PrintedWay {
  readonly device: string;
}

/** Everything about a route but its prefix; one object for all routes that are printed alike. */
export interface RouteBody extends RouteFacts {
  /** Route type number of linux/rtnetlink.h. */
  readonly type: number;
  /** A route of another type of service is another route; ours have none. */
  readonly tos: number;
  /** Address the kernel sends from: the route goes when it goes. */
  readonly source: string | undefined;
  /** Empty with a next-hop object. */
  readonly ways: readonly Way[];
}

export interface PrintedRoute {
  /** As formatPrefix writes it. */
  readonly prefix: string;
  readonly body: RouteBody;
}

/** Reads lines; those that differ in the prefix only share their body. */
export class RouteLineReader {
  readonly #bodies = new Map<string, RouteBody>();

  /** Undefined when the line is no route. `protocol`: of routes whose line does not say, in a listing of that protocol. */
  read(line: string, isIpv6: boolean, protocol?: number): PrintedRoute | undefined {
    const [type, rest] = splitType(line);
    const [first, text] = splitPrefix(rest);
    const prefix = readPrintedPrefix(first, isIpv6 || text.includes(' pref '));
    if (prefix === undefined) return undefined;
    const key = `${type} ${protocol} ${text}`;
    const known = this.#bodies.get(key);
    if (known !== undefined) return { prefix, body: known };
    const body = readBody(type, text, protocol);
    if (this.#bodies.size >= REMEMBERED_TEXTS) this.#bodies.clear();
    this.#bodies.set(key, body);
    return { prefix, body };
  }
}

function readBody(type: number, text: string, protocol: number | undefined): RouteBody {
  const facts = readRouteFacts(text, protocol);
  const ways = facts.nextHopId === undefined ? readWays(text).filter(isOnDevice) : [];
  return { ...facts, type, ways };
}

function isOnDevice(way: PrintedWay): way is Way {
  return way.device !== undefined;
}
