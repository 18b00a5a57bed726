// 2-octet UPDATEs as 4-octet ones (RFC 6793).
import { describe, expect, it } from 'vitest';
import { type AsPathSegment, asSequence } from '../../src/bgp/attributes/as-path.ts';
import { mergeAs4Path, toFourOctetAs } from '../../src/sources/four-octet-as.ts';

function update(attributes: number[], nlri = [8, 10]): Uint8Array {
  const length = 23 + attributes.length + nlri.length;
  const head = [...new Array(16).fill(0xff), 0, length, 2, 0, 0, 0, attributes.length];
  return Uint8Array.from([...head, ...attributes, ...nlri]);
}

const origin = [0x40, 1, 1, 0];

describe('an UPDATE with 2-octet AS numbers', () => {
  it('gets a wide AS_PATH and AGGREGATOR', () => {
    const narrow = update([
      ...origin,
      0x40,
      2,
      6,
      2,
      2,
      0xfd,
      0xe8,
      0xfd,
      0xe9,
      0xc0,
      7,
      6,
      0xfd,
      0xe8,
      1,
      2,
      3,
      4,
    ]);
    const wide = toFourOctetAs(narrow);
    expect([...wide.subarray(23)]).toEqual([
      ...[0x50, 1, 0, 1, 0],
      ...[0x50, 2, 0, 10, 2, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9],
      ...[0xd0, 7, 0, 8, 0, 0, 0xfd, 0xe8, 1, 2, 3, 4],
      ...[8, 10],
    ]);
    expect((wide[16]! << 8) | wide[17]!).toBe(wide.length);
  });

  it('takes AS4_PATH and AS4_AGGREGATOR in, and leaves them out', () => {
    const asTrans = [0x5b, 0xa0];
    const narrow = update([
      ...[0x40, 2, 6, 2, 2, 0xfd, 0xe8, ...asTrans],
      ...[0xc0, 7, 6, ...asTrans, 1, 2, 3, 4],
      ...[0xc0, 17, 6, 2, 1, 0, 3, 0, 5],
      ...[0xc0, 18, 8, 0, 3, 0, 5, 1, 2, 3, 4],
    ]);
    expect([...toFourOctetAs(narrow).subarray(23)]).toEqual([
      ...[0x50, 2, 0, 12, 2, 1, 0, 0, 0xfd, 0xe8, 2, 1, 0, 3, 0, 5],
      ...[0xd0, 7, 0, 8, 0, 3, 0, 5, 1, 2, 3, 4],
      ...[8, 10],
    ]);
  });

  it.each([
    ['attributes longer than the message', update([0x40, 2, 200, 2])],
    ['a segment longer than its path', update([0x40, 2, 2, 2, 9])],
  ])('stays as it is with %s', (_, message) => {
    expect(toFourOctetAs(message)).toBe(message);
  });
});

describe('AS4_PATH', () => {
  const path = (...segments: [AsPathSegment['type'], ...number[]][]): AsPathSegment[] =>
    segments.map(([type, ...asns]) => ({ type, asns }));

  it.each([
    [
      'replaces the end of the path',
      asSequence([1, 2, 3]),
      asSequence([20, 30]),
      path(['sequence', 1], ['sequence', 20, 30]),
    ],
    ['may be the whole path', asSequence([1, 2]), asSequence([10, 20]), asSequence([10, 20])],
    ['is ignored when longer', asSequence([1]), asSequence([10, 20]), asSequence([1])],
    ['is absent', asSequence([1, 2]), [], asSequence([1, 2])],
    [
      'counts a set as one',
      path(['sequence', 1], ['set', 2, 3]),
      path(['set', 20, 30]),
      path(['sequence', 1], ['set', 20, 30]),
    ],
    [
      'keeps confederation segments that lead the path',
      path(['confedSequence', 9], ['sequence', 1, 2]),
      asSequence([20]),
      path(['confedSequence', 9], ['sequence', 1], ['sequence', 20]),
    ],
    [
      'loses confederation segments of its own',
      asSequence([1, 2]),
      path(['confedSequence', 9], ['sequence', 20]),
      path(['sequence', 1], ['sequence', 20]),
    ],
  ])('%s', (_, asPath, as4Path, merged) => {
    expect(mergeAs4Path(asPath, as4Path)).toEqual(merged);
  });
});
