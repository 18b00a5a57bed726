// What a FIB promises its sink: order, coalescing, refusals, snapshots, held removals.
import { beforeEach, describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { FibState } from '../../src/core/fib-rows.ts';
import { decodeObservations, encodeObservations, FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const FIB = 5;
const A = '192.0.2.1';
const B = '192.0.2.2';

let core: RouteCore;
beforeEach(async () => {
  core = await newCore(false);
});

async function newCore(holdRemovals: boolean): Promise<RouteCore> {
  const fresh = await loadCore();
  fresh.addNetwork(1, { med: 'deterministic', multipath: 4, multipathRelax: false });
  fresh.addFib(FIB, 1, { holdRemovals });
  for (const id of [1, 2]) {
    addOpenPeer(fresh, id);
  }
  return fresh;
}

function announce(prefix: string, nextHop = A, peer = 1): void {
  const attributes = { asPath: [65001], nextHop };
  expect(core.receive(peer, announcement({ attributes, prefixes: [prefix] }), 1).status).toBe(
    'done',
  );
}

function withdraw(prefix: string, peer = 1): void {
  core.receive(peer, withdrawal([prefix]), 1);
}

/** The batch as text: "+" for urgent, prefix, from → to. */
function drain(limit = 100): string[] {
  const { buffer, count, byteLength } = core.drain(FIB, limit);
  const batch = new FibBatch(buffer, count, byteLength);
  const list = (set: ReturnType<FibBatch['from']>) =>
    set?.members.map(({ address }) => formatIpAddress(address)).join('|') ?? 'none';
  return Array.from({ length: count }, (_, i) => {
    const { prefix, from, to, urgent } = batch.change(i);
    return `${urgent ? '!' : ''}${formatPrefix(prefix)} ${list(from)} > ${list(to)}`;
  });
}

function install(...prefixes: string[]): void {
  for (const prefix of prefixes) announce(prefix);
  drain();
  core.acknowledge(FIB, []);
}

function observed(prefix: string, ...nextHops: string[]): [ArrayBuffer, number] {
  const members = nextHops.map((address) => ({
    address: parseIpAddress(address)!,
    weight: 1,
    interfaceIndex: 0,
  }));
  const set = nextHops.length > 0 ? { discard: false, members } : undefined;
  const { records, byteLength } = encodeObservations([{ prefix: parsePrefix(prefix)!, set }]);
  expect(decodeObservations(records, byteLength)).toHaveLength(1);
  return [records, byteLength];
}

function stateOf(prefix: string): FibState | undefined {
  const match = { kind: 'exact', prefix: parsePrefix(prefix)! } as const;
  return core.fibEntries(FIB, 'ipv4-unicast', match, undefined, 1).rows[0]?.state;
}

describe('batches', () => {
  it('hand over changes in the order they happened, bad news first', () => {
    install('10.0.0.0/8', '10.1.0.0/16');
    announce('10.2.0.0/16');
    announce('10.3.0.0/16', A);
    announce('10.3.0.0/16', B, 2);
    announce('10.1.0.0/16', B);
    withdraw('10.0.0.0/8');
    expect(drain()).toEqual([
      `!10.1.0.0/16 ${A} > ${B}`,
      `!10.0.0.0/8 ${A} > none`,
      `10.2.0.0/16 none > ${A}`,
      `10.3.0.0/16 none > ${A}|${B}`,
    ]);
  });

  it('do not call a set that only gains members bad news', () => {
    install('10.0.0.0/8');
    announce('10.0.0.0/8', B, 2);
    expect(drain()).toEqual([`10.0.0.0/8 ${A} > ${A}|${B}`]);
    core.acknowledge(FIB, []);
    withdraw('10.0.0.0/8', 1);
    expect(drain()).toEqual([`!10.0.0.0/8 ${A}|${B} > ${B}`]);
  });

  it('say nothing of what ended where it began (P9)', () => {
    install('10.0.0.0/8');
    announce('10.0.0.0/8', B);
    withdraw('10.0.0.0/8');
    announce('10.0.0.0/8', A);
    announce('10.9.0.0/16');
    withdraw('10.9.0.0/16');
    expect(core.pendingFibs()).toEqual([]);
    expect(core.fibCounters(FIB)).toMatchObject({ entryCount: 1, pendingCount: 0 });
  });

  it('hold the last state of what changed many times', () => {
    for (let i = 0; i < 50; i++) announce('10.0.0.0/8', i % 2 ? A : B);
    expect(drain()).toEqual([`10.0.0.0/8 none > ${A}`]);
  });

  it('go one at a time, and what changes meanwhile is in the next', () => {
    announce('10.0.0.0/8');
    expect(drain()).toHaveLength(1);
    withdraw('10.0.0.0/8');
    announce('10.1.0.0/16');
    expect(core.pendingFibs()).toEqual([]);
    expect(() => core.drain(FIB, 10)).toThrow('in flight');
    core.acknowledge(FIB, []);
    expect(drain()).toEqual([`!10.0.0.0/8 ${A} > none`, `10.1.0.0/16 none > ${A}`]);
  });

  it('keep to their limit, oldest first', () => {
    for (let i = 0; i < 10; i++) announce(`10.${i}.0.0/16`);
    expect(drain(3).map((change) => change.split(' ')[0])).toEqual([
      '10.0.0.0/16',
      '10.1.0.0/16',
      '10.2.0.0/16',
    ]);
    expect(core.fibCounters(FIB)).toMatchObject({ pendingCount: 10, installedCount: 0 });
  });

  it('keep to the output buffer, however large the limit is', () => {
    for (let i = 0; i < 40_000; i += 1000) {
      const prefixes = Array.from(
        { length: 1000 },
        (_, j) => `10.${(i + j) >> 8}.${(i + j) & 255}.0/24`,
      );
      core.openPeer(1, {
        routerId: 1,
        fourOctetAs: true,
        maxMessageBytes: 65535,
        families: ['ipv4-unicast'],
        addPath: [],
      });
      core.receive(1, announcement({ attributes: { asPath: [65001], nextHop: A }, prefixes }), 1);
    }
    const { count, byteLength } = core.drain(FIB, 1_000_000);
    expect(count).toBeGreaterThan(30_000);
    expect(count).toBeLessThan(40_000);
    expect(byteLength).toBeLessThanOrEqual(1048576);
    core.acknowledge(FIB, []);
    expect(core.drain(FIB, 1_000_000).count).toBe(40_000 - count);
  });

  it('leave local routes out', () => {
    install('10.0.0.0/8');
    core.originate(1, parsePrefix('10.0.0.0/8')!, 1);
    core.originate(1, parsePrefix('10.7.0.0/16')!, 1);
    expect(drain()).toEqual([`!10.0.0.0/8 ${A} > none`]);
  });
});

describe('refusals', () => {
  it('wait for a retry', () => {
    announce('10.0.0.0/8');
    announce('10.1.0.0/16');
    drain();
    core.acknowledge(FIB, [0]);
    expect(stateOf('10.0.0.0/8')).toBe('refused');
    expect(core.pendingFibs()).toEqual([]);
    core.retry(FIB, ...observed('10.0.0.0/8'));
    expect(drain()).toEqual([`10.0.0.0/8 none > ${A}`]);
  });

  it('are lifted by other news of the prefix', () => {
    announce('10.0.0.0/8');
    drain();
    core.acknowledge(FIB, [0]);
    announce('10.0.0.0/8', B);
    expect(drain()).toEqual([`10.0.0.0/8 none > ${B}`]);
    core.acknowledge(FIB, [0]);
    withdraw('10.0.0.0/8');
    expect(stateOf('10.0.0.0/8')).toBeUndefined();
    expect(core.fibCounters(FIB)).toMatchObject({ entryCount: 0, refusedCount: 0 });
  });

  it('by the sink’s own word take the route out of its place', () => {
    install('10.0.0.0/8');
    core.refuse(FIB, ...observed('10.0.0.0/8'));
    expect(core.fibCounters(FIB)).toMatchObject({
      installedCount: 0,
      refusedCount: 1,
      pendingCount: 0,
    });
    core.retry(FIB, ...observed('10.0.0.0/8'));
    expect(drain()).toEqual([`10.0.0.0/8 none > ${A}`]);
  });

  it('of a removal keep the entry known', () => {
    install('10.0.0.0/8');
    withdraw('10.0.0.0/8');
    drain();
    core.acknowledge(FIB, [0]);
    expect(stateOf('10.0.0.0/8')).toBe('refused');
    announce('10.0.0.0/8', A);
    expect(stateOf('10.0.0.0/8')).toBe('installed');
  });
});

describe('observations', () => {
  it('put back what was taken away', () => {
    install('10.0.0.0/8');
    core.observe(FIB, ...observed('10.0.0.0/8'));
    expect(drain()).toEqual([`10.0.0.0/8 none > ${A}`]);
  });

  it('correct what was changed, and remove what is ours but not wanted', () => {
    install('10.0.0.0/8');
    core.observe(FIB, ...observed('10.0.0.0/8', B));
    core.observe(FIB, ...observed('10.9.0.0/16', B));
    expect(drain()).toEqual([`!10.0.0.0/8 ${B} > ${A}`, `!10.9.0.0/16 ${B} > none`]);
  });

  it('during a batch win over its answer', () => {
    announce('10.0.0.0/8');
    drain();
    core.observe(FIB, ...observed('10.0.0.0/8', B));
    core.acknowledge(FIB, []);
    expect(drain()).toEqual([`!10.0.0.0/8 ${B} > ${A}`]);
  });

  it('of what is there already make nothing pending: a restart writes nothing (P3)', () => {
    core.beginSnapshot(FIB);
    core.observe(FIB, ...observed('10.0.0.0/8', A));
    core.observe(FIB, ...observed('10.1.0.0/16', A, B));
    core.endSnapshot(FIB);
    while (core.work(10));
    announce('10.0.0.0/8');
    announce('10.1.0.0/16', B);
    announce('10.1.0.0/16', A, 2);
    expect(core.pendingFibs()).toEqual([]);
    expect(core.fibCounters(FIB)).toMatchObject({ entryCount: 2, installedCount: 2 });
  });
});

describe('snapshots', () => {
  it('make what they do not name not installed', () => {
    install('10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16');
    for (let round = 0; round < 3; round++) {
      core.beginSnapshot(FIB);
      core.observe(FIB, ...observed('10.1.0.0/16', A));
      core.endSnapshot(FIB);
      while (core.work(1));
      expect(core.fibCounters(FIB)).toMatchObject({ installedCount: 1, pendingCount: 2 });
      expect(drain()).toHaveLength(2);
      core.acknowledge(FIB, []);
    }
  });

  it('let nothing be drained before they are worked in', () => {
    install('10.0.0.0/8');
    announce('10.1.0.0/16');
    core.beginSnapshot(FIB);
    expect(core.pendingFibs()).toEqual([]);
    core.endSnapshot(FIB);
    expect(core.pendingFibs()).toEqual([]);
    while (core.work(1));
    expect(core.pendingFibs()).toEqual([FIB]);
  });

  it('decide what became of a batch whose answer was lost', () => {
    announce('10.0.0.0/8');
    announce('10.1.0.0/16');
    drain();
    core.forget(FIB);
    withdraw('10.0.0.0/8');
    expect(core.pendingFibs()).toEqual([]);
    core.beginSnapshot(FIB);
    core.observe(FIB, ...observed('10.0.0.0/8', A));
    core.endSnapshot(FIB);
    while (core.work(1));
    expect(drain()).toEqual([`!10.0.0.0/8 ${A} > none`, `10.1.0.0/16 none > ${A}`]);
  });
});

describe('held removals (P3)', () => {
  it('stay in place until they are released', async () => {
    core = await newCore(true);
    core.beginSnapshot(FIB);
    for (const prefix of ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16']) {
      core.observe(FIB, ...observed(prefix, A));
    }
    core.endSnapshot(FIB);
    while (core.work(10));
    expect(core.fibCounters(FIB)).toMatchObject({
      heldCount: 3,
      pendingCount: 0,
      installedCount: 3,
    });
    announce('10.1.0.0/16');
    announce('10.2.0.0/16', B);
    expect(stateOf('10.0.0.0/8')).toBe('held');
    expect(stateOf('10.1.0.0/16')).toBe('installed');
    expect(drain()).toEqual([`!10.2.0.0/16 ${A} > ${B}`]);
    core.acknowledge(FIB, []);
    core.releaseRemovals(FIB);
    expect(core.fibCounters(FIB)).toMatchObject({ heldCount: 0, pendingCount: 1 });
    expect(drain()).toEqual([`!10.0.0.0/8 ${A} > none`]);
  });
});

describe('FIBs', () => {
  it('added to a full table get it through work()', () => {
    announce('10.0.0.0/8');
    core.addFib(6, 1, { holdRemovals: false });
    while (core.work(1));
    expect(core.pendingFibs()).toEqual([FIB, 6]);
    const [row] = core.routes(
      { network: 1, family: 'ipv4-unicast', stage: 'loc-rib', match: { kind: 'all' } },
      undefined,
      1,
    ).rows;
    expect(row!.fibStates).toEqual([
      { fib: FIB, state: 'pending', carrier: 8 },
      { fib: 6, state: 'pending', carrier: 8 },
    ]);
  });

  it('that are removed give their memory back', () => {
    announce('10.0.0.0/8');
    const { usedBytes } = core.memory();
    for (let round = 0; round < 3; round++) {
      core.addFib(6, 1, { holdRemovals: false });
      while (core.work(1));
      core.drain(6, 10);
      core.removeFib(6);
      while (core.work(1));
      expect(core.memory().usedBytes).toBe(usedBytes);
    }
    expect(() => core.drain(6, 1)).toThrow('not known');
  });
});
