import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareIpAddresses,
  formatIpAddress,
  isLinkLocal,
  parseIpAddress,
} from '../../src/net/ip-address.ts';

describe('parseIpAddress', () => {
  it.each([
    ['10.0.0.1', [10, 0, 0, 1]],
    ['::', new Array(16).fill(0)],
    ['2001:db8::1', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['::ffff:192.0.2.1', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]],
  ])('reads %s', (text, bytes) => {
    expect([...parseIpAddress(text)!]).toEqual(bytes);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    ':1::',
  ])('refuses %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('accepts what the platform accepts, but for zone ids', () => {
    const groups = fc.array(fc.constantFrom('0', '1', 'ffff', 'db8', '', '1.2.3.4', 'g'), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(groups, fc.constantFrom(':', '.', '::'), (parts, separator) => {
        const text = parts.join(separator);
        expect(parseIpAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
    );
  });
});

describe('formatIpAddress', () => {
  it.each([
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ])('writes %s as %s (RFC 5952)', (text, expected) => {
    expect(formatIpAddress(parseIpAddress(text)!)).toBe(expected);
  });

  it('round-trips every address', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc
        .array(fc.constantFrom(0, 0, 1), { minLength: 16, maxLength: 16 })
        .map(Uint8Array.from.bind(Uint8Array)),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        expect(parseIpAddress(formatIpAddress(address))).toEqual(Uint8Array.from(address));
      }),
    );
  });
});

it('orders IPv4 before IPv6, then by value', () => {
  const sorted = ['::1', '10.0.0.2', '9.255.0.0', '10.0.0.1', '::']
    .map((text) => parseIpAddress(text)!)
    .sort(compareIpAddresses)
    .map(formatIpAddress);
  expect(sorted).toEqual(['9.255.0.0', '10.0.0.1', '10.0.0.2', '::', '::1']);
});

it('knows link-local addresses by fe80::/10', () => {
  expect(isLinkLocal(parseIpAddress('fe80::1')!)).toBe(true);
  expect(isLinkLocal(parseIpAddress('febf::1')!)).toBe(true);
  expect(isLinkLocal(parseIpAddress('fec0::1')!)).toBe(false);
  expect(isLinkLocal(parseIpAddress('169.254.0.1')!)).toBe(false);
});
