// Where two tables forward addresses differently: one ordered walk over both, after VeriTable (Patel et al. 2018). Pure.
//
// Both tables are lists of prefixes, each with a label: what the target does with a packet, as text. The longest match decides. The walk goes
// through all prefixes of both in order of address, a covering one before what is in it, and keeps those that cover where it is, each with the labels
// that hold in it. Between two borders nothing changes, so every range is compared once. It says nothing of prefixes: tables that forward
// alike with other rows are equal.
import { comparePrefixes, type Prefix } from '../net/prefix.ts';

export interface LabelledPrefix {
  readonly prefix: Prefix;
  readonly label: string;
}

/** Addresses `first` to `last`, as numbers. An undefined label: no route. */
export interface Difference {
  readonly first: bigint;
  readonly last: bigint;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

type Labels = Pick<Difference, 'expected' | 'actual'>;
type Cover = Labels & { readonly last: bigint };

/** The ranges in which the tables differ, in order and as long as they can be. Every table has a prefix once; all are of one family. */
export function findDifferences(
  expected: readonly LabelledPrefix[],
  actual: readonly LabelledPrefix[],
  addressBits: 32 | 128,
): Difference[] {
  const found: Difference[] = [];
  const covers: Cover[] = [
    { last: (1n << BigInt(addressBits)) - 1n, expected: undefined, actual: undefined },
  ];
  let next = 0n;
  const passTo = (last: bigint): void => {
    note(found, next, last, covers.at(-1)!);
    next = last + 1n;
  };
  const leave = (): void => {
    passTo(covers.at(-1)!.last);
    covers.pop();
  };
  for (const { prefix, ...labels } of merge(expected, actual)) {
    const first = toNumber(prefix.address);
    while (covers.at(-1)!.last < first) leave();
    passTo(first - 1n);
    const last = first + (1n << BigInt(addressBits - prefix.length)) - 1n;
    const { expected: covering, actual: coveringActual } = covers.at(-1)!;
    covers.push({
      last,
      expected: labels.expected ?? covering,
      actual: labels.actual ?? coveringActual,
    });
  }
  while (covers.length > 0) leave();
  return found;
}

function note(found: Difference[], first: bigint, last: bigint, labels: Labels): void {
  const { expected, actual } = labels;
  if (first > last || expected === actual) return;
  const before = found.at(-1);
  const goesOn =
    before?.last === first - 1n && before.expected === expected && before.actual === actual;
  if (goesOn) found[found.length - 1] = { ...before, last };
  else found.push({ first, last, expected, actual });
}

/** Every prefix of either table once, in order. */
function merge(
  expected: readonly LabelledPrefix[],
  actual: readonly LabelledPrefix[],
): (Labels & { readonly prefix: Prefix })[] {
  const a = sortByPrefix(expected);
  const b = sortByPrefix(actual);
  const merged: (Labels & { readonly prefix: Prefix })[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const order =
      i === a.length ? 1 : j === b.length ? -1 : comparePrefixes(a[i]!.prefix, b[j]!.prefix);
    const { prefix } = order <= 0 ? a[i]! : b[j]!;
    const expectedLabel = order <= 0 ? a[i++]!.label : undefined;
    const actualLabel = order >= 0 ? b[j++]!.label : undefined;
    merged.push({ prefix, expected: expectedLabel, actual: actualLabel });
  }
  return merged;
}

function sortByPrefix(table: readonly LabelledPrefix[]): readonly LabelledPrefix[] {
  return table.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}

function toNumber(address: Uint8Array): bigint {
  return address.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
