// Chunks of a program's output → whole lines.

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #partial = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = chunk.split('\n');
    lines[0] = this.#partial + lines[0];
    this.#partial = lines.pop()!;
    for (const line of lines) this.#onLine(line);
  }

  /** The output has ended: a last line without its newline counts too. */
  end(): void {
    const last = this.#partial;
    this.#partial = '';
    if (last !== '') this.#onLine(last);
  }
}
