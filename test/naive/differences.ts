// The slow, obvious twin of src/verify/differences.ts: looks every address up in both tables.
import type { Difference, LabelledPrefix } from '../../src/verify/differences.ts';

/** Only for prefixes within the last `bits` bits of the address space's beginning. */
export function compareEveryAddress(
  expected: readonly LabelledPrefix[],
  actual: readonly LabelledPrefix[],
  count: number,
): Difference[] {
  const found: Difference[] = [];
  for (let address = 0n; address < BigInt(count); address++) {
    const [want, is] = [longestMatch(expected, address), longestMatch(actual, address)];
    if (want === is) continue;
    const before = found.at(-1);
    if (before?.last === address - 1n && before.expected === want && before.actual === is) {
      found[found.length - 1] = { ...before, last: address };
    } else found.push({ first: address, last: address, expected: want, actual: is });
  }
  return found;
}

function longestMatch(table: readonly LabelledPrefix[], address: bigint): string | undefined {
  let best: LabelledPrefix | undefined;
  for (const each of table) {
    const { prefix } = each;
    const shift = BigInt(prefix.address.length * 8 - prefix.length);
    const network = prefix.address.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
    if (network >> shift !== address >> shift) continue;
    if (best === undefined || prefix.length > best.prefix.length) best = each;
  }
  return best?.label;
}
