// Sound messages to start from: a few of every kind made here, and every BGP message of the data directory where there is one.
import { announcement, attribute, endOfRib, message, update, withdrawal } from '../core/updates.ts';
import { bytesOf, fixtureFiles, readFixtures } from '../fixture-data.ts';

const bgpKinds = new Set(['update', 'open', 'notification', 'keepalive', 'route-refresh', 'bgp']);

/** Messages written here: they reach every table and every kind of NLRI without any data. */
export function builtInMessages(): Uint8Array[] {
  const plain = { asPath: [65001, 64999], nextHop: '10.0.0.2', med: 5, communities: [0xfde80064] };
  const v6 = { asPath: [65001], nextHop: '2001:db8::1', linkLocal: 'fe80::1' };
  return [
    announcement({ attributes: plain, prefixes: ['10.1.0.0/16', '10.2.3.0/24', '192.0.2.1/32'] }),
    announcement({ attributes: plain, prefixes: ['10.1.0.0/16', '0.0.0.0/0'], pathId: 7 }),
    announcement({ attributes: v6, prefixes: ['2001:db8:1::/48', '2001:db8:2::1/128', '::/0'] }),
    announcement({ attributes: v6, prefixes: ['2001:db8:1::/48'], pathId: 9 }),
    announcement({
      attributes: { ...plain, originatorId: 9, clusterList: [1, 2], localPref: 200 },
      prefixes: ['10.9.0.0/16'],
    }),
    withdrawal(['10.1.0.0/16', '10.2.3.0/24']),
    withdrawal(['2001:db8:1::/48']),
    endOfRib('ipv4-unicast'),
    endOfRib('ipv6-unicast'),
    evpn(2, [...zeros(14), 48, ...zeros(5), 1, 32, 10, 0, 0, 9, 0, 0, 100]),
    evpn(3, [...zeros(4), 32, 10, 0, 0, 2]),
    evpn(5, [...zeros(14), 24, 10, 4, 5, 0, 0, 0, 0, 0, 0, 0, 101]),
    ...[255, 256, 2000].map(hugeAsPath),
    manyCommunities(4000),
    unknownAttribute(64_000),
    message(4, []),
    message(5, [0, 1, 0, 1]),
    message(5, [0, 2, 1, 1]),
    message(3, [6, 2]),
  ];
}

/** The BGP messages of fixtures, fuzz corpus and lab recordings; none without a data directory. */
export async function recordedMessages(): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for (const folder of ['fixtures', 'fuzz', 'lab']) {
    for (const path of fixtureFiles(folder)) {
      const fixtures = await readFixtures(path);
      messages.push(
        ...fixtures.filter(({ kind }) => bgpKinds.has(kind) || kind === 'stream').map(bytesOf),
      );
    }
  }
  return messages.filter(({ length }) => length > 19);
}

function evpn(type: number, afterDistinguisher: readonly number[]): Uint8Array {
  const value = [0, 0, 0, 1, 0, 0, 0, 1, ...afterDistinguisher];
  const reach = [0, 25, 70, 4, 10, 0, 0, 2, 0, type, value.length, ...value];
  const path = [...attribute(0x40, 1, [0]), ...attribute(0x40, 2, [2, 1, 0, 0, 0xfd, 0xe9])];
  return update([], [...path, ...attribute(0x90, 14, reach)], []);
}

function hugeAsPath(hops: number): Uint8Array {
  const segments: number[] = [];
  for (let left = hops; left > 0; left -= 255) {
    const count = Math.min(left, 255);
    segments.push(2, count);
    for (let i = 0; i < count; i++) segments.push(0, 0, 0xfd, 0xe9);
  }
  return announceWith(attribute(0x50, 2, segments), [16, 10, 77]);
}

function manyCommunities(count: number): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => [0xfd, 0xe8, i >> 8, i & 255]).flat();
  const path = attribute(0x40, 2, [2, 1, 0, 0, 0xfd, 0xe9]);
  return announceWith([...path, ...attribute(0xd0, 8, values)], [16, 10, 78]);
}

function unknownAttribute(size: number): Uint8Array {
  const path = attribute(0x40, 2, [2, 1, 0, 0, 0xfd, 0xe9]);
  return announceWith([...path, ...attribute(0xd0, 200, zeros(size))], [16, 10, 79]);
}

function announceWith(attributes: readonly number[], nlri: readonly number[]): Uint8Array {
  const origin = attribute(0x40, 1, [0]);
  return update([], [...origin, ...attributes, ...attribute(0x40, 3, [10, 0, 0, 2])], nlri);
}

function zeros(count: number): number[] {
  return new Array(count).fill(0);
}
