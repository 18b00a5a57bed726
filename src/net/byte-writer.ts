// Big-endian writer over a fixed buffer. Writing past its end is a bug of the caller and throws a RangeError.

export class ByteWriter {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#offset;
  }

  /** Bytes that still fit. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(value: number): this {
    this.#view.setUint8(this.#offset, value);
    this.#offset += 1;
    return this;
  }

  uint16(value: number): this {
    this.#view.setUint16(this.#offset, value);
    this.#offset += 2;
    return this;
  }

  uint32(value: number): this {
    this.#view.setUint32(this.#offset, value);
    this.#offset += 4;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#offset);
    this.#offset += value.length;
    return this;
  }

  /** Overwrites two bytes written before: a length that was not known then. */
  patchUint16(offset: number, value: number): this {
    this.#view.setUint16(offset, value);
    return this;
  }

  /** What was written, without a copy. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#offset);
  }
}
