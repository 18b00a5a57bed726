// RFC 6793 §4.2.3 on lists: the path of a 2-octet session as a list of hops, the last of them replaced by AS4_PATH's. The slow,
// obvious twin of assembly/wire/as-path.ts.
import type { AsPathSegment } from '../../src/bgp/attributes/as-path.ts';

/** One hop: a set or an AS of a sequence counts; a confederation segment goes along without counting. */
interface Hop {
  readonly counts: boolean;
  readonly segment: AsPathSegment;
}

export function mergeAs4Path(
  path: readonly AsPathSegment[],
  as4Path: readonly AsPathSegment[] | undefined,
): AsPathSegment[] {
  const hops = hopsOf(path);
  const newHops = as4Path && hopsOf(as4Path).filter(({ counts }) => counts);
  if (newHops === undefined || countOf(hops) < newHops.length) return joined(hops);
  let leading = countOf(hops) - newHops.length;
  const kept: Hop[] = [];
  for (const hop of hops) {
    if (hop.counts && leading === 0) break;
    kept.push(hop);
    if (hop.counts) leading--;
  }
  return joined([...kept, ...newHops]);
}

function hopsOf(path: readonly AsPathSegment[]): Hop[] {
  return path.flatMap((segment): Hop[] => {
    if (segment.type !== 'sequence') return [{ counts: segment.type === 'set', segment }];
    return segment.asns.map((asn) => ({
      counts: true,
      segment: { type: 'sequence', asns: [asn] },
    }));
  });
}

function countOf(hops: readonly Hop[]): number {
  return hops.filter(({ counts }) => counts).length;
}

/** Neighbouring sequences as one, of at most 255. */
function joined(hops: readonly Hop[]): AsPathSegment[] {
  const segments: { type: AsPathSegment['type']; asns: number[] }[] = [];
  for (const { segment } of hops) {
    const last = segments.at(-1);
    const fits = last?.type === 'sequence' && segment.type === 'sequence' && last.asns.length < 255;
    if (last && fits) last.asns.push(...segment.asns);
    else segments.push({ type: segment.type, asns: [...segment.asns] });
  }
  return segments;
}
