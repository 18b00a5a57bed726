// From TCP chunks to routes: framing (RFC 4271 §6.1, RFC 8654), what is left to the host, limits, and what a bad peer can do.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import type { RouteRow } from '../../src/core/route-rows.ts';
import type { AddressFamily } from '../../src/net/address-family.ts';
import { formatIpAddress, parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix } from '../../src/net/prefix.ts';
import { corePeer, coreSession } from './open-peer.ts';
import { announcement, attribute, endOfRib, join, message, update, withdrawal } from './updates.ts';

const peer = corePeer(1, { address: parseIpAddress('10.0.0.2')!, interfaceIndex: 4 });
const session = coreSession(1);

const attributes = { asPath: [65001], nextHop: '10.0.0.2' };
const keepalive = message(4, []);
const routeRefresh = message(5, [0, 1, 0, 1]);
const announce = (...prefixes: string[]) => announcement({ attributes, prefixes });

let core: RouteCore;
beforeEach(async () => {
  core = await loadCore();
  core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
  core.addPeer(1, peer);
  core.openPeer(1, session);
});

function rows(family: AddressFamily = 'ipv4-unicast', peer?: number): RouteRow[] {
  const query = { network: 1, family, stage: 'adj-rib-in', match: { kind: 'all' } } as const;
  return [...core.routes(peer === undefined ? query : { ...query, peer }, undefined, 1000).rows];
}

function prefixes(family?: AddressFamily): string[] {
  return rows(family).map(({ prefix }) => formatPrefix(prefix!));
}

describe('framing', () => {
  it('gives the same table however the stream is cut', async () => {
    const stream = join(
      announce('10.0.0.0/8', '10.1.0.0/16'),
      keepalive,
      announcement({
        attributes: { ...attributes, nextHop: '2001:db8::1' },
        prefixes: ['2001:db8::/32'],
      }),
      withdrawal(['10.1.0.0/16']),
      endOfRib('ipv4-unicast'),
      announce('10.2.0.0/16'),
      endOfRib('ipv6-unicast'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 40 }),
        async (cuts) => {
          const fresh = await loadCore();
          fresh.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
          fresh.addPeer(1, peer);
          fresh.openPeer(1, session);
          core = fresh;
          const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
          const total = {
            messageCount: 0,
            updateCount: 0,
            announcedCount: 0,
            withdrawnCount: 0,
            endOfRibMask: 0,
          };
          for (let i = 1; i < edges.length; i++) {
            const result = core.receive(1, stream.subarray(edges[i - 1], edges[i]), 9);
            expect(result.status).toBe('done');
            total.messageCount += result.messageCount;
            total.updateCount += result.updateCount;
            total.announcedCount += result.announcedCount;
            total.withdrawnCount += result.withdrawnCount;
            total.endOfRibMask |= result.endOfRibMask;
          }
          expect(total).toEqual({
            messageCount: 7,
            updateCount: 6,
            announcedCount: 4,
            withdrawnCount: 1,
            endOfRibMask: 3,
          });
          expect(prefixes()).toEqual(['10.0.0.0/8', '10.2.0.0/16']);
          expect(prefixes('ipv6-unicast')).toEqual(['2001:db8::/32']);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes a chunk larger than the input buffer', () => {
    const messages: Uint8Array[] = [];
    for (let i = 0; i < 8000; i++) messages.push(announce(`10.${i >> 8}.${i & 255}.0/24`));
    const chunk = join(...messages);
    expect(chunk.length).toBeGreaterThan(262144);
    expect(core.receive(1, chunk, 1)).toMatchObject({
      status: 'done',
      messageCount: 8000,
      announcedCount: 8000,
    });
    expect(core.peerCounters(1).received[0]).toBe(8000);
  });

  it.each([
    ['a marker that is not all ones', [...new Array(15).fill(255), 0, 0, 19, 4], 1, 1, []],
    ['a length below 19', [...new Array(16).fill(255), 0, 18, 4], 1, 2, [0, 18]],
    ['a length above the maximum', [...new Array(16).fill(255), 0x10, 0x01, 2], 1, 2, [0x10, 0x01]],
    ['a KEEPALIVE with a body', [...new Array(16).fill(255), 0, 20, 4], 1, 2, [0, 20]],
    [
      'an UPDATE without room for its lengths',
      [...new Array(16).fill(255), 0, 22, 2],
      1,
      2,
      [0, 22],
    ],
    ['a NOTIFICATION without a code', [...new Array(16).fill(255), 0, 20, 3], 1, 2, [0, 20]],
    ['an OPEN without its fields', [...new Array(16).fill(255), 0, 28, 1], 1, 2, [0, 28]],
    ['an unknown type', [...new Array(16).fill(255), 0, 19, 9], 1, 3, [9]],
  ])('resets the session for %s (RFC 4271 §6.1)', (_, bytes, errorCode, errorSubcode, data) => {
    const result = core.receive(1, Uint8Array.from([...keepalive, ...bytes]), 1);
    expect(result).toMatchObject({ status: 'reset', messageCount: 1, errorCode, errorSubcode });
    expect([...result.errorData]).toEqual(data);
  });

  it('takes long messages when that was negotiated (RFC 8654)', () => {
    core.openPeer(1, { ...session, maxMessageBytes: 65535 });
    const many = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const long = announce(...many);
    expect(long.length).toBeGreaterThan(40_000);
    expect(core.receive(1, long.subarray(0, 30_000), 1).messageCount).toBe(0);
    expect(core.receive(1, long.subarray(30_000), 1).announcedCount).toBe(10_000);
  });

  it('stops behind a control message and goes on when it was handled', () => {
    const chunk = join(
      announce('10.0.0.0/8'),
      routeRefresh,
      announce('10.1.0.0/16'),
      routeRefresh,
      keepalive,
    );
    const first = core.receive(1, chunk, 1);
    expect(first).toMatchObject({ status: 'control', messageCount: 2, announcedCount: 1 });
    expect(first.message).toEqual(routeRefresh);
    expect(prefixes()).toEqual(['10.0.0.0/8']);
    expect(core.resume(1)).toMatchObject({ status: 'control', messageCount: 2, announcedCount: 1 });
    expect(core.resume(1)).toMatchObject({ status: 'done', messageCount: 1 });
    expect(core.resume(1)).toMatchObject({ status: 'done', messageCount: 0 });
    expect(prefixes()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
  });

  it('forgets half a message when the session ends', () => {
    core.receive(1, announce('10.0.0.0/8').subarray(0, 30), 1);
    core.closePeer(1, []);
    core.openPeer(1, session);
    expect(core.receive(1, announce('10.1.0.0/16'), 1)).toMatchObject({
      status: 'done',
      announcedCount: 1,
    });
  });

  it('refuses bytes of a peer without a session', () => {
    core.closePeer(1, []);
    expect(() => core.receive(1, keepalive, 1)).toThrow('no open session');
  });
});

describe('UPDATE', () => {
  it('keeps the time of the last change, not of the last repetition', () => {
    core.receive(1, announce('10.0.0.0/8'), 100);
    core.receive(1, announce('10.0.0.0/8'), 200);
    expect(rows()[0]!.since).toBe(100);
    core.receive(
      1,
      announcement({ attributes: { ...attributes, med: 3 }, prefixes: ['10.0.0.0/8'] }),
      300,
    );
    expect(rows()[0]!.since).toBe(300);
  });

  it('stores equal attributes once', () => {
    core.receive(1, join(announce('10.0.0.0/8'), announce('10.1.0.0/16')), 1);
    expect(core.memory().attributeSetCount).toBe(1);
    const [first, second] = rows();
    expect(first!.attributes).toBe(second!.attributes);
    expect([...first!.attributes.bytes]).toEqual([
      ...attribute(0x40, 1, [0]),
      ...attribute(0x40, 2, [2, 1, 0, 0, 0xfd, 0xe9]),
    ]);
    expect(formatIpAddress(first!.attributes.nextHop)).toBe('10.0.0.2');
  });

  it('treats a malformed ORIGIN as a withdraw (RFC 7606 §7.1)', () => {
    core.receive(1, announce('10.0.0.0/8', '10.1.0.0/16'), 1);
    const malformed = announce('10.0.0.0/8');
    malformed[malformed.indexOf(0x40, 23) + 3] = 9;
    expect(core.receive(1, malformed, 2)).toMatchObject({
      status: 'done',
      treatedAsWithdrawCount: 1,
      malformedAttribute: 1,
    });
    expect(prefixes()).toEqual(['10.1.0.0/16']);
  });

  it('resets the session for a list that cannot be read', () => {
    expect(core.receive(1, update([33, 10, 0, 0, 0, 0], [], []), 1)).toMatchObject({
      status: 'reset',
      errorCode: 3,
      errorSubcode: 10,
    });
  });

  it('leaves families that were not negotiated alone', () => {
    core.openPeer(1, { ...session, families: ['ipv4-unicast'] });
    const bytes = announcement({
      attributes: { ...attributes, nextHop: '2001:db8::1' },
      prefixes: ['2001:db8::/32'],
    });
    expect(core.receive(1, bytes, 1)).toMatchObject({
      status: 'done',
      announcedCount: 0,
      ignoredFamilyCount: 1,
    });
    expect(prefixes('ipv6-unicast')).toEqual([]);
  });

  it('keeps paths apart by their identifier, and at most 32 of a peer to one prefix (RFC 7911)', () => {
    core.openPeer(1, { ...session, addPath: ['ipv4-unicast'] });
    for (let pathId = 1; pathId <= 40; pathId++) {
      const result = core.receive(
        1,
        announcement({ attributes, prefixes: ['10.0.0.0/8'], pathId }),
        1,
      );
      expect(result.overLimitCount).toBe(pathId > 32 ? 1 : 0);
    }
    expect(rows()).toHaveLength(32);
    core.receive(1, withdrawal(['10.0.0.0/8'], 5), 1);
    expect(rows().map(({ pathId }) => pathId)).not.toContain(5);
    expect(rows()).toHaveLength(31);
  });

  it('uses the global next hop and keeps its link-local companion (RFC 2545 §3)', () => {
    const both = { ...attributes, nextHop: '2001:db8::1', linkLocal: 'fe80::1' };
    core.receive(1, announcement({ attributes: both, prefixes: ['2001:db8::/32'] }), 1);
    const [row] = rows('ipv6-unicast');
    expect(formatIpAddress(row!.attributes.nextHop)).toBe('2001:db8::1');
    expect(formatIpAddress(row!.attributes.linkLocalNextHop!)).toBe('fe80::1');
    expect(core.takeNextHopEvents()).toMatchObject([{ kind: 'added', interfaceIndex: 0 }]);
  });

  it('ties a link-local next hop to the interface of the session, for IPv4 prefixes too (RFC 8950)', () => {
    const linkLocal = { ...attributes, nextHop: 'fe80::1' };
    core.receive(1, announcement({ attributes: linkLocal, prefixes: ['10.0.0.0/8'] }), 1);
    expect(formatIpAddress(rows()[0]!.attributes.nextHop)).toBe('fe80::1');
    expect(core.takeNextHopEvents()).toMatchObject([{ kind: 'added', interfaceIndex: 4 }]);
  });

  it('has an opinion on an UPDATE without a table', () => {
    const context = {
      fourOctetAs: true,
      session: 'ebgp',
      addPath: [],
      peerAsn: 65001,
      localAsn: 65000,
    } as const;
    expect(core.checkUpdate(announce('10.0.0.0/8'), context)).toEqual({
      outcome: 'accept',
      errorCode: 0,
      errorSubcode: 0,
      attribute: 0,
      offset: 0,
      announcedCount: 1,
      withdrawnCount: 0,
    });
    expect(core.checkUpdate(update([33, 10, 0, 0, 0, 0], [], []), context)).toMatchObject({
      outcome: 'session-reset',
      errorCode: 3,
    });
    expect(core.memory().routeCount).toBe(0);
  });
});

describe('limits', () => {
  it('does not store what exceeds the prefix limit, and says so', () => {
    core.updatePeer(1, { ...peer, maxPrefixes: { 'ipv4-unicast': 2 } });
    const result = core.receive(1, announce('10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'), 1);
    expect(result).toMatchObject({ announcedCount: 2, overLimitCount: 1, limitHitMask: 1 });
    expect(core.receive(1, announce('10.0.0.0/8'), 2)).toMatchObject({
      announcedCount: 1,
      overLimitCount: 0,
    });
    core.receive(1, withdrawal(['10.0.0.0/8']), 3);
    expect(core.receive(1, announce('10.2.0.0/16'), 4)).toMatchObject({ announcedCount: 1 });
  });

  it('does not count routes of an ended session that are still being removed', () => {
    core.updatePeer(1, { ...peer, maxPrefixes: { 'ipv4-unicast': 2 } });
    core.receive(1, announce('10.0.0.0/8', '10.1.0.0/16'), 1);
    core.closePeer(1, []);
    core.openPeer(1, session);
    expect(core.receive(1, announce('10.2.0.0/16', '10.3.0.0/16'), 2)).toMatchObject({
      announcedCount: 2,
      overLimitCount: 0,
    });
    while (core.work(100));
    expect(prefixes()).toEqual(['10.2.0.0/16', '10.3.0.0/16']);
  });

  it('survives any bytes', async () => {
    const pieces = [announce('10.0.0.0/8'), keepalive, withdrawal(['10.0.0.0/8']), routeRefresh];
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            piece: fc.constantFrom(...pieces),
            flips: fc.array(fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) }), {
              maxLength: 3,
            }),
          }),
          { maxLength: 20 },
        ),
        async (list) => {
          for (const { piece, flips } of list) {
            const bytes = piece.slice();
            for (const { at, to } of flips) bytes[at % bytes.length] = to;
            const { status } = core.receive(1, bytes, 1);
            if (status === 'reset') {
              core.closePeer(1, []);
              core.openPeer(1, session);
            }
          }
          while (core.work(1000));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the ceiling', () => {
  it('refuses and counts what does not fit, still withdraws, and takes it when there is room again', async () => {
    core = await loadCore({ maximumBytes: 8 << 20 });
    core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.addFib(1, 1, { holdRemovals: false });
    core.addPeer(1, peer);
    core.openPeer(1, session);
    const prefixAt = (i: number) => `10.${(i >> 14) & 255}.${(i >> 6) & 255}.${(i & 63) << 2}/30`;
    let announced = 0;
    let refused = 0;
    const count = 200_000;
    for (let i = 0; i < count; i += 100) {
      const list = Array.from({ length: 100 }, (_, j) => prefixAt(i + j));
      const { status, announcedCount, outOfMemoryCount } = core.receive(1, announce(...list), 1);
      expect(status).toBe('done');
      announced += announcedCount;
      refused += outOfMemoryCount;
    }
    expect(announced + refused).toBe(count);
    expect(announced).toBeGreaterThan(20_000);
    expect(refused).toBeGreaterThan(20_000);
    expect(core.memory()).toMatchObject({ routeCount: announced });
    expect(core.memory().linearBytes).toBeLessThanOrEqual(8 << 20);
    for (let i = 0; i < count; i += 100) {
      const list = Array.from({ length: 100 }, (_, j) => prefixAt(i + j));
      expect(core.receive(1, withdrawal(list), 2).withdrawnCount).toBe(100);
    }
    expect(core.memory().routeCount).toBe(0);
    core.receive(1, announce(prefixAt(0), prefixAt(1)), 3);
    while (core.work(1000));
    expect(core.fibCounters(1)).toMatchObject({ entryCount: 2, pendingCount: 2 });
  });

  it('hands a starved FIB its routes as soon as there is room', async () => {
    core = await loadCore({ maximumBytes: 8 << 20 });
    core.addNetwork(1, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.addPeer(1, peer);
    core.openPeer(1, session);
    const prefixAt = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`;
    const all = Array.from({ length: 400_000 }, (_, i) => prefixAt(i));
    for (let i = 0; i < all.length; i += 500)
      core.receive(1, announce(...all.slice(i, i + 500)), 1);
    core.addFib(1, 1, { holdRemovals: false });
    while (core.work(1000));
    const { routeCount } = core.memory();
    expect(core.fibCounters(1).entryCount).toBeLessThan(routeCount);
    const kept = 5000;
    for (let i = kept; i < all.length; i += 500)
      core.receive(1, withdrawal(all.slice(i, i + 500)), 2);
    while (core.work(1000));
    expect(core.memory().routeCount).toBe(kept);
    expect(core.fibCounters(1)).toMatchObject({ entryCount: kept, pendingCount: kept });
  });
});
