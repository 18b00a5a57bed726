// What the core is told of the router's rows: prefixes of them, as the events of a sink.
import { encodeForeign, encodeObservations, type ForeignKind } from '../../core/records.ts';
import { type Prefix, parsePrefix } from '../../net/prefix.ts';
import type { EmitSinkEvent } from '../sink.ts';
import type { Refusal } from './admission.ts';
import type { RouterRows } from './router-rows.ts';
import { observedSet } from './row.ts';

/** Prefixes per observation message. */
const OBSERVED_PER_EVENT = 4096;

export class RouteEvents {
  readonly #rows: RouterRows;
  readonly #emit: EmitSinkEvent;

  constructor(rows: RouterRows, emit: EmitSinkEvent) {
    this.#rows = rows;
    this.#emit = emit;
  }

  snapshot(): void {
    this.#emit({ type: 'snapshotBegin' });
    const prefixes = [...this.#rows.ownedPrefixes()];
    for (let start = 0; start < prefixes.length; start += OBSERVED_PER_EVENT) {
      this.observed(prefixes.slice(start, start + OBSERVED_PER_EVENT));
    }
    this.foreign([...this.#rows.othersPrefixes()]);
    this.#emit({
      type: 'snapshotEnd',
      ownedCount: this.#rows.ownedCount,
      foreignCount: this.#rows.foreign.count,
    });
  }

  /** The rows of ours at these prefixes. */
  observed(prefixes: readonly string[]): void {
    if (prefixes.length === 0) return;
    const observations = prefixes.map((text) => ({
      prefix: parsePrefix(text)!,
      set: observedSet(this.#rows.owned(text)),
    }));
    this.#emit({ type: 'observed', ...encodeObservations(observations) });
  }

  /** Routes of others that an aggregated table must stay clear of. They win or share at their prefix: admission.ts says which. */
  foreign(prefixes: readonly string[]): void {
    if (prefixes.length === 0) return;
    const routes = prefixes.map((text): { prefix: Prefix; kind: ForeignKind } => ({
      prefix: parsePrefix(text)!,
      kind: this.#rows.isOthers(text) ? 'wins' : 'none',
    }));
    this.#emit({ type: 'foreign', ...encodeForeign(routes) });
  }

  refused(prefix: string, refusal: Refusal): void {
    this.#emit({ type: 'refused', ...encodePrefixes([prefix]), ...refusal });
  }

  released(prefixes: readonly string[]): void {
    if (prefixes.length > 0) this.#emit({ type: 'released', ...encodePrefixes(prefixes) });
  }
}

/** Observations of nothing: how prefixes are named in `refused` and `released`. */
function encodePrefixes(prefixes: readonly string[]): {
  records: ArrayBuffer;
  byteLength: number;
} {
  return encodeObservations(
    prefixes.map((text) => ({ prefix: parsePrefix(text)!, set: undefined })),
  );
}
