// The report of a run: what a reader must find in it, and that it holds no markup of anybody else's.
import { expect, it } from 'vitest';
import { drawPlot } from '../../../bench/harness/plot.ts';
import { makeReport } from '../../../bench/harness/report.ts';
import { type BenchResult, type ContestantResult, SCHEMA } from '../../../bench/harness/result.ts';

const contestants = (cpu: number): ContestantResult[] => [
  {
    name: 'Rutter',
    version: '1',
    samples: [1, 2, 3].map((n) => ({ cpu: cpu * n, foreignCores: 0.5 })),
  },
  { name: 'BIRD', version: '<2>', samples: [], failure: 'exit & out' },
];

const result: BenchResult = {
  schema: SCHEMA,
  isSmall: false,
  machine: {
    cpu: 'a <processor>',
    cores: 2,
    memoryBytes: 2 ** 30,
    kernel: '6',
    node: 'v24',
    loadAverage: 1,
  },
  version: 'rutter 0.1',
  startedAt: '2026-01-02T03:04:05.678Z',
  seconds: 12,
  scenarios: [
    {
      name: 'sweep',
      question: 'how much?',
      input: 'routes',
      routes: 10,
      warmUp: 'none',
      repeats: 3,
      metrics: [{ key: 'cpu', title: 'CPU', unit: 's' }],
      sweep: { title: 'table size', scale: 'log' },
      points: [10, 1000].map((value) => ({
        point: { name: `${value} routes`, value },
        contestants: contestants(value),
        goals: [{ metric: 'cpu', atMost: 5, value: value / 10, reached: value < 50 }],
      })),
      leftOut: ['FRR: not installed'],
      seconds: 3,
    },
    { name: 'none', question: 'why?', skipped: 'needs root' },
  ],
};

it('has figures, goals, plots, who failed, who was left out and why', () => {
  const [page, plot] = makeReport(result);
  expect(page?.name).toBe('report.html');
  expect(plot?.name).toBe('sweep-cpu.svg');
  for (const text of [
    'a &lt;processor&gt;',
    'rutter 0.1',
    '20.0 s (10.0–30.0)',
    'BIRD failed: exit &amp; out',
    'class="missed">goal: Rutter CPU ≤ 5.00 s; 100 s: missed',
    'Left out: FRR: not installed',
    'Left out: needs root',
  ]) {
    expect(page?.content).toContain(text);
  }
  expect(page?.content).not.toContain('<2>');
  expect(page?.content).toContain(plot?.content);
});

it('draws a sweep with its axes, units and a legend', () => {
  const [, plot] = makeReport(result);
  for (const text of [
    'sweep: CPU, s (less is better)',
    'table size',
    '1000 routes',
    '>Rutter<',
    '>BIRD<',
  ]) {
    expect(plot?.content).toContain(text);
  }
  expect(plot?.content.match(/<circle/g)).toHaveLength(2);
});

it('says at a glance which goals were reached, what failed, and how much of the machine others took', () => {
  const [page] = makeReport(result);
  expect(page?.content).toContain(
    '<td class="reached">1</td><td class="missed">1</td><td class="missed">2</td><td>up to 0.500 cores</td>',
  );
  expect(page?.content).toContain('<td colspan="4">left out: needs root</td>');
});

it("names everybody's version and number of runs, and which way is better", () => {
  const [page] = makeReport(result);
  expect(page?.content).toContain('<th>Rutter<br><small>1<br>3 runs</small></th>');
  expect(page?.content).toContain('<th>BIRD<br><small>&lt;2&gt;<br>0 runs</small></th>');
  expect(page?.content).toContain('<th>CPU<br><small>less is better</small></th>');
});

it('draws one point as bars, each with its spread', () => {
  const drawing = drawPlot({
    title: 'wall, s',
    xTitle: '',
    scale: 'names',
    ticks: [{ x: 0, name: '' }],
    series: [
      { name: 'Rutter', marks: [{ x: 0, y: 2, lowest: 1, highest: 4 }] },
      { name: 'FRR', marks: [] },
    ],
  });
  // the axis goes to 4, from 190 to 560
  expect(drawing).toContain('width="185.0"');
  expect(drawing).toContain('<line x1="282.5" y1="46.0" x2="560.0" y2="46.0"');
  expect(drawing).toContain('not measured');
});

it('draws named points as groups of bars, whatever the length of their names', () => {
  const mark = (x: number, y: number) => ({ x, y, lowest: y, highest: y });
  const drawing = drawPlot({
    title: 'wall, s',
    xTitle: 'table',
    scale: 'names',
    ticks: ['a rather long name of a table', 'b'].map((name, x) => ({ x, name })),
    series: [{ name: 'Rutter', marks: [mark(0, 2), mark(1, 4)] }],
  });
  expect(drawing).toContain('>a rather long name of a table<');
  expect(drawing.match(/width="(185|370)\.0"/g)).toEqual(['width="185.0"', 'width="370.0"']);
});
