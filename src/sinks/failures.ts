// Which prefixes a target refused, why, and when each is tried again. Pure: the reconciler brings time and chance.
//
// Some reasons go away by an event the sink tells (`released`): those are retried by time only now and then, in case nobody wants the
// prefix any more or the event was missed. All others back off.
import { formatPrefix, type Prefix } from '../net/prefix.ts';

/** Why a prefix is not in its target. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Milliseconds since 1970 of the first refusal in a row. */
  readonly since: number;
  /** Refusals in a row. */
  readonly attempts: number;
  /** Milliseconds since 1970; undefined while it is being tried. */
  readonly retryAt: number | undefined;
}

interface Entry extends Failure {
  readonly prefix: Prefix;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** For reasons the sink tells the end of. */
const RELEASE_RETRY_MS = 600_000;
/** Retries due this soon go together. */
const TOGETHER_MS = 250;

/** Refusals whose end the sink announces (`released`). */
const waitsForRelease = new Set([
  'collision',
  'connected',
  'waiting-for-foreign',
  'next-hop-family',
  'limit',
  'unreachable-next-hop',
]);

export class Failures {
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<string, number>();

  /** How many prefixes are refused by each code. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(prefix: Prefix): Failure | undefined {
    return this.#entries.get(formatPrefix(prefix));
  }

  /** Up to `limit` failures, oldest first. */
  list(limit: number): { prefix: Prefix; failure: Failure }[] {
    const first: { prefix: Prefix; failure: Failure }[] = [];
    for (const entry of this.#entries.values()) {
      if (first.length === limit) break;
      first.push({ prefix: entry.prefix, failure: entry });
    }
    return first;
  }

  /** One of those with this code. */
  first(code: string): { readonly prefix: Prefix; readonly message: string } | undefined {
    for (const entry of this.#entries.values()) if (entry.code === code) return entry;
    return undefined;
  }

  /** Refused once more. `chance` in 0…1 spreads the retries of many prefixes by a quarter either way. */
  refuse(
    prefix: Prefix,
    { code, message }: { readonly code: string; readonly message: string },
    now: number,
    chance: number,
  ): void {
    const key = formatPrefix(prefix);
    const before = this.#entries.get(key);
    const attempts = (before?.attempts ?? 0) + 1;
    const delay = waitsForRelease.has(code)
      ? RELEASE_RETRY_MS
      : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1));
    const retryAt = now + delay * (0.75 + chance / 2);
    const copy = { address: prefix.address.slice(), length: prefix.length };
    const since = before?.since ?? now;
    if (before !== undefined) this.#count(before.code, -1);
    this.#count(code, 1);
    this.#entries.set(key, { prefix: copy, code, message, since, attempts, retryAt });
  }

  /** It is in. */
  clear(prefix: Prefix): void {
    this.#delete(formatPrefix(prefix));
  }

  /** The sink let it go: it is being tried from now on. */
  release(prefix: Prefix): void {
    const key = formatPrefix(prefix);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.set(key, { ...entry, retryAt: undefined });
  }

  /** Nothing is pending any more: what is still being tried is wanted by nobody. */
  dropTried(): void {
    for (const [key, { retryAt }] of this.#entries) {
      if (retryAt === undefined) this.#delete(key);
    }
  }

  #delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#count(entry.code, -1);
  }

  #count(code: string, more: number): void {
    const count = (this.#counts.get(code) ?? 0) + more;
    if (count > 0) this.#counts.set(code, count);
    else this.#counts.delete(code);
  }

  /** Takes the prefixes whose time has come; they are being tried from now on. */
  takeDue(now: number): Prefix[] {
    const due: Prefix[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.retryAt === undefined || entry.retryAt > now + TOGETHER_MS) continue;
      due.push(entry.prefix);
      this.#entries.set(key, { ...entry, retryAt: undefined });
    }
    return due;
  }

  /** When the next prefix is due, or undefined. */
  nextRetry(): number | undefined {
    let next: number | undefined;
    for (const { retryAt } of this.#entries.values()) {
      if (retryAt !== undefined && (next === undefined || retryAt < next)) next = retryAt;
    }
    return next;
  }
}
