// What result.json looks like, field by field: who reads it must be told when that changes (SCHEMA in bench/harness/result.ts).
import { expect, it } from 'vitest';
import { runScenarios } from '../../../bench/harness/run.ts';
import type { Scenario } from '../../../bench/harness/scenario.ts';

const scenario: Scenario = {
  name: 'sample',
  question: 'how much?',
  routes: 100,
  smallRoutes: 10,
  repeats: 2,
  sweep: {
    title: 'size',
    scale: 'log',
    points: [{ name: '1 000', value: 1000 }],
    smallPoints: [{ name: '10', value: 10 }],
  },
  warmUpShare: 0.5,
  obstacle: () => undefined,
  input: (routes) => `${routes} routes`,
  metrics: [{ key: 'cpu', title: 'CPU', unit: 's' }],
  contestants: [
    {
      name: 'Rutter',
      version: async () => '1',
      run: async () => ({ cpu: 2, foreignCores: 0.5 }),
    },
    {
      name: 'BIRD',
      version: async () => '2',
      run: async () => {
        throw new Error('it ended');
      },
    },
    { name: 'FRR', version: async () => undefined, run: async () => ({}) },
  ],
  goals: [
    { metric: 'cpu', atMost: 3 },
    { metric: 'cpu', against: 'BIRD', atMost: 1 },
  ],
};

it('is this (schema 1)', async () => {
  const absent: Scenario = { ...scenario, name: 'absent', obstacle: () => 'needs root' };
  const result = await runScenarios([scenario, absent], { print: () => undefined });
  expect(JSON.parse(JSON.stringify(result))).toEqual({
    schema: 1,
    isSmall: false,
    machine: {
      cpu: expect.any(String),
      cores: expect.any(Number),
      memoryBytes: expect.any(Number),
      kernel: expect.any(String),
      node: expect.any(String),
      loadAverage: expect.any(Number),
    },
    version: expect.stringMatching(/^rutter /),
    startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    seconds: expect.any(Number),
    scenarios: [
      {
        name: 'sample',
        question: 'how much?',
        input: '100 routes',
        routes: 100,
        warmUp: 'one run of 50 routes each',
        repeats: 2,
        metrics: [
          { key: 'cpu', title: 'CPU', unit: 's' },
          { key: 'foreignCores', title: "others' CPU", unit: 'cores', isContext: true },
        ],
        sweep: { title: 'size', scale: 'log' },
        points: [
          {
            point: { name: '1 000', value: 1000 },
            contestants: [
              {
                name: 'Rutter',
                version: '1',
                samples: Array(2).fill({ cpu: 2, foreignCores: 0.5 }),
              },
              { name: 'BIRD', version: '2', samples: [], failure: 'it ended' },
            ],
            goals: [
              { metric: 'cpu', atMost: 3, value: 2, reached: true },
              { metric: 'cpu', against: 'BIRD', atMost: 1 },
            ],
          },
        ],
        leftOut: ['FRR: not installed (bench/setup)'],
        seconds: expect.any(Number),
      },
      { name: 'absent', question: 'how much?', skipped: 'needs root' },
    ],
  });
});
