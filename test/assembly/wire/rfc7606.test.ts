// RFC 7606 rule by rule: what the core answers to each kind of malformed UPDATE.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  asPath,
  attribute,
  buildUpdate,
  bytes,
  mandatory,
  mpReach,
  nextHop,
  nlri,
  origin,
  type Parts,
} from './message.ts';
import { type Context, loadParser, type View } from './parser.ts';

let parse: (message: Uint8Array, context?: Context) => View;
beforeAll(async () => {
  parse = await loadParser();
});

interface Rule {
  readonly rule: string;
  readonly parts: Parts;
  readonly context?: Context;
  readonly outcome: 'accept' | 'attribute-discard' | 'treat-as-withdraw' | 'session-reset';
  /** UPDATE error subcode (RFC 4271 §6.3). */
  readonly subcode?: number;
  readonly attribute?: number;
}

const ebgp: Context = { session: 'ebgp', peerAsn: 65001, localAsn: 64512 };
const ibgp: Context = { session: 'ibgp', peerAsn: 64512, localAsn: 64512 };
const twoOctet: Context = { ...ibgp, fourOctetAs: false };

/** A sound UPDATE with these attributes besides the mandatory ones. */
function withAttributes(...attributes: string[]): Parts {
  return { attributes: [...mandatory, ...attributes], nlri };
}

/** A sound UPDATE with one of the mandatory attributes replaced. */
function instead(type: 1 | 2 | 3, replacement: string): Parts {
  return { attributes: mandatory.map((text, i) => (i + 1 === type ? replacement : text)), nlri };
}

const rules: Rule[] = [
  { rule: 'a sound UPDATE', parts: withAttributes(), outcome: 'accept' },
  {
    rule: 'a sound UPDATE with MP_REACH_NLRI',
    parts: { attributes: [mpReach, origin, asPath] },
    outcome: 'accept',
  },

  // ---- the frame ----
  {
    rule: 'RFC 4271 §6.3: withdrawn routes length past the end',
    parts: { withdrawnLength: 9 },
    outcome: 'session-reset',
    subcode: 1,
  },
  {
    rule: 'RFC 4271 §6.3: total attribute length past the end',
    parts: { ...withAttributes(), attributesLength: 400 },
    outcome: 'session-reset',
    subcode: 1,
  },

  // ---- §3 ----
  {
    rule: '§3 (c): ORIGIN flagged optional',
    parts: instead(1, 'c0010100'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 1,
  },
  {
    rule: '§3 (c): ORIGIN flagged non-transitive',
    parts: instead(1, '00010100'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 1,
  },
  {
    rule: '§3 (c): AS_PATH flagged partial',
    parts: instead(2, '600206020100 00fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 2,
  },
  {
    rule: '§3 (c): MULTI_EXIT_DISC flagged transitive',
    parts: withAttributes('c0040400000001'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 4,
  },
  {
    rule: '§3 (c): COMMUNITIES flagged non-transitive',
    parts: withAttributes('800804fde80001'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 8,
  },
  {
    rule: '§3 (c): wrong flags count before the eBGP discard',
    parts: withAttributes('c00a040a000001'),
    context: ebgp,
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 10,
  },
  {
    rule: 'partial flag on an optional transitive attribute',
    parts: withAttributes('e00804fde80001'),
    outcome: 'accept',
  },
  {
    rule: 'extended length on a short attribute',
    parts: instead(1, '5001000100'),
    outcome: 'accept',
  },
  {
    rule: '§3 (d): no ORIGIN',
    parts: { attributes: [asPath, nextHop], nlri },
    outcome: 'treat-as-withdraw',
    subcode: 3,
    attribute: 1,
  },
  {
    rule: '§3 (d): no AS_PATH',
    parts: { attributes: [origin, nextHop], nlri },
    outcome: 'treat-as-withdraw',
    subcode: 3,
    attribute: 2,
  },
  {
    rule: '§3 (d): no NEXT_HOP for prefixes of the body',
    parts: { attributes: [origin, asPath], nlri },
    outcome: 'treat-as-withdraw',
    subcode: 3,
    attribute: 3,
  },
  {
    rule: '§3 (d): only an unknown attribute',
    parts: { attributes: ['c0c80400000000'], nlri },
    outcome: 'treat-as-withdraw',
    subcode: 3,
    attribute: 1,
  },
  {
    rule: 'RFC 4760 §3: no NEXT_HOP needed beside MP_REACH_NLRI',
    parts: { attributes: [origin, asPath, mpReach] },
    outcome: 'accept',
  },
  {
    rule: '§3 (f): ATOMIC_AGGREGATE flagged optional',
    parts: withAttributes('c00600'),
    outcome: 'attribute-discard',
    subcode: 4,
    attribute: 6,
  },
  {
    rule: '§3 (g): a second ORIGIN',
    parts: withAttributes('40010102'),
    outcome: 'attribute-discard',
    subcode: 1,
    attribute: 1,
  },
  {
    rule: '§3 (g): a second unrecognised attribute',
    parts: withAttributes('c0c80100', 'c0c80101'),
    outcome: 'attribute-discard',
    subcode: 1,
    attribute: 200,
  },
  {
    rule: '§3 (g): a second MP_REACH_NLRI',
    parts: { attributes: [origin, asPath, mpReach, mpReach] },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 14,
  },
  {
    rule: '§3 (g): a second MP_UNREACH_NLRI',
    parts: { attributes: ['800f03000201', '800f03000201'] },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 15,
  },
  {
    rule: '§3 (h): the strongest of several',
    parts: { attributes: [...mandatory, 'c00601 00', '80040300 0000', '40c80100'], nlri },
    outcome: 'session-reset',
    subcode: 2,
    attribute: 200,
  },
  {
    rule: '§3 (h): withdraw before discard, whatever came first',
    parts: withAttributes('40060100', '8004030000 00'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 4,
  },
  {
    rule: '§3 (i): withdrawn route of 33 bits',
    parts: { withdrawn: '210a00000000' },
    outcome: 'session-reset',
    subcode: 10,
  },
  {
    rule: 'RFC 4271 §6.3: unrecognised well-known attribute',
    parts: withAttributes('40c80100'),
    outcome: 'session-reset',
    subcode: 2,
    attribute: 200,
  },
  {
    rule: 'RFC 4271 §5: unrecognised optional transitive attribute',
    parts: withAttributes('c0c80100'),
    outcome: 'accept',
  },
  {
    rule: 'RFC 4271 §5: unrecognised optional non-transitive attribute',
    parts: withAttributes('80c80100'),
    outcome: 'accept',
  },

  // ---- §4 ----
  {
    rule: '§4: one byte left of the attributes',
    parts: withAttributes('c0'),
    outcome: 'treat-as-withdraw',
    subcode: 1,
  },
  {
    rule: '§4: three bytes left of an extended-length attribute',
    parts: withAttributes('d0c800'),
    outcome: 'treat-as-withdraw',
    subcode: 1,
  },
  {
    rule: '§4: an attribute longer than the rest',
    parts: withAttributes('c008ff00000000'),
    outcome: 'treat-as-withdraw',
    subcode: 1,
    attribute: 8,
  },
  {
    rule: '§4: ORIGIN of no length',
    parts: instead(1, '400100'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 1,
  },
  {
    rule: '§3 (j): MP_REACH_NLRI longer than the rest',
    parts: withAttributes('800e40 000201'),
    outcome: 'session-reset',
    subcode: 1,
    attribute: 14,
  },
  {
    rule: '§3 (j): MP_UNREACH_NLRI longer than the rest',
    parts: withAttributes('800f40 000201'),
    outcome: 'session-reset',
    subcode: 1,
    attribute: 15,
  },

  // ---- §5 ----
  {
    rule: '§5.2: a bad attribute and no reachable prefix',
    parts: { withdrawn: nlri, attributes: ['40010109'] },
    outcome: 'session-reset',
    subcode: 6,
    attribute: 1,
  },
  {
    rule: '§5.2: a discarded attribute and no reachable prefix',
    parts: { withdrawn: nlri, attributes: ['40060100'] },
    outcome: 'attribute-discard',
    subcode: 5,
    attribute: 6,
  },
  {
    rule: '§5.2: sound attributes and no reachable prefix',
    parts: { attributes: [origin] },
    outcome: 'accept',
  },
  {
    rule: '§5.3: prefix of 33 bits',
    parts: { ...withAttributes(), nlri: '21c000020000' },
    outcome: 'session-reset',
    subcode: 10,
  },
  {
    rule: '§5.3: last prefix cut',
    parts: { ...withAttributes(), nlri: `${nlri}18c000` },
    outcome: 'session-reset',
    subcode: 10,
  },
  {
    rule: '§5.3: IPv6 prefix of 129 bits',
    parts: { attributes: [origin, asPath, mpReach.replace('2020010db8', '8120010db8')] },
    outcome: 'session-reset',
    subcode: 9,
    attribute: 14,
  },
  {
    rule: '§5.3: IPv6 prefix cut',
    parts: { attributes: ['800f06 000201 300102'] },
    outcome: 'session-reset',
    subcode: 9,
    attribute: 15,
  },
  {
    rule: '§5.3: MP_REACH_NLRI flagged transitive',
    parts: { attributes: [origin, asPath, mpReach.replace(/^80/, 'c0')] },
    outcome: 'session-reset',
    subcode: 4,
    attribute: 14,
  },
  {
    rule: '§5.3: MP_REACH_NLRI of four bytes',
    parts: { attributes: [origin, asPath, '800e0400020100'] },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 14,
  },
  {
    rule: '§5.3: MP_UNREACH_NLRI of two bytes',
    parts: { attributes: ['800f020002'] },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 15,
  },
  {
    rule: '§5.4: EVPN route type nobody knows',
    parts: {
      attributes: [origin, asPath, attribute(0x80, 14, '00194604 0a000002 00 fe03 010203')],
    },
    outcome: 'accept',
  },
  {
    rule: '§5.3: EVPN route past the end',
    parts: {
      attributes: [origin, asPath, attribute(0x80, 14, '00194604 0a000002 00 0311 010203')],
    },
    outcome: 'session-reset',
    subcode: 9,
    attribute: 14,
  },
  {
    rule: 'RFC 9136 §3.1: EVPN prefix route of 33 bytes',
    parts: {
      attributes: [
        origin,
        asPath,
        attribute(0x80, 14, `00194604 0a000002 00 0521 ${'00'.repeat(33)}`),
      ],
    },
    outcome: 'treat-as-withdraw',
    subcode: 9,
    attribute: 14,
  },

  // ---- §7 ----
  {
    rule: '§7.1: ORIGIN 3',
    parts: instead(1, '40010103'),
    outcome: 'treat-as-withdraw',
    subcode: 6,
    attribute: 1,
  },
  {
    rule: '§7.1: ORIGIN of two bytes',
    parts: instead(1, '4001020000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 1,
  },
  { rule: '§7.2: an empty AS_PATH', parts: instead(2, '400200'), outcome: 'accept' },
  {
    rule: '§7.2: segment overrun',
    parts: instead(2, '4002060202 0000fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: '§7.2: segment underrun',
    parts: instead(2, '40020702010000fde902'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: '§7.2: segment of no AS',
    parts: instead(2, '4002020200'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: '§7.2: segment type 0',
    parts: instead(2, '40020600010000fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: '§7.2: segment type 5',
    parts: instead(2, '40020605010000fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: 'RFC 7607 §2: AS 0 in AS_PATH',
    parts: instead(2, '400206020100000000'),
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: 'RFC 5065 §5: confederation segment from eBGP',
    parts: instead(2, '40020603010000fde9'),
    context: ebgp,
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: 'RFC 5065: confederation segment from iBGP',
    parts: instead(2, '40020603010000fde9'),
    context: ibgp,
    outcome: 'accept',
  },
  {
    rule: 'RFC 4271 §6.3: first AS is not the peer',
    parts: withAttributes(),
    context: { ...ebgp, peerAsn: 65002, enforceFirstAs: true },
    outcome: 'treat-as-withdraw',
    subcode: 11,
    attribute: 2,
  },
  {
    rule: 'RFC 4271 §6.3: first AS is the peer',
    parts: withAttributes(),
    context: { ...ebgp, enforceFirstAs: true },
    outcome: 'accept',
  },
  {
    rule: '§7.3: NEXT_HOP of three bytes',
    parts: instead(3, '4003030a0000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 3,
  },
  {
    rule: 'RFC 4271 §6.3: NEXT_HOP 0.0.0.0',
    parts: instead(3, '40030400000000'),
    outcome: 'treat-as-withdraw',
    subcode: 8,
    attribute: 3,
  },
  {
    rule: 'RFC 4271 §6.3: NEXT_HOP 127.0.0.1',
    parts: instead(3, '4003047f000001'),
    outcome: 'treat-as-withdraw',
    subcode: 8,
    attribute: 3,
  },
  {
    rule: 'RFC 4271 §6.3: NEXT_HOP 224.0.0.1',
    parts: instead(3, '400304e0000001'),
    outcome: 'treat-as-withdraw',
    subcode: 8,
    attribute: 3,
  },
  {
    rule: '§7.4: MULTI_EXIT_DISC of five bytes',
    parts: withAttributes('8004050000000001'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 4,
  },
  {
    rule: '§7.5: LOCAL_PREF from eBGP',
    parts: withAttributes('40050400000064'),
    context: ebgp,
    outcome: 'attribute-discard',
    attribute: 5,
  },
  {
    rule: '§7.5: LOCAL_PREF from eBGP, of any length',
    parts: withAttributes('40050100'),
    context: ebgp,
    outcome: 'attribute-discard',
    attribute: 5,
  },
  {
    rule: '§7.5: LOCAL_PREF of five bytes',
    parts: withAttributes('4005050000000064'),
    context: ibgp,
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 5,
  },
  {
    rule: '§7.6: ATOMIC_AGGREGATE of one byte',
    parts: withAttributes('40060100'),
    outcome: 'attribute-discard',
    subcode: 5,
    attribute: 6,
  },
  {
    rule: '§7.7: AGGREGATOR of six bytes between 4-octet speakers',
    parts: withAttributes('c00706fde90a000001'),
    outcome: 'attribute-discard',
    subcode: 5,
    attribute: 7,
  },
  {
    rule: '§7.7: AGGREGATOR of eight bytes from a 2-octet speaker',
    parts: {
      ...instead(2, '4002040201fde9'),
      attributes: [origin, '4002040201fde9', nextHop, 'c007080000fde90a000001'],
    },
    context: twoOctet,
    outcome: 'attribute-discard',
    subcode: 5,
    attribute: 7,
  },
  {
    rule: 'RFC 7607 §2: AS 0 in AGGREGATOR',
    parts: withAttributes('c00708000000000a000001'),
    outcome: 'attribute-discard',
    subcode: 9,
    attribute: 7,
  },
  {
    rule: '§7.8: COMMUNITIES of no length',
    parts: withAttributes('c00800'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 8,
  },
  {
    rule: '§7.8: COMMUNITIES of five bytes',
    parts: withAttributes('c008050000000000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 8,
  },
  {
    rule: '§7.9: ORIGINATOR_ID from eBGP',
    parts: withAttributes('8009040a000001'),
    context: ebgp,
    outcome: 'attribute-discard',
    attribute: 9,
  },
  {
    rule: '§7.9: ORIGINATOR_ID of three bytes',
    parts: withAttributes('8009030a0000'),
    context: ibgp,
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 9,
  },
  {
    rule: '§7.10: CLUSTER_LIST from eBGP',
    parts: withAttributes('800a040a000001'),
    context: ebgp,
    outcome: 'attribute-discard',
    attribute: 10,
  },
  {
    rule: '§7.10: CLUSTER_LIST of no length',
    parts: withAttributes('800a00'),
    context: ibgp,
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 10,
  },
  {
    rule: '§7.11: next hop of 20 bytes',
    parts: {
      attributes: [origin, asPath, attribute(0x80, 14, `00020114${'20'.repeat(20)}0020 20010db8`)],
    },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 14,
  },
  {
    rule: '§7.11: next hop past the end',
    parts: { attributes: [origin, asPath, '800e09 000201 40 2001000000'] },
    outcome: 'session-reset',
    subcode: 1,
    attribute: 14,
  },
  {
    rule: 'IPv6 next hop ::',
    parts: {
      attributes: [origin, asPath, attribute(0x80, 14, `00020110${'00'.repeat(16)}0020 20010db8`)],
    },
    outcome: 'treat-as-withdraw',
    subcode: 8,
    attribute: 14,
  },
  {
    rule: 'IPv6 next hop ff02::1',
    parts: {
      attributes: [
        origin,
        asPath,
        attribute(0x80, 14, `00020110ff02${'00'.repeat(13)}010020 20010db8`),
      ],
    },
    outcome: 'treat-as-withdraw',
    subcode: 8,
    attribute: 14,
  },
  {
    rule: 'RFC 8950: IPv4 prefix by an IPv6 next hop',
    parts: {
      attributes: [
        origin,
        asPath,
        attribute(0x80, 14, `0001011020010db8${'00'.repeat(11)}0100 ${nlri}`),
      ],
    },
    outcome: 'accept',
  },
  {
    rule: '§7.14: extended communities of nine bytes',
    parts: withAttributes('c01009000000000000000000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 16,
  },
  {
    rule: 'RFC 6793 §4.1: AS4_PATH between 4-octet speakers',
    parts: withAttributes('c0110602010000fde9'),
    outcome: 'attribute-discard',
    attribute: 17,
  },
  {
    rule: 'RFC 6793 §6: AS4_PATH with a segment overrun',
    parts: { attributes: [origin, '4002040201fde9', nextHop, 'c0110602020000fde9'], nlri },
    context: twoOctet,
    outcome: 'attribute-discard',
    attribute: 17,
  },
  {
    rule: '§3 (c): AS4_PATH flagged non-transitive',
    parts: withAttributes('80110602010000fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 4,
    attribute: 17,
  },
  {
    rule: 'RFC 6793 §6: AS4_AGGREGATOR of seven bytes',
    parts: withAttributes('c012070000fde90a0000'),
    outcome: 'attribute-discard',
    subcode: 5,
    attribute: 18,
  },
  {
    rule: 'RFC 6514 §5: PMSI tunnel of four bytes',
    parts: withAttributes('c0160400060000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 22,
  },
  {
    rule: 'RFC 9012 §13: sub-TLV overrun',
    parts: withAttributes('c01706000700 0401ff'.replace(' ', '')),
    outcome: 'treat-as-withdraw',
    attribute: 23,
  },
  {
    rule: '§7.15: IPv6 extended communities of no length',
    parts: withAttributes('c01900'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 25,
  },
  {
    rule: 'RFC 7311 §3: AIGP TLV of 13 bytes',
    parts: withAttributes('801a0d0100050000000000000000000a'),
    context: ibgp,
    outcome: 'attribute-discard',
    attribute: 26,
  },
  {
    rule: 'RFC 9552: BGP-LS TLV overrun',
    parts: withAttributes('801d05040000ff00'),
    outcome: 'attribute-discard',
    attribute: 29,
  },
  {
    rule: 'RFC 8092 §5: LARGE_COMMUNITY of 13 bytes',
    parts: withAttributes(attribute(0xc0, 32, '00'.repeat(13))),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 32,
  },
  {
    rule: 'RFC 9234 §5: ONLY_TO_CUSTOMER of five bytes',
    parts: withAttributes('c02305000000fde9'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 35,
  },
  {
    rule: 'RFC 8669 §6: prefix SID TLV overrun',
    parts: withAttributes('c028060100ff000000'),
    outcome: 'attribute-discard',
    attribute: 40,
  },
  {
    rule: '§7.16: ATTR_SET of three bytes',
    parts: withAttributes('c08003000000'),
    outcome: 'treat-as-withdraw',
    subcode: 5,
    attribute: 128,
  },
];

describe('RFC 7606', () => {
  it.each(rules)('$rule: $outcome', ({ parts, context, outcome, subcode, attribute: type }) => {
    const view = parse(buildUpdate(parts), context);
    expect(view.outcome).toBe(outcome);
    expect(view.errorCode).toBe(outcome === 'accept' ? 0 : 3);
    if (subcode !== undefined) expect(view.errorSubcode).toBe(subcode);
    if (type !== undefined) expect(view.errorAttribute).toBe(type);
  });

  it('tells the peer the whole attribute it refuses (RFC 4271 §6.3)', () => {
    const view = parse(buildUpdate(withAttributes('8004050000000001')));
    expect(view.errorData).toEqual(bytes('8004050000000001'));
    expect(view.errorOffset).toBe(23 + 4 + 9 + 7);
  });

  it('tells the peer the type of a missing attribute (RFC 4271 §6.3)', () => {
    const view = parse(buildUpdate({ attributes: [origin, nextHop], nlri }));
    expect(view.errorData).toEqual(Uint8Array.of(2));
  });

  it('answers an UPDATE shorter than any with its length (RFC 4271 §6.1)', () => {
    const view = parse(buildUpdate({}).subarray(0, 22));
    expect(view).toMatchObject({ outcome: 'session-reset', errorCode: 1, errorSubcode: 2 });
    expect(view.errorData).toEqual(bytes('0017'));
  });

  it('leaves the prefixes to withdraw when it treats an UPDATE as a withdrawal', () => {
    const view = parse(buildUpdate({ withdrawn: '080a', ...instead(1, '40010103') }));
    expect(view.outcome).toBe('treat-as-withdraw');
    expect(view.nlri.routes).toHaveLength(1);
    expect(view.withdrawn.routes).toHaveLength(1);
  });

  it('leaves nothing to act on when it resets', () => {
    const view = parse(buildUpdate({ withdrawn: '080a', ...withAttributes('40c80100') }));
    expect(view.outcome).toBe('session-reset');
    expect([...view.nlri.routes, ...view.withdrawn.routes]).toEqual([]);
  });
});
