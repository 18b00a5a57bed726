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

interface Fault {
  /** UPDATE error subcode (RFC 4271 §6.3). */
  readonly subcode?: number;
  /** Attribute type code. */
  readonly type?: number;
}

interface Rule {
  readonly rule: string;
  readonly parts: Parts;
  readonly outcome: string;
  readonly fault: Fault;
  readonly context: Context;
}

function accepts(rule: string, parts: Parts, context: Context = {}): Rule {
  return { rule, parts, outcome: 'accept', fault: {}, context };
}

function discards(rule: string, parts: Parts, fault: Fault, context: Context = {}): Rule {
  return { rule, parts, outcome: 'attribute-discard', fault, context };
}

function withdraws(rule: string, parts: Parts, fault: Fault, context: Context = {}): Rule {
  return { rule, parts, outcome: 'treat-as-withdraw', fault, context };
}

function resets(rule: string, parts: Parts, fault: Fault, context: Context = {}): Rule {
  return { rule, parts, outcome: 'session-reset', fault, context };
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
  accepts('a sound UPDATE', withAttributes()),
  accepts('a sound UPDATE with MP_REACH_NLRI', { attributes: [mpReach, origin, asPath] }),

  // ---- the frame ----
  resets(
    'RFC 4271 §6.3: withdrawn routes length past the end',
    { withdrawnLength: 9 },
    { subcode: 1 },
  ),
  resets(
    'RFC 4271 §6.3: total attribute length past the end',
    { ...withAttributes(), attributesLength: 400 },
    { subcode: 1 },
  ),

  // ---- §3 ----
  withdraws('§3 (c): ORIGIN flagged optional', instead(1, 'c0010100'), { subcode: 4, type: 1 }),
  withdraws('§3 (c): ORIGIN flagged non-transitive', instead(1, '00010100'), {
    subcode: 4,
    type: 1,
  }),
  withdraws('§3 (c): AS_PATH flagged partial', instead(2, '600206020100 00fde9'), {
    subcode: 4,
    type: 2,
  }),
  withdraws('§3 (c): MULTI_EXIT_DISC flagged transitive', withAttributes('c0040400000001'), {
    subcode: 4,
    type: 4,
  }),
  withdraws('§3 (c): COMMUNITIES flagged non-transitive', withAttributes('800804fde80001'), {
    subcode: 4,
    type: 8,
  }),
  withdraws(
    '§3 (c): wrong flags count before the eBGP discard',
    withAttributes('c00a040a000001'),
    { subcode: 4, type: 10 },
    ebgp,
  ),
  accepts('partial flag on an optional transitive attribute', withAttributes('e00804fde80001')),
  accepts('extended length on a short attribute', instead(1, '5001000100')),
  withdraws('§3 (d): no ORIGIN', { attributes: [asPath, nextHop], nlri }, { subcode: 3, type: 1 }),
  withdraws('§3 (d): no AS_PATH', { attributes: [origin, nextHop], nlri }, { subcode: 3, type: 2 }),
  withdraws(
    '§3 (d): no NEXT_HOP for prefixes of the body',
    { attributes: [origin, asPath], nlri },
    { subcode: 3, type: 3 },
  ),
  withdraws(
    '§3 (d): only an unknown attribute',
    { attributes: ['c0c80400000000'], nlri },
    { subcode: 3, type: 1 },
  ),
  accepts('RFC 4760 §3: no NEXT_HOP needed beside MP_REACH_NLRI', {
    attributes: [origin, asPath, mpReach],
  }),
  discards('§3 (f): ATOMIC_AGGREGATE flagged optional', withAttributes('c00600'), {
    subcode: 4,
    type: 6,
  }),
  discards('§3 (g): a second ORIGIN', withAttributes('40010102'), { subcode: 1, type: 1 }),
  discards('§3 (g): a second unrecognised attribute', withAttributes('c0c80100', 'c0c80101'), {
    subcode: 1,
    type: 200,
  }),
  resets(
    '§3 (g): a second MP_REACH_NLRI',
    { attributes: [origin, asPath, mpReach, mpReach] },
    { subcode: 1, type: 14 },
  ),
  resets(
    '§3 (g): a second MP_UNREACH_NLRI',
    { attributes: ['800f03000201', '800f03000201'] },
    { subcode: 1, type: 15 },
  ),
  resets(
    '§3 (h): the strongest of several',
    { attributes: [...mandatory, 'c00601 00', '80040300 0000', '40c80100'], nlri },
    { subcode: 2, type: 200 },
  ),
  withdraws(
    '§3 (h): withdraw before discard, whatever came first',
    withAttributes('40060100', '8004030000 00'),
    { subcode: 5, type: 4 },
  ),
  resets('§3 (i): withdrawn route of 33 bits', { withdrawn: '210a00000000' }, { subcode: 10 }),
  resets('RFC 4271 §6.3: unrecognised well-known attribute', withAttributes('40c80100'), {
    subcode: 2,
    type: 200,
  }),
  accepts('RFC 4271 §5: unrecognised optional transitive attribute', withAttributes('c0c80100')),
  accepts(
    'RFC 4271 §5: unrecognised optional non-transitive attribute',
    withAttributes('80c80100'),
  ),

  // ---- §4 ----
  withdraws('§4: one byte left of the attributes', withAttributes('c0'), { subcode: 1 }),
  withdraws('§4: three bytes left of an extended-length attribute', withAttributes('d0c800'), {
    subcode: 1,
  }),
  withdraws('§4: an attribute longer than the rest', withAttributes('c008ff00000000'), {
    subcode: 1,
    type: 8,
  }),
  withdraws('§4: ORIGIN of no length', instead(1, '400100'), { subcode: 5, type: 1 }),
  resets('§3 (j): MP_REACH_NLRI longer than the rest', withAttributes('800e40 000201'), {
    subcode: 1,
    type: 14,
  }),
  resets('§3 (j): MP_UNREACH_NLRI longer than the rest', withAttributes('800f40 000201'), {
    subcode: 1,
    type: 15,
  }),

  // ---- §5 ----
  resets(
    '§5.2: a bad attribute and no reachable prefix',
    { withdrawn: nlri, attributes: ['40010109'] },
    { subcode: 6, type: 1 },
  ),
  discards(
    '§5.2: a discarded attribute and no reachable prefix',
    { withdrawn: nlri, attributes: ['40060100'] },
    { subcode: 5, type: 6 },
  ),
  accepts('§5.2: sound attributes and no reachable prefix', { attributes: [origin] }),
  resets('§5.3: prefix of 33 bits', { ...withAttributes(), nlri: '21c000020000' }, { subcode: 10 }),
  resets('§5.3: last prefix cut', { ...withAttributes(), nlri: `${nlri}18c000` }, { subcode: 10 }),
  resets(
    '§5.3: IPv6 prefix of 129 bits',
    { attributes: [origin, asPath, mpReach.replace('2020010db8', '8120010db8')] },
    { subcode: 9, type: 14 },
  ),
  resets(
    '§5.3: IPv6 prefix cut',
    { attributes: ['800f06 000201 300102'] },
    { subcode: 9, type: 15 },
  ),
  resets(
    '§5.3: MP_REACH_NLRI flagged transitive',
    { attributes: [origin, asPath, mpReach.replace(/^80/, 'c0')] },
    { subcode: 4, type: 14 },
  ),
  resets(
    '§5.3: MP_REACH_NLRI of four bytes',
    { attributes: [origin, asPath, '800e0400020100'] },
    { subcode: 1, type: 14 },
  ),
  resets(
    '§5.3: MP_UNREACH_NLRI of two bytes',
    { attributes: ['800f020002'] },
    { subcode: 1, type: 15 },
  ),
  accepts('§5.4: EVPN route type nobody knows', {
    attributes: [origin, asPath, attribute(0x80, 14, '00194604 0a000002 00 fe03 010203')],
  }),
  resets(
    '§5.3: EVPN route past the end',
    { attributes: [origin, asPath, attribute(0x80, 14, '00194604 0a000002 00 0311 010203')] },
    { subcode: 9, type: 14 },
  ),
  withdraws(
    'RFC 9136 §3.1: EVPN prefix route of 33 bytes',
    {
      attributes: [
        origin,
        asPath,
        attribute(0x80, 14, `00194604 0a000002 00 0521 ${'00'.repeat(33)}`),
      ],
    },
    { subcode: 9, type: 14 },
  ),

  // ---- §7 ----
  withdraws('§7.1: ORIGIN 3', instead(1, '40010103'), { subcode: 6, type: 1 }),
  withdraws('§7.1: ORIGIN of two bytes', instead(1, '4001020000'), { subcode: 5, type: 1 }),
  accepts('§7.2: an empty AS_PATH', instead(2, '400200')),
  withdraws('§7.2: segment overrun', instead(2, '4002060202 0000fde9'), { subcode: 11, type: 2 }),
  withdraws('§7.2: segment underrun', instead(2, '40020702010000fde902'), { subcode: 11, type: 2 }),
  withdraws('§7.2: segment of no AS', instead(2, '4002020200'), { subcode: 11, type: 2 }),
  withdraws('§7.2: segment type 0', instead(2, '40020600010000fde9'), { subcode: 11, type: 2 }),
  withdraws('§7.2: segment type 5', instead(2, '40020605010000fde9'), { subcode: 11, type: 2 }),
  withdraws('RFC 7607 §2: AS 0 in AS_PATH', instead(2, '400206020100000000'), {
    subcode: 11,
    type: 2,
  }),
  withdraws(
    'RFC 5065 §5: confederation segment from eBGP',
    instead(2, '40020603010000fde9'),
    { subcode: 11, type: 2 },
    ebgp,
  ),
  accepts('RFC 5065: confederation segment from iBGP', instead(2, '40020603010000fde9'), ibgp),
  withdraws(
    'RFC 4271 §6.3: first AS is not the peer',
    withAttributes(),
    { subcode: 11, type: 2 },
    { ...ebgp, peerAsn: 65002, enforceFirstAs: true },
  ),
  accepts('RFC 4271 §6.3: first AS is the peer', withAttributes(), {
    ...ebgp,
    enforceFirstAs: true,
  }),
  withdraws('§7.3: NEXT_HOP of three bytes', instead(3, '4003030a0000'), { subcode: 5, type: 3 }),
  withdraws('RFC 4271 §6.3: NEXT_HOP 0.0.0.0', instead(3, '40030400000000'), {
    subcode: 8,
    type: 3,
  }),
  withdraws('RFC 4271 §6.3: NEXT_HOP 127.0.0.1', instead(3, '4003047f000001'), {
    subcode: 8,
    type: 3,
  }),
  withdraws('RFC 4271 §6.3: NEXT_HOP 224.0.0.1', instead(3, '400304e0000001'), {
    subcode: 8,
    type: 3,
  }),
  withdraws('§7.4: MULTI_EXIT_DISC of five bytes', withAttributes('8004050000000001'), {
    subcode: 5,
    type: 4,
  }),
  discards('§7.5: LOCAL_PREF from eBGP', withAttributes('40050400000064'), { type: 5 }, ebgp),
  discards(
    '§7.5: LOCAL_PREF from eBGP, of any length',
    withAttributes('40050100'),
    { type: 5 },
    ebgp,
  ),
  withdraws(
    '§7.5: LOCAL_PREF of five bytes',
    withAttributes('4005050000000064'),
    { subcode: 5, type: 5 },
    ibgp,
  ),
  discards('§7.6: ATOMIC_AGGREGATE of one byte', withAttributes('40060100'), {
    subcode: 5,
    type: 6,
  }),
  discards(
    '§7.7: AGGREGATOR of six bytes between 4-octet speakers',
    withAttributes('c00706fde90a000001'),
    { subcode: 5, type: 7 },
  ),
  discards(
    '§7.7: AGGREGATOR of eight bytes from a 2-octet speaker',
    {
      ...instead(2, '4002040201fde9'),
      attributes: [origin, '4002040201fde9', nextHop, 'c007080000fde90a000001'],
    },
    { subcode: 5, type: 7 },
    twoOctet,
  ),
  discards('RFC 7607 §2: AS 0 in AGGREGATOR', withAttributes('c00708000000000a000001'), {
    subcode: 9,
    type: 7,
  }),
  withdraws('§7.8: COMMUNITIES of no length', withAttributes('c00800'), { subcode: 5, type: 8 }),
  withdraws('§7.8: COMMUNITIES of five bytes', withAttributes('c008050000000000'), {
    subcode: 5,
    type: 8,
  }),
  discards('§7.9: ORIGINATOR_ID from eBGP', withAttributes('8009040a000001'), { type: 9 }, ebgp),
  withdraws(
    '§7.9: ORIGINATOR_ID of three bytes',
    withAttributes('8009030a0000'),
    { subcode: 5, type: 9 },
    ibgp,
  ),
  discards('§7.10: CLUSTER_LIST from eBGP', withAttributes('800a040a000001'), { type: 10 }, ebgp),
  withdraws(
    '§7.10: CLUSTER_LIST of no length',
    withAttributes('800a00'),
    { subcode: 5, type: 10 },
    ibgp,
  ),
  resets(
    '§7.11: next hop of 20 bytes',
    {
      attributes: [origin, asPath, attribute(0x80, 14, `00020114${'20'.repeat(20)}0020 20010db8`)],
    },
    { subcode: 1, type: 14 },
  ),
  resets(
    '§7.11: next hop past the end',
    { attributes: [origin, asPath, '800e09 000201 40 2001000000'] },
    { subcode: 1, type: 14 },
  ),
  withdraws(
    'IPv6 next hop ::',
    {
      attributes: [origin, asPath, attribute(0x80, 14, `00020110${'00'.repeat(16)}0020 20010db8`)],
    },
    { subcode: 8, type: 14 },
  ),
  withdraws(
    'IPv6 next hop ff02::1',
    {
      attributes: [
        origin,
        asPath,
        attribute(0x80, 14, `00020110ff02${'00'.repeat(13)}010020 20010db8`),
      ],
    },
    { subcode: 8, type: 14 },
  ),
  accepts('RFC 8950: IPv4 prefix by an IPv6 next hop', {
    attributes: [
      origin,
      asPath,
      attribute(0x80, 14, `0001011020010db8${'00'.repeat(11)}0100 ${nlri}`),
    ],
  }),
  withdraws(
    '§7.14: extended communities of nine bytes',
    withAttributes('c01009000000000000000000'),
    { subcode: 5, type: 16 },
  ),
  discards(
    'RFC 6793 §4.1: AS4_PATH between 4-octet speakers',
    withAttributes('c0110602010000fde9'),
    { type: 17 },
  ),
  discards(
    'RFC 6793 §6: AS4_PATH with a segment overrun',
    { attributes: [origin, '4002040201fde9', nextHop, 'c0110602020000fde9'], nlri },
    { type: 17 },
    twoOctet,
  ),
  withdraws('§3 (c): AS4_PATH flagged non-transitive', withAttributes('80110602010000fde9'), {
    subcode: 4,
    type: 17,
  }),
  discards('RFC 6793 §6: AS4_AGGREGATOR of seven bytes', withAttributes('c012070000fde90a0000'), {
    subcode: 5,
    type: 18,
  }),
  withdraws('RFC 6514 §5: PMSI tunnel of four bytes', withAttributes('c0160400060000'), {
    subcode: 5,
    type: 22,
  }),
  withdraws(
    'RFC 9012 §13: sub-TLV overrun',
    withAttributes('c01706000700 0401ff'.replace(' ', '')),
    { type: 23 },
  ),
  withdraws('§7.15: IPv6 extended communities of no length', withAttributes('c01900'), {
    subcode: 5,
    type: 25,
  }),
  discards(
    'RFC 7311 §3: AIGP TLV of 13 bytes',
    withAttributes('801a0d0100050000000000000000000a'),
    { type: 26 },
    ibgp,
  ),
  discards('RFC 9552: BGP-LS TLV overrun', withAttributes('801d05040000ff00'), { type: 29 }),
  withdraws(
    'RFC 8092 §5: LARGE_COMMUNITY of 13 bytes',
    withAttributes(attribute(0xc0, 32, '00'.repeat(13))),
    { subcode: 5, type: 32 },
  ),
  withdraws('RFC 9234 §5: ONLY_TO_CUSTOMER of five bytes', withAttributes('c02305000000fde9'), {
    subcode: 5,
    type: 35,
  }),
  discards('RFC 8669 §6: prefix SID TLV overrun', withAttributes('c028060100ff000000'), {
    type: 40,
  }),
  withdraws('§7.16: ATTR_SET of three bytes', withAttributes('c08003000000'), {
    subcode: 5,
    type: 128,
  }),
];

describe('RFC 7606', () => {
  it.each(rules)('$rule: $outcome', ({ parts, context, outcome, fault }) => {
    const view = parse(buildUpdate(parts), context);
    expect(view.outcome).toBe(outcome);
    expect(view.errorCode).toBe(outcome === 'accept' ? 0 : 3);
    if (fault.subcode !== undefined) expect(view.errorSubcode).toBe(fault.subcode);
    if (fault.type !== undefined) expect(view.errorAttribute).toBe(fault.type);
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
