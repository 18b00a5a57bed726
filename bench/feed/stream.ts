// The feed as bytes: one UPDATE per eight neighbouring prefixes, each with an attribute set of its own, End-of-RIB last.
import { asSequence } from '../../src/bgp/attributes/as-path.ts';
import { origins } from '../../src/bgp/iana.ts';
import {
  type AnnouncedAttributes,
  encodeAnnouncement,
  encodeEndOfRib,
  encodeWithdrawal,
} from '../../src/bgp/messages/update.ts';
import type { IpAddress } from '../../src/net/ip-address.ts';
import type { Prefix } from '../../src/net/prefix.ts';
import { randomSource } from './random.ts';
import { type PrefixTable, prefixAt } from './table.ts';

export const PREFIXES_PER_UPDATE = 8;
/** UPDATEs in a row with the same next hop, where there are several. */
const UPDATES_PER_NEIGHBOURHOOD = 32;

const session = { fourOctetAs: true, maxMessageBytes: 4096 };

export interface FeedOptions {
  readonly localAs: number;
  readonly nextHop: IpAddress;
  /** Neighbourhoods of the table go by one of these instead of by `nextHop`; where it is undefined they are not announced. */
  readonly labels?: readonly (IpAddress | undefined)[];
}

export class Feed {
  readonly #table: PrefixTable;
  readonly #options: FeedOptions;

  constructor(table: PrefixTable, options: FeedOptions) {
    this.#table = table;
    this.#options = options;
  }

  get routeCount(): number {
    return this.#table.addresses.length;
  }

  get updateCount(): number {
    return Math.ceil(this.routeCount / PREFIXES_PER_UPDATE);
  }

  /** The whole table as it goes over the wire, in one buffer. */
  encodeTable(): Uint8Array {
    const messages: Uint8Array[] = [];
    for (let update = 0; update < this.updateCount; update++) {
      const nextHop = this.#nextHopOf(update);
      if (nextHop === undefined) continue;
      const attributes = { ...this.#attributesOf(update), nextHop };
      messages.push(...encodeAnnouncement(this.#prefixesOf(update), attributes, session));
    }
    messages.push(encodeEndOfRib('ipv4-unicast'));
    return Buffer.concat(messages);
  }

  /** One route again, with another next hop, and a path `longer` hops longer: a change that a router's table must follow. */
  encodeChange(route: number, nextHop: IpAddress, longer = 0): Uint8Array {
    const attributes = this.#attributesOf(Math.floor(route / PREFIXES_PER_UPDATE), longer);
    return Buffer.concat(
      encodeAnnouncement([this.prefix(route)], { ...attributes, nextHop }, session),
    );
  }

  encodeWithdrawal(route: number): Uint8Array {
    return Buffer.concat(encodeWithdrawal([this.prefix(route)], session));
  }

  prefix(route: number): Prefix {
    return prefixAt(this.#table, route);
  }

  #prefixesOf(update: number): Prefix[] {
    const first = update * PREFIXES_PER_UPDATE;
    const count = Math.min(PREFIXES_PER_UPDATE, this.routeCount - first);
    return Array.from({ length: count }, (_, index) => this.prefix(first + index));
  }

  /** Paths of 3 to 6 hops, MED, 0 to 3 communities. The origin AS carries the number of the UPDATE, so no two sets are equal. */
  #attributesOf(update: number, longer = 0): Omit<AnnouncedAttributes, 'nextHop'> {
    const random = randomSource(Math.imul(update + 1, 0x9e3779b1));
    const transits = Array.from({ length: 1 + (random() % 4) }, () => 1000 + (random() % 60_000));
    return {
      origin: origins[random() % 8 === 0 ? 2 : 0]!,
      asPath: asSequence([
        this.#options.localAs,
        ...Array.from({ length: longer }, () => this.#options.localAs),
        ...transits,
        200_000 + update,
      ]),
      med: random() % 1000,
      communities: Array.from(
        { length: random() % 4 },
        () => ((this.#options.localAs & 0xffff) * 65536 + (random() % 5000)) >>> 0,
      ),
    };
  }

  #nextHopOf(update: number): IpAddress | undefined {
    const { nextHop, labels } = this.#options;
    return labels === undefined ? nextHop : labels[labelOf(update, labels.length)];
  }
}

/** Which of `count` labels a route of the table goes by. */
export function labelOfRoute(route: number, count: number): number {
  return labelOf(Math.floor(route / PREFIXES_PER_UPDATE), count);
}

function labelOf(update: number, count: number): number {
  const neighbourhood = Math.floor(update / UPDATES_PER_NEIGHBOURHOOD);
  return randomSource(Math.imul(neighbourhood + 1, 0x85ebca6b))() % count;
}
