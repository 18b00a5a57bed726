// The border between the host and the core: its exports, and the only owner of views of its memory.
//
// Views. Growing the memory detaches every view of it, and any call may grow it. So views are made here only, re-made whenever
// memory.buffer is another one (after every call), and never handed out but to the readers of one answer, which make objects of
// it and keep nothing. What leaves the core is a copy; ReceiveResult.message alone is not, and says so.
//
// Calls. Bytes go in through the input buffer, at most INPUT_SIZE per call: what is longer is fed in parts. Numbers come back in
// the result record, which is read field by field after the call that filled it; rows come back in the output buffer.
import { RESULT_COUNTERS, RESULT_OUTPUT_COUNT, RESULT_OUTPUT_SIZE } from '../../assembly/abi.ts';
import type { CoreExports } from './core-module.ts';

/** What a call left in the output buffer. Valid until the next call. */
export interface Output {
  readonly view: DataView;
  /** Where its rows begin in the view, and where the output ends. */
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

export class Border {
  readonly exports: CoreExports;
  readonly #input: number;
  readonly #output: number;
  readonly #result: number;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(exports: CoreExports) {
    this.exports = exports;
    this.#input = exports.inputBuffer() >>> 0;
    this.#output = exports.outputBuffer() >>> 0;
    this.#result = exports.resultRecord() >>> 0;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#view = new DataView(exports.memory.buffer);
  }

  /** To follow every call that may have allocated, before anything is read or written. */
  refresh(): void {
    const { buffer } = this.exports.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  /** What follows a call that answers 0 when it did nothing. */
  expect(done: number | boolean, problem: string): void {
    this.refresh();
    if (!done) throw new Error(`route core: ${problem}`);
  }

  // ---- into the input buffer ----

  write(bytes: Uint8Array, at = 0): void {
    this.#bytes.set(bytes, this.#input + at);
  }

  writeNumbers(numbers: readonly number[]): void {
    for (const [i, number] of numbers.entries()) {
      this.#view.setUint32(this.#input + i * 4, number, true);
    }
  }

  /** The core writes where it read too: the cursor of a walk. */
  copyInput(at: number, size: number): Uint8Array {
    return this.#bytes.slice(this.#input + at, this.#input + at + size);
  }

  // ---- from the result record ----

  field(offset: number): number {
    return this.#view.getUint32(this.#result + offset, true);
  }

  signedField(offset: number): number {
    return this.#view.getInt32(this.#result + offset, true);
  }

  counter(index: number): number {
    return this.field(RESULT_COUNTERS + index * 4);
  }

  /** For whoever reads the whole record: where it lies in the view. Valid until the next call. */
  result(): { readonly view: DataView; readonly start: number } {
    return { view: this.#view, start: this.#result };
  }

  // ---- from the output buffer ----

  output(count = this.field(RESULT_OUTPUT_COUNT)): Output {
    const end = this.#output + this.field(RESULT_OUTPUT_SIZE);
    return { view: this.#view, start: this.#output, end, count };
  }

  copyOutput(size = this.field(RESULT_OUTPUT_SIZE)): ArrayBuffer {
    return this.exports.memory.buffer.slice(this.#output, this.#output + size);
  }
}
