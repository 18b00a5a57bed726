// Imports between networks: what is copied, what is not, and that copies follow their originals.
import { beforeEach, describe, expect, it } from 'vitest';
import { POLICY_ACCEPT, POLICY_REJECT } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import { encodeObservations, FibBatch } from '../../src/core/records.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.ts';
import { addOpenPeer, corePeer } from './open-peer.ts';
import { announcement, withdrawal } from './updates.ts';

const RED = 1;
const BLUE = 2;
const GREEN = 3;
const networks = [RED, BLUE, GREEN];
/** Peers of RED and of BLUE. */
const RED_A = 11;
const RED_B = 12;
const BLUE_A = 21;
/** Import lines. */
const RED_INTO_BLUE = 101;
const BLUE_INTO_RED = 102;
const BLUE_INTO_GREEN = 103;
const PREFIX = '203.0.113.0/24';

let core: RouteCore;
beforeEach(async () => {
  core = await loadCore();
  for (const network of networks) {
    core.addNetwork(network, { med: 'deterministic', multipath: 4, multipathRelax: false });
    core.addFib(network, network, { holdRemovals: false });
  }
  addPeer(RED_A, RED);
  addPeer(RED_B, RED);
  addPeer(BLUE_A, BLUE);
});

function addPeer(id: number, network: number): void {
  addOpenPeer(core, id, { network });
}

function announce(peer: number, prefix: string, nextHop = '192.0.2.1', path = [65001]): void {
  const attributes = { asPath: path, nextHop };
  core.receive(peer, announcement({ attributes, prefixes: [prefix] }), 1);
}

function withdraw(peer: number, prefix: string): void {
  core.receive(peer, withdrawal([prefix]), 1);
}

function importRoutes(line: number, network: number, from: number, policy = POLICY_ACCEPT): void {
  core.addImport(line, { network, from, policy });
  settle();
}

function settle(): void {
  while (core.work(1000));
}

function rows(network: number, stage: 'adj-rib-in' | 'loc-rib' = 'loc-rib'): readonly RouteRow[] {
  const query = { network, stage, match: { kind: 'all' } } as const;
  return (['ipv4-unicast', 'ipv6-unicast'] as const).flatMap(
    (family) => core.routes({ ...query, family }, undefined, 1000).rows,
  );
}

/** `prefix peer<network next hop`, of what is chosen. */
function table(network: number): string[] {
  return rows(network).map(({ prefix, peer, importedFrom, attributes }) => {
    const from = importedFrom === undefined ? '' : `<${importedFrom}`;
    return `${formatPrefix(prefix!)} ${peer}${from} ${formatIpAddress(attributes.nextHop)}`;
  });
}

function drain(fib: number): string[] {
  const { buffer, count, byteLength } = core.drain(fib, 100);
  core.acknowledge(fib, []);
  const batch = new FibBatch(buffer, count, byteLength);
  return Array.from({ length: count }, (_, index) => {
    const { prefix, to } = batch.change(index);
    const hops = to?.members.map(({ address }) => formatIpAddress(address)).join('|') ?? 'none';
    return `${formatPrefix(prefix)} ${hops}`;
  });
}

describe('an import line', () => {
  it('takes what is there and what comes later, and shares its attributes', () => {
    announce(RED_A, PREFIX);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, '2001:db8::/32', '2001:db8::1');
    settle();
    expect(table(BLUE)).toEqual([
      `${PREFIX} ${RED_A}<${RED} 192.0.2.1`,
      `2001:db8::/32 ${RED_A}<${RED} 2001:db8::1`,
    ]);
    expect(core.memory()).toMatchObject({ routeCount: 4, attributeSetCount: 2 });
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.1`, '2001:db8::/32 2001:db8::1']);
  });

  it('follows changes and withdrawals', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX);
    settle();
    announce(RED_A, PREFIX, '192.0.2.9');
    settle();
    expect(table(BLUE)).toEqual([`${PREFIX} ${RED_A}<${RED} 192.0.2.9`]);
    withdraw(RED_A, PREFIX);
    settle();
    expect(table(BLUE)).toEqual([]);
    expect(core.memory()).toMatchObject({ routeCount: 0, prefixCount: 0, attributeSetCount: 0 });
  });

  it('keeps equal-cost paths together and names each by its peer', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX, '192.0.2.1');
    announce(RED_B, PREFIX, '192.0.2.2');
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2`]);
    expect(rows(BLUE)).toMatchObject([
      { peer: RED_A, best: true },
      { peer: RED_B, multipath: true },
    ]);
    const query = { network: BLUE, family: 'ipv4-unicast', stage: 'adj-rib-in' } as const;
    const ofB = core.routes({ ...query, peer: RED_B, match: { kind: 'all' } }, undefined, 10);
    expect(ofB.rows).toMatchObject([{ peer: RED_B, importedFrom: RED }]);
  });

  it('takes no route that is not chosen', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX, '192.0.2.1', [65001]);
    announce(RED_B, PREFIX, '192.0.2.2', [65001, 65002]);
    settle();
    expect(rows(BLUE, 'adj-rib-in')).toHaveLength(1);
  });

  it('takes neither local nor imported routes, so that a circle is no loop', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    importRoutes(BLUE_INTO_RED, RED, BLUE);
    importRoutes(BLUE_INTO_GREEN, GREEN, BLUE);
    core.originate(RED, parsePrefix('10.1.0.0/16')!, 1);
    announce(RED_A, PREFIX);
    announce(BLUE_A, '198.51.100.0/24');
    settle();
    expect(table(GREEN)).toEqual([`198.51.100.0/24 ${BLUE_A}<${BLUE} 192.0.2.1`]);
    expect(rows(RED, 'adj-rib-in')).toHaveLength(3);
    expect(rows(BLUE, 'adj-rib-in')).toHaveLength(2);
    withdraw(RED_A, PREFIX);
    withdraw(BLUE_A, '198.51.100.0/24');
    settle();
    expect(networks.map((network) => table(network).length)).toEqual([1, 0, 0]);
  });

  it('competes with the network’s own routes by the same steps', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX, '192.0.2.1', [65001, 65002]);
    announce(BLUE_A, PREFIX, '192.0.2.2', [65001]);
    settle();
    expect(table(BLUE)).toEqual([`${PREFIX} ${BLUE_A} 192.0.2.2`]);
    withdraw(BLUE_A, PREFIX);
    expect(table(BLUE)).toEqual([`${PREFIX} ${RED_A}<${RED} 192.0.2.1`]);
  });

  it('forwards to one place once, however many networks say so', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX, '192.0.2.1');
    announce(BLUE_A, PREFIX, '192.0.2.1');
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.1`]);
    expect(core.memory().nextHopSetCount).toBe(1);
  });

  it('lets through what its policy accepts, whenever that changes', () => {
    announce(RED_A, PREFIX);
    importRoutes(RED_INTO_BLUE, BLUE, RED, POLICY_REJECT);
    expect(rows(BLUE, 'adj-rib-in')).toEqual([]);
    importRoutes(RED_INTO_BLUE, BLUE, RED, POLICY_ACCEPT);
    expect(table(BLUE)).toHaveLength(1);
    importRoutes(RED_INTO_BLUE, BLUE, RED, POLICY_REJECT);
    expect(rows(BLUE, 'adj-rib-in')).toEqual([]);
  });

  it('takes its routes along when it ends, and may come back', () => {
    announce(RED_A, PREFIX);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    core.closePeer(RED_INTO_BLUE, []);
    settle();
    expect(table(BLUE)).toEqual([]);
    announce(RED_A, '198.51.100.0/24');
    settle();
    expect(table(BLUE)).toEqual([]);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    expect(table(BLUE)).toHaveLength(2);
    core.closePeer(RED_INTO_BLUE, []);
    settle();
    core.removePeer(RED_INTO_BLUE);
  });

  it('closed and opened again at once keeps what it had', () => {
    announce(RED_A, PREFIX);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    drain(BLUE);
    core.closePeer(RED_INTO_BLUE, []);
    core.addImport(RED_INTO_BLUE, { network: BLUE, from: RED, policy: POLICY_ACCEPT });
    settle();
    expect(table(BLUE)).toHaveLength(1);
    expect(drain(BLUE)).toEqual([]);
  });

  it('follows next hops as their own network finds them', () => {
    for (const network of networks) core.trackNextHops(network, true);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX);
    const [event] = core.takeNextHopEvents();
    expect(event).toMatchObject({ network: RED, kind: 'added' });
    settle();
    expect(table(BLUE)).toEqual([]);
    core.setNextHop(event!.id, { resolved: true, metric: 5 });
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.1`]);
    expect(core.takeNextHopEvents()).toEqual([]);
    core.setNextHop(event!.id, { resolved: false, metric: 0 });
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} none`]);
  });

  it('decides anew when a metric or a peer’s options change, though the route is the same', () => {
    core.trackNextHops(RED, true);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX, '192.0.2.1');
    announce(BLUE_A, PREFIX, '192.0.2.2');
    const [event] = core.takeNextHopEvents();
    core.setNextHop(event!.id, { resolved: true, metric: 7 });
    settle();
    expect(table(BLUE)).toEqual([`${PREFIX} ${BLUE_A} 192.0.2.2`]);
    core.setNextHop(event!.id, { resolved: true, metric: 0 });
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.1|192.0.2.2`]);
    core.updatePeer(RED_A, corePeer(RED_A, { network: RED, asn: 65000 }));
    settle();
    expect(drain(BLUE)).toEqual([`${PREFIX} 192.0.2.2`]);
  });

  it('hears bad news first', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX);
    settle();
    drain(BLUE);
    for (let i = 0; i < 200; i++) announce(RED_A, `10.0.${i}.0/24`);
    withdraw(RED_A, PREFIX);
    core.work(1);
    expect(drain(BLUE)).toEqual([`${PREFIX} none`]);
    settle();
    expect(table(BLUE)).toHaveLength(200);
  });

  it('finds what an earlier life left in place and writes nothing', () => {
    const members = [{ address: parseIpAddress('192.0.2.1')!, weight: 1, interfaceIndex: 0 }];
    const left = encodeObservations([
      { prefix: parsePrefix(PREFIX)!, set: { discard: false, members } },
    ]);
    core.beginSnapshot(BLUE);
    core.observe(BLUE, left.records, left.byteLength);
    core.endSnapshot(BLUE);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX);
    settle();
    expect(core.fibCounters(BLUE)).toMatchObject({ installedCount: 1, pendingCount: 0 });
  });

  it('is refused where it makes no sense', () => {
    const line = { network: BLUE, from: RED, policy: POLICY_ACCEPT };
    expect(() => core.addImport(0, line)).toThrow('cannot be set');
    expect(() => core.addImport(9, { ...line, from: BLUE })).toThrow('cannot be set');
    expect(() => core.addImport(9, { ...line, from: 77 })).toThrow('cannot be set');
    expect(() => core.addImport(RED_A, line)).toThrow('cannot be set');
    core.addImport(RED_INTO_BLUE, line);
    expect(() => core.addImport(RED_INTO_BLUE, { ...line, network: GREEN })).toThrow();
    expect(() => core.addPeer(RED_INTO_BLUE, corePeer(1, { network: BLUE }))).toThrow();
  });
});

describe('at the ceiling of memory', () => {
  it('copies what there is room for, tells of every withdrawal, and catches up', async () => {
    core = await loadCore({ maximumBytes: 8 << 20 });
    core.addNetwork(RED, { med: 'deterministic', multipath: 1, multipathRelax: false });
    addPeer(RED_A, RED);
    const blocks = Array.from({ length: 400 }, (_, i) =>
      Array.from(
        { length: 256 },
        (_, j) => `10.${i >> 1}.${((i & 1) << 7) | (j >> 1)}.${(j & 1) << 7}/25`,
      ),
    );
    const tell = (message: (prefixes: string[]) => Uint8Array) =>
      blocks.map((block) => core.receive(RED_A, message(block), 1).outOfMemoryCount);
    const attributes = { asPath: [65001], nextHop: '192.0.2.1' };
    const announceAll = () => tell((prefixes) => announcement({ attributes, prefixes }));
    const withdrawAll = () => tell((prefixes) => withdrawal(prefixes));
    announceAll();
    // So many networks that what they copy is more than there is room for, and the queue of importers cannot grow.
    for (let id = 50; id < 56; id++) {
      core.addNetwork(id, { med: 'deterministic', multipath: 1, multipathRelax: false });
      core.addImport(1000 + id, { network: id, from: RED, policy: POLICY_ACCEPT });
    }
    for (let turns = 0; turns < 2000 && core.work(1000); turns++);
    const { routeCount } = core.memory();
    withdrawAll();
    announceAll();
    withdrawAll();
    for (let turns = 0; turns < 5000 && core.work(1000); turns++);
    expect(core.memory()).toMatchObject({ routeCount: 0, prefixCount: 0, attributeSetCount: 0 });
    announce(RED_A, PREFIX);
    settle();
    expect(table(50)).toEqual([`${PREFIX} ${RED_A}<${RED} 192.0.2.1`]);
    expect(routeCount).toBeGreaterThan(50_000);
  });
});

describe('a peer', () => {
  it('cannot be removed before its copies are gone', () => {
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    announce(RED_A, PREFIX);
    settle();
    core.closePeer(RED_A, []);
    expect(() => core.removePeer(RED_A)).toThrow();
    settle();
    expect(table(BLUE)).toEqual([]);
    core.removePeer(RED_A);
  });
});

describe('networks', () => {
  it('are isolated where no import line says otherwise', () => {
    announce(RED_A, PREFIX);
    announce(BLUE_A, '198.51.100.0/24');
    core.originate(RED, parsePrefix('10.1.0.0/16')!, 1);
    settle();
    expect(table(BLUE)).toEqual([`198.51.100.0/24 ${BLUE_A} 192.0.2.1`]);
    expect(table(GREEN)).toEqual([]);
  });

  it('are removed when nothing is left of them, and their numbers are free again', () => {
    const before = core.memory().usedBytes;
    core.addNetwork(9, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.setOwnSubnets(9, [parsePrefix('10.0.0.0/8')!, parsePrefix('2001:db8::/32')!]);
    core.addFib(9, 9, { holdRemovals: false });
    addPeer(91, 9);
    core.addImport(92, { network: 9, from: RED, policy: POLICY_ACCEPT });
    core.addImport(93, { network: RED, from: 9, policy: POLICY_ACCEPT });
    announce(RED_A, PREFIX);
    announce(91, '198.51.100.0/24');
    settle();
    expect(() => core.removeNetwork(9)).toThrow('still in use');
    for (const peer of [91, 92, 93]) core.closePeer(peer, []);
    core.removeFib(9);
    settle();
    for (const peer of [91, 92, 93]) core.removePeer(peer);
    core.removeNetwork(9);
    withdraw(RED_A, PREFIX);
    settle();
    core.takeNextHopEvents();
    expect(core.memory().usedBytes).toBeLessThanOrEqual(before + 8192);
    core.addNetwork(9, { med: 'always', multipath: 1, multipathRelax: false });
    expect(table(9)).toEqual([]);
  });
});

describe('own subnets', () => {
  it('refuse what lies within, from peers and imports alike, and nothing that covers', () => {
    core.setOwnSubnets(BLUE, [parsePrefix('10.1.0.0/16')!, parsePrefix('2001:db8::/32')!]);
    importRoutes(RED_INTO_BLUE, BLUE, RED);
    for (const prefix of ['10.1.0.0/16', '10.1.7.0/24', '10.0.0.0/8', '0.0.0.0/0', '10.2.0.0/16']) {
      announce(RED_A, prefix);
    }
    announce(BLUE_A, '10.1.7.0/24');
    announce(BLUE_A, '2001:db8:1::/48', '2001:db8::1');
    settle();
    expect(table(BLUE).map((line) => line.split(' ')[0])).toEqual([
      '0.0.0.0/0',
      '10.0.0.0/8',
      '10.2.0.0/16',
    ]);
    const refused = rows(BLUE, 'adj-rib-in').filter(({ best }) => !best);
    expect(refused.map(({ reason }) => reason)).toEqual(new Array(4).fill('own subnet'));
    expect(table(RED)).toHaveLength(5);
  });

  it('leave the network’s own announcements alone', () => {
    core.setOwnSubnets(BLUE, [parsePrefix('10.1.0.0/16')!]);
    core.originate(BLUE, parsePrefix('10.1.0.0/16')!, 1);
    expect(rows(BLUE)).toMatchObject([{ peer: 0, best: true }]);
  });

  it('are applied to what is there when they change', () => {
    announce(BLUE_A, '10.1.7.0/24');
    drain(BLUE);
    core.setOwnSubnets(BLUE, [parsePrefix('10.1.0.0/16')!]);
    settle();
    expect(drain(BLUE)).toEqual(['10.1.7.0/24 none']);
    core.setOwnSubnets(BLUE, []);
    settle();
    expect(drain(BLUE)).toEqual(['10.1.7.0/24 192.0.2.1']);
  });

  it('are known of a prefix that comes back before its importers heard that it went', () => {
    core.addImport(RED_INTO_BLUE, { network: RED, from: BLUE, policy: POLICY_ACCEPT });
    announce(BLUE_A, '10.1.7.0/24');
    core.trackNextHops(BLUE, true); // unresolved: that it goes is no bad news, and waits
    settle();
    withdraw(BLUE_A, '10.1.7.0/24');
    core.setOwnSubnets(BLUE, [parsePrefix('10.1.0.0/16')!]);
    core.work(8); // the walk gets there, the queue of importers does not
    announce(BLUE_A, '10.1.7.0/24');
    settle();
    expect(rows(BLUE, 'adj-rib-in')).toMatchObject([{ reason: 'own subnet' }]);
  });

  it('may be more than fit one call', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      address: Uint8Array.from([10, i >> 8, i & 255, 0]),
      length: 24,
    }));
    core.setOwnSubnets(BLUE, many);
    announce(BLUE_A, `10.${19_999 >> 8}.${19_999 & 255}.128/25`);
    expect(rows(BLUE, 'adj-rib-in')).toMatchObject([{ best: false, reason: 'own subnet' }]);
    const { usedBytes } = core.memory();
    core.setOwnSubnets(BLUE, []);
    expect(core.memory().usedBytes).toBeLessThan(usedBytes - 20_000 * 8);
  });
});
