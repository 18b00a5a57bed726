// Path attributes for people: what the fixtures do not show.
import { describe, expect, it } from 'vitest';
import { describeAttributes } from '../../../src/bgp/attributes/describe.ts';
import { formatExtendedCommunity } from '../../../src/bgp/attributes/extended-community.ts';
import { parseHex } from '../../../src/net/hex.ts';

const context = { fourOctetAs: true, addPath: new Set<string>() };

describe('describeAttributes', () => {
  it('goes on behind an attribute that is wrong inside, and keeps its bytes', () => {
    const { attributes, errors } = describeAttributes(
      parseHex('400101ff 80040400000005')!,
      context,
      50,
    );
    expect(attributes).toEqual({
      other: [{ type: 1, name: 'origin', flags: 0x40, hex: 'ff' }],
      med: 5,
    });
    expect(errors).toEqual([
      { offset: 53, message: 'ORIGIN 255, expected 0, 1 or 2', attribute: 1 },
    ]);
  });

  it('ends at an attribute that is cut', () => {
    const { attributes, errors } = describeAttributes(parseHex('40010100 80040a00')!, context);
    expect(attributes).toEqual({ origin: 'igp' });
    expect(errors).toEqual([{ offset: 7, message: '10 bytes expected, 1 left' }]);
  });

  it('names bytes that are left over in an attribute', () => {
    const { errors } = describeAttributes(parseHex('8004050000000509')!, context);
    expect(errors).toEqual([{ offset: 7, message: '1 bytes too many', attribute: 4 }]);
  });

  it('shows the first of duplicates, and names the others', () => {
    const { attributes } = describeAttributes(parseHex('40010100 40010101')!, context);
    expect(attributes).toEqual({ origin: 'igp', duplicates: [1] });
  });

  it('reads the next hop of TABLE_DUMP_V2, abbreviated or whole (RFC 6396 §4.3.4)', () => {
    const nextHop = '20010db8000000000000000000000001';
    const abbreviated = describeAttributes(parseHex(`800e1110${nextHop}`)!, {
      ...context,
      abbreviatedMpReach: true,
    });
    expect(abbreviated.attributes.mpReach).toEqual({ nextHop: '2001:db8::1' });
    const whole = describeAttributes(parseHex(`800e15 000201 10${nextHop} 00`)!, {
      ...context,
      abbreviatedMpReach: true,
    });
    expect(whole.attributes.mpReach).toEqual({ family: 'ipv6-unicast', nextHop: '2001:db8::1' });
  });

  it('shows segments that are no sequence by their type', () => {
    const path = '0202 0000fde9 0000fde8 0102 00000001 00000002 0301 0000fc00 0401 0000fc01';
    const bytes = parseHex(path)!;
    const { attributes } = describeAttributes(
      Uint8Array.of(0x40, 2, bytes.length, ...bytes),
      context,
    );
    expect(attributes.asPath).toEqual([
      65001,
      65000,
      { set: [1, 2] },
      { confedSequence: [64512] },
      { confedSet: [64513] },
    ]);
  });
});

describe('extended communities', () => {
  it.each([
    ['0002fde800000065', 'route-target 65000:101'],
    ['0102c00002010064', 'route-target 192.0.2.1:100'],
    ['0202fa56ea000064', 'route-target 4200000000:100'],
    ['02020000fde80064', 'route-target 65000L:100'],
    ['0003fde800000001', 'route-origin 65000:1'],
    ['4004fde84cbebc20', 'link-bandwidth 65000:100000000'],
    ['030c000000000008', 'encapsulation vxlan'],
    ['030c0000000000ff', 'encapsulation 255'],
    ['030b000000000064', 'color 100'],
    ['0600010000000007', 'mac-mobility 7 static'],
    ['0601010000000064', 'esi-label 100 single-active'],
    ['0602005300123456', 'es-import 00:53:00:12:34:56'],
    ['0603005300123456', 'router-mac 00:53:00:12:34:56'],
    ['800600004996b438', 'type 0x80 subtype 0x06 00004996b438'],
  ])('%s is %s', (hex, text) => {
    expect(formatExtendedCommunity(parseHex(hex)!)).toBe(text);
  });
});
