// Says in the log when prefixes of two networks begin or cease to keep each other from being announced: one line per pair of
// networks, however many prefixes there are.
import type {
  AnnouncementTable,
  ChangedPrefix,
  OverlapReport,
} from '../networks/announcements/announcement-table.ts';
import type { Logger } from '../observe/log.ts';

export class OverlapLog {
  readonly #table: Pick<AnnouncementTable, 'overlaps'>;
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  /** Prefixes that overlap, as last said: the network they are of, by both in one text. */
  readonly #known = new Map<string, string>();
  /** Not said yet, by prefix as in #known. */
  readonly #begun = new Map<string, OverlapReport>();
  /** How many of each network, not said yet. */
  readonly #ended = new Map<string, number>();

  constructor(table: Pick<AnnouncementTable, 'overlaps'>, log: Pick<Logger, 'warn' | 'info'>) {
    this.#table = table;
    this.#log = log;
  }

  look(changes: readonly ChangedPrefix[]): void {
    for (const { network, text } of changes) {
      const key = `${network} ${text}`;
      const [overlap] = this.#table.overlaps(network, text);
      if (overlap !== undefined && !this.#known.has(key)) {
        this.#known.set(key, network);
        this.#begun.set(key, overlap);
      } else if (overlap === undefined && this.#known.delete(key) && !this.#begun.delete(key)) {
        this.#ended.set(network, (this.#ended.get(network) ?? 0) + 1);
      }
    }
  }

  /** Says what look() has found. */
  say(): void {
    const pairs = Map.groupBy(
      this.#begun.values(),
      (each) => `${each.network} ${each.otherNetwork} ${each.place}`,
    );
    for (const [first, ...others] of pairs.values()) {
      this.#log.warn({ ...first, prefixes: others.length + 1 }, 'networks overlap, not announced');
    }
    for (const [network, prefixes] of this.#ended) {
      this.#log.info({ network, prefixes }, 'overlap has ended');
    }
    this.#begun.clear();
    this.#ended.clear();
  }
}
