// Messages on the wire: the 19-byte header, and TCP chunks → whole messages until a session is Established (RFC 4271 §4.1, §6.1).
//
// From Established on the route core frames by itself; what is left over here goes to it with takeRest().
import { ByteReader } from '../net/byte-reader.ts';
import { ByteWriter } from '../net/byte-writer.ts';
import { BgpError } from './errors.ts';
import { ErrorCode, HEADER_SIZE, HeaderError, MAX_MESSAGE_SIZE, MessageType } from './iana.ts';

const MARKER_SIZE = 16;
const LENGTH_OFFSET = 16;
const TYPE_OFFSET = 18;

/** RFC 4271 §6.1, RFC 2918 §3: the shortest message of each type. */
const minimumSizes: Readonly<Record<number, number>> = {
  [MessageType.open]: 29,
  [MessageType.update]: 23,
  [MessageType.notification]: 21,
  [MessageType.keepalive]: HEADER_SIZE,
  [MessageType.routeRefresh]: 23,
};

/** A whole message: marker, length, type and the body. */
export function frame(type: number, body: Uint8Array): Uint8Array {
  const writer = new ByteWriter(HEADER_SIZE + body.length);
  writer.uint32(0xffffffff).uint32(0xffffffff).uint32(0xffffffff).uint32(0xffffffff);
  return writer
    .uint16(HEADER_SIZE + body.length)
    .uint8(type)
    .bytes(body)
    .finish();
}

/** The type of a whole message. */
export function messageType(message: Uint8Array): number {
  return message[TYPE_OFFSET]!;
}

/** A reader over a whole message's body; positions count from the start of the message. */
export function bodyReader(message: Uint8Array): ByteReader {
  return new ByteReader(message.subarray(HEADER_SIZE), HEADER_SIZE);
}

export class Framer {
  #bytes: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
  }

  /** The next whole message, or undefined until more bytes come. Throws a BgpError where the header is wrong. */
  next(): Uint8Array | undefined {
    if (this.#bytes.length < HEADER_SIZE) return undefined;
    const size = checkHeader(this.#bytes);
    if (this.#bytes.length < size) return undefined;
    const message = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return message;
  }

  /** Everything not taken yet; the framer is empty afterwards. */
  takeRest(): Uint8Array {
    const rest = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return rest;
  }
}

/** The length of the message whose header this is. */
function checkHeader(header: Uint8Array): number {
  for (let i = 0; i < MARKER_SIZE; i++) {
    if (header[i] !== 0xff) {
      throw headerError(
        HeaderError.connectionNotSynchronized,
        new Uint8Array(0),
        'marker not all ones',
      );
    }
  }
  const size = (header[LENGTH_OFFSET]! << 8) | header[LENGTH_OFFSET + 1]!;
  const type = header[TYPE_OFFSET]!;
  const minimum = minimumSizes[type];
  const lengthField = header.slice(LENGTH_OFFSET, LENGTH_OFFSET + 2);
  if (size < HEADER_SIZE || size > MAX_MESSAGE_SIZE) {
    throw headerError(
      HeaderError.badMessageLength,
      lengthField,
      `message of ${size} bytes, expected ${HEADER_SIZE}–${MAX_MESSAGE_SIZE}`,
    );
  }
  if (minimum === undefined) {
    throw headerError(
      HeaderError.badMessageType,
      header.slice(TYPE_OFFSET, TYPE_OFFSET + 1),
      `message of type ${type}, expected 1–5`,
    );
  }
  if (size < minimum || (type === MessageType.keepalive && size !== HEADER_SIZE)) {
    throw headerError(
      HeaderError.badMessageLength,
      lengthField,
      `message of type ${type} with ${size} bytes, expected ${minimum}`,
    );
  }
  return size;
}

function headerError(subcode: number, data: Uint8Array, message: string): BgpError {
  return new BgpError({ code: ErrorCode.messageHeader, subcode, data }, message);
}
