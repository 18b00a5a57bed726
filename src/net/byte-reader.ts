// Big-endian reader over bytes, bounds-checked: reading past the end throws a ReadError with the offset.

/** The bytes do not hold what they should; `offset` counts from the start of the outermost input. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly code = 'malformed';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Offset of this reader's first byte in the outermost input. */
  readonly #base: number;
  #offset = 0;

  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Where the next byte lies in the outermost input. */
  get position(): number {
    return this.#base + this.#offset;
  }

  /** An error at the next byte. */
  error(message: string): ReadError {
    return new ReadError(message, this.position);
  }

  peekUint8(): number {
    this.#require(1);
    return this.#bytes[this.#offset]!;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  uint24(): number {
    const offset = this.#take(3);
    return (this.#view.getUint16(offset) << 8) | this.#view.getUint8(offset + 2);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** The next `size` bytes, a view. */
  bytes(size: number): Uint8Array {
    const offset = this.#take(size);
    return this.#bytes.subarray(offset, offset + size);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** A reader over the next `size` bytes, which are skipped here. */
  slice(size: number): ByteReader {
    const base = this.position;
    return new ByteReader(this.bytes(size), base);
  }

  #take(size: number): number {
    this.#require(size);
    const offset = this.#offset;
    this.#offset += size;
    return offset;
  }

  #require(size: number): void {
    if (size > this.remaining) {
      throw this.error(`${size} bytes expected, ${this.remaining} left`);
    }
  }
}
