// Cuts a byte stream into the JSON objects it is made of: OVSDB puts them back to back, with nothing between (RFC 7047 §4).
//
// Every byte is looked at once, whatever the chunk boundaries: the depth of braces and the state of strings are kept between
// chunks, and the pieces of an unfinished object are joined when it is whole. UTF-8 needs no care: no byte of a multi-byte
// character is a quote, a backslash or a brace.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** V8's longest string is a little over 512 MB; past it an object could not be parsed. */
const MAX_OBJECT_BYTES = 500 * 1024 * 1024;

export class JsonScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  /** Bytes of the object that is not whole yet. */
  get pendingBytes(): number {
    return this.#pieceBytes;
  }

  /**
   * Takes the next bytes of the stream and calls `onObject` with the text of each object that they complete, in order. Keeps
   * the chunk: the caller must not write into it afterwards. Throws on bytes that can be no JSON object.
   */
  push(chunk: Uint8Array, onObject: (text: string) => void): void {
    let start = this.#depth > 0 ? 0 : -1;
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) {
        inString = true;
        if (depth === 0) throw strayByte(byte);
      } else if (byte === OPEN_BRACE) {
        if (depth++ === 0) start = i;
      } else if (byte === CLOSE_BRACE) {
        if (depth === 0) throw strayByte(byte);
        if (--depth === 0) {
          const text = this.#join(chunk.subarray(start, i + 1));
          this.#depth = 0;
          this.#inString = false;
          start = -1;
          onObject(text);
        }
      } else if (depth === 0 && byte > 0x20) {
        throw strayByte(byte);
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    if (start >= 0) this.#keep(chunk.subarray(start));
  }

  #keep(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes > MAX_OBJECT_BYTES) {
      throw new RangeError(
        `JSON object of more than ${MAX_OBJECT_BYTES} bytes, expected its end before`,
      );
    }
  }

  #join(last: Uint8Array): string {
    if (this.#pieces.length === 0) return toText(last);
    this.#pieces.push(last);
    const text = toText(Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#pieceBytes = 0;
    return text;
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function strayByte(byte: number): RangeError {
  return new RangeError(`byte 0x${byte.toString(16)} between JSON objects, expected '{'`);
}
