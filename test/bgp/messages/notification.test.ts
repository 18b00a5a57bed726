// NOTIFICATION: round trip, texts of an administrative shutdown (RFC 9003), Hard Reset (RFC 8538).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  administrativeCease,
  cease,
  hardReset,
  holdTimerExpired,
} from '../../../src/bgp/errors.ts';
import {
  decodeNotification,
  encodeNotification,
  innerNotification,
  isHardReset,
  notificationText,
  shutdownText,
} from '../../../src/bgp/messages/notification.ts';

describe('NOTIFICATION', () => {
  it('comes back as it was encoded', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const any = fc.record({ code: octet, subcode: octet, data: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(any, (notification) => {
        expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
      }),
    );
  });

  it('carries a text of at most 255 bytes, cut between characters (RFC 9003 §2)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const { data } = administrativeCease('administrativeShutdown', text);
        expect(data[0]).toBe(data.length - 1);
        const sent = new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(1));
        expect(text.startsWith(sent)).toBe(true);
      }),
    );
  });

  it('tells the text of a shutdown', () => {
    const notification = administrativeCease('administrativeShutdown', 'back at ten');
    expect(shutdownText(notification)).toBe('back at ten');
    expect(notificationText(notification)).toBe('cease: administrative shutdown (back at ten)');
  });

  it('shows no control characters of a peer’s text', () => {
    const notification = administrativeCease('administrativeReset', 'red \u001b[31malert\n');
    expect(shutdownText(notification)).toBe('red  [31malert ');
  });

  it.each([
    { what: 'no data', data: [] },
    { what: 'a length past the end', data: [9, 65] },
    { what: 'an empty text', data: [0] },
  ])('has no text with $what', ({ data }) => {
    expect(shutdownText(cease(2, Uint8Array.from(data)))).toBeUndefined();
  });

  it('unwraps a Hard Reset (RFC 8538 §3.1)', () => {
    const inner = administrativeCease('administrativeShutdown', 'bye');
    const outer = hardReset(inner);
    expect(isHardReset(outer)).toBe(true);
    expect(innerNotification(outer)).toEqual(inner);
    expect(notificationText(outer)).toBe('hard reset, cease: administrative shutdown (bye)');
  });

  it('names what it knows and numbers what it does not', () => {
    expect(notificationText(holdTimerExpired)).toBe('hold timer expired');
    expect(notificationText({ code: 2, subcode: 99, data: new Uint8Array(0) })).toBe(
      'open message: subcode 99',
    );
    expect(notificationText({ code: 77, subcode: 3, data: new Uint8Array(0) })).toBe('error 77/3');
  });
});
