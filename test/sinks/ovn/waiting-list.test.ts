// The order of those who wait for room, against a list that is sorted anew each time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingList } from '../../../src/sinks/ovn/waiting-list.ts';
import { NaiveWaitingList } from '../../naive/waiting-list.ts';

const prefix = fc.constantFrom(
  ...['0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/24', '10.0.1.0/24', '200.0.0.0/24', '9.0.0.0/8'],
  ...['::/0', '2001:db8::/32', '2001:d00::/24', '2001:db8::1/128', '10.0.0.1/32'],
);
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), prefix, rows: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('delete' as const), prefix }),
  fc.record({ kind: fc.constant('take' as const), room: fc.integer({ min: 0, max: 9 }) }),
);

describe('WaitingList', () => {
  it('gives room as a sorted list would, after any steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const list = new WaitingList();
        const twin = new NaiveWaitingList();
        for (const each of steps) {
          if (each.kind === 'add') {
            list.add(each.prefix, each.rows);
            twin.add(each.prefix, each.rows);
          } else if (each.kind === 'delete') {
            list.delete(each.prefix);
            twin.delete(each.prefix);
          } else expect(list.take(each.room)).toEqual(twin.take(each.room));
          expect(list.size).toBe(twin.size);
        }
        expect(list.take(1000)).toEqual(twin.take(1000));
      }),
      { numRuns: 1000 },
    );
  });

  it('puts a covering prefix before its more-specifics, IPv4 before IPv6 of one length, then by address', () => {
    const list = new WaitingList();
    const inOrder = [
      ...['0.0.0.0/0', '::/0', '10.0.0.0/8', '11.0.0.0/8', '10.0.0.0/9', '10.0.0.0/32'],
      ...['2001:db8::/32', '2001:db9::/32', '2001:db8::/33'],
    ];
    for (const each of [...inOrder].sort()) list.add(each, 1);
    expect(list.take(100).map(({ prefix: text }) => text)).toEqual(inOrder);
  });

  it('passes over who needs more rows than there is room for', () => {
    const list = new WaitingList();
    list.add('10.0.0.0/8', 3);
    list.add('10.1.0.0/16', 1);
    expect(list.take(2)).toEqual([{ prefix: '10.1.0.0/16', rows: 1 }]);
    expect(list.take(2)).toEqual([]);
    expect(list.take(3)).toEqual([{ prefix: '10.0.0.0/8', rows: 3 }]);
  });

  it('does not grow with those who come and go', () => {
    const list = new WaitingList();
    for (let i = 0; i < 20_000; i++) {
      list.add('10.0.0.0/8', 1);
      list.delete('10.0.0.0/8');
    }
    list.add('10.0.0.0/8', 1);
    expect(list.take(9)).toEqual([{ prefix: '10.0.0.0/8', rows: 1 }]);
    expect(list.kept).toBeLessThan(2000);
  });
});
