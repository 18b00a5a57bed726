// Prefixes of several networks in one place (one network's sessions, one host table): which of them overlap.
//
// Two prefixes overlap when one contains the other. A host route that comes or goes costs one look-up per prefix length in use; a
// wider prefix costs a scan of the place: subnets are few and seldom change, ports and NAT rows are many and do.
import { clearHostBits, containsPrefix, formatPrefix, type Prefix } from '../../net/prefix.ts';

/** A prefix of a network in the place. */
export interface PlacedPrefix {
  readonly network: string;
  readonly prefix: Prefix;
  readonly text: string;
}

interface Member extends PlacedPrefix {
  readonly overlaps: Set<Member>;
}

export class Overlaps {
  /** By the prefix's text, then by network. */
  readonly #members = new Map<string, Map<string, Member>>();
  /** How many texts there are of each family and length: `4/24`. */
  readonly #lengths = new Map<string, number>();

  /** Adds a prefix; returns the prefixes of others that it overlaps. */
  add(placed: PlacedPrefix): readonly PlacedPrefix[] {
    const { network, prefix, text } = placed;
    let here = this.#members.get(text);
    if (here?.has(network)) return [];
    const member: Member = { network, prefix, text, overlaps: new Set() };
    for (const other of this.#related(prefix)) {
      if (other.network === network) continue;
      member.overlaps.add(other);
      other.overlaps.add(member);
    }
    if (here === undefined) {
      here = new Map();
      this.#members.set(text, here);
      this.#count(prefix, 1);
    }
    here.set(network, member);
    return [...member.overlaps];
  }

  /** Takes a prefix away; returns those that it overlapped. */
  remove(network: string, text: string): readonly PlacedPrefix[] {
    const here = this.#members.get(text);
    const member = here?.get(network);
    if (here === undefined || member === undefined) return [];
    here.delete(network);
    if (here.size === 0) {
      this.#members.delete(text);
      this.#count(member.prefix, -1);
    }
    for (const other of member.overlaps) other.overlaps.delete(member);
    return [...member.overlaps];
  }

  /** The first prefix of another network that it overlaps, in the order of networks and texts. */
  first(network: string, text: string): PlacedPrefix | undefined {
    const overlaps = this.#members.get(text)?.get(network)?.overlaps ?? [];
    let first: Member | undefined;
    for (const other of overlaps) {
      if (first === undefined || keyOf(other) < keyOf(first)) first = other;
    }
    return first;
  }

  #related(prefix: Prefix): Member[] {
    const found: Member[] = [];
    const family = prefix.address.length;
    let hasLonger = false;
    for (const key of this.#lengths.keys()) {
      const [bytes, length] = key.split('/').map(Number) as [number, number];
      if (bytes !== family) continue;
      if (length > prefix.length) {
        hasLonger = true;
        continue;
      }
      const around = { address: clearHostBits(prefix.address, length), length };
      found.push(...(this.#members.get(formatPrefix(around))?.values() ?? []));
    }
    if (hasLonger) found.push(...this.#inside(prefix));
    return found;
  }

  #inside(prefix: Prefix): Member[] {
    return [...this.#members.values()].flatMap((members) =>
      [...members.values()].filter(
        (member) => member.prefix.length > prefix.length && containsPrefix(prefix, member.prefix),
      ),
    );
  }

  #count({ address, length }: Prefix, change: number): void {
    const key = `${address.length}/${length}`;
    const count = (this.#lengths.get(key) ?? 0) + change;
    if (count === 0) this.#lengths.delete(key);
    else this.#lengths.set(key, count);
  }
}

function keyOf({ network, text }: PlacedPrefix): string {
  return `${network} ${text}`;
}
