// Communities and route distinguishers as people write them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatCommunity,
  formatLargeCommunity,
  parseCommunity,
  parseLargeCommunity,
} from '../../src/net/community.ts';
import { parseHex } from '../../src/net/hex.ts';
import { formatRouteDistinguisher } from '../../src/net/route-distinguisher.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

describe('communities', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(uint32, (value) => {
        expect(parseCommunity(formatCommunity(value))).toBe(value);
      }),
    );
  });

  it.each([
    ['no-export', 0xffffff01],
    ['blackhole', 0xffff029a],
    ['65535:65281', 0xffffff01],
  ])('%s is %i', (text, value) => {
    expect(parseCommunity(text)).toBe(value);
  });

  it.each(['65536:1', '1:65536', '1', '1:2:3', 'a:b', '-1:2', ''])('refuses %j', (text) => {
    expect(parseCommunity(text)).toBeUndefined();
  });
});

describe('large communities', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.tuple(uint32, uint32, uint32), (community) => {
        expect(parseLargeCommunity(formatLargeCommunity(community))).toEqual(community);
      }),
    );
  });

  it.each(['1:2', '1:2:4294967296', '1:2:3:4'])('refuses %j', (text) => {
    expect(parseLargeCommunity(text)).toBeUndefined();
  });
});

describe('route distinguishers (RFC 4364 §4.2)', () => {
  it.each([
    ['0000fde800000065', '65000:101'],
    ['0001c00002010064', '192.0.2.1:100'],
    ['0002fa56ea000001', '4200000000:1'],
    ['00020000fde80001', '65000L:1'],
    ['0007000000000001', '0x0007000000000001'],
  ])('%s is %s', (hex, text) => {
    expect(formatRouteDistinguisher(parseHex(hex)!)).toBe(text);
  });
});
