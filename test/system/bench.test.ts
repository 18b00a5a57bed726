// The benches with tiny tables: every contestant takes part, none fails, and nothing is left behind.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { churns } from '../../bench/churn.ts';
import { failover } from '../../bench/failover.ts';
import { flapStorm } from '../../bench/flap-storm.ts';
import type { MeasuredResult, PointResult } from '../../bench/harness/result.ts';
import { runScenarios } from '../../bench/harness/run.ts';
import type { Scenario } from '../../bench/harness/scenario.ts';
import { ingest } from '../../bench/ingest.ts';
import { kernelTable } from '../../bench/kernel-table.ts';
import { oneChange } from '../../bench/one-change.ts';
import { oneFlow } from '../../bench/one-flow.ts';
import { ovnLoad } from '../../bench/ovn-load.ts';
import { restart } from '../../bench/restart.ts';
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

describe.skipIf(process.getuid?.() !== 0)('benches (skipped without root)', () => {
  it.each([ingest, kernelTable, oneChange, flapStorm])(
    '$name measures everybody and cleans up',
    async (scenario) => {
      const result = await runSmall(scenario);
      expect(result.contestants.filter(({ failure }) => failure !== undefined)).toEqual([]);
      expect(result.contestants.map(({ samples }) => samples.length)).toEqual(
        scenario.contestants.map(() => 1),
      );
      expect(result.leftOut).toEqual([]);
      expect(await leftBehind()).toEqual([]);
    },
  );

  it.each([churns.at(-1)!, failover, oneFlow, ovnLoad])(
    '$name measures Rutter and some peers and cleans up',
    async (scenario) => {
      const result = await runSmall(scenario, [
        'rutter',
        'rutter programming',
        'bird',
        'bare transactions',
        're-list and diff',
      ]);
      expect(result.contestants.filter(({ failure }) => failure !== undefined)).toEqual([]);
      const counts = result.contestants.map(({ samples }) => samples.length);
      expect(counts.length).toBeGreaterThan(1);
      expect(counts).toEqual(counts.map(() => 1));
      expect(await leftBehind()).toEqual([]);
    },
  );

  it('restart writes nothing that was right already (P3)', async () => {
    const { contestants } = await runSmall(restart);
    expect(contestants).toMatchObject([{ samples: [{ kernelEvents: 0, ovnEvents: 0 }] }]);
    expect(await leftBehind()).toEqual([]);
  });
});
