// The timers of one session, by name (RFC 4271 §10, RFC 9687).
//
// Restarting a running timer only moves its deadline: the hold timer is restarted with every chunk. A hold timer that fires
// late says that this process was busy, not that the peer is silent: what the peer sent may wait unread, so it gets a grace.
import type { Clock, Timer } from './clock.ts';
import type { SessionTimer } from './fsm-actions.ts';

interface Running {
  deadline: number;
  handle: Timer;
  /** When the handle fires; never after the deadline. */
  firesAt: number;
  hadGrace: boolean;
}

const LATE_MS = 250;
const GRACE_MS = 1000;

export class SessionTimers {
  readonly #clock: Clock;
  readonly #expired: (timer: SessionTimer) => void;
  readonly #running = new Map<SessionTimer, Running>();

  constructor(clock: Clock, expired: (timer: SessionTimer) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  isRunning(timer: SessionTimer): boolean {
    return this.#running.has(timer);
  }

  /** Milliseconds until it expires, or undefined when it does not run. */
  remaining(timer: SessionTimer): number | undefined {
    const running = this.#running.get(timer);
    return running && Math.max(0, running.deadline - this.#clock.now());
  }

  start(timer: SessionTimer, ms: number): void {
    const deadline = this.#clock.now() + ms;
    const running = this.#running.get(timer);
    if (running && running.firesAt <= deadline) {
      running.deadline = deadline;
      running.hadGrace = false;
      return;
    }
    running?.handle.cancel();
    this.#arm(timer, { deadline, hadGrace: false });
  }

  stop(timer: SessionTimer): void {
    this.#running.get(timer)?.handle.cancel();
    this.#running.delete(timer);
  }

  stopAll(): void {
    for (const { handle } of this.#running.values()) handle.cancel();
    this.#running.clear();
  }

  /** Expires the timer now if it is due: the loop may be too busy to come round to it. */
  expireIfDue(timer: SessionTimer): void {
    const running = this.#running.get(timer);
    if (running && running.deadline <= this.#clock.now()) this.#expire(timer);
  }

  #arm(timer: SessionTimer, { deadline, hadGrace }: { deadline: number; hadGrace: boolean }): void {
    const delay = Math.max(0, deadline - this.#clock.now());
    const handle = this.#clock.setTimer(delay, () => this.#fired(timer));
    this.#running.set(timer, { deadline, hadGrace, handle, firesAt: deadline });
  }

  #fired(timer: SessionTimer): void {
    const running = this.#running.get(timer);
    if (running === undefined) return;
    const now = this.#clock.now();
    if (now < running.deadline) {
      this.#arm(timer, running);
    } else if (timer === 'hold' && !running.hadGrace && now - running.deadline > LATE_MS) {
      this.#arm(timer, { deadline: now + GRACE_MS, hadGrace: true });
    } else {
      this.#expire(timer);
    }
  }

  #expire(timer: SessionTimer): void {
    this.stop(timer);
    this.#expired(timer);
  }
}
