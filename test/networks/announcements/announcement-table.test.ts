// What is announced where: tables of cases, and any sequence of changes against a fresh computation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../../src/net/prefix.ts';
import type {
  Candidate,
  NetworkRequests,
} from '../../../src/networks/announcements/announcement.ts';
import {
  type Admit,
  AnnouncementTable,
} from '../../../src/networks/announcements/announcement-table.ts';
import { naiveAnnouncements } from '../../naive/announcements.ts';

function network(name: string, more: Partial<NetworkRequests> = {}): NetworkRequests {
  const requests = ['first', 'second'].map((id) => ({
    id: `${name} ${id}`,
    attributes: { med: id.length },
  }));
  return { name, requests, aggregates: [], exports: [], table: undefined, ...more };
}

/** `wide` is a policy that lets no host route through. */
function isAdmitted(policy: string | undefined, { address, length }: Prefix): boolean {
  return policy !== 'wide' || length < address.length * 8;
}

const admit: Admit = ({ prefix }, line) => isAdmitted(line?.policy, prefix);

function aggregate(text: string, suppress = false) {
  return { prefix: parsePrefix(text)!, suppress, attributes: {} };
}

function candidate(of: string, text: string, more: Partial<Candidate> = {}): Candidate {
  const prefix = parsePrefix(text)!;
  return {
    network: of,
    request: `${of} first`,
    prefix,
    source: 'test',
    notReady: undefined,
    ...more,
  };
}

/** A table with one subject per candidate. */
function tableOf(networks: readonly NetworkRequests[], candidates: readonly Candidate[]) {
  const table = new AnnouncementTable(admit);
  table.configure(networks);
  for (const [index, each] of candidates.entries()) table.setCandidates(`${index}`, [each]);
  table.takeChanges();
  return table;
}

/** In the form of the naive twin. */
function everything(table: AnnouncementTable, networks: readonly NetworkRequests[]): string[] {
  return networks
    .flatMap(({ name }) =>
      [...table.textsTowards(name)].flatMap((text) =>
        table.verdicts(name, text).map(({ network: owner, announcement, state }) => {
          const fate = state === 'ready' ? `from ${announcement.source}` : state;
          return `in ${name}: ${text} of ${owner} ${fate}`;
        }),
      ),
    )
    .sort();
}

describe('a network by itself', () => {
  it('announces a prefix that is ready and not one that waits', () => {
    const networks = [network('default')];
    const table = tableOf(networks, [
      candidate('default', '10.0.0.0/24'),
      candidate('default', '10.0.1.0/24', { notReady: 'port vm1 is not up' }),
    ]);
    expect(everything(table, networks)).toEqual([
      'in default: 10.0.0.0/24 of default from test',
      'in default: 10.0.1.0/24 of default waiting',
    ]);
    expect(table.announcement('default', '10.0.1.0/24')?.reason).toBe('port vm1 is not up');
  });

  it('takes the first request among those that are ready', () => {
    const table = tableOf(
      [network('default')],
      [
        candidate('default', '10.0.0.1/32', { request: 'default second', source: 'b' }),
        candidate('default', '10.0.0.1/32', { notReady: 'elsewhere', source: 'a' }),
      ],
    );
    expect(table.announcement('default', '10.0.0.1/32')).toMatchObject({
      source: 'b',
      attributes: { med: 6 },
    });
    table.setCandidates('1', [candidate('default', '10.0.0.1/32', { source: 'a' })]);
    expect(table.announcement('default', '10.0.0.1/32')).toMatchObject({
      source: 'a',
      attributes: { med: 5 },
    });
  });

  it('ignores a candidate that nobody asked for', () => {
    const networks = [network('default')];
    const table = tableOf(networks, [candidate('default', '10.0.0.0/24', { request: 'old' })]);
    expect(everything(table, networks)).toEqual([]);
  });

  it('names what changed, and only that', () => {
    const table = tableOf(
      [network('default')],
      [candidate('default', '10.0.0.1/32'), candidate('default', '10.0.0.2/32')],
    );
    table.setCandidates('1', [candidate('default', '10.0.0.2/32', { notReady: 'down' })]);
    expect(table.takeChanges()).toEqual([{ network: 'default', text: '10.0.0.2/32' }]);
    expect(table.takeChanges()).toEqual([]);
  });
});

describe('aggregates', () => {
  it.each([
    ['10.0.0.0/16', '10.0.1.0/24'],
    ['fd00::/48', 'fd00:0:0:1::/64'],
    ['0.0.0.0/0', '10.0.1.1/32'],
  ])('%s is announced while %s is', (summary, inside) => {
    const networks = [network('default', { aggregates: [aggregate(summary)] })];
    const table = tableOf(networks, [candidate('default', inside)]);
    expect(everything(table, networks)).toEqual(
      [
        `in default: ${inside} of default from test`,
        `in default: ${summary} of default from aggregate`,
      ].sort(),
    );
    table.setCandidates('0', [candidate('default', inside, { notReady: 'down' })]);
    expect(everything(table, networks)).toEqual(
      [
        `in default: ${inside} of default waiting`,
        `in default: ${summary} of default waiting`,
      ].sort(),
    );
  });

  it('suppresses what is inside, and gives it back when the aggregate goes from the configuration', () => {
    const networks = [network('default', { aggregates: [aggregate('10.0.0.0/16', true)] })];
    const table = tableOf(networks, [
      candidate('default', '10.0.1.0/24'),
      candidate('default', '10.1.0.0/24'),
    ]);
    expect(everything(table, networks)).toEqual([
      'in default: 10.0.0.0/16 of default from aggregate',
      'in default: 10.0.1.0/24 of default suppressed',
      'in default: 10.1.0.0/24 of default from test',
    ]);
    table.configure([network('default')]);
    expect(table.takeChanges().map(({ text }) => text)).toContain('10.0.1.0/24');
    expect(everything(table, networks)).toEqual([
      'in default: 10.0.1.0/24 of default from test',
      'in default: 10.1.0.0/24 of default from test',
    ]);
  });

  it('is not made by its own prefix, nor by another aggregate', () => {
    const networks = [
      network('default', { aggregates: [aggregate('10.0.0.0/16'), aggregate('10.0.0.0/8')] }),
    ];
    const table = tableOf(networks, [candidate('default', '10.0.0.0/16')]);
    expect(everything(table, networks)).toEqual([
      'in default: 10.0.0.0/16 of default from test',
      'in default: 10.0.0.0/8 of default from aggregate',
    ]);
    expect(table.announcement('default', '10.0.0.0/16')?.isAggregate).toBe(false);
    expect(table.announcement('default', '10.0.0.0/8')?.isAggregate).toBe(true);
  });

  it('tells of everything inside when a suppressing aggregate comes into force', () => {
    const networks = [network('default', { aggregates: [aggregate('10.0.0.0/16', true)] })];
    const waiting = candidate('default', '10.0.1.0/24', { notReady: 'down' });
    const table = tableOf(networks, [
      waiting,
      candidate('default', '10.0.2.0/24', { notReady: 'x' }),
    ]);
    table.setCandidates('0', [candidate('default', '10.0.1.0/24')]);
    expect(
      table
        .takeChanges()
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['10.0.0.0/16', '10.0.1.0/24', '10.0.2.0/24']);
  });
});

describe('exports and overlapping', () => {
  const exporting = (name: string, more: Partial<NetworkRequests> = {}) =>
    network(name, { exports: [{ to: 'default', policy: 'accept' }], ...more });

  it('announces in its own sessions only, without an export', () => {
    const networks = [network('default'), network('blue')];
    const table = tableOf(networks, [candidate('blue', '10.0.0.0/24')]);
    expect(everything(table, networks)).toEqual(['in blue: 10.0.0.0/24 of blue from test']);
    expect(table.announcedIn('blue')).toEqual(['blue']);
  });

  it('announces an exported prefix in both', () => {
    const networks = [network('default'), exporting('blue')];
    const table = tableOf(networks, [candidate('blue', '10.0.0.0/24')]);
    expect(everything(table, networks)).toEqual([
      'in blue: 10.0.0.0/24 of blue from test',
      'in default: 10.0.0.0/24 of blue from test',
    ]);
  });

  it.each([
    ['the same prefix', '10.0.0.0/24', '10.0.0.0/24'],
    ['one inside the other', '10.0.0.0/16', '10.0.7.0/24'],
    ['IPv6', 'fd00::/48', 'fd00::1/128'],
    ['a default route and anything', '0.0.0.0/0', '192.0.2.1/32'],
  ])('announces neither where two networks meet: %s', (_name, red, blue) => {
    const networks = [network('default'), exporting('red'), exporting('blue')];
    const table = tableOf(networks, [candidate('red', red), candidate('blue', blue)]);
    expect(everything(table, networks)).toEqual(
      [
        `in blue: ${blue} of blue from test`,
        `in default: ${blue} of blue overlapping`,
        `in default: ${red} of red overlapping`,
        `in red: ${red} of red from test`,
      ].sort(),
    );
    expect([...table.overlapsOf('red')]).toEqual([
      {
        network: 'red',
        prefix: red,
        otherNetwork: 'blue',
        otherPrefix: blue,
        place: 'the sessions of default',
      },
    ]);
    expect(table.verdicts('default', red)[0]?.reason).toBe(
      `overlaps ${blue} of network blue in the sessions of default`,
    );
  });

  it('is no overlap: neighbours, the other family, and what the other network keeps to itself', () => {
    const networks = [network('default'), exporting('red'), exporting('blue'), network('green')];
    const table = tableOf(networks, [
      candidate('red', 'fd00::/64'),
      candidate('blue', 'fd00:0:0:1::/64'),
      candidate('red', '0.0.0.0/0'),
      candidate('blue', '::/96'),
      candidate('green', '10.0.0.0/8'),
    ]);
    expect(everything(table, networks).filter((line) => line.endsWith('overlapping'))).toEqual([]);
  });

  it('keeps two of three apart until the last but one has gone', () => {
    const networks = ['default', 'red', 'blue', 'green'].map((name) =>
      name === 'default' ? network(name) : exporting(name),
    );
    const table = tableOf(networks, [
      candidate('red', '10.0.0.0/8'),
      candidate('blue', '10.1.0.0/16'),
      candidate('green', '10.2.0.0/16'),
    ]);
    const inDefault = () =>
      everything(table, networks).filter((line) => line.startsWith('in default'));
    expect(inDefault()).toEqual([
      'in default: 10.0.0.0/8 of red overlapping',
      'in default: 10.1.0.0/16 of blue overlapping',
      'in default: 10.2.0.0/16 of green overlapping',
    ]);
    table.setCandidates('1', []);
    expect(table.takeChanges()).toContainEqual({ network: 'red', text: '10.0.0.0/8' });
    expect(inDefault()).toEqual([
      'in default: 10.0.0.0/8 of red overlapping',
      'in default: 10.2.0.0/16 of green overlapping',
    ]);
    table.setCandidates('2', []);
    expect(table.takeChanges()).toContainEqual({ network: 'red', text: '10.0.0.0/8' });
    expect(inDefault()).toEqual(['in default: 10.0.0.0/8 of red from test']);
    expect([...table.overlapsOf('red')]).toEqual([]);
  });

  it('does not meet where a policy keeps it out', () => {
    const wide = [{ to: 'default', policy: 'wide' }];
    const networks = [network('default'), exporting('red'), network('blue', { exports: wide })];
    const table = tableOf(networks, [
      candidate('red', '10.0.0.5/32'),
      candidate('blue', '10.0.0.5/32'),
      candidate('blue', '10.1.0.0/16'),
    ]);
    expect(everything(table, networks)).toEqual([
      'in blue: 10.0.0.5/32 of blue from test',
      'in blue: 10.1.0.0/16 of blue from test',
      'in default: 10.0.0.5/32 of blue rejected',
      'in default: 10.0.0.5/32 of red from test',
      'in default: 10.1.0.0/16 of blue from test',
      'in red: 10.0.0.5/32 of red from test',
    ]);
    expect([...table.overlapsOf('red')]).toEqual([]);
  });

  it('counts a prefix that is not ready: on another node it may be', () => {
    const networks = [network('default'), exporting('red'), exporting('blue')];
    const table = tableOf(networks, [
      candidate('red', '10.0.0.5/32'),
      candidate('blue', '10.0.0.5/32', { notReady: 'port vm2 is not bound' }),
    ]);
    expect(everything(table, networks)).toContain('in default: 10.0.0.5/32 of red overlapping');
  });

  it('announces neither anywhere when two networks forward by one host table', () => {
    const networks = [network('red', { table: '100' }), network('blue', { table: '100' })];
    const table = tableOf(networks, [
      candidate('red', '10.0.0.0/24'),
      candidate('blue', '10.0.0.0/25'),
      candidate('blue', '10.9.0.0/24'),
    ]);
    expect(everything(table, networks)).toEqual([
      'in blue: 10.0.0.0/25 of blue overlapping',
      'in blue: 10.9.0.0/24 of blue from test',
      'in red: 10.0.0.0/24 of red overlapping',
    ]);
  });
});

describe('any sequence of changes', () => {
  const names = ['default', 'red', 'blue'] as const;
  const texts = [
    '10.0.0.0/8',
    '10.0.0.0/16',
    '10.0.1.0/24',
    '10.0.1.1/32',
    '10.1.0.0/16',
    'fd00::/48',
    'fd00::/64',
    'fd00::1/128',
  ];
  const someCandidate = fc
    .record({
      name: fc.constantFrom(...names),
      request: fc.constantFrom('first', 'second', 'unknown'),
      text: fc.constantFrom(...texts),
      source: fc.constantFrom('a', 'b'),
      notReady: fc.constantFrom(undefined, 'down'),
    })
    .map(({ name, request, text, source, notReady }) =>
      candidate(name, text, { request: `${name} ${request}`, source, notReady }),
    );
  const configuration = fc
    .record({
      exports: fc.array(fc.subarray(['default', 'red', 'blue']), { minLength: 3, maxLength: 3 }),
      tables: fc.array(fc.constantFrom(undefined, '100'), { minLength: 3, maxLength: 3 }),
      aggregates: fc.array(
        fc.uniqueArray(fc.tuple(fc.constantFrom(...texts), fc.boolean()), {
          selector: ([text]) => text,
          maxLength: 2,
        }),
        { minLength: 3, maxLength: 3 },
      ),
      policy: fc.constantFrom('accept', 'wide'),
      isWhole: fc.boolean(),
    })
    .map(({ exports, tables, aggregates, policy, isWhole }) =>
      names
        .map((name, index) =>
          network(name, {
            exports: exports[index]!.filter((to) => to !== name && (isWhole || to !== 'blue')).map(
              (to) => ({ to, policy }),
            ),
            table: tables[index],
            aggregates: aggregates[index]!.map(([text, suppress]) => aggregate(text, suppress)),
          }),
        )
        .slice(0, isWhole ? 3 : 2),
    );
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.nat(5), fc.array(someCandidate, { maxLength: 3 })) },
    { weight: 1, arbitrary: configuration },
  );

  it('ends as a fresh computation, and names every prefix that changed', () => {
    fc.assert(
      fc.property(
        configuration,
        fc.array(step, { minLength: 5, maxLength: 30 }),
        (start, steps) => {
          const table = new AnnouncementTable(admit);
          const subjects = new Map<number, readonly Candidate[]>();
          let networks = start;
          table.configure(networks);
          table.takeChanges();
          let before = everything(table, networks);
          for (const each of steps) {
            if (typeof each[0] === 'number') {
              const [subject, candidates] = each as [number, Candidate[]];
              subjects.set(subject, candidates);
              table.setCandidates(`${subject}`, candidates);
            } else {
              networks = each as NetworkRequests[];
              table.configure(networks);
            }
            const changed = new Set(
              table.takeChanges().map(({ text, network: of }) => `${text} of ${of}`),
            );
            const after = everything(table, networks);
            expect(after).toEqual(
              naiveAnnouncements(networks, [...subjects.values()].flat(), isAdmitted),
            );
            if (typeof each[0] === 'number') {
              const differences = [
                ...after.filter((line) => !before.includes(line)),
                ...before.filter((line) => !after.includes(line)),
              ];
              for (const line of differences) {
                const [, name] = /: (\S+ of \S+) /.exec(line)!;
                expect(changed).toContain(name);
              }
            }
            before = after;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
