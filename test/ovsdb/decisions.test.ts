// The small pure decisions of the client: remotes, backoff, which server will do, results of a transaction.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/ovsdb/backoff.ts';
import { formatRemote, parseRemotes } from '../../src/ovsdb/remote.ts';
import { judgeServer, noProgress } from '../../src/ovsdb/server-status.ts';
import { readResults, Transaction } from '../../src/ovsdb/transaction.ts';

describe('parseRemotes', () => {
  it.each([
    ['unix:/run/ovn/nb.sock', ['unix:/run/ovn/nb.sock']],
    ['tcp:10.0.0.1:6641', ['tcp:10.0.0.1:6641']],
    ['tcp:10.0.0.1', ['tcp:10.0.0.1:6640']],
    ['ssl:[fd00::1]:6641', ['ssl:[fd00::1]:6641']],
    ['ssl:nb.example:6641, ssl:nc.example:1', ['ssl:nb.example:6641', 'ssl:nc.example:1']],
  ])('reads %s', (text, remotes) => {
    expect(parseRemotes(text)?.map(formatRemote)).toEqual(remotes);
  });

  it.each([
    '',
    'unix:',
    'udp:1.2.3.4:5',
    'tcp:',
    'tcp:a:0',
    'tcp:a:65536',
    'tcp:a:1:2',
    'unix:/a,',
  ])('refuses %j', (text) => {
    expect(parseRemotes(text)).toBeUndefined();
  });
});

describe('backoffDelay', () => {
  const options = { firstMs: 100, mostMs: 8000 };

  it('tries every remote once before it waits', () => {
    expect([0, 1, 2].map((attempt) => backoffDelay(attempt, 3, options, 0.5))).toEqual([0, 0, 0]);
  });

  it('doubles per round, up to the most', () => {
    const delays = [1, 2, 3, 4, 7, 8, 20].map((attempt) => backoffDelay(attempt, 1, options, 0.5));
    expect(delays).toEqual([100, 200, 400, 800, 6400, 8000, 8000]);
  });

  it('stays within a quarter of its middle', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, count, random) => {
          const middle = backoffDelay(attempt, count, options, 0.5);
          const delay = backoffDelay(attempt, count, options, random);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(middle * 0.75));
          expect(delay).toBeLessThanOrEqual(Math.ceil(middle * 1.25));
        },
      ),
    );
  });
});

describe('judgeServer', () => {
  const leader = {
    name: 'D',
    model: 'clustered',
    connected: true,
    leader: true,
    cid: 'c',
    index: 9,
  };
  const seen = { clusterId: 'c', index: 9 };

  it.each([
    ['a standalone server', { ...leader, model: 'standalone', connected: false }, noProgress],
    ['the leader', leader, { clusterId: 'c', index: 9 }],
    ['the leader, further on', { ...leader, index: 12 }, { clusterId: 'c', index: 12 }],
    [
      'another cluster, from its start',
      { ...leader, cid: 'd', index: 1 },
      { clusterId: 'd', index: 1 },
    ],
    [
      'a relay',
      {
        name: 'D',
        model: 'relay',
        connected: true,
        leader: true,
        cid: undefined,
        index: undefined,
      },
      { clusterId: undefined, index: 0 },
    ],
  ])('takes %s', (_, row, progress) => {
    expect(judgeServer(row, 'D', true, seen)).toEqual({ suitable: true, progress });
  });

  it.each([
    ['without the database', undefined, /does not serve database D/],
    ['without a quorum', { ...leader, connected: false }, /not connected/],
    ['that follows', { ...leader, leader: false }, /not the leader/],
    [
      'that is behind what we have seen',
      { ...leader, index: 8 },
      /at index 8 of its log, expected 9 or more/,
    ],
  ])('refuses a server %s', (_, row, reason) => {
    expect(judgeServer(row, 'D', true, seen)).toEqual({
      suitable: false,
      reason: expect.stringMatching(reason),
    });
  });

  it('takes a follower when any member will do', () => {
    expect(judgeServer({ ...leader, leader: false }, 'D', false, seen).suitable).toBe(true);
  });
});

describe('transactions', () => {
  it('encodes its operations after the name of the database (RFC 7047 §4.1.3)', () => {
    const transaction = new Transaction()
      .assertLock('l')
      .insert('T', { a: 1 }, 'u')
      .select('T', 'u');
    expect(JSON.parse(transaction.encode('D').paramsText)).toEqual([
      'D',
      { op: 'assert', lock: 'l' },
      { op: 'insert', table: 'T', uuid: 'u', row: { a: 1 } },
      { op: 'select', table: 'T', where: [['_uuid', '==', ['uuid', 'u']]] },
    ]);
  });

  it.each([
    ['an operation', [{}, { error: 'e', details: 'd' }, null], 1],
    ['the commit', [{}, {}, {}, { error: 'e', details: 'd' }], 3],
  ])('throws the error of %s with its place', (_, wire, operationIndex) => {
    const read = (): unknown => readResults(wire, 3);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'transaction-refused',
        serverError: 'e',
        message: 'e: d',
        operationIndex,
      }),
    );
  });

  it('takes fewer results than operations for a broken server', () => {
    expect(() => readResults([{}], 2)).toThrow(/1 results, expected 2/);
  });
});
