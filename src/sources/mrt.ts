// Streaming MRT reader (RFC 6396, RFC 8050): byte chunks in, one typed record after the other out, in constant memory.
//
// A record whose body makes no sense is reported as `broken` and stepped over by its length, one of an unknown type as
// `unknown`. Only a file that ends inside a record, or whose lengths cannot be lengths, ends the reading with an MrtError;
// everything before it has been delivered by then.
import { ReadError } from '../net/byte-reader.ts';
import { decodeRecord } from './mrt-records.ts';
import {
  isMrtType,
  MrtError,
  type MrtFrame,
  type MrtReadOptions,
  type MrtRecord,
  mrtTypeName,
  type PeerIndexTable,
} from './mrt-types.ts';

/** Timestamp, type, subtype, length (RFC 6396 §2). */
const HEADER_SIZE = 12;

/** A RIB record with an entry of every possible peer stays below this; a longer one is a sign of lost framing. */
const MAX_RECORD_SIZE = 64 << 20;

/** Records hold views into the chunks: copy what must outlive them cheaply. */
export async function* readMrt(
  chunks: AsyncIterable<Uint8Array>,
  options: MrtReadOptions = {},
): AsyncGenerator<MrtRecord, void, undefined> {
  let peers: PeerIndexTable | undefined;
  for await (const frames of readFrames(chunks)) {
    for (const frame of frames) {
      const record = readRecord(frame, peers, options);
      // RFC 6396 §4.3.1: the RIB records that follow refer to this table.
      if (record.kind === 'peerIndexTable') peers = record;
      yield record;
    }
  }
}

function readRecord(
  frame: MrtFrame,
  peers: PeerIndexTable | undefined,
  options: MrtReadOptions,
): MrtRecord {
  try {
    return decodeRecord(frame, peers, options);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return broken(frame, `${error.message} at byte ${error.offset}`);
  }
}

function broken(frame: MrtFrame, reason: string): MrtRecord {
  const { offset, timestampSeconds, mrtType, subtype, body } = frame;
  const name = mrtTypeName(mrtType, subtype);
  return {
    kind: 'broken',
    offset,
    timestamp: timestampSeconds * 1e6,
    mrtType,
    subtype,
    name,
    reason,
    body,
  };
}

/** All whole records of each chunk. */
async function* readFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<MrtFrame[]> {
  const splitter = new FrameSplitter();
  let failure: unknown;
  try {
    for await (const chunk of chunks) {
      yield splitter.push(chunk);
      if (splitter.lostFraming) break;
    }
  } catch (cause) {
    failure = cause; // first what the incomplete record is, then why
  }
  splitter.end(failure);
  if (failure !== undefined) throw failure;
}

class FrameSplitter {
  #pieces: Uint8Array[] = [];
  #size = 0;
  /** Bytes the record at the front needs, as far as is known. */
  #needed = HEADER_SIZE;
  /** Offset of the first byte held, in the unpacked file. */
  #offset = 0;
  /** A header that cannot be one: where the next record begins is not known any more. */
  lostFraming: MrtError | undefined;

  push(chunk: Uint8Array): MrtFrame[] {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return []; // joining only when it helps keeps long records linear
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces, this.#size);
    const frames: MrtFrame[] = [];
    const rest = this.#split(bytes, frames);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return frames;
  }

  /** Throws unless the last record was whole. */
  end(cause: unknown): void {
    if (this.lostFraming) throw this.lostFraming;
    if (this.#size === 0) return;
    const needed = this.#needed === HEADER_SIZE ? `at least ${HEADER_SIZE}` : `${this.#needed}`;
    const message = `the file ends inside a record (${this.#size} of ${needed} bytes)`;
    throw new MrtError('truncated', this.#offset, message, cause);
  }

  #split(bytes: Uint8Array, frames: MrtFrame[]): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    this.#needed = HEADER_SIZE;
    while (bytes.length - start >= HEADER_SIZE) {
      const mrtType = view.getUint16(start + 4);
      const bodySize = view.getUint32(start + 8);
      if (bodySize > MAX_RECORD_SIZE) {
        this.lostFraming = notMrt(mrtType, bodySize, this.#offset);
        break;
      }
      const size = HEADER_SIZE + bodySize;
      if (bytes.length - start < size) {
        this.#needed = size;
        break;
      }
      frames.push({
        offset: this.#offset,
        timestampSeconds: view.getUint32(start),
        mrtType,
        subtype: view.getUint16(start + 6),
        body: bytes.subarray(start + HEADER_SIZE, start + size),
      });
      start += size;
      this.#offset += size;
    }
    return bytes.subarray(start);
  }
}

function notMrt(mrtType: number, bodySize: number, offset: number): MrtError {
  const what = isMrtType(mrtType) ? `a record of ${bodySize} bytes` : `record type ${mrtType}`;
  return new MrtError('lost-framing', offset, `not MRT: ${what}`);
}
