// What every IPv4 address forwards by, as ranges in order: the obvious way to tell whether two tables forward alike.

export interface LabelledPrefix {
  /** Network address as a number. */
  readonly first: number;
  readonly length: number;
  readonly label: number;
}

interface Range {
  readonly first: number;
  /** 0 for no route. */
  readonly label: number;
}

/** Ranges of the same forwarding, each up to the next one's first address. */
export function forwardingRanges(table: readonly LabelledPrefix[]): Range[] {
  const rising = table.toSorted((a, b) => a.first - b.first || a.length - b.length);
  const ranges: Range[] = [{ first: 0, label: 0 }];
  const open: { end: number; label: number }[] = [];
  const say = (first: number, label: number) => {
    if (ranges.at(-1)!.first === first) ranges.pop();
    if (ranges.at(-1)?.label !== label) ranges.push({ first, label });
  };
  const closeUpTo = (address: number) => {
    while (open.length > 0 && open.at(-1)!.end <= address) {
      const { end } = open.pop()!;
      say(end, open.at(-1)?.label ?? 0);
    }
  };
  for (const { first, length, label } of rising) {
    closeUpTo(first);
    open.push({ end: first + 2 ** (32 - length), label });
    say(first, label);
  }
  closeUpTo(2 ** 32);
  if (ranges.at(-1)!.first === 2 ** 32) ranges.pop();
  return ranges;
}
