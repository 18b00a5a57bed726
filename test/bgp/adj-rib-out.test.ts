// Adj-RIB-Out: what goes on the wire for what was advertised, against a reader of UPDATEs that knows nothing of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdjRibOut,
  type AdvertisedRoute,
  type OutboundSession,
} from '../../src/bgp/adj-rib-out.ts';
import type { NegotiatedSession } from '../../src/bgp/negotiate.ts';
import { parseIpAddress } from '../../src/net/ip-address.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../../src/net/prefix.ts';
import { readMessage } from './naive-update.ts';

const negotiated: NegotiatedSession = {
  kind: 'ebgp',
  peerAsn: 65001,
  routerId: 2,
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
  families: ['ipv4-unicast', 'ipv6-unicast'],
  fourOctetAs: true,
  maxMessageBytes: 4096,
  routeRefresh: true,
  enhancedRouteRefresh: false,
  addPathReceive: [],
  extendedNextHop: [],
  gracefulRestart: undefined,
  hostName: undefined,
};

function session(
  localAddress = '192.0.2.1',
  more: Partial<NegotiatedSession> = {},
): OutboundSession {
  return {
    localAsn: 64512,
    localAddress: parseIpAddress(localAddress)!,
    nextHops: { 'ipv6-unicast': parseIpAddress('2001:db8::1')! },
    negotiated: { ...negotiated, ...more },
  };
}

function prefix(text: string): Prefix {
  return parsePrefix(text)!;
}

function route(text: string, more: Partial<AdvertisedRoute> = {}): AdvertisedRoute {
  return { prefix: prefix(text), ...more };
}

/** Everything that is to be sent, one line per message. */
function drain(rib: AdjRibOut): string[] {
  const lines: string[] = [];
  for (let batch = rib.take(); batch.length > 0; batch = rib.take()) {
    lines.push(...batch.map((message) => readMessage(message).text));
  }
  return lines;
}

describe('AdjRibOut', () => {
  it('says what the peer holds and since when, and what it cannot be told', () => {
    let now = 1000;
    const rib = new AdjRibOut(() => now);
    rib.advertise([
      route('10.0.0.0/8', { med: 5 }),
      route('10.1.0.0/16', { nextHop: parseIpAddress('fd00::1')! }),
    ]);
    expect(rib.told('10.0.0.0/8')).toBeUndefined();
    rib.begin(session());
    drain(rib);
    expect(rib.told('10.0.0.0/8')).toMatchObject({ since: 1000, attributes: { med: 5 } });
    expect(rib.told('10.1.0.0/16')).toBeUndefined();
    expect(rib.refusal('10.1.0.0/16')).toBe(
      'next hop fd00::1 does not fit ipv4-unicast in this session',
    );
    now = 2000;
    rib.advertise([route('10.0.0.0/8', { med: 5 })]);
    rib.resend('ipv4-unicast');
    expect(drain(rib)).not.toEqual([]);
    expect(rib.told('10.0.0.0/8')?.since).toBe(1000);
    rib.advertise([route('10.0.0.0/8', { med: 6 })]);
    drain(rib);
    expect(rib.told('10.0.0.0/8')).toMatchObject({ since: 2000, attributes: { med: 6 } });
    rib.withdraw([prefix('10.0.0.0/8')]);
    drain(rib);
    expect(rib.told('10.0.0.0/8')).toBeUndefined();
  });

  it('tells nothing but End-of-RIB when nothing was advertised (RFC 8212)', () => {
    const rib = new AdjRibOut();
    rib.begin(session());
    expect(drain(rib)).toEqual(['end ipv4-unicast', 'end ipv6-unicast']);
  });

  it('puts our AS and address on a local prefix towards eBGP', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.244.1.0/24', { localPref: 200, med: 5 }), route('fd00::/64')]);
    rib.begin(session());
    expect(drain(rib)).toEqual([
      'announce 10.244.1.0/24 next hop 192.0.2.1 path 64512 med 5',
      'announce fd00::/64 next hop 2001:db8::1 path 64512',
      'end ipv4-unicast',
      'end ipv6-unicast',
    ]);
    expect(rib.advertisedCount).toBe(2);
  });

  it('leaves the path alone and sets LOCAL_PREF towards iBGP', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.0.0.0/8'), route('11.0.0.0/8', { localPref: 7, asPath: [65009] })]);
    rib.begin(session('192.0.2.1', { kind: 'ibgp', families: ['ipv4-unicast'] }));
    expect(drain(rib)).toEqual([
      'announce 10.0.0.0/8 next hop 192.0.2.1 path  localPref 100',
      'announce 11.0.0.0/8 next hop 192.0.2.1 path 65009 localPref 7',
      'end ipv4-unicast',
    ]);
  });

  it('sends IPv4 over an IPv6 session where RFC 8950 was negotiated, and says so where not', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.0.0.0/8')]);
    rib.begin(session('2001:db8::9', { extendedNextHop: ['ipv4-unicast'] }));
    expect(drain(rib)[0]).toBe('announce 10.0.0.0/8 next hop 2001:db8::9 path 64512');
    rib.begin(session('2001:db8::9'));
    expect(drain(rib)).toEqual(['end ipv4-unicast', 'end ipv6-unicast']);
    expect(rib.refused).toEqual([
      {
        prefix: prefix('10.0.0.0/8'),
        reason: 'next hop 2001:db8::9 does not fit ipv4-unicast in this session',
      },
    ]);
  });

  it('writes one message for many prefixes of the same attributes, withdrawals first', () => {
    const rib = new AdjRibOut();
    rib.begin(session());
    drain(rib);
    rib.advertise([route('10.0.0.0/8'), route('11.0.0.0/8'), route('12.0.0.0/8', { med: 1 })]);
    expect(drain(rib)).toHaveLength(2);
    rib.advertise([route('13.0.0.0/8')]);
    rib.withdraw([prefix('10.0.0.0/8'), prefix('99.0.0.0/8')]);
    expect(drain(rib)).toEqual([
      'withdraw 10.0.0.0/8',
      'announce 13.0.0.0/8 next hop 192.0.2.1 path 64512',
    ]);
  });

  it('writes nothing for a route that ends as it was (P9)', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.0.0.0/8')]);
    rib.begin(session());
    drain(rib);
    rib.withdraw([prefix('10.0.0.0/8')]);
    rib.advertise([route('10.0.0.0/8')]);
    rib.advertise([route('20.0.0.0/8')]);
    rib.withdraw([prefix('20.0.0.0/8')]);
    expect(drain(rib)).toEqual([]);
  });

  it('sends a family again on request, inside BoRR and EoRR between enhanced speakers', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.0.0.0/8'), route('fd00::/8')]);
    rib.begin(session('192.0.2.1', { enhancedRouteRefresh: true }));
    drain(rib);
    rib.resend('ipv4-unicast');
    expect(drain(rib)).toEqual([
      'refresh begin 1/1',
      'announce 10.0.0.0/8 next hop 192.0.2.1 path 64512',
      'refresh end 1/1',
    ]);
    rib.begin(session());
    drain(rib);
    rib.resend('ipv6-unicast');
    expect(drain(rib)).toEqual(['announce fd00::/8 next hop 2001:db8::1 path 64512']);
  });

  it('finishes the first dump before it begins a refresh (RFC 7313 §4.1)', () => {
    const rib = new AdjRibOut();
    rib.advertise([route('10.0.0.0/8')]);
    rib.begin(session('192.0.2.1', { enhancedRouteRefresh: true, families: ['ipv4-unicast'] }));
    rib.resend('ipv4-unicast');
    const announce = 'announce 10.0.0.0/8 next hop 192.0.2.1 path 64512';
    expect(drain(rib)).toEqual([
      announce,
      'end ipv4-unicast',
      'refresh begin 1/1',
      announce,
      'refresh end 1/1',
    ]);
  });

  it('refuses attributes that leave no room for a prefix, and takes back what it told before', () => {
    const rib = new AdjRibOut();
    rib.begin(session());
    rib.advertise([route('10.0.0.0/8')]);
    drain(rib);
    rib.advertise([route('10.0.0.0/8', { communities: new Array<number>(1100).fill(1) })]);
    expect(drain(rib)).toEqual(['withdraw 10.0.0.0/8']);
    expect(rib.refused).toHaveLength(1);
    expect(rib.advertisedCount).toBe(0);
  });

  it('leaves the peer with exactly what was advertised, whatever the order', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('advertise' as const), i: fc.nat(9), med: fc.nat(2) }),
      fc.record({ kind: fc.constant('withdraw' as const), i: fc.nat(9), med: fc.constant(0) }),
      fc.record({ kind: fc.constant('take' as const), i: fc.constant(0), med: fc.constant(0) }),
      fc.record({ kind: fc.constant('resend' as const), i: fc.constant(0), med: fc.constant(0) }),
      fc.record({ kind: fc.constant('restart' as const), i: fc.constant(0), med: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.boolean(), (actions, isEnhanced) => {
        const rib = new AdjRibOut();
        const wanted = new Map<string, number>();
        let held = new Map<string, number>();
        const open = () => rib.begin(session('192.0.2.1', { enhancedRouteRefresh: isEnhanced }));
        const take = () => {
          const messages = rib.take();
          for (const message of messages) {
            const { announced, withdrawn, med } = readMessage(message);
            for (const each of withdrawn) held.delete(each);
            for (const each of announced) held.set(each, med ?? 0);
          }
          return messages.length;
        };
        open();
        for (const { kind, i, med } of actions) {
          const name = i % 2 === 0 ? `10.${i}.0.0/16` : `fd00:${i}::/32`;
          if (kind === 'advertise') {
            rib.advertise([route(name, { med })]);
            wanted.set(formatPrefix(prefix(name)), med);
          } else if (kind === 'withdraw') {
            rib.withdraw([prefix(name)]);
            wanted.delete(formatPrefix(prefix(name)));
          } else if (kind === 'take') take();
          else if (kind === 'resend') rib.resend('ipv4-unicast');
          else {
            held = new Map();
            open();
          }
        }
        while (take() > 0);
        expect([...held].sort()).toEqual([...wanted].sort());
        expect(rib.advertisedCount).toBe(wanted.size);
      }),
    );
  });
});
