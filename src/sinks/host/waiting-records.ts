// Prefixes that were not written, by what they wait for: a next hop that is reachable, or somebody else's route to go. Pure.
import type { NextHop } from '../../core/records.ts';
import { formatPrefix, type Prefix } from '../../net/prefix.ts';
import { nextHopKey } from './nexthop-objects.ts';

interface Unreachable {
  readonly nextHop: NextHop;
  readonly prefixes: Map<string, Prefix>;
}

export class WaitingRecords {
  readonly #unreachable = new Map<string, Unreachable>();
  readonly #collisions = new Map<string, Prefix>();

  addUnreachable(nextHop: NextHop, prefix: Prefix): void {
    const key = nextHopKey(nextHop);
    const entry = this.#unreachable.get(key) ?? { nextHop, prefixes: new Map() };
    this.#unreachable.set(key, entry);
    entry.prefixes.set(formatPrefix(prefix), copy(prefix));
  }

  addCollision(prefix: Prefix): void {
    this.#collisions.set(formatPrefix(prefix), copy(prefix));
  }

  get unreachableNextHops(): NextHop[] {
    return [...this.#unreachable.values()].map((entry) => entry.nextHop);
  }

  /** What waited for a next hop, and waits no longer. */
  takeReachable(nextHop: NextHop): Prefix[] {
    const key = nextHopKey(nextHop);
    const prefixes = this.#unreachable.get(key)?.prefixes.values() ?? [];
    this.#unreachable.delete(key);
    return [...prefixes];
  }

  /** Whether this prefix waited for somebody else's route to go; it waits no longer. */
  takeCollision(prefix: string): Prefix | undefined {
    const waiting = this.#collisions.get(prefix);
    this.#collisions.delete(prefix);
    return waiting;
  }

  /** Everything that waited for a route to go that is not in `foreign`. */
  takeFree(foreign: ReadonlySet<string>): Prefix[] {
    const free = [...this.#collisions.keys()].filter((prefix) => !foreign.has(prefix));
    return free.flatMap((prefix) => this.takeCollision(prefix) ?? []);
  }
}

/** A batch's addresses are views into its buffer. */
function copy({ address, length }: Prefix): Prefix {
  return { address: address.slice(), length };
}
