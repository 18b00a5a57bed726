// The first sync of a target: what is left over from an earlier life stays until every source has been heard (P3), and also after
// that when suspiciously much would be lost: then it is reported, and waits for an operator's word.
//
// Much may be left over and little lost: rows of an aggregated table stand for each other, so one that is aggregated from now on, or no more, is
// left over for the most part. Only where much is left over the losses are counted, a slice per turn of the loop.
import type { WalkCursor } from '../core/walk.ts';
import type { AddressFamily } from '../net/address-family.ts';
import type { FibCore } from './fib-core.ts';
import type { TargetLog } from './target-status.ts';

/** Removals up to this many need no leave. */
const FEW_REMOVALS = 100;
/** Entries looked at per turn: some milliseconds. */
const ENTRIES_PER_TURN = 8192;
const countedFamilies: readonly AddressFamily[] = ['ipv4-unicast', 'ipv6-unicast'];

export interface FirstSyncParts {
  readonly core: Pick<FibCore, 'fibCounters' | 'countLosses' | 'releaseRemovals'>;
  readonly fib: number;
  /** Losses beyond this share of what is installed stay held at the release. */
  readonly maxRemovalShare?: number | undefined;
  /** Nothing at all is written before, but to a target that has nothing of ours. */
  readonly keepsAll?: boolean | undefined;
  readonly log: TargetLog;
  /** In a later turn of the loop. */
  readonly later?: ((callback: () => void) => void) | undefined;
  /** Removals may go, or stay held: decided in a later turn than they were asked for. */
  readonly onDecided: () => void;
}

interface Count {
  /** The one that is counted, and those that are to be. */
  readonly families: readonly AddressFamily[];
  readonly cursor: WalkCursor | undefined;
  readonly lost: number;
}

export class FirstSync {
  readonly #parts: FirstSyncParts;
  #keepsAll: boolean;
  /** What is there has been read once: only then is it known how many removals wait. */
  #wasRead = false;
  /** A release that came before that. */
  #awaitedRelease: { readonly force: boolean } | undefined;
  #removalsHeld: string | undefined;
  /** The count under way. */
  #count: Count | undefined;

  constructor(parts: FirstSyncParts) {
    this.#parts = parts;
    this.#keepsAll = parts.keepsAll ?? false;
  }

  /** What is there is not touched yet. */
  get keepsAll(): boolean {
    return this.#keepsAll;
  }

  /** Why removals stay held, when they are many. */
  get removalsHeld(): string | undefined {
    return this.#removalsHeld;
  }

  /** The target has been read; a release that waited for that is to be asked for again. */
  read(ownedCount: number): { readonly force: boolean } | undefined {
    this.#wasRead = true;
    if (ownedCount === 0) this.#keepsAll = false;
    const release = this.#awaitedRelease;
    this.#awaitedRelease = undefined;
    return release;
  }

  /** The first sync has ended. False: it is decided when the target has been read. */
  release({ force }: { readonly force: boolean }): boolean {
    if (!this.#wasRead) {
      this.#awaitedRelease = { force: force || this.#awaitedRelease?.force === true };
      return false;
    }
    this.#keepsAll = false;
    const { core, fib } = this.#parts;
    if (force || !this.#isMany(core.fibCounters(fib).heldCount)) this.#letGo();
    else this.#countOn({ families: countedFamilies, cursor: undefined, lost: 0 });
    return true;
  }

  #isMany(count: number): boolean {
    const { core, fib, maxRemovalShare = 0.5 } = this.#parts;
    return count > FEW_REMOVALS && count > maxRemovalShare * core.fibCounters(fib).installedCount;
  }

  #countOn({ families, cursor, lost }: Count): void {
    const { core, fib, later = setImmediate } = this.#parts;
    const [family, ...others] = families;
    if (family === undefined) {
      this.#count = undefined;
      this.#judge(lost);
      return;
    }
    const part = core.countLosses(fib, family, cursor, ENTRIES_PER_TURN);
    const isOver = part.next === undefined;
    const count: Count = {
      families: isOver ? others : families,
      cursor: part.next,
      lost: lost + part.count,
    };
    this.#count = count;
    if (isOver) this.#countOn(count);
    else later(() => this.#countLater(count));
  }

  #countLater(count: Count): void {
    // An operator's word, or another release, may have come in between.
    if (this.#count !== count) return;
    this.#countOn(count);
    if (this.#count === undefined) this.#parts.onDecided();
  }

  #judge(lostCount: number): void {
    if (!this.#isMany(lostCount)) {
      this.#letGo();
      return;
    }
    const { core, fib, log, maxRemovalShare = 0.5 } = this.#parts;
    const { installedCount } = core.fibCounters(fib);
    const most = `more than ${Math.round(maxRemovalShare * 100)} %`;
    this.#removalsHeld = `${lostCount} of ${installedCount} entries would go, ${most}`;
    log.error({ lostCount, installedCount }, 'removals held');
  }

  #letGo(): void {
    this.#count = undefined;
    this.#removalsHeld = undefined;
    this.#parts.core.releaseRemovals(this.#parts.fib);
  }

  /** The target is gone: what is counted no longer matters. */
  stop(): void {
    this.#count = undefined;
  }
}
