// JSON.parse in slices: the first answer of a monitor is one message, however many rows it has.
//
// The outer levels of such a message are taken apart here; what is in them at SPLIT_DEPTH, a row or a part of one, is found by its
// brackets and left to JSON.parse. So a slice ends between two rows, and what is wrong anywhere is refused as JSON.parse refuses it. One row is never
// cut: a set of 20 000 uuids takes ten milliseconds.
import type { Sliced } from './slices.ts';

/** Text read between two yields: about 3 ms. */
export const SLICE_CHARACTERS = 128 * 1024;

/** What is so many brackets deep is not taken apart: `{"params":[…,…,{"Table":{"uuid":` HERE (RFC 7047 §4.1.6, ovsdb-server(7)). */
const SPLIT_DEPTH = 4;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The value of a JSON text, equal to JSON.parse's; throws SyntaxError where that does. */
export function* parseInSlices(text: string): Sliced<unknown> {
  const reader = new Reader(text);
  const value = yield* reader.value(0);
  reader.expectEnd();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #sliceEnd = SLICE_CHARACTERS;

  constructor(text: string) {
    this.#text = text;
  }

  *value(depth: number): Sliced<unknown> {
    const first = this.#peek();
    if (depth < SPLIT_DEPTH && first === OPEN_BRACE) return yield* this.#object(depth);
    if (depth < SPLIT_DEPTH && first === OPEN_BRACKET) return yield* this.#array(depth);
    return this.#whole();
  }

  expectEnd(): void {
    if (!Number.isNaN(this.#peek())) throw this.#unexpected('the end');
  }

  *#object(depth: number): Sliced<Record<string, unknown>> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#take(CLOSE_BRACE)) return object;
    do {
      if (this.#peek() !== QUOTE) throw this.#unexpected('a name');
      const name = this.#whole() as string;
      if (!this.#take(COLON)) throw this.#unexpected("':'");
      setOwn(object, name, yield* this.value(depth + 1));
      if (this.#isSliceOver()) yield;
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACE)) throw this.#unexpected("',' or '}'");
    return object;
  }

  *#array(depth: number): Sliced<unknown[]> {
    const array: unknown[] = [];
    this.#at++;
    if (this.#take(CLOSE_BRACKET)) return array;
    do {
      array.push(yield* this.value(depth + 1));
      if (this.#isSliceOver()) yield;
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACKET)) throw this.#unexpected("',' or ']'");
    return array;
  }

  /** A value that is not taken apart. */
  #whole(): unknown {
    const start = this.#at;
    this.#at = this.#endOfValue();
    return JSON.parse(this.#text.slice(start, this.#at));
  }

  /** Where the value here ends, if it is well formed; JSON.parse looks whether it is. */
  #endOfValue(): number {
    const text = this.#text;
    let depth = 0;
    let at = this.#at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = this.#endOfString(at);
        if (depth === 0) return at + 1;
      } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        if (depth === 0) return at; // of a number or a word
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && (code === COMMA || isSpace(code))) return at;
    }
    return at;
  }

  /** The closing quote of the string that begins at `start`. */
  #endOfString(start: number): number {
    const text = this.#text;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) return at;
    }
    return text.length;
  }

  /** The next character that is no white space; NaN at the end. */
  #peek(): number {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.charCodeAt(this.#at);
  }

  #take(code: number): boolean {
    if (this.#peek() !== code) return false;
    this.#at++;
    return true;
  }

  #isSliceOver(): boolean {
    if (this.#at < this.#sliceEnd) return false;
    this.#sliceEnd = this.#at + SLICE_CHARACTERS;
    return true;
  }

  #unexpected(expected: string): SyntaxError {
    const found = this.#text.slice(this.#at, this.#at + 10) || 'the end';
    return new SyntaxError(`${found} at ${this.#at} of a JSON text, expected ${expected}`);
  }
}

/** As JSON.parse does: a member named __proto__ is a member. */
function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, name, property);
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
