// The agent's own verifier: whether what aggregation makes of the routes still forwards every address as they do, while the agent runs.
//
// It compares inside the core (RouteCore.verifyFib), so it sees what is desired, not what is in place: that is `rutter verify`. A round takes
// one target after the other in slices of about SLICE_MS, only when the core has nothing else to do, and rests nine times as long in between.
// Rounds begin every `intervalMs`, and a tenth of that after a target was written to in bulk.
//
// While the core is at rest each slice must be right by itself, so changes between two slices do not matter. A difference is looked
// at again all the same, and believed when it is still there: then the target's aggregation is at fault. onFault is called once, and the target is
// not looked at again until it is somebody else's (a target with another FIB).

import type { RouteCore } from '../core/route-core.ts';
import type { FibDifference } from '../core/verification.ts';
import type { WalkCursor } from '../core/walk.ts';

type Family = 'ipv4-unicast' | 'ipv6-unicast';

/** A slice is made shorter when it took longer, longer when it took less. */
const SLICE_MS = 2;
const FEWEST_PREFIXES = 64;
const MOST_PREFIXES = 16_384;
/** Times a slice's own length between two. */
const REST = 9;
const SHORTEST_REST_MS = 5;
/** How often a difference is looked at again, and after how long. */
const MORE_LOOKS = 2;
const BETWEEN_LOOKS_MS = 250;
/** After so long something is tried again that could not be told. */
const NOT_AT_REST_MS = 1000;
/** So many entries written, or this share of the table, are a change in bulk. */
const BULK_ENTRIES = 1000;
const BULK_SHARE = 0.05;

export interface VerifiedTarget {
  readonly network: string;
  readonly target: string;
  /** FIB id in the core. */
  readonly fib: number;
  /** Its rows are made of the routes, not the routes themselves. */
  readonly isAggregated: boolean;
  readonly entryCount: number;
  /** Entries written since the target was opened. */
  readonly writtenCount: number;
}

export interface Fault {
  readonly target: VerifiedTarget;
  readonly family: Family;
  /** Of one slice: there may be more. */
  readonly differences: readonly FibDifference[];
}

export interface Verification {
  /** Milliseconds since 1970: the end of the last round that found nothing. */
  readonly verifiedAt: number | undefined;
  readonly faultCount: number;
  /** The longest that the main loop was held, milliseconds. */
  readonly worstSliceMs: number;
}

export interface FibVerifierParts {
  readonly core: Pick<RouteCore, 'verifyFib'>;
  /** Calls back when the core has nothing to do. */
  readonly atRest: (callback: () => void) => void;
  readonly targets: () => readonly VerifiedTarget[];
  readonly intervalMs: number;
  /** What it found was there at every look. */
  readonly onFault: (fault: Fault) => void;
  readonly setTimer?: (callback: () => void, ms: number) => { unref(): unknown };
  readonly now?: () => number;
}

interface Record {
  fib: number;
  verifiedAt: number | undefined;
  faultCount: number;
  worstSliceMs: number;
  /** When the last round began, and what had been written then. */
  checkedAt: number;
  writtenCount: number;
  isAtFault: boolean;
}

export class FibVerifier {
  readonly #parts: FibVerifierParts;
  readonly #records = new Map<string, Record>();
  readonly #now: () => number;
  #limit = 1024;
  #isStopped = false;

  constructor(parts: FibVerifierParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  start(): void {
    this.#after(this.#parts.intervalMs / 10, () => void this.#rounds());
  }

  stop(): void {
    this.#isStopped = true;
  }

  of(network: string, target: string): Verification | undefined {
    return this.#records.get(keyOf({ network, target }));
  }

  async #rounds(): Promise<void> {
    for (const target of this.#parts.targets()) {
      if (this.#isStopped) return;
      if (target.isAggregated && this.#isDue(target)) await this.#verify(target);
    }
    this.#after(this.#parts.intervalMs / 10, () => void this.#rounds());
  }

  #isDue(target: VerifiedTarget): boolean {
    const record = this.#records.get(keyOf(target));
    if (record === undefined || record.fib !== target.fib) return true;
    if (record.isAtFault) return false;
    if (this.#now() - record.checkedAt >= this.#parts.intervalMs) return true;
    const bulk = Math.max(BULK_ENTRIES, target.entryCount * BULK_SHARE);
    return target.writtenCount - record.writtenCount >= bulk;
  }

  async #verify(target: VerifiedTarget): Promise<void> {
    const record = this.#recordOf(target);
    for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
      let cursor: WalkCursor | undefined;
      do {
        const from = cursor;
        const check = await this.#look(target, family, from);
        if (check === undefined) return;
        if (check.differences.length > 0) {
          const differences = await this.#lasting(target, family, from, check.differences);
          if (differences.length > 0) {
            record.isAtFault = true;
            record.faultCount++;
            this.#parts.onFault({ target, family, differences });
            return;
          }
        }
        cursor = check.next;
      } while (cursor !== undefined);
    }
    record.verifiedAt = this.#now();
  }

  /** What is still there at the last of several looks at the same place. */
  async #lasting(
    target: VerifiedTarget,
    family: Family,
    from: WalkCursor | undefined,
    first: readonly FibDifference[],
  ): Promise<readonly FibDifference[]> {
    let lasting = first;
    for (let look = 0; look < MORE_LOOKS && lasting.length > 0; look++) {
      await this.#pause(BETWEEN_LOOKS_MS);
      const check = await this.#look(target, family, from);
      const before = lasting;
      lasting = (check?.differences ?? []).filter((now) =>
        before.some((then) => overlap(now, then)),
      );
    }
    return lasting;
  }

  /** One slice, when the core is at rest; undefined when the target is gone. */
  async #look(
    target: VerifiedTarget,
    family: Family,
    cursor: WalkCursor | undefined,
  ): Promise<ReturnType<RouteCore['verifyFib']>> {
    for (;;) {
      await new Promise<void>((resolve) => this.#parts.atRest(resolve));
      if (this.#isStopped || !this.#isThere(target)) return undefined;
      const startedAt = performance.now();
      const check = this.#parts.core.verifyFib(target.fib, family, cursor, this.#limit);
      const tookMs = performance.now() - startedAt;
      this.#adapt(target, tookMs);
      await this.#pause(
        check === undefined ? NOT_AT_REST_MS : Math.max(SHORTEST_REST_MS, REST * tookMs),
      );
      if (check !== undefined) return check;
    }
  }

  #adapt(target: VerifiedTarget, tookMs: number): void {
    const record = this.#records.get(keyOf(target))!;
    record.worstSliceMs = Math.max(record.worstSliceMs, tookMs);
    if (tookMs > 2 * SLICE_MS) this.#limit = Math.max(FEWEST_PREFIXES, this.#limit >> 1);
    else if (tookMs < SLICE_MS / 2) this.#limit = Math.min(MOST_PREFIXES, this.#limit << 1);
  }

  /** Between two slices a reload may have taken the FIB away, or given its number to another target. */
  #isThere({ network, target, fib }: VerifiedTarget): boolean {
    return this.#parts
      .targets()
      .some((each) => each.network === network && each.target === target && each.fib === fib);
  }

  #recordOf(target: VerifiedTarget): Record {
    const key = keyOf(target);
    const known = this.#records.get(key);
    const record = {
      fib: target.fib,
      verifiedAt: known?.verifiedAt,
      faultCount: known?.faultCount ?? 0,
      worstSliceMs: known?.worstSliceMs ?? 0,
      checkedAt: this.#now(),
      writtenCount: target.writtenCount,
      isAtFault: false,
    };
    this.#records.set(key, record);
    return record;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#after(ms, resolve));
  }

  #after(ms: number, callback: () => void): void {
    if (this.#isStopped) return;
    (this.#parts.setTimer ?? setTimeout)(callback, ms).unref();
  }
}

function keyOf({ network, target }: Pick<VerifiedTarget, 'network' | 'target'>): string {
  return `${network}/${target}`;
}

function overlap(a: FibDifference, b: FibDifference): boolean {
  return Buffer.compare(a.first, b.last) <= 0 && Buffer.compare(b.first, a.last) <= 0;
}
