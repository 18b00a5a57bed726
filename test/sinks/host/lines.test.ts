// The host sink's pure parts: lines for ip, objects it lists.
import { describe, expect, it } from 'vitest';
import { groupText, readNextHop } from '../../../src/sinks/host/nexthop-line.ts';
import { isOurs, RouteLines } from '../../../src/sinks/host/route-line.ts';

describe('lines for ip -batch', () => {
  it('name object, protocol, metric and table', () => {
    const lines = new RouteLines({ table: 100, protocol: 114, metric: 20 });
    const tail = 'proto 114 metric 20 table 100';
    expect(lines.add('10.0.0.0/8', 7)).toBe(`route add nhid 7 ${tail} "10.0.0.0/8"`);
    expect(lines.replace('::/0', 7)).toBe(`route replace nhid 7 ${tail} "::/0"`);
    expect(lines.remove('10.0.0.0/8', 7)).toBe(`route del nhid 7 ${tail} "10.0.0.0/8"`);
    expect(lines.remove('10.0.0.0/8', undefined)).toBe(`route del ${tail} "10.0.0.0/8"`);
  });

  it('leave out the table that ip means by itself', () => {
    const lines = new RouteLines({ table: 254, protocol: 114, metric: 20 });
    expect(lines.add('10.0.0.0/8', 7)).toBe('route add nhid 7 proto 114 metric 20 "10.0.0.0/8"');
  });

  it('write groups in the order of ids, and read objects back', () => {
    const members = [
      { id: 9, weight: 1 },
      { id: 3, weight: 7 },
    ];
    expect(groupText(members)).toBe('3,7/9,1');
    const json = { id: 12, group: [{ id: 3, weight: 7 }, { id: 9 }], protocol: '114' };
    const read = readNextHop(json);
    expect(read).toMatchObject({ id: 12, protocol: 114, kind: 'group' });
    expect(groupText(read.group!)).toBe('3,7/9,1');
    expect(readNextHop({ id: 1, blackhole: null, protocol: '3' }).kind).toBe('discard');
    expect(readNextHop({ id: 2, dev: 'eth0', protocol: '3' }).kind).toBe('other');
  });
});

describe('isOurs (P2)', () => {
  const mark = { table: 254, protocol: 114, metric: 20 };
  const isOwnId = (id: number) => id === 7;
  it.each([
    ['our protocol and metric', mark, { protocol: 114, metric: 20, nextHopId: undefined }, true],
    ['another protocol', mark, { protocol: 186, metric: 20, nextHopId: 7 }, false],
    ['another metric', mark, { protocol: 114, metric: 21, nextHopId: 7 }, false],
    [
      'a protocol others write too, without an object of ours',
      { ...mark, protocol: 186 },
      { protocol: 186, metric: 20, nextHopId: 8 },
      false,
    ],
    [
      'a protocol others write too, with an object of ours',
      { ...mark, protocol: 186 },
      { protocol: 186, metric: 20, nextHopId: 7 },
      true,
    ],
  ])('%s', (_name, theMark, route, expected) => {
    expect(isOurs(route, theMark, isOwnId)).toBe(expected);
  });
});
