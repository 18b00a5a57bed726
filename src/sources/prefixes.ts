// Text lines `prefix nexthop` as routes: for looking at what a table would do, without any router.
//
//   10.0.0.0/8 192.0.2.1        a route
//   2001:db8::/32 fe80::1       next hops of either family
//   10.1.0.0/16 7               next hop number 7 of a table that numbers them: stands for 100.64.0.7, or 100::7 for IPv6
//   10.2.0.0/16                 a prefix alone: next hop number 0
//   # a comment
import { type IpAddress, parseIpAddress } from '../net/ip-address.ts';
import { type Prefix, parsePrefix } from '../net/prefix.ts';

const SHARED_ADDRESS_SPACE = 0x6440_0000;
const MAX_NUMBER = 2 ** 22 - 1;

export interface PrefixLine {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress;
  /** Whether the next hop stands for a number of the file. */
  readonly isNumbered: boolean;
}

/** A line that is not `prefix nexthop`. The reading can go on behind it. */
export interface BadLine {
  readonly line: number;
  /** One clause with what stands there. */
  readonly reason: string;
}

/** Routes line by line, in batches of a chunk; `onBadLine` hears of the others. */
export async function* readPrefixes(
  chunks: AsyncIterable<Uint8Array>,
  onBadLine: (bad: BadLine) => void,
): AsyncGenerator<PrefixLine[], void, undefined> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = '';
  const readLines = (lines: readonly string[]) => {
    const routes: PrefixLine[] = [];
    for (const text of lines) {
      number++;
      const line = parseLine(text);
      if (typeof line === 'string') onBadLine({ line: number, reason: line });
      else if (line !== undefined) routes.push(line);
    }
    return routes;
  };
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield readLines(lines);
  }
  yield readLines([rest + decoder.decode()]);
}

/** A route, undefined for an empty line, or what is wrong. */
export function parseLine(text: string): PrefixLine | string | undefined {
  const hash = text.indexOf('#');
  const [prefixText = '', nextHopText, ...more] = (hash < 0 ? text : text.slice(0, hash))
    .trim()
    .split(/\s+/);
  if (prefixText === '') return undefined;
  const prefix = parsePrefix(prefixText);
  if (prefix === undefined) return `must be a prefix and a next hop, is ${shorten(prefixText)}`;
  if (more.length > 0) return `must be a prefix and a next hop, has ${more.length} words more`;
  if (nextHopText === undefined) return numbered(prefix, 0);
  if (/^\d+$/.test(nextHopText)) {
    const id = Number(nextHopText);
    if (id > MAX_NUMBER) return `must be a next hop number up to ${MAX_NUMBER}, is ${id}`;
    return numbered(prefix, id);
  }
  const nextHop = parseIpAddress(nextHopText);
  if (nextHop === undefined) return `must be a next hop, is ${shorten(nextHopText)}`;
  if (nextHop.length < prefix.address.length) {
    return `must be an IPv6 next hop for ${prefixText}, is ${nextHopText}`;
  }
  return { prefix, nextHop, isNumbered: false };
}

function numbered(prefix: Prefix, id: number): PrefixLine {
  return { prefix, nextHop: numberedNextHop(id, prefix.address.length), isNumbered: true };
}

/** The address a next hop number stands for: in 100.64.0.0/10 (RFC 6598), or in the discard prefix 100::/64 (RFC 6666). */
export function numberedNextHop(id: number, addressSize: number): IpAddress {
  const address = new Uint8Array(addressSize);
  const view = new DataView(address.buffer);
  view.setUint32(addressSize - 4, addressSize === 4 ? SHARED_ADDRESS_SPACE + id : id);
  if (addressSize === 16) address[0] = 1;
  return address;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
