// Numbers by which the core knows networks, peers and FIBs: small, and used again when they are free.

export class Numbers {
  readonly #taken = new Set<number>();
  readonly #first: number;

  constructor(first = 0) {
    this.#first = first;
  }

  /** The lowest one that is free. */
  take(): number {
    let number = this.#first;
    while (this.#taken.has(number)) number++;
    this.#taken.add(number);
    return number;
  }

  giveBack(number: number): void {
    this.#taken.delete(number);
  }
}
