// Looks a few times a second whether restless prefixes have come to rest, for as long as there are any.
import type { RouteCore } from '../core/route-core.ts';

/** A quarter of the time after which the core calls a prefix quiet (assembly/rib/restless.ts). */
const LOOK_MS = 100;

type RestlessCore = Pick<RouteCore, 'passRestedPrefixes' | 'restlessPrefixCount'>;

export class RestTimer {
  readonly #core: RestlessCore;
  readonly #onPassed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `onPassed`: FIBs may have something to drain. */
  constructor(core: RestlessCore, onPassed: () => void) {
    this.#core = core;
    this.#onPassed = onPassed;
  }

  /** To be called when prefixes may have become restless: cheap, and as often as one likes. */
  arm(): void {
    if (this.#timer !== undefined || this.#core.restlessPrefixCount() === 0) return;
    // When the loop was held, timers run before sockets are read: what seems quiet may have changes waiting there.
    this.#timer = setTimeout(() => {
      this.#turn = setImmediate(() => this.#look());
    }, LOOK_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    this.#core.passRestedPrefixes(Date.now() / 1000);
    this.#onPassed();
    this.arm();
  }
}
