// Framing: chunks of any size give the same messages, and header errors their NOTIFICATION (RFC 4271 §6.1).
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCapabilities } from '../../src/bgp/capability-codec.ts';
import { BgpError } from '../../src/bgp/errors.ts';
import { Framer, frame, messageType } from '../../src/bgp/framing.ts';
import { addressFamilyName, MessageType } from '../../src/bgp/iana.ts';
import { encodeKeepalive } from '../../src/bgp/messages/keepalive.ts';
import { decodeNotification } from '../../src/bgp/messages/notification.ts';
import { decodeOpen } from '../../src/bgp/messages/open.ts';
import { decodeRouteRefresh } from '../../src/bgp/messages/route-refresh.ts';

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function header(length: number, type: number): Uint8Array {
  return Uint8Array.of(...new Array<number>(16).fill(0xff), length >> 8, length & 0xff, type);
}

function errorOf(bytes: Uint8Array): readonly [number, number, string] {
  const framer = new Framer();
  framer.push(bytes);
  try {
    framer.next();
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const { code, subcode, data } = error.notification;
    return [code, subcode, hexOf(data)];
  }
  throw new Error('the header was taken');
}

describe('Framer', () => {
  const message = fc.oneof(
    fc.constant(encodeKeepalive()),
    fc.uint8Array({ minLength: 4, maxLength: 200 }).map((body) => frame(MessageType.update, body)),
    fc.uint8Array({ minLength: 2, maxLength: 50 }).map((body) => frame(3, body)),
  );

  it('gives the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        (messages, sizes) => {
          const stream = Buffer.concat(messages);
          const framer = new Framer();
          const seen: string[] = [];
          for (let offset = 0, turn = 0; offset < stream.length; turn++) {
            const size = sizes[turn % sizes.length]!;
            framer.push(stream.subarray(offset, offset + size));
            offset += size;
            for (let next = framer.next(); next; next = framer.next()) seen.push(hexOf(next));
          }
          expect(seen).toEqual(messages.map(hexOf));
          expect(framer.takeRest()).toHaveLength(0);
        },
      ),
    );
  });

  it('hands over what is left', () => {
    const framer = new Framer();
    const rest = frame(MessageType.update, new Uint8Array(4)).subarray(0, 21);
    framer.push(Buffer.concat([encodeKeepalive(), rest]));
    expect(messageType(framer.next()!)).toBe(MessageType.keepalive);
    expect(framer.next()).toBeUndefined();
    expect(hexOf(framer.takeRest())).toBe(hexOf(rest));
    expect(framer.takeRest()).toHaveLength(0);
  });

  it.each([
    { wrong: 'a marker not all ones', bytes: new Uint8Array(19), answer: [1, 1, ''] },
    { wrong: 'length 18', bytes: header(18, 4), answer: [1, 2, '0012'] },
    { wrong: 'length 4097', bytes: header(4097, 2), answer: [1, 2, '1001'] },
    { wrong: 'a KEEPALIVE of 20', bytes: header(20, 4), answer: [1, 2, '0014'] },
    { wrong: 'an OPEN of 28', bytes: header(28, 1), answer: [1, 2, '001c'] },
    { wrong: 'an UPDATE of 22', bytes: header(22, 2), answer: [1, 2, '0016'] },
    { wrong: 'a NOTIFICATION of 20', bytes: header(20, 3), answer: [1, 2, '0014'] },
    { wrong: 'a ROUTE-REFRESH of 22', bytes: header(22, 5), answer: [1, 2, '0016'] },
    { wrong: 'type 0', bytes: header(19, 0), answer: [1, 3, '00'] },
    { wrong: 'type 6', bytes: header(40, 6), answer: [1, 3, '06'] },
  ])('answers $wrong with its NOTIFICATION (RFC 4271 §6.1)', ({ bytes, answer }) => {
    expect(errorOf(bytes)).toEqual(answer);
  });
});

interface Fixture {
  readonly name: string;
  readonly kind: string;
  readonly hex: string;
  readonly expect: {
    readonly msg?: string;
    readonly error?: { readonly class: string; readonly detail?: string };
    readonly asn?: number;
    readonly hold_time?: number;
    readonly bgp_id?: string;
    readonly caps?: readonly {
      readonly code: number;
      readonly hex: string;
      readonly mp?: string;
    }[];
    readonly code?: number;
    readonly subcode?: number;
    readonly data?: string;
    readonly family?: string;
    readonly subtype?: number;
  };
}

const file = `${process.env['RUTTER_DATA'] ?? '../shared/data'}/fixtures/bgp.open-and-header.jsonl`;
const fixtures: Fixture[] = existsSync(file)
  ? readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Fixture)
      .filter(({ kind }) => kind !== 'update')
  : [];

describe.skipIf(fixtures.length === 0)(`fixtures of ${file}`, () => {
  it.each(fixtures)('$name', ({ hex, expect: expected }) => {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    if (expected.error) {
      const read = () => {
        const framer = new Framer();
        framer.push(bytes);
        const whole = framer.next();
        // A header whose length the bytes do not fill: the stream is not at an end, so more is waited for
        if (whole === undefined) return 'waits for the rest';
        return decodeOpen(whole);
      };
      if (expected.error.class === 'open-message') {
        // RFC 4271 §6.1: shorter than any OPEN is an error of the header
        const isShort = expected.error.detail === 'short open';
        const [code, subcode] = isShort ? [1, 2] : [2, 0];
        expect(outcome(read)).toMatchObject({ code, subcode });
      } else {
        expect([{ code: 1 }, 'waits for the rest']).toContainEqual(shortened(outcome(read)));
      }
      return;
    }
    expect(decoded(bytes)).toMatchObject(expected.msg === 'keepalive' ? {} : facts(expected));
  });
});

function shortened(result: unknown): unknown {
  return typeof result === 'object' ? { code: (result as { code: number }).code } : result;
}

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof BgpError) return error.notification;
    throw error;
  }
}

function decoded(bytes: Uint8Array): object {
  const framer = new Framer();
  framer.push(bytes);
  const message = framer.next()!;
  expect(framer.takeRest()).toHaveLength(0);
  switch (messageType(message)) {
    case MessageType.open: {
      const open = decodeOpen(message);
      decodeCapabilities(open.capabilities);
      return {
        asn: open.asn,
        hold_time: open.holdTimeSeconds,
        bgp_id: [24, 16, 8, 0].map((shift) => (open.routerId >>> shift) & 255).join('.'),
        caps: open.capabilities.map(({ code, value }) => ({ code, hex: hexOf(value) })),
      };
    }
    case MessageType.notification: {
      const { code, subcode, data } = decodeNotification(message);
      return { code, subcode, data: hexOf(data) };
    }
    case MessageType.routeRefresh: {
      const { afi, safi, subtype } = decodeRouteRefresh(message, true);
      return { family: addressFamilyName(afi, safi), subtype };
    }
    default:
      return { keepalive: bytes.length === 19 };
  }
}

function facts(expected: Fixture['expect']): object {
  const { asn, hold_time, bgp_id, caps, code, subcode, data, family, subtype } = expected;
  const list = { asn, hold_time, bgp_id, code, subcode, data, family, subtype };
  const known = Object.fromEntries(Object.entries(list).filter(([, value]) => value !== undefined));
  return caps ? { ...known, caps: caps.map((cap) => ({ code: cap.code, hex: cap.hex })) } : known;
}
