// The objects `rutter decode` prints: input bytes of any kind → one object per message or record, then an error for what was
// left or could not be read whole.
import type { DecodeContext } from '../bgp/attributes/describe.ts';
import { MessageType } from '../bgp/iana.ts';
import { describeMessage, messageLength } from '../bgp/messages/describe.ts';
import { BmpDecoder, bmpLength } from '../sources/bmp.ts';
import { bgpFraming, bmpFraming, readFrames, skipToMarker } from '../sources/framed.ts';
import { readMrt } from '../sources/mrt.ts';
import { describeMrt } from '../sources/mrt-describe.ts';
import type { UpdateJudge } from './update-judge.ts';

export type InputKind = 'bgp' | 'stream' | 'bmp' | 'mrt';

export interface DecodeOptions {
  /** Undefined: told by the first bytes. */
  readonly kind: InputKind | undefined;
  readonly fourOctetAs: boolean;
  /** Undefined: what the input says of itself (BMP, MRT), else none. */
  readonly addPath: ReadonlySet<string> | undefined;
}

type Chunks = AsyncIterable<Uint8Array>;

/** Throws a DecodeFault, after the last object, when something could not be read. */
export async function* decodeRecords(
  chunks: Chunks,
  options: DecodeOptions,
  judge: UpdateJudge,
): AsyncGenerator<object, void, undefined> {
  const faults = new FaultLog();
  const { first, whole } = await peek(chunks);
  switch (options.kind ?? detectKind(first)) {
    case 'bgp':
      yield* bgpRecords(whole, options, judge, faults);
      break;
    case 'stream':
      yield* bgpRecords(
        skipToMarker(whole, (byteCount) => faults.addSkipped(byteCount)),
        options,
        judge,
        faults,
      );
      break;
    case 'bmp':
      yield* bmpRecords(whole, options, judge, faults);
      break;
    case 'mrt':
      yield* mrtRecords(whole, options, judge, faults);
      break;
  }
  faults.throwIfAny();
}

async function* bgpRecords(
  chunks: Chunks,
  options: DecodeOptions,
  judge: UpdateJudge,
  faults: FaultLog,
): AsyncGenerator<object, void, undefined> {
  const context: DecodeContext = {
    fourOctetAs: options.fourOctetAs,
    addPath: options.addPath ?? new Set(),
  };
  for await (const { offset, bytes } of readFrames(chunks, bgpFraming)) {
    const message = describeMessage(bytes, context, offset);
    faults.addAll(message.errors);
    const verdict = message.type === 'update' ? { verdict: judge(bytes, context) } : {};
    yield { kind: 'bgp', offset, ...message, ...verdict };
  }
}

async function* bmpRecords(
  chunks: Chunks,
  options: DecodeOptions,
  judge: UpdateJudge,
  faults: FaultLog,
): AsyncGenerator<object, void, undefined> {
  const decoder = new BmpDecoder(options.addPath && { addPath: options.addPath });
  for await (const { offset, bytes } of readFrames(chunks, bmpFraming)) {
    const { message, update } = decoder.read(bytes, offset);
    faults.addAll(message.errors);
    faults.addAll(message.update?.errors);
    const verdict =
      update && isUpdate(update.bytes) ? { verdict: judge(update.bytes, update.context) } : {};
    yield { kind: 'bmp', offset, ...message, ...verdict };
  }
}

async function* mrtRecords(
  chunks: Chunks,
  options: DecodeOptions,
  judge: UpdateJudge,
  faults: FaultLog,
): AsyncGenerator<object, void, undefined> {
  for await (const record of readMrt(chunks)) {
    const { described, update, errors } = describeMrt(record, options.addPath);
    faults.addAll(errors);
    const verdict =
      update && isUpdate(update.bytes) ? { verdict: judge(update.bytes, update.context) } : {};
    yield { kind: 'mrt', offset: record.offset, ...described, ...verdict };
  }
}

function isUpdate(message: Uint8Array): boolean {
  return message[18] === MessageType.update;
}

/** By the first bytes: BGP's marker, BMP's version and length; MRT has no mark of its own. */
function detectKind(first: Uint8Array): InputKind {
  if (messageLength(first) !== undefined) return 'bgp';
  return bmpLength(first) !== undefined && first[5]! <= 6 ? 'bmp' : 'mrt';
}

/** The first bytes of the input, enough for a header where there are that many, and the whole of it again. */
async function peek(chunks: Chunks): Promise<{ first: Uint8Array; whole: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size < bgpFraming.headerSize) {
    const next = await iterator.next();
    if (next.done) break;
    taken.push(next.value);
    size += next.value.length;
  }
  async function* replay(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* taken;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { first: Buffer.concat(taken), whole: replay() };
}

/** Something in the input could not be read; the rest was. */
class DecodeFault extends Error {
  readonly code = 'malformed-input';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

class FaultLog {
  #first: Fault | undefined;
  #count = 0;

  addAll(faults: readonly Fault[] | undefined): void {
    for (const fault of faults ?? []) {
      this.#first ??= fault;
      this.#count++;
    }
  }

  addSkipped(byteCount: number): void {
    if (byteCount > 0) {
      this.addAll([{ offset: 0, message: `${byteCount} bytes before the first BGP header` }]);
    }
  }

  throwIfAny(): void {
    if (this.#first === undefined) return;
    const { offset, message } = this.#first;
    const others = this.#count > 1 ? `, and ${this.#count - 1} more places` : '';
    throw new DecodeFault(`at byte ${offset}: ${message}${others}`, offset);
  }
}
