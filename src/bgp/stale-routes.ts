// Helps a peer restart: which of its routes stay as stale while it is away, and until when (RFC 4724 §4.2, RFC 8538).
import type { AddressFamily } from '../net/address-family.ts';
import type { Clock, Timer } from './clock.ts';
import type { NegotiatedSession } from './negotiate.ts';

export class StaleRoutes {
  readonly #clock: Clock;
  readonly #stalePathTimeMs: number;
  readonly #drop: (family: AddressFamily, reason: string) => void;
  readonly #stale = new Set<AddressFamily>();
  #timer: Timer | undefined;

  /** `drop` ends the family's refresh: what is still stale goes. */
  constructor(
    clock: Clock,
    stalePathTimeMs: number,
    drop: (family: AddressFamily, reason: string) => void,
  ) {
    this.#clock = clock;
    this.#stalePathTimeMs = stalePathTimeMs;
    this.#drop = drop;
  }

  get families(): readonly AddressFamily[] {
    return [...this.#stale];
  }

  /** The session is gone and the peer may be back: the families whose routes stay. */
  sessionLost(session: NegotiatedSession): readonly AddressFamily[] {
    // RFC 4724 §4.2: what was stale already has had its chance
    this.dropAll('peer restarted again');
    const restart = session.gracefulRestart;
    if (restart === undefined || restart.restartTimeSeconds === 0) return [];
    for (const { family } of restart.families) {
      if (session.families.includes(family)) this.#stale.add(family);
    }
    if (this.#stale.size > 0) {
      this.#expireAfter(restart.restartTimeSeconds * 1000, 'restart time over');
    }
    return this.families;
  }

  /** The peer is back: a family it cannot continue loses its stale routes at once. */
  sessionEstablished(session: NegotiatedSession): void {
    for (const family of this.families) {
      if (!continues(session, family)) this.#end(family, 'peer did not keep its forwarding state');
    }
    if (this.#stale.size > 0) {
      this.#expireAfter(this.#stalePathTimeMs, 'no End-of-RIB in the stale path time');
    }
  }

  /** RFC 4724 §4.2: everything that is to come has come. */
  endOfRib(family: AddressFamily): void {
    if (this.#stale.has(family)) this.#end(family, 'End-of-RIB');
    if (this.#stale.size === 0) this.#timer?.cancel();
  }

  dropAll(reason: string): void {
    this.#timer?.cancel();
    for (const family of this.families) this.#end(family, reason);
  }

  #expireAfter(ms: number, reason: string): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => this.dropAll(reason));
  }

  #end(family: AddressFamily, reason: string): void {
    this.#stale.delete(family);
    this.#drop(family, reason);
  }
}

/** RFC 4724 §4.2: the family is in the new capability, with F. */
function continues(session: NegotiatedSession, family: AddressFamily): boolean {
  if (!session.families.includes(family)) return false;
  const entry = session.gracefulRestart?.families.find((other) => other.family === family);
  return entry?.forwardingPreserved === true;
}
