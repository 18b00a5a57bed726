// Prefixes of a batch that were refused and have no row, and which others cover them. Pure.
//
// A row of an aggregated table may stand for routes beside a refused one, which it would carry by the wrong next hop. Whether it may be in
// place all the same is for the core to say (assembly/fib/holes.ts), which hears of the refusal with the batch's answer: until
// then it is not written. The core sends longer prefixes first, so what covers a hole comes after it.
import { type Prefix, parsePrefix } from '../../net/prefix.ts';

export class Holes {
  /** Every prefix that covers a hole. */
  readonly #covers = new Set<string>();
  #count = 0;

  /** How often a hole was noted. */
  get count(): number {
    return this.#count;
  }

  note(prefix: string): void {
    this.#count++;
    const hole = parsePrefix(prefix)!;
    for (let length = hole.length - 1; length >= 0; length--) {
      const cover = keyOf(hole, length);
      // Whoever covers it was noted with it.
      if (this.#covers.has(cover)) return;
      this.#covers.add(cover);
    }
  }

  isOver(prefix: string): boolean {
    if (this.#covers.size === 0) return false;
    const parsed = parsePrefix(prefix)!;
    return this.#covers.has(keyOf(parsed, parsed.length));
  }

  clear(): void {
    this.#covers.clear();
    this.#count = 0;
  }
}

/** The first `length` bits of a prefix, and how many they are. */
function keyOf({ address }: Prefix, length: number): string {
  const bytes = address.slice(0, (length + 7) >> 3);
  const last = bytes.length - 1;
  if (length % 8 > 0) bytes[last]! &= 0xff00 >> (length % 8);
  return String.fromCharCode(address.length, length, ...bytes);
}
