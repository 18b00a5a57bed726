// A route that takes another next hop keeps what is in place until the host says where that next hop is.
import { beforeEach, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import { FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const FIB = 1;
const A = 1;
const B = 2;
const PREFIX = '203.0.113.0/24';

let core: RouteCore;

beforeEach(async () => {
  core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: false });
  core.trackNextHops(1, true);
  core.addFib(FIB, 1, { holdRemovals: false });
  addOpenPeer(core, A);
  addOpenPeer(core, B);
  announce(A, '192.0.2.1');
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.1`]);
});

function announce(peer: number, nextHop: string, asPath = [65001]): void {
  core.receive(peer, announcement({ attributes: { asPath, nextHop }, prefixes: [PREFIX] }), 1);
}

/** The host's answer about every next hop it was told of since the last one. */
function answer(resolved: boolean): void {
  for (const { id, kind } of core.takeNextHopEvents()) {
    if (kind === 'added') core.setNextHop(id, { resolved, metric: 0 });
  }
}

/** What a target would be told now. */
function changes(): string[] {
  while (core.work(1000));
  const { buffer, count, byteLength } = core.drain(FIB, 100);
  core.acknowledge(FIB, []);
  const batch = new FibBatch(buffer, count, byteLength);
  return Array.from({ length: count }, (_, index) => {
    const { prefix, to } = batch.change(index);
    const hops = to?.members.map(({ address }) => formatIpAddress(address)).join('|') ?? 'none';
    return `${formatPrefix(prefix)} ${hops}`;
  });
}

it('changes what is in place once, when the next hop is there', () => {
  announce(A, '192.0.2.9');
  expect(changes()).toEqual([]);
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.9`]);
});

it('takes away what is in place when the next hop is not there', () => {
  announce(A, '192.0.2.9');
  expect(changes()).toEqual([]);
  answer(false);
  expect(changes()).toEqual([`${PREFIX} none`]);
});

it('waits through any number of next hops', () => {
  announce(A, '192.0.2.9');
  announce(A, '192.0.2.8');
  expect(changes()).toEqual([]);
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.8`]);
});

it('keeps the whole equal-cost set', () => {
  announce(B, '192.0.2.2');
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2`]);
  announce(A, '192.0.2.9');
  expect(changes()).toEqual([]);
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.2|192.0.2.9`]);
});

it('waits with no withdrawal', () => {
  announce(A, '192.0.2.9');
  core.receive(A, withdrawal([PREFIX]), 1);
  expect(changes()).toEqual([`${PREFIX} none`]);
});

it('waits with no session that is lost', () => {
  announce(A, '192.0.2.9');
  core.closePeer(A, []);
  expect(changes()).toEqual([`${PREFIX} none`]);
});

it('decides without the route when others have news', () => {
  announce(A, '192.0.2.9');
  announce(B, '192.0.2.1', [65001, 65009]);
  expect(changes()).toEqual([]); // which leads where what is in place does
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.9`]);
});

it('puts nothing new in place before its next hop is there', () => {
  core.receive(A, withdrawal([PREFIX]), 1);
  expect(changes()).toEqual([`${PREFIX} none`]);
  announce(A, '192.0.2.9');
  expect(changes()).toEqual([]);
  answer(true);
  expect(changes()).toEqual([`${PREFIX} 192.0.2.9`]);
});
