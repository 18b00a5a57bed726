// When may what is left over from an earlier life be removed? (P3) Once every source of a network has finished its first
// sync, or the deadline has passed. Pure bookkeeping: the caller brings the timer.
//
// A source is a (peer, family) that still owes its End-of-RIB (RFC 4724 §2), or a watcher that still owes its first list. A network
// that imports from another waits for the other's sources too: what they have not told yet may be among its imported routes.

export class InitialSync {
  readonly #waiting: Set<string>;
  readonly #onFinished: (reason: string) => void;
  #followers: readonly InitialSync[] = [];
  #finished = false;

  constructor(sources: Iterable<string>, onFinished: (reason: string) => void) {
    this.#waiting = new Set(sources);
    this.#onFinished = onFinished;
  }

  /** Sources that have not finished yet, for `status`. */
  get waitingFor(): readonly string[] {
    return [...this.#waiting];
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  /** To be called once at the start, and then whenever a source has finished or will never start. */
  finish(source?: string): void {
    if (source !== undefined) {
      if (!this.#waiting.delete(source)) return;
      for (const follower of this.#followers) follower.finish(source);
    }
    if (this.#waiting.size === 0) this.#end('every source has finished its first sync');
  }

  /** Who waits for sources of this network too. */
  setFollowers(followers: readonly InitialSync[]): void {
    this.#followers = followers;
  }

  /** The deadline has passed: who has not come by now is not waited for. */
  expire(): void {
    this.#end(`deadline passed while waiting for ${this.waitingFor.join(', ') || 'nothing'}`);
  }

  #end(reason: string): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#onFinished(reason);
  }
}
