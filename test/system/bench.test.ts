// The benches with tiny tables: every contestant takes part, none fails, and nothing is left behind.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { MeasuredResult, PointResult } from '../../bench/harness/result.ts';
import { runScenarios } from '../../bench/harness/run.ts';
import type { Scenario } from '../../bench/harness/scenario.ts';
import { restart } from '../../bench/restart.ts';
import { scenarios } from '../../bench/scenarios.ts';
import { execute } from '../../src/lab/execute.ts';

async function runSmall(
  scenario: Scenario,
  only?: readonly string[],
): Promise<Pick<MeasuredResult, 'leftOut'> & Pick<PointResult, 'contestants'>> {
  const result = await runScenarios([scenario], {
    isSmall: true,
    print: () => undefined,
    ...(only ? { only } : {}),
  });
  const [{ leftOut, points }] = result.scenarios as [MeasuredResult];
  expect(points).toHaveLength(scenario.sweep?.smallPoints.length ?? 1);
  return { leftOut, contestants: points.flatMap(({ contestants }) => contestants) };
}

async function leftBehind(): Promise<string[]> {
  const label = `bench-${process.pid}`;
  const namespaces = (await execute('ip', ['netns', 'list'])).split('\n');
  const directories = readdirSync(tmpdir());
  return [
    ...namespaces.filter((name) => name.includes(label)),
    ...directories.filter((name) => name.startsWith(`rutter-${label}-`)),
  ];
}

/** Where everybody takes part; elsewhere Rutter and who is named here. */
const everybody = new Set(['ingest', 'kernel-table', 'one-change', 'churn-hunt', 'ovn-load']);
const some = ['rutter', 'rutter programming', 'bird', 'bare server', 're-list and diff'];

describe.skipIf(process.getuid?.() !== 0)('benches (skipped without root)', () => {
  for (const scenario of scenarios.filter((each) => each !== restart)) {
    const obstacle = scenario.obstacle();
    const title = `${scenario.name} measures and cleans up${obstacle ? ` (${obstacle})` : ''}`;
    it.skipIf(obstacle)(title, () => expectMeasured(scenario));
  }

  it('restart writes nothing that was right already (P3)', async () => {
    const [result] = (await runSmall(restart)).contestants;
    expect(result).not.toHaveProperty('failure');
    expect(result?.samples).toMatchObject([{ kernelEvents: 0, ovnEvents: 0 }]);
    expect(await leftBehind()).toEqual([]);
  });
});

/** Those of `some` that take part in it; all, where none of them does. */
function namesOf({ contestants }: Scenario): readonly string[] | undefined {
  const names = contestants.map(({ name }) => name.toLowerCase());
  const chosen = names.filter((name) => some.includes(name));
  return chosen.length > 0 ? chosen : undefined;
}

async function expectMeasured(scenario: Scenario): Promise<void> {
  const only = everybody.has(scenario.name) ? undefined : namesOf(scenario);
  const { contestants, leftOut } = await runSmall(scenario, only);
  expect(contestants.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(leftOut).toEqual([]);
  const points = scenario.sweep?.smallPoints.length ?? 1;
  expect(contestants).toHaveLength((only ?? scenario.contestants).length * points);
  for (const { samples } of contestants) expect(samples).toHaveLength(1);
  expect(await leftBehind()).toEqual([]);
}
