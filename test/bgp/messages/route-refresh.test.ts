// ROUTE-REFRESH: round trip and the length check between enhanced speakers (RFC 2918, RFC 7313 §5).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BgpError } from '../../../src/bgp/errors.ts';
import { frame } from '../../../src/bgp/framing.ts';
import { decodeRouteRefresh, encodeRouteRefresh } from '../../../src/bgp/messages/route-refresh.ts';

describe('ROUTE-REFRESH', () => {
  it('comes back as it was encoded', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const any = fc.record({ afi: fc.integer({ min: 0, max: 65535 }), safi: octet, subtype: octet });
    fc.assert(
      fc.property(any, fc.boolean(), (refresh, isEnhanced) => {
        expect(decodeRouteRefresh(encodeRouteRefresh(refresh), isEnhanced)).toEqual(refresh);
      }),
    );
  });

  it('skips the ORF entries of a request', () => {
    const message = frame(5, Uint8Array.of(0, 1, 0, 1, 1, 64, 0, 0));
    expect(decodeRouteRefresh(message, true)).toEqual({ afi: 1, safi: 1, subtype: 0 });
  });

  it('answers a BoRR that is too long with its bytes (RFC 7313 §5)', () => {
    const message = frame(5, Uint8Array.of(0, 1, 1, 1, 99));
    expect(decodeRouteRefresh(message, false).subtype).toBe(1);
    let thrown: unknown;
    try {
      decodeRouteRefresh(message, true);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BgpError);
    expect((thrown as BgpError).notification).toEqual({ code: 7, subcode: 1, data: message });
  });
});
