// Capabilities: bytes both ways, what is offered, and what two OPENs agree on (RFC 5492 and those it carries).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Capabilities, noCapabilities } from '../../src/bgp/capabilities.ts';
import { decodeCapabilities, encodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { type CapabilityOffer, offerCapabilities } from '../../src/bgp/capability-offer.ts';
import { BgpError } from '../../src/bgp/errors.ts';
import type { OpenMessage } from '../../src/bgp/messages/open.ts';
import { negotiate, type OpenPolicy } from '../../src/bgp/negotiate.ts';

const octet = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 65535 });
const family = { afi: word, safi: octet };

const anyCapabilities: fc.Arbitrary<Capabilities> = fc.record({
  multiprotocol: fc.array(fc.record(family), { maxLength: 5 }),
  routeRefresh: fc.boolean(),
  enhancedRouteRefresh: fc.boolean(),
  extendedMessage: fc.boolean(),
  fourOctetAsn: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
  extendedNextHop: fc.array(fc.record({ ...family, nextHopAfi: word }), { maxLength: 4 }),
  gracefulRestart: fc.option(
    fc.record({
      restarting: fc.boolean(),
      notification: fc.boolean(),
      restartTimeSeconds: fc.integer({ min: 0, max: 4095 }),
      families: fc.array(fc.record({ ...family, forwardingPreserved: fc.boolean() }), {
        maxLength: 4,
      }),
    }),
    { nil: undefined },
  ),
  addPath: fc.array(
    fc
      .record({ ...family, receive: fc.boolean(), send: fc.boolean() })
      .filter(({ receive, send }) => receive || send),
    { maxLength: 4 },
  ),
  fqdn: fc.option(
    fc.record({
      hostName: fc.stringMatching(/^[a-z0-9-]{0,64}$/),
      domainName: fc.stringMatching(/^[a-z0-9.-]{0,64}$/),
    }),
    { nil: undefined },
  ),
  others: fc.constant([]),
});

const fullOffer: CapabilityOffer = {
  localAsn: 64512,
  families: ['ipv4-unicast', 'ipv6-unicast'],
  extendedNextHop: true,
  addPathReceive: ['ipv4-unicast'],
  gracefulRestart: { restartTimeSeconds: 120, restarting: true, forwardingPreserved: true },
  hostName: 'worker-1',
};

const policy: OpenPolicy = {
  localAsn: 64512,
  localRouterId: 1,
  peerAsn: 65001,
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
};

const ours = offerCapabilities(fullOffer, []);

function openWith(
  capabilities: Partial<Capabilities>,
  more: Partial<OpenMessage> = {},
): OpenMessage {
  const all = { ...noCapabilities, fourOctetAsn: 65001, ...capabilities };
  return {
    version: 4,
    asn: 65001,
    holdTimeSeconds: 180,
    routerId: 2,
    capabilities: encodeCapabilities(all),
    ...more,
  };
}

const ipv4 = { afi: 1, safi: 1 };
const ipv6 = { afi: 2, safi: 1 };

function refusal(run: () => unknown): readonly [number, number, string] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const { code, subcode, data } = error.notification;
    return [code, subcode, Buffer.from(data).toString('hex')];
  }
  throw new Error('the OPEN was taken');
}

describe('capabilities as bytes', () => {
  it('come back as they were encoded', () => {
    fc.assert(
      fc.property(anyCapabilities, (capabilities) => {
        expect(decodeCapabilities(encodeCapabilities(capabilities))).toEqual(capabilities);
      }),
    );
  });

  it('take any value without another error than BgpError', () => {
    const raw = fc.record({
      code: fc.constantFrom(1, 2, 5, 6, 64, 65, 69, 70, 73, 128, 200),
      value: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(raw, { maxLength: 6 }), (list) => {
        try {
          decodeCapabilities(list);
        } catch (error) {
          expect(error).toBeInstanceOf(BgpError);
          expect((error as BgpError).notification).toMatchObject({ code: 2, subcode: 0 });
        }
      }),
    );
  });

  it('keep the codes nobody knows', () => {
    const list = [
      { code: 200, value: new Uint8Array(3) },
      { code: 131, value: new Uint8Array(0) },
    ];
    expect(decodeCapabilities(list).others).toEqual([200, 131]);
  });
});

describe('offerCapabilities', () => {
  it('offers everything we can do', () => {
    expect(encodeCapabilities(ours).map(({ code }) => code)).toEqual([
      1, 1, 2, 5, 6, 64, 65, 69, 70, 73,
    ]);
    expect(ours.addPath).toEqual([{ ...ipv4, receive: true, send: false }]);
    expect(ours.gracefulRestart).toMatchObject({ restarting: true, notification: true });
  });

  it('leaves out what the peer refused', () => {
    const codes = encodeCapabilities(offerCapabilities(fullOffer, [69, 70, 64])).map((c) => c.code);
    expect(codes).toEqual([1, 1, 2, 5, 6, 65, 73]);
    expect(offerCapabilities(fullOffer, 'all')).toEqual(noCapabilities);
  });
});

describe('negotiate', () => {
  it('takes what both sides have', () => {
    const session = negotiate(
      policy,
      ours,
      openWith({
        multiprotocol: [ipv6, ipv4, { afi: 25, safi: 70 }],
        routeRefresh: true,
        enhancedRouteRefresh: true,
        extendedMessage: true,
        extendedNextHop: [{ ...ipv4, nextHopAfi: 2 }],
        addPath: [
          { ...ipv4, receive: false, send: true },
          { ...ipv6, receive: true, send: true },
        ],
        gracefulRestart: {
          restarting: false,
          notification: true,
          restartTimeSeconds: 60,
          families: [{ ...ipv4, forwardingPreserved: true }],
        },
        fqdn: { hostName: 'tor-a', domainName: '' },
      }),
    );
    expect(session).toEqual({
      kind: 'ebgp',
      peerAsn: 65001,
      routerId: 2,
      holdTimeSeconds: 90,
      keepaliveTimeSeconds: 30,
      families: ['ipv4-unicast', 'ipv6-unicast'],
      fourOctetAs: true,
      maxMessageBytes: 65535,
      routeRefresh: true,
      enhancedRouteRefresh: true,
      addPathReceive: ['ipv4-unicast'],
      extendedNextHop: ['ipv4-unicast'],
      gracefulRestart: {
        restartTimeSeconds: 60,
        restarting: false,
        notification: true,
        families: [{ family: 'ipv4-unicast', forwardingPreserved: true }],
      },
      hostName: 'tor-a',
    });
  });

  it('speaks plain IPv4 with a peer that has no capabilities (RFC 4760 §8)', () => {
    const session = negotiate(policy, ours, openWith({ fourOctetAsn: undefined }));
    expect(session).toMatchObject({
      families: ['ipv4-unicast'],
      fourOctetAs: false,
      maxMessageBytes: 4096,
      gracefulRestart: undefined,
      addPathReceive: [],
    });
  });

  it.each([
    { we: 90, they: 30, holds: 30, keepalive: 10 },
    { we: 90, they: 180, holds: 90, keepalive: 30 },
    { we: 90, they: 0, holds: 0, keepalive: 0 },
    { we: 0, they: 90, holds: 0, keepalive: 0 },
  ])('holds $holds s between $we and $they (RFC 4271 §4.2)', ({ we, they, holds, keepalive }) => {
    const session = negotiate(
      { ...policy, holdTimeSeconds: we },
      ours,
      openWith({}, { holdTimeSeconds: they }),
    );
    expect(session.holdTimeSeconds).toBe(holds);
    expect(session.keepaliveTimeSeconds).toBe(keepalive);
  });

  it.each([
    { expected: 65001, asn: 65002, ok: false },
    { expected: 'external' as const, asn: 65002, ok: true },
    { expected: 'external' as const, asn: 64512, ok: false },
    { expected: 'internal' as const, asn: 64512, ok: true },
    { expected: 'internal' as const, asn: 65001, ok: false },
    { expected: 'external' as const, asn: 0, ok: false },
  ])('AS $asn where $expected is expected: $ok', ({ expected, asn, ok }) => {
    const run = () =>
      negotiate({ ...policy, peerAsn: expected }, ours, openWith({ fourOctetAsn: asn }, { asn }));
    if (ok) expect(run().peerAsn).toBe(asn);
    else expect(refusal(run)).toEqual([2, 2, '']);
  });

  it('refuses our own identifier inside our AS only (RFC 6286 §2.2)', () => {
    const open = openWith({ fourOctetAsn: 64512 }, { routerId: 1 });
    expect(refusal(() => negotiate({ ...policy, peerAsn: 'internal' }, ours, open))).toEqual([
      2,
      3,
      '',
    ]);
    const external = openWith({}, { routerId: 1 });
    expect(negotiate(policy, ours, external).kind).toBe('ebgp');
  });

  it('names the families it misses when there is none in common (RFC 5492 §5)', () => {
    const evpn = offerCapabilities({ ...fullOffer, families: ['l2vpn-evpn'] }, []);
    expect(refusal(() => negotiate(policy, evpn, openWith({ multiprotocol: [ipv4] })))).toEqual([
      2,
      7,
      '010400190046',
    ]);
  });
});
