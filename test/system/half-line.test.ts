// An agent that is killed leaves half a line in the pipe of its `ip -batch`, which carries it out if it is one: none must be (P2, P3).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { groupLine, nextHopLine, removeNextHopLine } from '../../src/sinks/host/nexthop-line.ts';
import { RouteLines } from '../../src/sinks/host/route-line.ts';
import { HostPlace, METRIC, PROTOCOL, TABLE } from './host-place.ts';

const isRoot = process.getuid?.() === 0;
const mark = { protocol: PROTOCOL, metric: METRIC };
const inMain = new RouteLines({ ...mark, table: 254 });
const inTable = new RouteLines({ ...mark, table: TABLE });

/** What is there before: objects 11 and 111, whose numbers begin alike, and routes of others and ours that half a line might hit. */
const before = [
  nextHopLine('add', 11, { gateway: '10.1.1.2', device: 'up0' }, PROTOCOL),
  nextHopLine('add', 111, { gateway: '10.1.2.2', device: 'up1' }, PROTOCOL),
  inMain.add('20.0.0.0/24', 11),
  inTable.add('20.0.0.0/24', 11),
  'route add default via 10.1.1.2 proto 11 metric 20',
  `route add default via 10.1.1.2 proto ${PROTOCOL} metric 2 table ${TABLE}`,
  `route add 20.0.0.0/24 via 10.1.1.2 proto 11 metric 2 table ${TABLE}`,
];

const lines = [
  inMain.add('30.0.0.0/24', 111),
  inTable.add('30.0.0.0/24', 111),
  inMain.replace('20.0.0.0/24', 111),
  inTable.remove('20.0.0.0/24', 11),
  inMain.remove('20.0.0.0/24', undefined),
  nextHopLine('add', 12, { gateway: '10.1.1.2', device: 'up0' }, PROTOCOL),
  nextHopLine('replace', 11, { gateway: '10.1.2.2', device: 'up1' }, PROTOCOL),
  groupLine(
    13,
    [
      { id: 11, weight: 1 },
      { id: 111, weight: 2 },
    ],
    PROTOCOL,
  ),
  removeNextHopLine(111),
];

describe.runIf(isRoot)('half a line', () => {
  let place: HostPlace;

  beforeEach(async () => {
    place = await HostPlace.create();
    await place.batch(before);
  });

  afterEach(() => place.dispose());

  it.each(lines)('of `%s` changes nothing', async (line) => {
    const state = async () => [
      await place.routes('main'),
      await place.routes(),
      await place.nextHops(),
    ];
    const asBefore = await state();
    for (let length = 1; length < line.length; length++) {
      const half = line.slice(0, length);
      const args = ['-n', place.namespace, '-batch', '-'];
      await execute('ip', args, { input: half }).catch(() => undefined);
    }
    expect(await state()).toEqual(asBefore);
    await place.batch([line]);
    expect(await state()).not.toEqual(asBefore);
  });
});
