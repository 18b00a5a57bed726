// What has changed of the announcements and is not told yet, worked off in slices: the main thread is never held for longer than one.
//
//   rows, subjects touched ─► read ─► changed prefixes ─┬─ in place here or told: may be bad news ─► settled next
//                                                 └─ new ─► settled when every subject is read
//
// The most urgent piece of work is always the next one, so a withdrawal never waits behind announcements (P6). What is new waits for all
// subjects: what overlaps or is suppressed is not announced first and withdrawn then. Settling asks for the state of the moment,
// so the slices do not matter to what comes out.
import type { ChangedPrefix } from '../networks/announcements/announcement-table.ts';

const SLICE_MS = 5;

/** Subjects or prefixes between two looks at the clock: about a millisecond. */
const STEP = 32;

export interface BacklogParts {
  /** Takes over what at most so many subjects have to say, those with something in place first. False: there is nothing to take. */
  readonly read: (most: number) => boolean;
  readonly takeChanges: () => readonly ChangedPrefix[];
  /** Somebody has been told of it, so this may be its end. */
  readonly isInPlace: (change: ChangedPrefix) => boolean;
  readonly settle: (changes: readonly ChangedPrefix[]) => void;
  /** Nothing is left. */
  readonly onEmpty: () => void;
  /** Milliseconds; default: performance.now(). */
  readonly now?: () => number;
  /** Default: setImmediate. */
  readonly schedule?: (slice: () => void) => void;
}

export class AnnouncementBacklog {
  readonly #parts: BacklogParts;
  readonly #now: () => number;
  readonly #schedule: (slice: () => void) => void;
  readonly #urgent = new Map<string, ChangedPrefix>();
  readonly #fresh = new Map<string, ChangedPrefix>();
  #isScheduled = false;
  #isClosed = false;

  constructor(parts: BacklogParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#schedule = parts.schedule ?? ((slice) => void setImmediate(slice));
  }

  /** A slice of the work waits for its turn. */
  get isBusy(): boolean {
    return this.#isScheduled;
  }

  /**
   * Something has changed: the first slice is now, so that a port that goes down is withdrawn in this turn. While slices wait for their
   * turn it is one step only: messages come by the hundred.
   */
  work(): void {
    this.#slice(this.#isScheduled ? 0 : SLICE_MS);
  }

  close(): void {
    this.#isClosed = true;
  }

  #slice(lengthMs: number): void {
    this.#sort();
    const end = this.#now() + lengthMs;
    while (this.#step()) {
      if (this.#now() < end) continue;
      this.#continue();
      return;
    }
    this.#parts.onEmpty();
  }

  #continue(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#slice(SLICE_MS);
    });
  }

  /** Does the most urgent piece; false: there is none. */
  #step(): boolean {
    const { read, settle } = this.#parts;
    const urgent = take(this.#urgent);
    if (urgent.length > 0) {
      settle(urgent);
      return true;
    }
    if (read(STEP)) {
      this.#sort();
      return true;
    }
    const fresh = take(this.#fresh);
    if (fresh.length > 0) settle(fresh);
    return fresh.length > 0;
  }

  #sort(): void {
    const { takeChanges, isInPlace } = this.#parts;
    for (const change of takeChanges()) {
      const key = `${change.network} ${change.text}`;
      if (!isInPlace(change)) this.#fresh.set(key, change);
      else {
        this.#fresh.delete(key);
        this.#urgent.set(key, change);
      }
    }
  }
}

function take(changes: Map<string, ChangedPrefix>): ChangedPrefix[] {
  const taken: ChangedPrefix[] = [];
  for (const [key, change] of changes) {
    if (taken.length === STEP) break;
    changes.delete(key);
    taken.push(change);
  }
  return taken;
}
