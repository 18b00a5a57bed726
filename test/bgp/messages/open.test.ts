// OPEN: round trips, both forms of optional parameters, and what is wrong in one (RFC 4271 §6.2, RFC 9072).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BgpError } from '../../../src/bgp/errors.ts';
import { frame } from '../../../src/bgp/framing.ts';
import { decodeOpen, encodeOpen, type OpenMessage } from '../../../src/bgp/messages/open.ts';

const capability = fc.record({
  code: fc.integer({ min: 0, max: 255 }),
  value: fc.uint8Array({ maxLength: 255 }),
});

const openMessage: fc.Arbitrary<OpenMessage> = fc.record({
  version: fc.constant(4),
  asn: fc.integer({ min: 0, max: 0xffff }),
  holdTimeSeconds: fc.oneof(fc.constant(0), fc.integer({ min: 3, max: 0xffff })),
  routerId: fc.integer({ min: 1, max: 0xffffffff }),
  capabilities: fc.array(capability, { maxLength: 12 }),
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** An OPEN with AS 1, hold time 180 and identifier 1.1.1.1 before these optional parameters. */
function openWith(parameters: string): Uint8Array {
  return frame(1, hex(`04 0001 00b4 01010101 ${parameters}`));
}

function notificationOf(message: Uint8Array): readonly [number, number, string] {
  try {
    decodeOpen(message);
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const { code, subcode, data } = error.notification;
    return [code, subcode, Buffer.from(data).toString('hex')];
  }
  throw new Error('the OPEN was taken');
}

describe('OPEN', () => {
  it('comes back as it was encoded, in the short form or, past 254 bytes, the extended one', () => {
    fc.assert(
      fc.property(openMessage, (open) => {
        expect(decodeOpen(encodeOpen(open))).toEqual(open);
      }),
    );
  });

  it('uses the extended form of RFC 9072 only where it must', () => {
    const open = { version: 4, asn: 1, holdTimeSeconds: 90, routerId: 1 };
    const sized = (bytes: number) =>
      encodeOpen({ ...open, capabilities: [{ code: 9, value: new Uint8Array(bytes) }] });
    expect(sized(250)[28]).toBe(254);
    expect([...sized(251).subarray(28, 30)]).toEqual([255, 255]);
  });

  it('reads the extended form whatever its length octet says, as long as it is not zero (RFC 9072 §2)', () => {
    const message = openWith('07 ff 0009 02 0006 01 04 0001 00 01');
    expect(decodeOpen(message).capabilities).toEqual([{ code: 1, value: hex('00010001') }]);
  });

  it('reads capabilities that are spread over several parameters', () => {
    const message = openWith('0a 02 06 01 04 0001 00 01 02 00');
    expect(decodeOpen(message).capabilities).toHaveLength(1);
  });

  it.each([
    {
      wrong: 'version 3',
      message: frame(1, hex('03 0001 00b4 01010101 00')),
      answer: [2, 1, '0004'],
    },
    {
      wrong: 'hold time 1',
      message: frame(1, hex('04 0001 0001 01010101 00')),
      answer: [2, 6, ''],
    },
    {
      wrong: 'hold time 2',
      message: frame(1, hex('04 0001 0002 01010101 00')),
      answer: [2, 6, ''],
    },
    {
      wrong: 'identifier 0',
      message: frame(1, hex('04 0001 00b4 00000000 00')),
      answer: [2, 3, ''],
    },
    { wrong: 'parameter 1', message: openWith('03 01 01 00'), answer: [2, 4, ''] },
    { wrong: 'parameters cut', message: openWith('05 02'), answer: [2, 0, ''] },
    { wrong: 'parameter cut', message: openWith('02 02 05'), answer: [2, 0, ''] },
    { wrong: 'capability cut', message: openWith('04 02 02 01 04'), answer: [2, 0, ''] },
    { wrong: 'bytes left over', message: openWith('00 00'), answer: [2, 0, ''] },
  ])('answers $wrong with its NOTIFICATION (RFC 4271 §6.2)', ({ message, answer }) => {
    expect(notificationOf(message)).toEqual(answer);
  });

  it('takes any bytes without another error than BgpError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 300 }), (body) => {
        try {
          decodeOpen(frame(1, body));
        } catch (error) {
          expect(error).toBeInstanceOf(BgpError);
        }
      }),
    );
  });
});
