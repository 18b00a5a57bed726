// What `--at` selects.
import { describe, expect, it } from 'vitest';
import { choosePoints, pointNames, unknownPoints } from '../../../bench/harness/points.ts';
import { scenarios } from '../../../bench/scenarios.ts';

const sweep = {
  title: 'table',
  scale: 'names',
  points: [
    { name: '1 000', value: 1000 },
    { name: 'DFZ, by block', value: 2 },
    { name: 'as fast as taken', value: 0 },
  ],
  smallPoints: [{ name: '10', value: 10 }],
} as const;

function chosen(options: Parameters<typeof choosePoints>[1]): string[] {
  return choosePoints(sweep, options).map(({ name }) => name);
}

describe('choosePoints', () => {
  it.each([
    [{}, ['1 000', 'DFZ, by block', 'as fast as taken']],
    [{ isSmall: true }, ['10']],
    [{ at: ['1 000'] }, ['1 000']],
    [{ at: ['1000', '0'] }, ['1 000', 'as fast as taken']],
    [{ at: ['as fast as taken'] }, ['as fast as taken']],
    [{ at: ['10'] }, ['10']],
    [{ at: ['1000'], isSmall: true }, ['1 000']],
    [{ at: ['7'] }, []],
  ])('%j → %j', (options, names) => {
    expect(chosen(options)).toEqual(names);
  });

  it('gives a scenario without a sweep its one point, whatever is asked for', () => {
    expect(choosePoints(undefined, { at: ['7'] })).toEqual([{ name: '', value: 0 }]);
  });
});

describe('the scenarios there are', () => {
  it('have points that a comma-separated list can name', () => {
    for (const name of pointNames(scenarios)) {
      expect(name).not.toContain(',');
      expect(unknownPoints(scenarios, [name.toLowerCase()])).toEqual([]);
    }
  });

  it('know no others', () => {
    expect(unknownPoints(scenarios, ['50000', 'nowhere'])).toEqual(['nowhere']);
  });

  it('have names of their own, and metrics and points too', () => {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { metrics, sweep: own } of scenarios) {
      const keys = metrics.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      const values = own?.points.map(({ value }) => value) ?? [];
      expect(new Set(values).size).toBe(values.length);
    }
  });
});
