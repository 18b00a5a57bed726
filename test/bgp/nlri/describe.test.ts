// NLRI of all kinds for people: families that are only named, and routes that are wrong inside.
import { describe, expect, it } from 'vitest';
import { type DescribedRoute, describeRoutes } from '../../../src/bgp/nlri/describe.ts';
import { ByteReader } from '../../../src/net/byte-reader.ts';
import { parseHex } from '../../../src/net/hex.ts';

function read(hex: string, afi: number, safi: number, hasPathId = false): DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  describeRoutes(new ByteReader(parseHex(hex)!), afi, safi, hasPathId, routes);
  return routes;
}

describe('describeRoutes', () => {
  it('names a family it has no decoder for, and keeps its bytes', () => {
    expect(read('0c0120c0a80001', 1, 133)).toEqual([
      { family: 'ipv4-flowspec', raw: '0c0120c0a80001' },
    ]);
    expect(read('0102', 7, 9)).toEqual([{ family: 'afi7-safi9', raw: '0102' }]);
  });

  it('reads a stack of labels to its bottom (RFC 8277 §2)', () => {
    expect(read('48 000640 000641 c63364', 1, 4)).toEqual([
      {
        family: 'ipv4-labeled',
        prefix: '198.51.100.0/24',
        labels: [
          { label: 100, raw: '000640' },
          { label: 100, raw: '000641' },
        ],
      },
    ]);
  });

  it('takes the placeholder of a withdrawal as the bottom (RFC 8277 §2.4)', () => {
    expect(read('70 800000 0000fde800000001 c63364', 1, 128)).toMatchObject([
      { routeDistinguisher: '65000:1', prefix: '198.51.100.0/24' },
    ]);
  });

  it('clears host bits', () => {
    expect(read('04 ff', 1, 1)).toEqual([{ family: 'ipv4-unicast', prefix: '240.0.0.0/4' }]);
  });

  it('keeps the bytes of EVPN types it does not know', () => {
    expect(read('0b02 beef', 25, 70)).toEqual([
      { family: 'l2vpn-evpn', routeType: 11, raw: 'beef' },
    ]);
  });

  it.each([
    ['a prefix of 33 bits', '21 0000000000', 1, 1],
    ['a cut prefix', '18 0a00', 1, 1],
    ['a cut path identifier', '0000', 1, 1],
    ['a label without room', '10 0006', 1, 4],
    ['a cut EVPN route', '0311 0000', 25, 70],
    ['an EVPN route with bytes left over', `011a${'00'.repeat(26)}`, 25, 70],
    ['a MAC address of 40 bits', `0221${'00'.repeat(22)}28${'00'.repeat(10)}`, 25, 70],
  ])('refuses %s', (_, hex, afi, safi) => {
    expect(() => read(hex, afi, safi, hex === '0000')).toThrow();
  });
});
