// Latencies of single changes: from their cause to the moment a watcher sees their effect, one at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metric, Sample } from './scenario.ts';
import { percentile } from './statistics.ts';

/** Between two changes the system comes to rest: this is about one change, not about a rate. */
const PAUSE_MS = 15;
const CHANGE_DEADLINE_MS = 60_000;

export const latencyMetrics: readonly Metric[] = [
  { key: 'median', title: 'one change, median', unit: 'ms' },
  { key: 'p90', title: 'one change, p90', unit: 'ms' },
  { key: 'p99', title: 'one change, p99', unit: 'ms' },
  { key: 'worst', title: 'one change, worst', unit: 'ms' },
];

/** What a watcher has seen, and who waits for one of it. */
export class Arrivals<Seen extends { readonly at: number }> {
  #seen: Seen[] = [];
  #wake: () => void = () => undefined;

  add(seen: Seen): void {
    this.#seen.push(seen);
    this.#wake();
  }

  clear(): void {
    this.#seen = [];
  }

  /** When the first that is meant arrived; rejects when it does not. */
  async of(what: string, isMeant: (seen: Seen) => boolean): Promise<number> {
    const deadline = sleep(CHANGE_DEADLINE_MS, 'late' as const, { ref: false });
    for (;;) {
      const found = this.#seen.find(isMeant);
      if (found) return found.at;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if ((await Promise.race([woken, deadline])) === 'late') {
        throw new Error(`${what}: not seen after ${CHANGE_DEADLINE_MS} ms`);
      }
    }
  }
}

export interface Turns {
  readonly count: number;
  /** Before those that count. */
  readonly warmUp: number;
}

/** Milliseconds per change. `change` makes change number `turn` and resolves with when it was made and when it was seen. */
export async function measureLatencies(
  { count, warmUp }: Turns,
  change: (turn: number) => Promise<{ readonly madeAt: number; readonly seenAt: number }>,
): Promise<Sample> {
  const latencies: number[] = [];
  for (let turn = 0; turn < warmUp + count; turn++) {
    const { madeAt, seenAt } = await change(turn);
    if (turn >= warmUp) latencies.push((seenAt - madeAt) / 1e6);
    await sleep(PAUSE_MS);
  }
  latencies.sort((a, b) => a - b);
  return {
    median: percentile(latencies, 50),
    p90: percentile(latencies, 90),
    p99: percentile(latencies, 99),
    worst: latencies.at(-1) ?? 0,
  };
}

/** A route of `routes`, all over the table, another one each turn. */
export function routeOfTurn(turn: number, routes: number): number {
  return Math.floor((turn * 0.618 * routes) % routes);
}
