// Routes of others in our table, by prefix and metric: what an aggregated table must stay clear of. Pure.
//
// Of routes with one prefix the kernel takes the one with the lowest metric. So somebody else's route wins at its prefix unless ours is
// there with a lower metric; when ours is left out, as an aggregated one may be, theirs is what remains.
import type { ForeignKind } from '../../core/records.ts';

export class ForeignRoutes {
  readonly #metric: number;
  readonly #metrics = new Map<string, Set<number>>();
  #changed = new Set<string>();

  /** `metric`: that of our routes. */
  constructor(metric: number) {
    this.#metric = metric;
  }

  clear(): void {
    this.#metrics.clear();
    this.#changed.clear();
  }

  add(prefix: string, metric: number): void {
    const metrics = this.#metrics.get(prefix) ?? new Set();
    metrics.add(metric);
    this.#metrics.set(prefix, metrics);
    this.#changed.add(prefix);
  }

  delete(prefix: string, metric: number): void {
    const metrics = this.#metrics.get(prefix);
    if (!metrics?.delete(metric)) return;
    if (metrics.size === 0) this.#metrics.delete(prefix);
    this.#changed.add(prefix);
  }

  /** Takes the prefixes that have changed since the last call, and what is there now. */
  takeChanged(): { readonly prefix: string; readonly kind: ForeignKind }[] {
    const changed = [...this.#changed].map((prefix) => ({ prefix, kind: this.#kindOf(prefix) }));
    this.#changed = new Set();
    return changed;
  }

  #kindOf(prefix: string): ForeignKind {
    const metrics = this.#metrics.get(prefix);
    if (metrics === undefined) return 'none';
    return Math.min(...metrics) > this.#metric ? 'yields' : 'wins';
  }
}
