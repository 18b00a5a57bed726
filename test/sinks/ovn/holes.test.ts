import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix, formatPrefix, parsePrefix } from '../../../src/net/prefix.ts';
import { Holes } from '../../../src/sinks/ovn/holes.ts';

const prefix = fc
  .tuple(fc.boolean(), fc.nat(255), fc.nat(255), fc.nat(24))
  .map(([isLong, first, second, length]) => {
    const text = isLong
      ? `20${(first & 7).toString(16).padStart(2, '0')}:${second.toString(16)}00::/${length}`
      : `${first & 7}.${second}.0.0/${length}`;
    const { address } = parsePrefix(text)!;
    const bits = address.map(
      (byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))),
    );
    return formatPrefix({ address: bits, length });
  });

describe('Holes', () => {
  it('says of every prefix whether it covers one that was noted, and is not it', () => {
    fc.assert(
      fc.property(fc.array(prefix), fc.array(prefix), (noted, asked) => {
        const holes = new Holes();
        for (const each of noted) holes.note(each);
        for (const text of [...asked, ...noted]) {
          const cover = parsePrefix(text)!;
          const isOver = noted.some((each) => {
            const hole = parsePrefix(each)!;
            if (hole.address.length !== cover.address.length) return false;
            return hole.length > cover.length && containsPrefix(cover, hole);
          });
          expect(`${text} ${holes.isOver(text)}`).toBe(`${text} ${isOver}`);
        }
      }),
    );
  });

  it('forgets them', () => {
    const holes = new Holes();
    holes.note('10.0.0.0/24');
    expect(holes.isOver('10.0.0.0/8')).toBe(true);
    holes.clear();
    expect(holes.isOver('10.0.0.0/8')).toBe(false);
  });
});
