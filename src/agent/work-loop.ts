// The main thread's background work, in slices: what the core deferred, next hops to resolve, targets to wake.
//
// The loop is never held longer than a slice (about 5 ms), so that sockets and timers get their turn between two slices.
import type { RouteCore } from '../core/route-core.ts';
import { RestTimer } from './rest-timer.ts';

/** Units of RouteCore.work() per slice; a unit is about a microsecond. */
const SLICE_BUDGET = 5000;

export interface WorkLoopParts {
  readonly core: RouteCore;
  /** Takes the next hops that have come or gone. */
  readonly onNextHops: (events: ReturnType<RouteCore['takeNextHopEvents']>) => void;
  /** A FIB has changes to drain. */
  readonly onPending: (fib: number) => void;
  /** Whether every next hop the core uses has been looked for. */
  readonly areNextHopsKnown: () => boolean;
}

export class WorkLoop {
  readonly #parts: WorkLoopParts;
  readonly #restTimer: RestTimer;
  #scheduled = false;
  #stopped = false;
  readonly #awaitingRest: (() => void)[] = [];

  constructor(parts: WorkLoopParts) {
    this.#parts = parts;
    this.#restTimer = new RestTimer(parts.core, () => this.wake());
  }

  /** To be called after anything that changed the core: cheap, and as often as one likes. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  /**
   * Calls back when what came in so far is decided: nothing is deferred, and no next hop is unresolved only because nobody has looked
   * yet.
   */
  atRest(callback: () => void): void {
    this.#awaitingRest.push(callback);
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#restTimer.stop();
  }

  #slice(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const { core, onNextHops, onPending, areNextHopsKnown } = this.#parts;
    const hasMore = core.work(SLICE_BUDGET);
    const events = core.takeNextHopEvents();
    if (events.length > 0) onNextHops(events);
    for (const fib of core.pendingFibs()) onPending(fib);
    this.#restTimer.arm();
    if (hasMore) this.wake();
    else if (areNextHopsKnown()) for (const callback of this.#awaitingRest.splice(0)) callback();
  }
}
