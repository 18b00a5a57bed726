// UPDATEs of local routes: what is encoded is what a reader finds, in as few messages as the session allows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSequence, encodeAs4Path, encodeAsPath } from '../../../src/bgp/attributes/as-path.ts';
import { describeMessage } from '../../../src/bgp/messages/describe.ts';
import type { DescribedUpdate } from '../../../src/bgp/messages/describe-update.ts';
import {
  type AnnouncedAttributes,
  encodeAnnouncement,
  encodeEndOfRib,
  encodeWithdrawal,
  type UpdateSession,
} from '../../../src/bgp/messages/update.ts';
import { formatHex } from '../../../src/net/hex.ts';
import { parseIpAddress } from '../../../src/net/ip-address.ts';
import { clearHostBits, formatPrefix, type Prefix, parsePrefix } from '../../../src/net/prefix.ts';

const session: UpdateSession = { fourOctetAs: true, maxMessageBytes: 4096 };
const ipv4NextHop = parseIpAddress('192.0.2.1')!;
const ipv6NextHop = parseIpAddress('2001:db8::1')!;
const attributes: AnnouncedAttributes = {
  origin: 'igp',
  asPath: asSequence([64512]),
  nextHop: ipv4NextHop,
};

function prefixes(...texts: string[]): Prefix[] {
  return texts.map((text) => parsePrefix(text)!);
}

function read(message: Uint8Array, fourOctetAs = true): DescribedUpdate {
  const described = describeMessage(message, { fourOctetAs, addPath: new Set() });
  expect(described.errors).toBeUndefined();
  expect(described.length).toBe((message[16]! << 8) | message[17]!);
  return described as DescribedUpdate;
}

const arbitraryPrefix: fc.Arbitrary<Prefix> = fc
  .tuple(fc.constantFrom(4, 16), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(128))
  .map(([size, bytes, bits]) => {
    const length = Math.min(bits, size * 8);
    return { address: clearHostBits(bytes.slice(0, size), length), length };
  });

describe('announcements', () => {
  it('put IPv4 prefixes with an IPv4 next hop into the body (RFC 4271 §4.3)', () => {
    const [message] = encodeAnnouncement(prefixes('10.0.0.0/8'), attributes, session);
    const update = read(message!);
    expect(update.announced).toEqual([
      { family: 'ipv4-unicast', prefix: '10.0.0.0/8', nextHop: '192.0.2.1' },
    ]);
    expect(update.attributes).toEqual({ origin: 'igp', asPath: [64512], nextHop: '192.0.2.1' });
  });

  it('put MP_REACH_NLRI first (RFC 7606 §5.1)', () => {
    const [message] = encodeAnnouncement(
      prefixes('2001:db8::/32'),
      { ...attributes, nextHop: ipv6NextHop },
      session,
    );
    expect(message![23 + 1]).toBe(14);
    expect(read(message!).announced).toEqual([
      { family: 'ipv6-unicast', prefix: '2001:db8::/32', nextHop: '2001:db8::1' },
    ]);
  });

  it('send IPv4 prefixes by an IPv6 next hop as RFC 8950 says', () => {
    const linkLocalNextHop = parseIpAddress('fe80::1')!;
    const [message] = encodeAnnouncement(
      prefixes('10.0.0.0/8'),
      { ...attributes, nextHop: ipv6NextHop, linkLocalNextHop },
      session,
    );
    expect(read(message!).announced).toEqual([
      {
        family: 'ipv4-unicast',
        prefix: '10.0.0.0/8',
        nextHop: '2001:db8::1',
        linkLocalNextHop: 'fe80::1',
      },
    ]);
  });

  it('give a 2-octet peer AS_TRANS and AS4_PATH (RFC 6793 §4.2.2)', () => {
    const asPath = asSequence([4200000000, 65001]);
    const [message] = encodeAnnouncement(
      prefixes('10.0.0.0/8'),
      { ...attributes, asPath },
      { ...session, fourOctetAs: false },
    );
    expect(read(message!, false).attributes).toMatchObject({
      asPath: [23456, 65001],
      as4Path: [4200000000, 65001],
    });
  });

  it('give a 2-octet peer no AS4_PATH that says nothing new', () => {
    expect(encodeAs4Path(asSequence([65001]))).toBeUndefined();
  });

  it('split a path of more than 255 hops into segments (RFC 4271 §4.3)', () => {
    const value = encodeAsPath(asSequence(Array.from({ length: 300 }, () => 65001)), true);
    expect([value[1], value[2 + 255 * 4 + 1]]).toEqual([255, 45]);
  });

  it('carry every prefix and attribute, in messages the session allows', () => {
    const uint32 = fc.integer({ min: 0, max: 0xffffffff });
    const input = fc.record({
      list: fc.uniqueArray(arbitraryPrefix, { selector: formatPrefix, maxLength: 600 }),
      origin: fc.constantFrom('igp' as const, 'egp' as const, 'incomplete' as const),
      asns: fc.array(
        uint32.filter((asn) => asn > 0),
        { maxLength: 300 },
      ),
      med: fc.option(uint32, { nil: undefined }),
      localPref: fc.option(uint32, { nil: undefined }),
      communities: fc.array(uint32, { maxLength: 80 }),
      largeCommunities: fc.array(fc.tuple(uint32, uint32, uint32), { maxLength: 30 }),
      extended: fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 40 }),
      fourOctetAs: fc.boolean(),
      maxMessageBytes: fc.constantFrom(4096, 65535),
    });
    fc.assert(
      fc.property(input, ({ list, asns, extended, fourOctetAs, maxMessageBytes, ...rest }) => {
        const announced: AnnouncedAttributes = {
          ...rest,
          asPath: asSequence(asns),
          nextHop: ipv6NextHop,
          extendedCommunities: extended,
        };
        const messages = encodeAnnouncement(list, announced, { fourOctetAs, maxMessageBytes });
        for (const message of messages) expect(message.length).toBeLessThanOrEqual(maxMessageBytes);
        const updates = messages.map((message) => read(message, fourOctetAs));
        const found = updates.flatMap((update) => update.announced.map(({ prefix }) => prefix));
        expect(found.sort()).toEqual(list.map(formatPrefix).sort());
        for (const { attributes: seen } of updates) {
          expect(seen.origin).toBe(rest.origin);
          expect(seen.med).toBe(rest.med);
          expect(seen.localPref).toBe(rest.localPref);
          expect(seen.as4Path ?? seen.asPath).toEqual(asns);
          expect(seen.communities?.length ?? 0).toBe(rest.communities.length);
          expect(seen.largeCommunities ?? []).toEqual(
            rest.largeCommunities.map((parts) => parts.join(':')),
          );
          expect(seen.extendedCommunities?.map(({ hex }) => hex) ?? []).toEqual(
            extended.map(formatHex),
          );
        }
      }),
    );
  });

  it('fill messages: a thousand /24 take two of 4096 bytes', () => {
    const list = Array.from(
      { length: 1000 },
      (_, i) => parsePrefix(`10.${i >> 8}.${i & 255}.0/24`)!,
    );
    expect(encodeAnnouncement(list, attributes, session)).toHaveLength(1);
    expect(
      encodeAnnouncement([...list, ...prefixes('11.0.0.0/24')], attributes, session),
    ).toHaveLength(1);
    const more = Array.from(
      { length: 1100 },
      (_, i) => parsePrefix(`10.${i >> 8}.${i & 255}.0/24`)!,
    );
    expect(encodeAnnouncement(more, attributes, session)).toHaveLength(2);
  });

  it('refuse attributes that leave no room for a prefix', () => {
    const communities = Array.from({ length: 1100 }, () => 1);
    expect(() =>
      encodeAnnouncement(prefixes('10.0.0.0/8'), { ...attributes, communities }, session),
    ).toThrow('path attributes leave no room for a prefix');
  });
});

describe('withdrawals', () => {
  it('carry every prefix of both families', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitraryPrefix, { selector: formatPrefix, maxLength: 2000 }),
        (list) => {
          const messages = encodeWithdrawal(list, session);
          for (const message of messages) expect(message.length).toBeLessThanOrEqual(4096);
          const found = messages.flatMap((message) =>
            read(message).withdrawn.map(({ prefix }) => prefix),
          );
          expect(found.sort()).toEqual(list.map(formatPrefix).sort());
        },
      ),
    );
  });
});

describe('End-of-RIB (RFC 4724 §2)', () => {
  it.each(['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn'] as const)('marks %s', (family) => {
    expect(read(encodeEndOfRib(family)).endOfRib).toBe(family);
  });
});
