// A table of keys as a plain list, searched from end to end: the twin of assembly/lpm/trie.ts.

export class PrefixList {
  #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  has(bits: string): boolean {
    return this.#keys.includes(bits);
  }

  insert(bits: string): void {
    this.#keys.push(bits);
  }

  remove(bits: string): void {
    this.#keys = this.#keys.filter((key) => key !== bits);
  }

  /** The longest key of at most `length` bits that `address` begins with. */
  longestMatch(address: string, length: number): string | undefined {
    return this.#keys
      .filter((key) => key.length <= length && address.startsWith(key))
      .sort((a, b) => b.length - a.length)[0];
  }

  /** The keys by address, then length. */
  inOrder(): string[] {
    return [...this.#keys].sort(compareKeys);
  }

  /** The first key after this one, which need not be there. */
  after(bits: string): string | undefined {
    return this.inOrder().find((key) => compareKeys(key, bits) > 0);
  }
}

/** As text, a prefix sorts before what it begins, and zeros behind it change only its length. */
function compareKeys(a: string, b: string): number {
  const length = Math.max(a.length, b.length);
  const aAddress = a.padEnd(length, '0');
  const bAddress = b.padEnd(length, '0');
  if (aAddress !== bAddress) return aAddress < bAddress ? -1 : 1;
  return a.length - b.length;
}
