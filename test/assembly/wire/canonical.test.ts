// The canonical attributes: one form for equal sets, 4-octet AS numbers, what is discarded left out.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AsPathSegment,
  decodeAsPath,
  encodeAsPath,
} from '../../../src/bgp/attributes/as-path.ts';
import { describeAttributes } from '../../../src/bgp/attributes/describe.ts';
import { ByteReader } from '../../../src/net/byte-reader.ts';
import { formatHex } from '../../../src/net/hex.ts';
import { mergeAs4Path } from '../../naive/as4-merge.ts';
import { attribute, buildUpdate, mandatory, nextHop, nlri, origin } from './message.ts';
import { type Context, loadParser, type View } from './parser.ts';

let parse: (message: Uint8Array, context?: Context) => View;
beforeAll(async () => {
  parse = await loadParser();
});

const twoOctet: Context = { fourOctetAs: false };

function canonical(attributes: readonly string[], context?: Context): string {
  const view = parse(buildUpdate({ attributes, nlri }), context);
  expect(view.outcome).not.toBe('session-reset');
  return formatHex(view.attributes);
}

describe('canonical attributes', () => {
  it('keeps everything but NEXT_HOP and MP_*', () => {
    const unreach = '800f03000201';
    const community = 'c00804fde80001';
    expect(canonical([...mandatory, community, unreach])).toBe(
      `${origin}400206020100 00fde9${community}`.replaceAll(' ', ''),
    );
  });

  it('does not depend on the order of attributes', () => {
    const attributes = [
      ...mandatory,
      '80040400000007',
      '40050400000064',
      'c00804fde80001',
      'c0c8020102',
      attribute(0xc0, 32, '000000010000000200000003'),
    ];
    const expected = canonical(attributes);
    fc.assert(
      fc.property(fc.shuffledSubarray(attributes, { minLength: attributes.length }), (shuffled) => {
        expect(canonical(shuffled)).toBe(expected);
      }),
    );
  });

  it('keeps the first of duplicates (RFC 7606 §3 g)', () => {
    expect(canonical([...mandatory, 'c0c80101', 'c0c80102'])).toMatch(/e0c80101$/);
  });

  it('marks unrecognised transitive attributes partial (RFC 4271 §5)', () => {
    expect(canonical([...mandatory, 'c0c8020102'])).toMatch(/e0c8020102$/);
  });

  it('drops unrecognised non-transitive attributes (RFC 4271 §5)', () => {
    expect(canonical([...mandatory, '80c8020102'])).toBe(canonical(mandatory));
  });

  it('leaves out what is discarded', () => {
    const discarded = ['40050400000064', '8009040a000001', '800a040a000001', '40060100'];
    const context: Context = { session: 'ebgp' };
    expect(canonical([...mandatory, ...discarded], context)).toBe(canonical(mandatory, context));
  });

  it('holds a full 65535-byte message of an extended session (RFC 8654)', () => {
    const communities = attribute(0xd0, 8, 'fde80001'.repeat(16000));
    expect(canonical([...mandatory, communities])).toHaveLength(2 * (64004 + 4 + 9));
  });
});

describe('attributes of a 2-octet session (RFC 6793)', () => {
  const path2 = (value: string) => attribute(0x40, 2, value);
  const asPathOf = (attributes: string[]) =>
    describeAttributes(parse(buildUpdate({ attributes, nlri }), twoOctet).attributes, {
      fourOctetAs: true,
      addPath: new Set(),
    }).attributes;

  it('widens AS_PATH and AGGREGATOR', () => {
    const { asPath, aggregator } = asPathOf([
      origin,
      path2('0202fde95ba0'),
      nextHop,
      'c00706fde90a000001',
    ]);
    expect(asPath).toEqual([65001, 23456]);
    expect(aggregator).toEqual({ asn: 65001, address: '10.0.0.1' });
  });

  it('takes the tail of the path from AS4_PATH', () => {
    const as4Path = attribute(0xc0, 17, '0201fa56ea00');
    expect(asPathOf([origin, path2('0202fde95ba0'), nextHop, as4Path]).asPath).toEqual([
      65001, 4200000000,
    ]);
  });

  it('takes AGGREGATOR from AS4_AGGREGATOR when it says AS_TRANS', () => {
    const attributes = [origin, path2('0201fde9'), nextHop, 'c007065ba00a000001'];
    const as4 = attribute(0xc0, 18, 'fa56ea000a000002');
    expect(asPathOf([...attributes, as4]).aggregator).toEqual({
      asn: 4200000000,
      address: '10.0.0.2',
    });
  });

  it('ignores both AS4_* when AGGREGATOR has a real AS (RFC 6793 §4.2.3)', () => {
    const attributes = [origin, path2('0201fde9'), nextHop, 'c00706fde90a000001'];
    const as4Path = attribute(0xc0, 17, '0201fa56ea00');
    const as4Aggregator = attribute(0xc0, 18, 'fa56ea000a000002');
    const described = asPathOf([...attributes, as4Path, as4Aggregator]);
    expect(described).toMatchObject({ asPath: [65001], aggregator: { asn: 65001 } });
  });

  it('merges any two paths as the list says, and counts the hops of the result', () => {
    const asns = (maximum: number) =>
      fc.array(fc.integer({ min: 1, max: maximum }), { minLength: 1, maxLength: 6 });
    const segmentsOf = (maximum: number) =>
      fc.array(
        fc.record({
          type: fc.constantFrom('sequence', 'set', 'confedSequence', 'confedSet'),
          asns: asns(maximum),
        }) as fc.Arbitrary<AsPathSegment>,
        { maxLength: 5 },
      );
    fc.assert(
      fc.property(segmentsOf(65535), fc.option(segmentsOf(4294967295)), (path, as4Path) => {
        const attributes = [origin, path2(formatHex(encodeAsPath(path, false))), nextHop];
        if (as4Path?.length) {
          attributes.push(attribute(0xc0, 17, formatHex(encodeAsPath(as4Path, true))));
        }
        const view = parse(buildUpdate({ attributes, nlri }), twoOctet);
        const expected = mergeAs4Path(path, as4Path?.length ? as4Path : undefined);
        const value = attributeValue(view.attributes, 2);
        expect(decodeAsPath(new ByteReader(value), 4)).toEqual(expected);
        expect(view.asPathLength).toBe(lengthOf(expected));
      }),
      { numRuns: 500 },
    );
  });

  it('answers a path whose 4-octet form is too long for an attribute by withdrawal', () => {
    const path = attribute(0x50, 2, `02ff${'fde9'.repeat(255)}`.repeat(100));
    const view = parse(buildUpdate({ attributes: [origin, path, nextHop], nlri }), twoOctet);
    expect(view).toMatchObject({ outcome: 'treat-as-withdraw', errorAttribute: 2 });
  });
});

/** The value of an attribute in a canonical block. */
function attributeValue(block: Uint8Array, wanted: number): Uint8Array {
  const reader = new ByteReader(block);
  for (;;) {
    const flags = reader.uint8();
    const type = reader.uint8();
    const value = reader.bytes(flags & 0x10 ? reader.uint16() : reader.uint8());
    if (type === wanted) return value;
  }
}

function lengthOf(segments: readonly AsPathSegment[]): number {
  return segments.reduce((sum, { type, asns }) => {
    if (type === 'sequence') return sum + asns.length;
    return type === 'set' ? sum + 1 : sum;
  }, 0);
}
