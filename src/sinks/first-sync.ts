// The first sync of a target: what is left over from an earlier life stays until every source has been heard (P3), and also after
// that when suspiciously much would go: then it is reported, and waits for an operator's word.
import type { FibCore } from './fib-core.ts';
import type { TargetLog } from './target-status.ts';

/** Removals up to this many need no leave. */
const FEW_REMOVALS = 100;

export interface FirstSyncParts {
  readonly core: Pick<FibCore, 'fibCounters' | 'releaseRemovals'>;
  readonly fib: number;
  /** Held removals beyond this share of what is installed stay held at the release. */
  readonly maxRemovalShare?: number | undefined;
  /** Nothing at all is written before, but to a target that has nothing of ours. */
  readonly keepsAll?: boolean | undefined;
  readonly log: TargetLog;
}

export class FirstSync {
  readonly #parts: FirstSyncParts;
  #keepsAll: boolean;
  /** What is there has been read once: only then is it known how many removals wait. */
  #wasRead = false;
  /** A release that came before that. */
  #awaitedRelease: { readonly force: boolean } | undefined;
  #removalsHeld: string | undefined;

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
    const { core, fib, log, maxRemovalShare = 0.5 } = this.#parts;
    const { heldCount, installedCount } = core.fibCounters(fib);
    const isMany = heldCount > FEW_REMOVALS && heldCount > maxRemovalShare * installedCount;
    if (isMany && !force) {
      const most = `more than ${Math.round(maxRemovalShare * 100)} %`;
      this.#removalsHeld = `${heldCount} of ${installedCount} entries would go, ${most}`;
      log.error({ heldCount, installedCount }, 'removals held');
    } else {
      this.#removalsHeld = undefined;
      core.releaseRemovals(fib);
    }
    return true;
  }
}
