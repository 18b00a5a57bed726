import { expect, it } from 'vitest';
import { InitialSync } from '../../src/agent/initial-sync.ts';

function start(sources: string[]): { sync: InitialSync; reasons: string[] } {
  const reasons: string[] = [];
  return { sync: new InitialSync(sources, (reason) => reasons.push(reason)), reasons };
}

it('finishes when the last source has finished, once', () => {
  const { sync, reasons } = start(['tor-a/ipv4-unicast', 'tor-b/ipv4-unicast']);
  sync.finish('tor-a/ipv4-unicast');
  expect(sync.waitingFor).toEqual(['tor-b/ipv4-unicast']);
  expect(reasons).toEqual([]);
  sync.finish('tor-b/ipv4-unicast');
  sync.finish('tor-b/ipv4-unicast');
  sync.expire();
  expect(reasons).toEqual(['every source has finished its first sync']);
  expect(sync.isFinished).toBe(true);
});

it('finishes at once where nothing is to be waited for', () => {
  const { sync, reasons } = start([]);
  expect(reasons).toEqual([]);
  sync.finish();
  expect(reasons).toHaveLength(1);
});

it('names who did not come by the deadline', () => {
  const { sync, reasons } = start(['tor-a/ipv4-unicast', 'tor-b/ipv4-unicast']);
  sync.finish('tor-a/ipv4-unicast');
  sync.expire();
  expect(reasons).toEqual(['deadline passed while waiting for tor-b/ipv4-unicast']);
});

it('tells the networks that import from it which source has finished', () => {
  const red = start(['tor-a/ipv4-unicast']);
  const blue = start(['tor-a/ipv4-unicast', 'tor-b/ipv4-unicast']);
  red.sync.setFollowers([blue.sync]);
  blue.sync.setFollowers([red.sync]);
  red.sync.finish('tor-a/ipv4-unicast');
  expect(red.sync.isFinished).toBe(true);
  expect(blue.sync.waitingFor).toEqual(['tor-b/ipv4-unicast']);
  blue.sync.finish('tor-b/ipv4-unicast');
  expect(blue.sync.isFinished).toBe(true);
});

it('hears nothing new of a source it does not wait for', () => {
  const { sync, reasons } = start([]);
  sync.finish('tor-a/ipv4-unicast');
  expect(reasons).toEqual([]);
});
