// What iproute2 prints → facts.
import { describe, expect, it } from 'vitest';
import { BatchReport } from '../../src/iproute2/batch-report.ts';
import { parseGateways, parseKernelRoute } from '../../src/iproute2/kernel-route.ts';
import { LineSplitter } from '../../src/iproute2/line-splitter.ts';
import { parseMonitorLine } from '../../src/iproute2/monitor-line.ts';
import { bestForeignMatch, locate } from '../../src/iproute2/route-answer.ts';

describe('LineSplitter', () => {
  it('joins lines that chunks cut, empty ones too', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const chunk of ['ab', 'c\n\nd', '\ne']) splitter.push(chunk);
    splitter.end();
    expect(lines).toEqual(['abc', '', 'd', 'e']);
  });
});

describe('BatchReport', () => {
  it('gives each refusal its line and the reason before it', () => {
    const report = new BatchReport(101);
    const said = [
      'Error: Nexthop id does not exist.',
      'Command failed -:102',
      'RTNETLINK answers: File exists',
      'Command failed -:105',
      'Object "end-of-batch" is unknown, try "ip help".',
    ];
    for (const line of said) expect(report.take(line, 106)).toBe(false);
    expect(report.take('Command failed -:106', 106)).toBe(true);
    expect(report.failures).toEqual([
      { index: 1, reason: 'Nexthop id does not exist.' },
      { index: 4, reason: 'File exists' },
    ]);
  });
});

describe('parseKernelRoute', () => {
  const base = { isBlackhole: false, nextHopId: undefined, table: 254, protocol: 3, metric: 0 };
  it.each([
    [
      'an object with a gateway, in a table',
      '10.9.1.0/24 nhid 7 via 10.1.1.2 dev eth0 table 100 proto 114 metric 20 ',
      { ...base, prefix: '10.9.1.0/24', nextHopId: 7, table: 100, protocol: 114, metric: 20 },
    ],
    [
      'a group',
      '10.9.0.0/24 nhid 9 proto 114 metric 20 \\\tnexthop via 10.1.1.2 dev e table 5 \\\tnexthop via 10.1.1.3 dev e weight 3 ',
      { ...base, prefix: '10.9.0.0/24', nextHopId: 9, protocol: 114, metric: 20 },
    ],
    [
      'a blackhole, by its number',
      '6 10.9.2.0/24 proto 114 metric 20 ',
      { ...base, prefix: '10.9.2.0/24', isBlackhole: true, protocol: 114, metric: 20 },
    ],
    ['a host route', '10.1.1.7 dev eth0 ', { ...base, prefix: '10.1.1.7/32' }],
    ['the IPv4 default', 'default via 10.1.1.2 dev eth0 ', { ...base, prefix: '0.0.0.0/0' }],
    [
      'the IPv6 default, known by its preference',
      'default via fe80::1 dev eth0 metric 1024 pref medium',
      { ...base, prefix: '::/0', metric: 1024 },
    ],
    [
      'an IPv4-compatible prefix in canonical form',
      '::1.2.0.0/112 dev lo proto 114 metric 20 pref medium',
      { ...base, prefix: '::102:0/112', protocol: 114, metric: 20 },
    ],
    [
      'an IPv6 host route',
      '2001:db8::1 dev eth0 proto 2 metric 256 pref medium',
      { ...base, prefix: '2001:db8::1/128', protocol: 2, metric: 256 },
    ],
  ])('reads %s', (_name, text, expected) => {
    expect(parseKernelRoute(text, false)).toEqual(expected);
  });

  it('takes what is no route for none', () => {
    expect(parseKernelRoute('', false)).toBeUndefined();
    expect(parseKernelRoute('multipath nonsense', false)).toBeUndefined();
  });

  it('finds the gateways of one and of several ways', () => {
    expect(parseGateways('10.0.0.0/8 via inet6 fe80::1 dev eth0 proto 3')).toMatchObject([
      { device: 'eth0', weight: 1 },
    ]);
    const several = '10.0.0.0/8 proto 3 \\\tnexthop via 10.1.1.2 dev a weight 2 \\\tnexthop dev b ';
    expect(parseGateways(several)).toEqual([
      { address: Uint8Array.of(10, 1, 1, 2), device: 'a', weight: 2 },
    ]);
  });
});

describe('parseMonitorLine', () => {
  it('tells what a line is about and whether it went', () => {
    expect(parseMonitorLine('[ROUTE]Deleted 10.0.0.0/8 dev lo ')).toEqual({
      about: 'route',
      deleted: true,
      text: '10.0.0.0/8 dev lo ',
    });
    expect(parseMonitorLine('[ADDR]2: vv1    inet6 fe80::1/64')?.about).toBe('address');
    expect(parseMonitorLine('[NEIGH]10.0.0.1 dev eth0')).toBeUndefined();
    expect(parseMonitorLine('garbage')).toBeUndefined();
  });
});

describe('locate', () => {
  it.each([
    ['on the link', { dev: 'eth0', metric: 5 }, { gateway: '10.0.0.9', device: 'eth0', metric: 5 }],
    ['behind a gateway', { gateway: '10.1.1.1', dev: 'eth0' }, { gateway: '10.1.1.1' }],
    [
      'behind the first living way',
      {
        nexthops: [
          { gateway: '10.1.1.1', dev: 'a', flags: ['linkdown'] },
          { gateway: '10.1.1.2', dev: 'b', flags: [] },
        ],
      },
      { gateway: '10.1.1.2', device: 'b' },
    ],
    ['nowhere: our own address', { type: '2', dev: 'lo' }, { reachable: false }],
    ['nowhere: a blackhole', { type: '6' }, { reachable: false }],
    ['nowhere: the link is down', { dev: 'a', flags: ['linkdown'] }, { reachable: false }],
  ])('%s', (_name, route, expected) => {
    expect(locate('10.0.0.9', route)).toMatchObject(expected);
  });

  it('skips our own routes for the longest foreign match of the lowest metric', () => {
    const routes = [
      { dst: 'default', dev: 'a', protocol: '3' },
      { dst: '10.0.0.0/8', dev: 'b', protocol: '3', metric: 9 },
      { dst: '10.0.0.0/8', dev: 'c', protocol: '3', metric: 1 },
      { dst: '10.0.0.9', dev: 'd', protocol: '114' },
    ];
    expect(bestForeignMatch(routes, 114)?.dev).toBe('c');
    expect(bestForeignMatch(routes.slice(3), 114)).toBeUndefined();
  });
});
