// Waiting for a program under test without disturbing it much: until a count is reached, until it is at rest.
import { setTimeout as sleep } from 'node:timers/promises';
import { processCost } from './cpu.ts';

/** Nanoseconds of the monotonic clock, which all processes of this machine read alike. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint());
}

export interface CountOptions {
  readonly what: string;
  readonly target: number;
  readonly intervalMs: number;
  readonly deadlineMs: number;
}

/** Resolves with the time at which the count was first seen at or above its target. */
export async function untilCount(
  read: () => number | Promise<number>,
  { what, target, intervalMs, deadlineMs }: CountOptions,
): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const count = await read();
    if (count >= target) return monotonicNow();
    if (performance.now() > deadline) {
      throw new Error(`${what}: ${count} of ${target} after ${deadlineMs / 1000} s`);
    }
    await sleep(intervalMs);
  }
}

const REST_WINDOW_MS = 300;
/** CPU that a program at rest may use per window: two ticks. */
const REST_CPU_SECONDS = 0.02;
const REST_DEADLINE_MS = 60_000;

/** Resolves when the processes do next to nothing, so that their CPU is the whole price of what went before. */
export async function untilAtRest(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + REST_DEADLINE_MS;
  let before = processCost(pids).cpuSeconds;
  while (performance.now() < deadline) {
    await sleep(REST_WINDOW_MS);
    const after = processCost(pids).cpuSeconds;
    if (after - before <= REST_CPU_SECONDS) return;
    before = after;
  }
}
