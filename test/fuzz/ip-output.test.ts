// What `ip` prints, mutated, and devices named like its own words: the parsers answer or pass over, and never throw.
import { describe, expect, it } from 'vitest';
import { BatchReport } from '../../src/iproute2/batch-report.ts';
import { parseGateways, parseKernelRoute } from '../../src/iproute2/kernel-route.ts';
import { LineSplitter } from '../../src/iproute2/line-splitter.ts';
import { parseLink } from '../../src/iproute2/link-line.ts';
import { parseMonitorLine } from '../../src/iproute2/monitor-line.ts';
import { locate } from '../../src/iproute2/route-answer.ts';
import { findTable } from '../../src/iproute2/table.ts';
import { FollowedTable, TableListing } from '../../src/sources/kernel/followed-table.ts';
import { NextHopObjects } from '../../src/sources/kernel/next-hop-objects.ts';
import { RouteLineReader } from '../../src/sources/kernel/route-line.ts';
import { mutate, tear } from './mutate.ts';
import { Random } from './random.ts';

const RUNS = 20_000;

const lines = [
  '10.9.0.0/24 nhid 1375731713 via 10.1.1.2 dev eth0 table 100 proto 114 metric 20',
  '6 10.9.2.0/24 proto 114 metric 20',
  '10.9.1.0/24 nhid 7 proto 114 metric 20 \\\tnexthop via 10.1.1.2 dev eth0 weight 2 \\\tnexthop via 10.1.1.3 dev eth1 weight 1',
  'default via fe80::1 dev eth0 proto 9 metric 1024 pref medium',
  '2001:db8::/32 nhid 9 via inet6 fe80::2 dev eth0 proto 114 metric 20 pref medium',
  '[ROUTE]Deleted 10.9.0.0/24 nhid 5 via 10.1.1.2 dev eth0 proto 114 metric 20',
  '[NEXTHOP]id 5 via 10.1.1.2 dev eth0 scope link proto 114',
  '[NEXTHOP]id 12 group 5/6,3 proto 11 ',
  '[LINK]3: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500',
].map((text) => Buffer.from(text));

describe('lines of ip', () => {
  it('mutated anyhow are answered or passed over', () => {
    const random = new Random(61);
    let routeCount = 0;
    for (let run = 0; run < RUNS; run++) {
      const text = Buffer.from(mutate(random, random.pick(lines), lines)).toString('latin1');
      const route = parseKernelRoute(parseMonitorLine(text)?.text ?? text, random.chance(2));
      parseGateways(text);
      if (route === undefined) continue;
      routeCount++;
      expect(route.prefix, JSON.stringify(text)).not.toBe('');
    }
    expect(routeCount).toBeGreaterThan(RUNS / 10);
  });

  it.each(['proto', 'metric', 'table', 'nhid', 'via', 'dev'])(
    'with a device named %s are read as with any other',
    (device) => {
      const line = (name: string) =>
        `10.9.0.0/24 nhid 7 via 10.1.1.2 dev ${name} table 100 proto 114 metric 20`;
      expect(parseKernelRoute(line(device), false)).toEqual(parseKernelRoute(line('eth0'), false));
      expect(parseGateways(line(device))).toMatchObject([{ device }]);
    },
  );

  it('mutated anyhow leave a followed table that a listing puts right', () => {
    const random = new Random(63);
    const objects = new NextHopObjects();
    const table = new FollowedTable(objects, () => 1);
    const reader = new RouteLineReader();
    let toldCount = 0;
    for (let run = 0; run < RUNS; run++) {
      const text = Buffer.from(mutate(random, random.pick(lines), lines)).toString('latin1');
      const line = parseMonitorLine(text) ?? { text, deleted: random.chance(3) };
      parseLink(line.text);
      const touched = new Set(objects.hear(line.text.replace(/^\d/, 'id $&'), line.deleted));
      table.dropObjects(touched);
      table.touchObjects(touched);
      const route = reader.read(line.text, random.chance(2));
      if (route !== undefined) table.hear(route, line.deleted);
      toldCount += table.takeChanges(10).length;
    }
    expect(toldCount).toBeGreaterThan(RUNS / 10);
    table.load(new TableListing());
    table.takeChanges(RUNS);
    expect(table.counts).toEqual({ learned: 0, discard: 0, onLink: 0, unresolved: 0 });
  });

  it('are the same lines however the output is torn', () => {
    const random = new Random(62);
    const output = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    for (let run = 0; run < 300; run++) {
      const heard: string[] = [];
      const splitter = new LineSplitter((line) => heard.push(line));
      for (const piece of tear(random, output))
        splitter.push(Buffer.from(piece).toString('latin1'));
      splitter.end();
      expect(heard).toEqual(lines.map((line) => line.toString('latin1')));
    }
  });
});

describe('the report of a batch', () => {
  it('takes any line', () => {
    const random = new Random(63);
    const texts = ['RTNETLINK answers: File exists', 'Command failed -:7', 'Error: nothing.'].map(
      (text) => Buffer.from(text),
    );
    for (let run = 0; run < 3000; run++) {
      const report = new BatchReport(5);
      for (let i = 0; i < 10; i++) {
        const text = Buffer.from(mutate(random, random.pick(texts), texts)).toString('latin1');
        report.take(text, 9);
      }
      for (const { index, reason } of report.failures) {
        expect(index).toBeTypeOf('number');
        expect(reason).not.toBe('');
      }
    }
  });
});

describe('a table', () => {
  it.each(['constructor', '__proto__', 'toString'])(
    'named %s is none that everybody knows',
    async (name) => {
      // Without `ip` there is no answer at all.
      expect(await findTable(undefined, name).catch(() => undefined)).toBeUndefined();
    },
  );
});

describe('the answer to a route lookup', () => {
  it.each([{}, { nexthops: [] }, { dev: 'eth0', flags: ['dead'] }, { type: '99' }])(
    'that says %j is no way out',
    (route) => {
      expect(locate('10.0.0.1', route)).toMatchObject({ reachable: false });
    },
  );
});
