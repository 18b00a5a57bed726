// The harness with contestants that only pretend: who runs how often, what is printed, and that nothing is judged by failing.
import { describe, expect, it } from 'vitest';
import type { MeasuredResult, PointResult } from '../../../bench/harness/result.ts';
import { runScenarios } from '../../../bench/harness/run.ts';
import type { Contestant, Sample, Scenario } from '../../../bench/harness/scenario.ts';

function pretend(name: string, cpu: readonly number[], more: Partial<Contestant> = {}): Contestant {
  const left = [...cpu];
  return {
    name,
    version: async () => '1.0',
    run: async (): Promise<Sample> => {
      const next = left.shift();
      if (next === undefined) throw new Error('ran once too often');
      return { cpu: next };
    },
    ...more,
  };
}

function scenario(contestants: readonly Contestant[], more: Partial<Scenario> = {}): Scenario {
  return {
    name: 'sample',
    question: 'how much?',
    routes: 1000,
    smallRoutes: 10,
    repeats: 3,
    warmUpShare: 0,
    obstacle: () => undefined,
    input: (routes) => `${routes} routes`,
    metrics: [{ key: 'cpu', title: 'CPU', unit: 's' }],
    contestants,
    goals: [{ metric: 'cpu', against: 'BIRD', atMost: 1.5 }],
    ...more,
  };
}

async function run(comparison: Scenario, options: object = {}) {
  const lines: string[] = [];
  const report = await runScenarios([comparison], {
    ...options,
    print: (line) => lines.push(line),
  });
  const { points } = report.scenarios[0] as MeasuredResult;
  return { lines, text: lines.join('\n'), result: points?.[0] as PointResult, points, report };
}

describe('runScenarios', () => {
  it('compares medians with the peer of the same run', async () => {
    const { text, result } = await run(
      scenario([pretend('Rutter', [1.2, 9, 1.4]), pretend('BIRD', [1, 1, 1])]),
    );
    expect(result.goals).toMatchObject([{ value: 1.4, reached: true }]);
    expect(text).toContain('goal: Rutter CPU ≤ 1.50 × BIRD; 1.40 × BIRD: reached');
    expect(text).toContain('Rutter ÷ BIRD: CPU 1.40 ×');
    expect(text).toMatch(/runs +3 +3\n/);
    expect(text).toMatch(/CPU +1\.40 s \(1\.20–9\.00\) +1\.00 s\n/);
  });

  it('says that a goal is missed, and goes on', async () => {
    const { text, result } = await run(scenario([pretend('Rutter', [4]), pretend('BIRD', [1])]), {
      repeats: 1,
    });
    expect(result.goals).toMatchObject([{ value: 4, reached: false }]);
    expect(text).toContain(': missed');
    expect(text).toContain('done in');
  });

  it('names a peer that is not installed and leaves it out', async () => {
    const absent = pretend('BIRD', [], { version: async () => undefined });
    const { text, result } = await run(scenario([pretend('Rutter', [1, 1, 1]), absent]));
    expect(text).toContain('left out: BIRD: not installed');
    expect(result.goals).toMatchObject([{ value: undefined, reached: undefined }]);
    expect(text).toContain('not measured');
  });

  it("keeps a failed contestant's earlier runs and the others' all", async () => {
    const { text, result } = await run(
      scenario([pretend('Rutter', [1]), pretend('BIRD', [2, 2, 2])]),
    );
    expect(result.contestants.map(({ samples }) => samples.length)).toEqual([1, 3]);
    expect(text).toContain('Rutter failed: ran once too often');
  });

  it('runs a slow peer no more often than it allows, and drops the warm-up', async () => {
    const { result } = await run(
      scenario([pretend('Rutter', [50, 1, 2, 3]), pretend('FRR', [50, 7], { maxRepeats: 1 })], {
        warmUpShare: 0.1,
      }),
    );
    expect(result.contestants.map(({ samples }) => samples.map(({ cpu }) => cpu))).toEqual([
      [1, 2, 3],
      [7],
    ]);
  });

  it('runs only the contestants asked for', async () => {
    const { result } = await run(scenario([pretend('Rutter', []), pretend('BIRD', [1, 1, 1])]), {
      only: ['bird'],
    });
    expect(result.contestants.map(({ name }) => name)).toEqual(['BIRD']);
  });

  it('measures everybody at every point of a sweep, also after a failure at another', async () => {
    const sweep = {
      title: 'routes',
      scale: 'log',
      points: [10, 100, 1000].map((value) => ({ name: `${value}`, value })),
      smallPoints: [{ name: '10', value: 10 }],
    } as const;
    const asked: number[] = [];
    const slow = pretend('BIRD', [], {
      run: async ({ point }) => {
        asked.push(point.value);
        if (point.value === 100) throw new Error('too much');
        return { cpu: 1 };
      },
    });
    const goals = [{ metric: 'cpu', atMost: 2, at: '1000' }];
    const sample = scenario([pretend('Rutter', [1, 2, 3, 4, 5, 6]), slow], {
      sweep,
      goals,
      repeats: 2,
    });
    const { points, text } = await run(sample);
    expect(points.map(({ contestants: [own] }) => own?.samples)).toEqual([
      [{ cpu: 1 }, { cpu: 4 }],
      [{ cpu: 2 }, { cpu: 5 }],
      [{ cpu: 3 }, { cpu: 6 }],
    ]);
    expect(asked).toEqual([10, 100, 1000, 10, 1000]); // what failed once is not tried again
    expect(points.map(({ contestants }) => contestants[1]?.failure)).toEqual([
      undefined,
      'too much',
      undefined,
    ]);
    expect(points.map((point) => point.goals.length)).toEqual([0, 0, 1]);
    expect(text).toContain('routes: 1000');
  });

  it('takes the small sizes for a quick look, without a warm-up', async () => {
    const seen: object[] = [];
    const eager = pretend('Rutter', [], {
      run: async (options) => {
        seen.push(options);
        return { cpu: 1 };
      },
    });
    const small = await run(scenario([eager], { warmUpShare: 0.5 }), { isSmall: true });
    expect(small.report.isSmall).toBe(true);
    expect(small.result.goals).toEqual([]); // they speak of the full sizes
    expect(seen).toEqual([{ routes: 10, point: { name: '', value: 0 }, isSmall: true }]);
  });

  it('leaves out a scenario that has none of the points asked for', async () => {
    const point = { name: '10', value: 10 };
    const sweep = { title: 'routes', scale: 'log', points: [point], smallPoints: [point] } as const;
    const { text } = await run(scenario([pretend('Rutter', [])], { sweep }), { at: ['100'] });
    expect(text).toContain('left out: has none of the points asked for');
  });

  it('leaves out a scenario that cannot run here, with the reason', async () => {
    const { text } = await run(scenario([], { obstacle: () => 'needs root' }));
    expect(text).toContain('left out: needs root');
  });
});
