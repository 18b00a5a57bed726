// What lines of iproute2 6.1, recorded from a kernel, do to a followed table.
import { describe, expect, it } from 'vitest';
import { parseMonitorLine } from '../../../src/iproute2/monitor-line.ts';
import { formatIpAddress } from '../../../src/net/ip-address.ts';
import { formatPrefix } from '../../../src/net/prefix.ts';
import { FollowedTable, TableListing } from '../../../src/sources/kernel/followed-table.ts';
import { NextHopObjects } from '../../../src/sources/kernel/next-hop-objects.ts';
import { RouteLineReader } from '../../../src/sources/kernel/route-line.ts';

const BGP = 186;
const devices = new Map([
  ['v0', 3],
  ['v2', 5],
]);

/** A table as the follower keeps it, without processes. */
class Place {
  readonly objects = new NextHopObjects();
  readonly table = new FollowedTable(this.objects, (device) => devices.get(device) ?? 0);
  readonly #lines = new RouteLineReader();

  /** Lines of `ip -N -oneline monitor label route nexthop`. */
  hear(...lines: readonly string[]): this {
    for (const { about, text, deleted } of lines.map((line) => parseMonitorLine(line)!)) {
      if (about === 'nexthop') {
        const ids = new Set(this.objects.hear(text, deleted));
        const gone = new Set([...ids].filter((id) => this.objects.resolve(id) === undefined));
        this.table.dropObjects(gone);
        this.table.touchObjects(ids);
        continue;
      }
      const route = this.#lines.read(text, false)!;
      if (route.body.protocol === BGP) this.table.hear(route, deleted);
      else this.table.hearForeign(route, deleted);
    }
    return this;
  }

  /** Lines of `ip -N -oneline -4|-6 route show table … proto 186`. */
  list(...lines: readonly string[]): this {
    const listing = new TableListing();
    for (const line of lines) {
      listing.add(this.#lines.read(line, line.includes(' pref '), BGP)!);
    }
    this.table.load(listing);
    return this;
  }

  /** What has changed since the last question: `prefix → way …`, or `prefix → -`. */
  changes(): string[] {
    return this.table.takeChanges(1000).map(({ prefix, set }) => {
      const ways = set?.members.map(({ address, weight, interfaceIndex }) => {
        const device = interfaceIndex === 0 ? '' : `%${interfaceIndex}`;
        return `${formatIpAddress(address)}${device}${weight === 1 ? '' : `×${weight}`}`;
      });
      return `${formatPrefix(prefix)} → ${ways?.join(' ') ?? '-'}`;
    });
  }
}

const group = [
  '[NEXTHOP]id 10 via 10.1.1.2 dev v0 scope 253 proto 11 ',
  '[NEXTHOP]id 11 via 10.1.2.2 dev v2 scope 253 proto 11 ',
  '[NEXTHOP]id 12 group 10/11,3 proto 11 ',
  '[ROUTE]10.9.0.0/24 nhid 10 via 10.1.1.2 dev v0 proto 186 metric 20 ',
  '[ROUTE]10.9.1.0/24 nhid 12 proto 186 metric 20 \\\tnexthop via 10.1.1.2 dev v0 weight 1 \\\tnexthop via 10.1.2.2 dev v2 weight 3 ',
];

const multipath6 =
  '[ROUTE]2001:db8:b::/48 proto 186 metric 20 pref medium\\\tnexthop via fe80::2 dev v0 weight 1 \\\tnexthop via fe80::3 dev v2 weight 1 ';

describe('lines of the monitor', () => {
  it.each([
    [
      'a gateway, and a group with weights',
      group,
      ['10.9.0.0/24 → 10.1.1.2', '10.9.1.0/24 → 10.1.1.2 10.1.2.2×3'],
    ],
    [
      'several ways without an object',
      [
        '[ROUTE]10.9.2.0/24 proto 186 metric 20 \\\tnexthop via 10.1.1.2 dev v0 weight 2 \\\tnexthop via 10.1.2.2 dev v2 weight 1 ',
      ],
      ['10.9.2.0/24 → 10.1.1.2×2 10.1.2.2'],
    ],
    [
      'weights of more than a byte, as small ones in their proportion',
      [
        '[ROUTE]10.9.2.0/24 proto 186 metric 20 \\\tnexthop via 10.1.1.2 dev v0 weight 60000 \\\tnexthop via 10.1.2.2 dev v2 weight 20000 \\\tnexthop via 10.1.3.2 dev v2 weight 1 ',
      ],
      ['10.9.2.0/24 → 10.1.1.2×256 10.1.2.2×85 10.1.3.2'],
    ],
    [
      'IPv4 over an IPv6 next hop, with its device',
      ['[ROUTE]10.9.3.0/24 via inet6 fe80::1 dev v0 proto 186 metric 20 '],
      ['10.9.3.0/24 → fe80::1%3'],
    ],
    ['a blackhole', ['[ROUTE]6 10.9.4.0/24 proto 186 metric 20 '], ['10.9.4.0/24 → -']],
    [
      'a route on the link',
      ['[ROUTE]10.9.5.0/24 dev v0 proto 186 scope 253 metric 20 '],
      ['10.9.5.0/24 → -'],
    ],
    ['IPv6 ways with their devices', [multipath6], ['2001:db8:b::/48 → fe80::2%3 fe80::3%5']],
    [
      'IPv6 append: the line shows every way',
      [
        multipath6,
        '[ROUTE]2001:db8:b::/48 proto 186 metric 20 pref medium\\\tnexthop via fe80::5 dev v0 weight 1 \\\tnexthop via fe80::2 dev v0 weight 1 \\\tnexthop via fe80::3 dev v2 weight 1 ',
      ],
      ['2001:db8:b::/48 → fe80::2%3 fe80::3%5 fe80::5%3'],
    ],
    [
      'IPv6 replace by one way',
      [multipath6, '[ROUTE]2001:db8:b::/48 via fe80::7 dev v2 proto 186 metric 20 pref medium'],
      ['2001:db8:b::/48 → fe80::7%5'],
    ],
    [
      'IPv6 delete of one way',
      [
        multipath6,
        '[ROUTE]Deleted 2001:db8:b::/48 via fe80::3 dev v2 proto 186 metric 20 pref medium',
      ],
      ['2001:db8:b::/48 → fe80::2%3'],
    ],
    [
      'IPv6 delete of one way after the other',
      [
        multipath6,
        '[ROUTE]Deleted 2001:db8:b::/48 via fe80::3 dev v2 proto 186 metric 20 pref medium',
        '[ROUTE]Deleted 2001:db8:b::/48 via fe80::2 dev v0 proto 186 metric 20 pref medium',
      ],
      ['2001:db8:b::/48 → -'],
    ],
    [
      'IPv6 delete of all ways at once',
      [multipath6, multipath6.replace(']', ']Deleted ')],
      ['2001:db8:b::/48 → -'],
    ],
    [
      'the lowest metric of several',
      [
        '[ROUTE]10.9.2.0/24 via 10.1.1.7 dev v0 proto 186 metric 30 ',
        '[ROUTE]10.9.2.0/24 via 10.1.1.8 dev v0 proto 186 metric 20 ',
      ],
      ['10.9.2.0/24 → 10.1.1.8'],
    ],
    [
      'the next metric when the lowest went',
      [
        '[ROUTE]10.9.2.0/24 via 10.1.1.7 dev v0 proto 186 metric 30 ',
        '[ROUTE]10.9.2.0/24 via 10.1.1.8 dev v0 proto 186 metric 20 ',
        '[ROUTE]Deleted 10.9.2.0/24 via 10.1.1.8 dev v0 proto 186 metric 20 ',
      ],
      ['10.9.2.0/24 → 10.1.1.7'],
    ],
    [
      'another type of service is another route',
      ['[ROUTE]10.9.2.0/24 tos 0x10 via 10.1.1.7 dev v0 proto 186 metric 20 '],
      [],
    ],
    [
      'a dead way carries nothing',
      [
        '[ROUTE]10.9.2.0/24 proto 186 metric 20 \\\tnexthop via 10.1.1.2 dev v0 weight 1 \\\tnexthop via 10.1.2.2 dev v2 weight 1 dead linkdown ',
      ],
      ['10.9.2.0/24 → 10.1.1.2'],
    ],
    [
      'routes of another protocol',
      ['[ROUTE]10.9.2.0/24 via 10.1.1.7 dev v0 proto 4 metric 20 '],
      [],
    ],
  ])('%s', (_name, lines, expected) => {
    expect(new Place().hear(...lines).changes()).toEqual(expected);
  });

  it('says nothing twice (P9)', () => {
    const place = new Place().hear(...group);
    place.changes();
    expect(place.hear(...group).changes()).toEqual([]);
  });

  it('counts what cannot be learned', () => {
    const place = new Place().hear(
      ...group,
      '[ROUTE]6 10.9.4.0/24 proto 186 metric 20 ',
      '[ROUTE]10.9.5.0/24 dev v0 proto 186 scope 253 metric 20 ',
      '[ROUTE]10.9.6.0/24 nhid 99 proto 186 metric 20 ',
    );
    place.changes();
    expect(place.table.counts).toEqual({ learned: 2, discard: 1, onLink: 1, unresolved: 1 });
    place.hear('[ROUTE]Deleted 6 10.9.4.0/24 proto 186 metric 20 ').changes();
    expect(place.table.counts).toMatchObject({ learned: 2, discard: 0 });
  });
});

describe('next-hop objects', () => {
  const placed = () => {
    const place = new Place().hear(...group);
    place.changes();
    return place;
  };

  it('that change, change every route that uses them, through a group too', () => {
    const place = placed().hear('[NEXTHOP]id 10 via 10.1.1.3 dev v0 scope 253 proto 11 ');
    expect(place.changes()).toEqual([
      '10.9.0.0/24 → 10.1.1.3',
      '10.9.1.0/24 → 10.1.1.3 10.1.2.2×3',
    ]);
  });

  it('that go, take their routes along and leave their groups', () => {
    const place = placed().hear(
      '[NEXTHOP]Deleted id 10 via 10.1.1.2 dev v0 scope 253 proto 11 ',
      '[NEXTHOP]id 12 group 11,3 proto 11 ',
    );
    expect(place.changes()).toEqual(['10.9.0.0/24 → -', '10.9.1.0/24 → 10.1.2.2']);
  });

  it('whose number is used again, bring no route back', () => {
    const place = placed().hear(
      '[NEXTHOP]Deleted id 10 via 10.1.1.2 dev v0 scope 253 proto 11 ',
      '[NEXTHOP]id 10 via 10.1.1.9 dev v0 scope 253 proto 11 ',
    );
    expect(place.changes()).toContain('10.9.0.0/24 → -');
    const again = '[ROUTE]10.9.0.0/24 nhid 10 via 10.1.1.9 dev v0 proto 186 metric 20 ';
    expect(place.hear(again).changes()).toEqual(['10.9.0.0/24 → 10.1.1.9']);
  });

  it('that are not in a listing any more, are gone', () => {
    const place = placed();
    const touched = place.objects.load(['id 11 via 10.1.2.2 dev v2 scope 253 proto 11 ']);
    expect([...touched].sort()).toEqual([10, 12]);
  });

  it.each([
    ['id 13 blackhole proto 11 ', []],
    ['id 14 via 10.0.0.1 fdb proto 11 ', []],
    ['id 15 dev v0 scope 253 proto 11 ', [{ gateway: undefined, device: 'v0' }]],
    ['id 16 via fe80::2 dev v0 scope 253 proto 11 ', [{ device: 'v0', weight: 1 }]],
  ])('%s', (line, ways) => {
    const objects = new NextHopObjects();
    const [id] = objects.hear(line, false);
    expect(objects.resolve(id!)).toMatchObject(ways);
  });
});

describe('a listing', () => {
  it('is told as its difference', () => {
    const place = new Place().list(
      '10.9.0.0/24 via 10.1.1.2 dev v0 metric 20 ',
      '10.9.1.0/24 via 10.1.1.2 dev v0 metric 20 ',
      '2001:db8:9::/48 via fe80::2 dev v0 metric 20 pref medium',
    );
    expect(place.changes()).toHaveLength(3);
    place.list(
      '10.9.0.0/24 via 10.1.1.2 dev v0 metric 20 ',
      '10.9.1.0/24 via 10.1.1.3 dev v0 metric 20 ',
      'default via fe80::2 dev v0 metric 20 pref medium',
    );
    expect(place.changes().sort()).toEqual([
      '10.9.1.0/24 → 10.1.1.3',
      '2001:db8:9::/48 → -',
      '::/0 → fe80::2%3',
    ]);
  });

  it('takes the first of routes that were appended at one metric', () => {
    const place = new Place().list(
      '10.9.2.0/24 via 10.1.1.8 dev v0 metric 20 ',
      '10.9.2.0/24 via 10.1.1.9 dev v0 metric 20 ',
      '10.9.2.0/24 via 10.1.1.7 dev v0 metric 10 ',
    );
    expect(place.changes()).toEqual(['10.9.2.0/24 → 10.1.1.7']);
    place.hear('[ROUTE]Deleted 10.9.2.0/24 via 10.1.1.7 dev v0 proto 186 metric 10 ');
    expect(place.changes()).toEqual(['10.9.2.0/24 → 10.1.1.8']);
    place.hear('[ROUTE]Deleted 10.9.2.0/24 via 10.1.1.8 dev v0 proto 186 metric 20 ');
    expect(place.changes()).toEqual(['10.9.2.0/24 → 10.1.1.9']);
  });
});

describe('a line that can mean two things', () => {
  const known = '[ROUTE]10.9.2.0/24 via 10.1.1.8 dev v0 proto 186 metric 20 ';
  it.each([
    ['IPv4, replaced or appended', known, known.replace('1.8', '1.9'), true],
    [
      'IPv4 with an object of FRR: replaced',
      group.join('\n'),
      group[3]!.replace('nhid 10', 'nhid 11'),
      false,
    ],
    ['IPv6: every way is shown', multipath6, multipath6.replace('::3', '::4'), false],
    [
      'IPv4 with an object of somebody else',
      group.join('\n').replaceAll('proto 11', 'proto 3'),
      group[3]!.replace('nhid 10', 'nhid 11'),
      true,
    ],
    [
      'IPv6, a route on the link beside ways',
      multipath6,
      '[ROUTE]2001:db8:b::/48 dev v0 proto 186 metric 20 pref medium',
      true,
    ],
    ['another protocol at our metric', known, known.replace('186', '4'), true],
    [
      'another protocol at another metric',
      known,
      known.replace('186 metric 20', '4 metric 7'),
      false,
    ],
    ['deleted as it was', known, known.replace(']', ']Deleted '), false],
    [
      'deleted otherwise than it was',
      known,
      '[ROUTE]Deleted 10.9.2.0/24 via 10.1.1.1 dev v0 proto 186 metric 20 ',
      true,
    ],
  ])('%s', (_name, before, line, isDoubtful) => {
    const place = new Place().hear(...before.split('\n'));
    expect(place.table.isDoubtful).toBe(false);
    expect(place.hear(line).table.isDoubtful).toBe(isDoubtful);
    expect(place.list().table.isDoubtful).toBe(false);
  });
});
