// Everything that FRR, MetalLB's FRR, OVN-Kubernetes and an administrator have in the node's kernel stays as it is, byte for byte, through a full load,
// churn and a flush: routes of every table, rules, next-hop objects, addresses.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBatch, type ChangeText } from '../../bench/ovsdb-batch.ts';
import { createHostSink } from '../../src/sinks/host/sink.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { SinkListener } from '../sinks/sink-listener.ts';
import { HostPlace, isOwn, METRIC, PROTOCOL, TABLE } from './host-place.ts';
import { manyPrefixes } from './ovn-sink-fixture.ts';

const ROUTES = 'routes';
const RULES = 'rules';
const OBJECTS = 'next-hop objects';

/** Whose it is, how it is told from the rest, and the lines for `ip -batch` that make it. */
const neighbours: readonly {
  readonly whose: string;
  readonly kind: string;
  readonly lines: readonly string[];
}[] = [
  {
    whose: "FRR's next-hop objects",
    kind: OBJECTS,
    lines: [
      'nexthop add id 3000001 via 10.1.1.2 dev up0 proto zebra',
      'nexthop add id 3000002 via 10.1.2.2 dev up1 proto zebra',
      'nexthop add id 3000003 group 3000001/3000002 proto zebra',
    ],
  },
  {
    whose: "FRR's routes, in our table and in others, by objects and without",
    kind: ROUTES,
    lines: [
      `route add 198.51.100.0/24 nhid 3000003 proto bgp metric ${METRIC} table ${TABLE}`,
      `route add 198.51.101.0/24 via 10.1.1.2 proto bgp metric ${METRIC} table ${TABLE}`,
      `route add 198.51.100.0/24 nhid 3000003 proto bgp metric ${METRIC}`,
      `route add 20.0.0.0/24 via 10.1.1.2 proto bgp metric ${METRIC + 1} table ${TABLE}`,
      `route add 2001:db8:99::/48 via 2001:db8:1::2 proto bgp metric ${METRIC} table ${TABLE}`,
      'route add 203.0.113.0/24 via 10.1.2.2 proto 196 metric 20 table 1007',
    ],
  },
  {
    whose: "a load balancer's address, learned by MetalLB's FRR",
    kind: ROUTES,
    lines: ['route add 192.0.2.10/32 via 10.1.1.2 proto bgp metric 20'],
  },
  {
    whose: "OVN-Kubernetes' routes of a network's table",
    kind: ROUTES,
    lines: [
      `route add unreachable default metric 4278198272 table ${TABLE}`,
      'route add 172.16.1.0/24 via 10.1.1.2 src 10.1.1.1 proto 85 table 1007',
      'route add unreachable default metric 4278198272 table 1007',
      'route add blackhole 10.244.1.0/24 proto 84 metric 1000 table 1007',
    ],
  },
  {
    whose: "OVN-Kubernetes' rules",
    kind: RULES,
    lines: [
      'rule add fwmark 0x1007 lookup 1007 pref 2000',
      'rule add to 169.254.0.25 lookup 1007 pref 2000',
      'rule add to 10.128.0.0/14 lookup 1007 pref 2000',
      'rule add from 10.1.1.0/24 lookup 100 pref 1500',
    ],
  },
  {
    whose: "an administrator's routes",
    kind: ROUTES,
    lines: [
      `route add 192.168.77.0/24 via 10.1.1.2 proto static metric ${METRIC} table ${TABLE}`,
      `route add 192.168.78.0/24 via 10.1.1.2 proto ${PROTOCOL} metric ${METRIC + 7} table ${TABLE}`,
      'route add 192.168.79.0/24 nexthop via 10.1.1.2 weight 3 nexthop via 10.1.2.2 weight 1',
    ],
  },
];

const stages = ['after a full load', 'after churn', 'after a flush'] as const;

describe('neighbours in the kernel', () => {
  let place: HostPlace;
  let sink: Sink;
  let before: ReadonlyMap<string, string>;
  const states = new Map<string, ReadonlyMap<string, string>>();
  const countOfOurs = new Map<string, number>();

  const lines = async (args: string): Promise<string[]> => (await place.ip(args)).split('\n');

  /** The kernel's state without ours, by kind. */
  async function state(): Promise<Map<string, string>> {
    const routes = [
      ...(await lines('-N -oneline -4 route show table all')),
      ...(await lines('-N -oneline -6 route show table all')),
    ];
    const rules = [...(await lines('-N -4 rule show')), ...(await lines('-N -6 rule show'))];
    const objects = await lines('-N -d nexthop show');
    return new Map([
      [
        ROUTES,
        routes
          .filter((line) => !isOwn(line))
          .sort()
          .join('\n'),
      ],
      [RULES, rules.join('\n')],
      [OBJECTS, objects.filter((line) => !line.includes(` proto ${PROTOCOL}`)).join('\n')],
      ['addresses', await place.ip('-oneline address show')],
    ]);
  }

  const apply = async (changes: readonly ChangeText[]) => sink.apply(buildBatch(changes));

  beforeAll(async () => {
    place = await HostPlace.create();
    await place.batch(neighbours.flatMap((neighbour) => neighbour.lines));
    await place.ip('-6 rule add fwmark 0x1007 lookup 1007 pref 2000');
    before = await state();
    const heard = new SinkListener();
    sink = createHostSink(place.options(), (event) => heard.hear(event));
    await sink.open();
    await heard.ready();
    const note = async (stage: string): Promise<void> => {
      states.set(stage, await state());
      countOfOurs.set(stage, (await place.routes()).filter(isOwn).length);
    };

    const prefixes = manyPrefixes(3000);
    const taken = ['198.51.100.0/24', '198.51.101.0/24', '192.168.77.0/24', '2001:db8:99::/48'];
    const both = ['10.1.1.2', '10.1.2.2'];
    await apply([
      ...prefixes.map((prefix) => ({ prefix, to: both })),
      ...taken.map((prefix) => ({
        prefix,
        to: prefix.includes(':') ? ['2001:db8:1::2'] : ['10.1.2.2'],
      })),
    ]);
    await note(stages[0]);

    for (let round = 0; round < 4; round++) {
      const some = prefixes.filter((_, i) => i % 4 === round);
      await apply(
        some.map((prefix, i) => (i % 2 === 0 ? { prefix } : { prefix, to: ['10.1.1.2'] })),
      );
      await apply(some.map((prefix) => ({ prefix, to: ['10.1.2.2'] })));
    }
    await apply(taken.map((prefix) => ({ prefix })));
    await note(stages[1]);

    await sink.flush();
    await note(stages[2]);
  }, 60_000);

  afterAll(async () => {
    await sink?.close();
    await place?.dispose();
  });

  it('were there, and so were we', () => {
    expect(countOfOurs.get(stages[0])).toBeGreaterThanOrEqual(3000);
    expect(countOfOurs.get(stages[1])).toBe(3000);
    expect(countOfOurs.get(stages[2])).toBe(0);
    for (const { whose, kind, lines: made } of neighbours) {
      expect(before.get(kind)!.split('\n').length, whose).toBeGreaterThanOrEqual(made.length);
    }
  });

  const cases = neighbours.flatMap(({ whose, kind }) =>
    stages.map((stage) => ({ whose, kind, stage })),
  );
  it.each(cases)('$whose: byte-identical $stage', ({ kind, stage }) => {
    expect(states.get(stage)!.get(kind)).toBe(before.get(kind));
  });

  it.each(stages)('and so is everything else, %s', (stage) => {
    expect(states.get(stage)).toEqual(before);
  });
});
