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
  const beganAt = performance.now();
  let first: number | undefined;
  for (;;) {
    const count = await read();
    if (count >= target) return monotonicNow();
    const elapsedMs = performance.now() - beganAt;
    if (elapsedMs > deadlineMs) {
      throw new Error(`${what}: ${count} of ${target} after ${deadlineMs / 1000} s`);
    }
    first ??= count;
    await sleep(pauseMs(intervalMs, elapsedMs, count - first, target - count));
  }
}

/** Of the time that is left at the pace so far, before one looks again. */
const SHARE_OF_REST = 0.25;
/** Intervals that one waits at most. */
const LONGEST_PAUSE = 5;

/**
 * How long not to look. Far from the target that is longer: to count a million routes the kernel walks them all, and whoever fills them in
 * waits for the core.
 */
export function pauseMs(
  intervalMs: number,
  elapsedMs: number,
  doneCount: number,
  leftCount: number,
): number {
  if (doneCount <= 0) return intervalMs;
  const restMs = (elapsedMs / doneCount) * leftCount;
  return Math.min(LONGEST_PAUSE * intervalMs, Math.max(intervalMs, restMs * SHARE_OF_REST));
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
