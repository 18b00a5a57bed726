// A prefix list → ranges of addresses with the lengths a prefix may have that begins there: what assembly/policy/prefix-ranges.ts
// searches. However the lines of a list nest and overlap, a prefix is in one range.
//
// Why this is all there is to it. A line `P ge x le y` matches a prefix when P covers it and its length is in x–y. P is no longer
// than x, so whatever is that long and begins inside P is covered by P. Whether the list matches therefore depends on the first
// address of the prefix (which lines hold it?) and on its length (is it in one of their ranges?).
import { LENGTH_SET_SIZE, RANGES_HEADER_SIZE } from '../../assembly/abi.ts';
import type { PrefixRange } from './prefix-range.ts';

/** A range begins here and goes on to the next one's start. */
interface Range {
  readonly start: bigint;
  /** Bit per length. */
  readonly lengths: bigint;
}

export function encodePrefixRanges(list: readonly PrefixRange[]): Uint8Array {
  const ipv4 = flatten(list.filter(({ prefix }) => prefix.address.length === 4));
  const ipv6 = flatten(list.filter(({ prefix }) => prefix.address.length === 16));
  const sets = [...new Set([...ipv4, ...ipv6].map(({ lengths }) => lengths))];
  const numbers = new Map(sets.map((lengths, index) => [lengths, index]));
  const bytes = new Uint8Array(
    RANGES_HEADER_SIZE + ipv4.length * 8 + ipv6.length * 20 + sets.length * LENGTH_SET_SIZE,
  );
  const view = new DataView(bytes.buffer);
  let offset = 0;
  const put32 = (value: number) => {
    view.setUint32(offset, value, true);
    offset += 4;
  };
  const put64 = (value: bigint) => {
    view.setBigUint64(offset, value, true);
    offset += 8;
  };
  put32(ipv4.length);
  put32(ipv6.length);
  put32(sets.length);
  offset = RANGES_HEADER_SIZE; // what was found last is the core's
  for (const { start } of ipv4) put32(Number(start));
  for (const { lengths } of ipv4) put32(numbers.get(lengths)!);
  for (const { start } of ipv6) {
    put64(start >> 64n);
    put64(start & 0xffff_ffff_ffff_ffffn);
  }
  for (const { lengths } of ipv6) put32(numbers.get(lengths)!);
  for (const lengths of sets) {
    for (let word = 0; word < LENGTH_SET_SIZE / 4; word++) {
      put32(Number((lengths >> BigInt(word * 32)) & 0xffff_ffffn));
    }
  }
  return bytes;
}

/** Lines of one family, in order of address; the ranges cover every address, neighbours have different lengths. */
function flatten(lines: readonly PrefixRange[]): Range[] {
  if (lines.length === 0) return [];
  const sorted = lines.map(spanOf).sort(outerFirst);
  const ranges: Range[] = [];
  const emit = (start: bigint, lengths: bigint) => {
    if (ranges.at(-1)?.start === start) ranges.pop();
    if (ranges.at(-1)?.lengths !== lengths) ranges.push({ start, lengths });
  };
  emit(0n, 0n);
  const open: Span[] = []; // from the outermost in: each holds those after it
  const close = (before: bigint) => {
    while (open.length > 0 && open.at(-1)!.end <= before) {
      const { end } = open.pop()!;
      emit(end, open.at(-1)?.lengths ?? 0n);
    }
  };
  for (const span of sorted) {
    close(span.start);
    const lengths = span.lengths | (open.at(-1)?.lengths ?? 0n);
    open.push({ ...span, lengths });
    emit(span.start, lengths);
  }
  const top = 1n << BigInt(lines[0]!.prefix.address.length * 8);
  close(top);
  // Behind the last address there is nothing to say.
  return ranges.filter(({ start }) => start < top);
}

interface Span {
  readonly start: bigint;
  /** First address behind it. */
  readonly end: bigint;
  /** Those of the lines around it too, once it is open. */
  readonly lengths: bigint;
}

function spanOf({ prefix, ge, le }: PrefixRange): Span {
  const start = prefix.address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const size = 1n << BigInt(prefix.address.length * 8 - prefix.length);
  return { start, end: start + size, lengths: (1n << BigInt(le + 1)) - (1n << BigInt(ge)) };
}

function outerFirst(a: Span, b: Span): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.end === b.end ? 0 : a.end > b.end ? -1 : 1;
}
