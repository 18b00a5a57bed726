// Turns at one database: its targets write one after the other, so that one transaction is in flight per database, whoever's it is.
//
// What waits for a turn is not taken from the core yet: until then it coalesces per prefix, and what ends where it began is never
// written. Who carries bad news goes first (P6), then who has waited longest.
//
// Behind OVN's database stands northd, which takes its time over whatever came since it looked last: a second for a router with 50 000
// routes, for one row as for a thousand. Rows that are written meanwhile wait for its next round anyway. So after a turn that says how
// long the database's reader takes (`windowMs`), the next one waits until the reader is about to look again; what changes twice in
// between is written once. Bad news waits for no window. Nothing is waited for when nothing was written just before: there is no fixed delay.
//
// Here is no limit on how long a turn lasts: a sink answers or is lost, and a short batch is the reconciler's business (isContested).

export interface TurnClock {
  /** Milliseconds; only differences count. */
  now(): number;
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}

export interface TurnRequest {
  /** Asked whenever a turn can be given. */
  isUrgent(): boolean;
}

interface Waiting {
  readonly request: TurnRequest;
  /** `false`: given up. */
  readonly settle: (isMine: boolean) => void;
}

const systemClock: TurnClock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

export class Turns {
  readonly #clock: TurnClock;
  readonly #waiting: Waiting[] = [];
  #holder: TurnRequest | undefined;
  /** Before this only bad news is written. */
  #opensAt = Number.NEGATIVE_INFINITY;
  #timer: { cancel(): void } | undefined;

  constructor(clock: TurnClock = systemClock) {
    this.#clock = clock;
  }

  /** Resolves when it is the request's turn: true, to be followed by end(); or false when it was given up. */
  take(request: TurnRequest): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ request, settle: resolve });
    this.look();
    return promise;
  }

  /** A request that waits does so no longer. */
  giveUp(request: TurnRequest): void {
    const index = this.#waiting.findIndex((each) => each.request === request);
    if (index < 0) return;
    this.#waiting.splice(index, 1)[0]!.settle(false);
    if (this.#waiting.length === 0) this.#stopTimer();
  }

  /** `windowMs`: what was written now is worked on for so long by others; 0 when nothing was, or when nobody knows. */
  end(request: TurnRequest, windowMs: number): void {
    if (this.#holder !== request) return;
    this.#holder = undefined;
    if (windowMs > 0) this.#opensAt = this.#clock.now() + windowMs;
    this.look();
  }

  /** Others wait for the same database. */
  get isContested(): boolean {
    return this.#waiting.length > 0;
  }

  /** Gives the turn to whoever may have it now; to be called again when bad news has come to somebody who waits. */
  look(): void {
    if (this.#holder !== undefined || this.#waiting.length === 0) return;
    const index = this.#next();
    if (index < 0) {
      this.#startTimer();
      return;
    }
    const [{ request, settle }] = this.#waiting.splice(index, 1) as [Waiting];
    this.#holder = request;
    this.#stopTimer();
    settle(true);
  }

  #next(): number {
    const urgent = this.#waiting.findIndex(({ request }) => request.isUrgent());
    if (urgent >= 0) return urgent;
    return this.#clock.now() >= this.#opensAt ? 0 : -1;
  }

  #startTimer(): void {
    this.#timer ??= this.#clock.setTimer(this.#opensAt - this.#clock.now(), () => {
      this.#timer = undefined;
      this.look();
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
