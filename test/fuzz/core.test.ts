// The route core under hostile input: five peers send mutated real messages, noise and lies while sessions, networks and FIBs change
// under them (core-fuzzer.ts). Fixed seeds: a failure names the one to run again.
import { beforeAll, describe, expect, it } from 'vitest';
import { CoreFuzzer } from './core-fuzzer.ts';
import { Random } from './random.ts';
import { builtInMessages, recordedMessages } from './seed-messages.ts';

const MIB = 2 ** 20;
const STEPS = 800;
const STEPS_BETWEEN_CHECKS = 400;

let seeds: Uint8Array[];
beforeAll(async () => {
  seeds = [...builtInMessages(), ...(await recordedMessages())];
});

function live(fuzzer: CoreFuzzer, steps = STEPS): void {
  for (let step = 1; step <= steps; step++) {
    fuzzer.step();
    if (step % STEPS_BETWEEN_CHECKS === 0) fuzzer.check();
  }
}

describe('the route core under hostile input', () => {
  it.each([
    { seed: 1, mebibytes: 8 },
    { seed: 2, mebibytes: 8 },
    { seed: 3, mebibytes: 16 },
    { seed: 4, mebibytes: 64 },
    { seed: 5, mebibytes: 64 },
  ])('keeps its counters and its ceiling of $mebibytes MiB, seed $seed', async (run) => {
    const maximumBytes = run.mebibytes * MIB;
    const fuzzer = await CoreFuzzer.start({ maximumBytes, seeds, random: new Random(run.seed) });
    live(fuzzer);
    const { messages, announced, resets, policies } = fuzzer.counts;
    expect(policies).toBeGreaterThan(10);
    expect(Math.min(messages, announced, resets)).toBeGreaterThan(100); // it reached what it is for
    expect(fuzzer.end()).toMatchObject({ routes: 0, sets: 0 });
  });

  it('keeps every route as its policy makes it, whatever became of the policy', async () => {
    const fuzzer = await CoreFuzzer.start({
      maximumBytes: 64 * MIB,
      seeds,
      random: new Random(7),
    });
    for (let life = 0; life < 4; life++) {
      live(fuzzer, 200);
      fuzzer.check();
    }
    expect(fuzzer.counts.judged).toBeGreaterThan(1000);
    expect(fuzzer.end()).toMatchObject({ routes: 0, sets: 0 });
  });

  it('gives everything back: the same life again needs no more memory', async () => {
    const maximumBytes = 64 * MIB;
    const fuzzer = await CoreFuzzer.start({ maximumBytes, seeds, random: new Random(6) });
    const used: number[] = [];
    for (let life = 0; life < 3; life++) {
      fuzzer.restart(new Random(6));
      live(fuzzer, 250);
      used.push(fuzzer.end().usedBytes);
    }
    // Hash tables keep the size they have grown to; the first life has grown them.
    expect(used.slice(1)).toEqual([used[0], used[0]]);
  });

  it('refuses and counts what does not fit, withdraws all the same, and takes routes again', async () => {
    const maximumBytes = 8 * MIB;
    const fuzzer = await CoreFuzzer.start({ maximumBytes, seeds, random: new Random(7) });
    fuzzer.flood();
    expect(fuzzer.counts.outOfMemory).toBeGreaterThan(1000);
    fuzzer.check();
    expect(fuzzer.end()).toMatchObject({ routes: 0, sets: 0 });
    const before = fuzzer.counts.announced;
    fuzzer.restart(new Random(8));
    live(fuzzer, 300);
    expect(fuzzer.counts.announced).toBeGreaterThan(before + 1000);
  });
});
