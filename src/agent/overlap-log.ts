// Says in the log when prefixes of two networks begin or cease to keep each other from being announced: one line per turn and
// pair of networks, however many prefixes there are.
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

  constructor(table: Pick<AnnouncementTable, 'overlaps'>, log: Pick<Logger, 'warn' | 'info'>) {
    this.#table = table;
    this.#log = log;
  }

  look(changes: readonly ChangedPrefix[]): void {
    const begun: OverlapReport[] = [];
    const ended = new Map<string, number>();
    for (const { network, text } of changes) {
      const key = `${network} ${text}`;
      const [overlap] = this.#table.overlaps(network, text);
      if (overlap !== undefined && !this.#known.has(key)) {
        this.#known.set(key, network);
        begun.push(overlap);
      } else if (overlap === undefined && this.#known.delete(key)) {
        ended.set(network, (ended.get(network) ?? 0) + 1);
      }
    }
    const pairs = Map.groupBy(
      begun,
      (each) => `${each.network} ${each.otherNetwork} ${each.place}`,
    );
    for (const [first, ...others] of pairs.values()) {
      this.#log.warn({ ...first, prefixes: others.length + 1 }, 'networks overlap, not announced');
    }
    for (const [network, prefixes] of ended) {
      this.#log.info({ network, prefixes }, 'overlap has ended');
    }
  }
}
