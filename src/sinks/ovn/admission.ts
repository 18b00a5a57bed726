// May a record be written? Other writers' rows with its prefix, and the cap on our rows, can forbid it. Pure.
//
// What was refused is remembered, so that it can be told when the reason is gone.
import { describeCollision } from './foreign.ts';
import type { OvnSinkOptions } from './options.ts';
import type { RouterRows } from './router-rows.ts';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export class Admission {
  readonly #rows: RouterRows;
  readonly #options: Pick<OvnSinkOptions, 'collision' | 'maxRoutes'>;
  readonly #collided = new Set<string>();
  /** Prefixes refused for want of room, with the rows they need. */
  readonly #limited = new Map<string, number>();

  constructor(rows: RouterRows, options: Pick<OvnSinkOptions, 'collision' | 'maxRoutes'>) {
    this.#rows = rows;
    this.#options = options;
  }

  /** Why rows of ours cannot be beside those of others at this prefix. */
  collision(prefix: string): Refusal | undefined {
    if (this.#options.collision === 'share') return undefined;
    const foreign = this.#rows.foreign.at(prefix);
    if (!foreign) return undefined;
    // A hand-over that is expected is no alarm, and goes by its own code.
    const code = this.#options.collision === 'skip' ? 'collision' : 'waiting-for-foreign';
    return { code, message: describeCollision(foreign) };
  }

  /** Why a plan that gains `rows` rows cannot be written when `planned` more are on their way. */
  limit(rows: number, planned: number): Refusal | undefined {
    const there = this.#rows.ownedCount + planned;
    if (rows <= 0 || there + rows <= this.#options.maxRoutes) return undefined;
    return {
      code: 'limit',
      message: `${rows} more beside ${there} rows, expected at most ${this.#options.maxRoutes}`,
    };
  }

  noteCollision(prefix: string): void {
    this.#collided.add(prefix);
  }

  noteLimit(prefix: string, rows: number): void {
    this.#limited.set(prefix, rows);
  }

  /** The prefix is written, or not wanted any more. */
  forget(prefix: string): void {
    this.#collided.delete(prefix);
    this.#limited.delete(prefix);
  }

  /** Takes those of the prefixes (default: all) that were refused for a collision and have none now. */
  takeCleared(prefixes: Iterable<string> = this.#collided): string[] {
    const cleared = [...prefixes].filter(
      (prefix) => this.#collided.has(prefix) && !this.collision(prefix),
    );
    for (const prefix of cleared) this.#collided.delete(prefix);
    return cleared;
  }

  /** Takes prefixes that were refused for want of room, the oldest first, as many as there is room for now. */
  takeRoom(): string[] {
    let room = this.#options.maxRoutes - this.#rows.ownedCount;
    const taken: string[] = [];
    for (const [prefix, rows] of this.#limited) {
      if (room <= 0) break;
      if (rows > room) continue;
      room -= rows;
      taken.push(prefix);
      this.#limited.delete(prefix);
    }
    return taken;
  }
}
