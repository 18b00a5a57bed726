// Networks of the router's own ports, by canonical prefix. Pure.
//
// A connected route wins over a static one of the same prefix (flow priority: northd's ROUTE_PRIO_OFFSET_CONNECTED), so a row of ours there would be
// in place and forward nothing.
import { formatPrefix, parsePrefix } from '../../net/prefix.ts';
import type { Row } from '../../ovsdb/monitor.ts';

export class ConnectedNetworks {
  /** Prefix → name of a port that has it. */
  #ports: ReadonlyMap<string, string> = new Map();

  /** The port whose network the prefix is. */
  port(prefix: string): string | undefined {
    return this.#ports.get(prefix);
  }

  prefixes(): IterableIterator<string> {
    return this.#ports.keys();
  }

  /** Takes the ports that the router names, as they are now; returns the prefixes that are connected anew or no longer. */
  update(names: ReadonlySet<string>, ports: ReadonlyMap<string, Row>): string[] {
    const before = this.#ports;
    const now = new Map<string, string>();
    for (const uuid of names) {
      const port = ports.get(uuid);
      for (const text of (port?.['networks'] as ReadonlySet<string> | undefined) ?? []) {
        const prefix = parsePrefix(text);
        if (prefix) now.set(formatPrefix(prefix), port!['name'] as string);
      }
    }
    this.#ports = now;
    return [...new Set([...before.keys(), ...now.keys()])].filter(
      (prefix) => before.has(prefix) !== now.has(prefix),
    );
  }
}
