// What the two sides of a comparison say: a router's rows and a kernel table's routes, with those of others in them.
import { describe, expect, it } from 'vitest';
import { parseKernelRoute } from '../../src/iproute2/kernel-route.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { RouterRows } from '../../src/sinks/ovn/router-rows.ts';
import type { RouteRow } from '../../src/sinks/ovn/row.ts';
import type { LabelledPrefix } from '../../src/verify/differences.ts';
import { hostTables } from '../../src/verify/host-tables.ts';
import { ovnTables } from '../../src/verify/ovn-tables.ts';

const show = (table: readonly LabelledPrefix[]): Record<string, string> =>
  Object.fromEntries(table.map(({ prefix, label }) => [formatPrefix(prefix), label]));

describe('ovnTables', () => {
  function routerOf(...rows: readonly Partial<RouteRow>[]): RouterRows {
    const router = new RouterRows();
    const touched = { owned: new Set<string>(), foreign: new Set<string>() };
    for (const [i, row] of rows.entries()) {
      const isOurs = row.isOurs ?? true;
      const whole = {
        uuid: `${i}`,
        prefix: '10.0.0.0/8',
        nexthop: 'a',
        isSound: isOurs,
        owner: '',
      };
      router.set(`${i}`, { ...whole, isOurs, competes: !isOurs, ...row }, touched);
    }
    return router;
  }
  const wanted = (prefix: string, ...nexthops: readonly string[]) => ({ prefix, nexthops });

  it('takes the rows of a prefix as one group, in any order and with repetitions', () => {
    const router = routerOf({ nexthop: 'b' }, { nexthop: 'a' }, { nexthop: 'b' });
    const { expected, actual } = ovnTables([wanted('10.0.0.0/8', 'a', 'b', 'b')], router, 'skip');
    expect(show(actual)).toEqual({ '10.0.0.0/8': 'a b b' });
    expect(show(expected)).toEqual(show(actual));
  });

  it('leaves a prefix of others to them, unless rows are shared', () => {
    const router = routerOf({ isOurs: false, nexthop: 'z' });
    for (const policy of ['skip', 'replace-when-gone'] as const) {
      const { expected, actual } = ovnTables([wanted('10.0.0.0/8', 'a')], router, policy);
      expect([show(expected), show(actual)]).toEqual([
        { '10.0.0.0/8': 'z' },
        { '10.0.0.0/8': 'z' },
      ]);
    }
    const { expected, actual } = ovnTables([wanted('10.0.0.0/8', 'a')], router, 'share');
    expect(show(expected)).toEqual({ '10.0.0.0/8': 'a z' });
    expect(show(actual)).toEqual({ '10.0.0.0/8': 'z' });
    const discard = ovnTables([wanted('10.0.0.0/8', 'discard')], router, 'share');
    expect(show(discard.expected)).toEqual({ '10.0.0.0/8': 'z' });
  });

  it('takes rows beside those of others for what they are: one group with them', () => {
    const router = routerOf({ nexthop: 'a' }, { isOurs: false, nexthop: 'z' });
    const { expected, actual } = ovnTables([wanted('10.0.0.0/8', 'a')], router, 'skip');
    expect([show(expected), show(actual)]).toEqual([
      { '10.0.0.0/8': 'z' },
      { '10.0.0.0/8': 'a z' },
    ]);
  });

  it('takes a row that somebody has edited for another, and a connected network for itself', () => {
    const router = routerOf({ isSound: false }, { prefix: '11.0.0.0/8' });
    const ports = new Map([['p', { name: 'out', networks: new Set(['11.0.0.1/8']) }]]);
    router.connected.update(new Set(['p']), ports);
    const list = [wanted('10.0.0.0/8', 'a'), wanted('11.0.0.0/8', 'b')];
    const { expected, actual } = ovnTables(list, router, 'skip');
    expect(show(expected)).toEqual({ '10.0.0.0/8': 'a', '11.0.0.0/8': 'connected out' });
    expect(show(actual)).toEqual({ '10.0.0.0/8': 'a(edited)', '11.0.0.0/8': 'connected out' });
  });
});

describe('hostTables', () => {
  const mark = { protocol: 114, metric: 20 };
  const printed = (text: string, label: string) => ({
    route: parseKernelRoute(text, false)!,
    label,
  });
  const wanted = [{ prefix: parsePrefix('10.0.0.0/8')!, label: 'ours' }];

  it.each<[string, string, string, string]>([
    ['ours alone', '10.0.0.0/8 via 1.1.1.1 proto 114 metric 20', 'ours', 'there'],
    ['a better one of others', '10.0.0.0/8 via 1.1.1.1 proto 186 metric 10', 'there', 'there'],
    ['one of others with our metric', '10.0.0.0/8 via 1.1.1.1 proto 4 metric 20', 'there', 'there'],
    ['a worse one of others', '10.0.0.0/8 via 1.1.1.1 proto 4 metric 30', 'ours', 'there'],
    ['our protocol, another metric', '10.0.0.0/8 via 1.1.1.1 proto 114 metric 30', 'ours', 'there'],
  ])('%s: the lowest metric decides', (_, text, label, there) => {
    const { expected, actual } = hostTables(wanted, [printed(text, 'there')], mark);
    expect([show(expected), show(actual)]).toEqual([
      { '10.0.0.0/8': label },
      { '10.0.0.0/8': there },
    ]);
  });

  it('takes of several printed ones the best', () => {
    const lines = [
      printed('10.0.0.0/8 via 1.1.1.1 proto 4 metric 30', 'worse'),
      printed('10.0.0.0/8 via 1.1.1.1 proto 114 metric 20', 'ours'),
    ];
    const { expected, actual } = hostTables(wanted, lines, mark);
    expect([show(expected), show(actual)]).toEqual([
      { '10.0.0.0/8': 'ours' },
      { '10.0.0.0/8': 'ours' },
    ]);
  });
});
