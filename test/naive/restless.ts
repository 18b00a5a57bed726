// The slow, obvious twin of assembly/rib/restless.ts: what a patient FIB is told of one prefix, from the whole history of its labels.
//
// Labels are sets of next hops as sorted text, '' for none.

const RESTLESS_CHANGES = 4;
const BURST_MS = 20;
const QUIET_MS = 400;
const FIRST_PATIENCE_MS = 10_000;
const LONGEST_PATIENCE_MS = 60_000;
const LASTING_MS = 800;

export class NaiveRestless {
  told = '';
  label = '';
  isHeld = false;
  #isWatched = false;
  #changes = 0;
  #countedAt = 0;
  changedAt = 0;
  #reportedAt = 0;
  #lostAt = 0;
  #patience = 0;

  /** A peer's UPDATE changed the label. */
  change(now: number, label: string): void {
    if (label === this.label) return;
    const before = this.label;
    this.label = label;
    if (!this.#isWatched) {
      if (before !== '') this.#watch(now);
      this.told = label;
      return;
    }
    this.#note(now);
    if (this.#changes >= RESTLESS_CHANGES && !this.isHeld) {
      this.isHeld = true;
      this.#reportedAt = now;
      this.#patience = FIRST_PATIENCE_MS;
    }
    if (isLoss(before, label)) this.#lostAt = now;
    if (!this.isHeld || isLoss(this.told, label)) this.told = label;
  }

  /** The core looks; `quiet`: how long without a change is enough this time. */
  look(now: number, quiet = QUIET_MS): void {
    if (!this.isHeld) return;
    if (now - this.changedAt >= quiet) this.pass();
    else if (now - this.#reportedAt >= this.#patience && now - this.#lostAt >= LASTING_MS) {
      this.#reportedAt = now;
      this.#patience = Math.min(2 * this.#patience, LONGEST_PATIENCE_MS);
      this.told = this.label;
    }
  }

  /** Nothing waits any more. */
  pass(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#changes = 0;
    this.told = this.label;
  }

  #watch(now: number): void {
    this.#isWatched = true;
    this.#changes = 1;
    this.#countedAt = now;
    this.changedAt = now;
  }

  #note(now: number): void {
    if (now - this.changedAt >= QUIET_MS && !this.isHeld) {
      this.#watch(now);
      return;
    }
    if (now - this.#countedAt >= BURST_MS) {
      this.#changes++;
      this.#countedAt = now;
    }
    this.changedAt = now;
  }
}

/** Nothing is there that was not there before. */
function isLoss(before: string, after: string): boolean {
  const had = new Set(before.split(' '));
  return after === '' || after.split(' ').every((nextHop) => had.has(nextHop));
}
