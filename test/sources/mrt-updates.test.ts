// RIB entries as the UPDATEs a peer would have sent, byte by byte.
import { describe, expect, it } from 'vitest';
import type { RibEntry, RibRecord } from '../../src/sources/mrt-types.ts';
import { ribEntryUpdate } from '../../src/sources/mrt-updates.ts';

const peer = { address: Uint8Array.of(10, 0, 0, 1), asn: 65001, routerId: 0 };
const origin = [0x40, 1, 1, 0];
const asPath = [0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9];
const nextHop = [0x40, 3, 4, 10, 0, 0, 1];
const globalV6 = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1];
const linkLocal = [0xfe, 0x80, ...new Array(13).fill(0), 1];

function rib(
  afi: number,
  nlri: number[],
  attributes: number[],
  more: Partial<RibRecord & RibEntry> = {},
) {
  const entry: RibEntry = {
    peer,
    peerIndex: 0,
    originatedTime: 0,
    pathId: more.pathId,
    attributes: Uint8Array.from(attributes),
  };
  const record: RibRecord = {
    kind: 'rib',
    offset: 0,
    timestamp: 0,
    mrtType: 13,
    subtype: 2,
    afi,
    safi: more.safi ?? 1,
    sequence: 0,
    nlri: Uint8Array.from(nlri),
    addPath: more.pathId !== undefined,
    fourOctetAs: true,
    entries: [entry],
  };
  return ribEntryUpdate(record, entry);
}

/** Attributes and NLRI of a whole UPDATE without withdrawn routes. */
function parts(message: Uint8Array | string) {
  if (typeof message === 'string') throw new Error(message);
  const view = new DataView(message.buffer);
  expect([...message.subarray(0, 16)]).toEqual(new Array(16).fill(0xff));
  expect(view.getUint16(16)).toBe(message.length);
  expect(message[18]).toBe(2);
  expect(view.getUint16(19)).toBe(0);
  const end = 23 + view.getUint16(21);
  return { attributes: [...message.subarray(23, end)], nlri: [...message.subarray(end)] };
}

const mpReach = (afi: number, hop: number[], nlri: number[]) => {
  const value = [0, afi, 1, hop.length, ...hop, 0, ...nlri];
  return [0x90, 14, 0, value.length, ...value];
};

describe('UPDATE of a RIB entry', () => {
  it('keeps the attributes of an IPv4 prefix and puts the prefix behind them', () => {
    const attributes = [...origin, ...asPath, ...nextHop];
    expect(parts(rib(1, [8, 10], attributes))).toEqual({ attributes, nlri: [8, 10] });
  });

  it('puts the path identifier in front of the prefix (RFC 7911 §3)', () => {
    expect(parts(rib(1, [8, 10], nextHop, { pathId: 258 })).nlri).toEqual([0, 0, 1, 2, 8, 10]);
  });

  it.each([
    ['abbreviated (RFC 6396 §4.3.4)', [0x80, 14, 17, 16, ...globalV6], globalV6],
    [
      'abbreviated with a link-local',
      [0x80, 14, 33, 32, ...globalV6, ...linkLocal],
      [...globalV6, ...linkLocal],
    ],
    ['kept whole', [0x80, 14, 24, 0, 2, 1, 16, ...globalV6, 0, 16, 0x20, 1], globalV6],
    ['with a long length', [0x90, 14, 0, 17, 16, ...globalV6], globalV6],
  ])('rebuilds MP_REACH_NLRI that was %s', (_, attribute, hop) => {
    const nlri = [32, 0x20, 1, 0xd, 0xb8];
    expect(parts(rib(2, nlri, [...origin, ...attribute, ...asPath]))).toEqual({
      attributes: [...mpReach(2, hop, nlri), ...origin, ...asPath],
      nlri: [],
    });
  });

  it('gives an IPv4 prefix with an IPv6 next hop MP_REACH_NLRI (RFC 8950)', () => {
    const update = parts(rib(1, [8, 10], [...origin, 0x80, 14, 17, 16, ...globalV6]));
    expect(update).toEqual({ attributes: [...mpReach(1, globalV6, [8, 10]), ...origin], nlri: [] });
  });

  it('leaves MP_REACH_NLRI out where NEXT_HOP stands beside it', () => {
    const update = parts(rib(1, [8, 10], [...origin, ...nextHop, 0x80, 14, 5, 4, 10, 0, 0, 9]));
    expect(update).toEqual({ attributes: [...origin, ...nextHop], nlri: [8, 10] });
  });

  it.each([
    ['an IPv6 prefix without a next hop', 2, [...origin], /no next hop/],
    ['an empty MP_REACH_NLRI', 2, [0x80, 14, 0], /no next hop/],
    ['a next hop longer than its attribute', 2, [0x80, 14, 2, 16, 1], /no next hop/],
    ['an attribute longer than the entry', 1, [0x40, 1, 9, 0], /do not fit/],
    ['an attribute header cut short', 1, [0x50, 1, 0], /do not fit/],
    [
      'attributes that fill 64 KiB',
      1,
      [0x50, 99, 0xff, 0xf0, ...new Array(0xfff0).fill(0)],
      /at most 65535/,
    ],
  ])('says why there is none for %s', (_, afi, attributes, reason) => {
    expect(rib(afi, [8, 10], attributes)).toMatch(reason);
  });
});
