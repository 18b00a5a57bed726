// OPEN: version, AS, hold time, identifier and capabilities (RFC 4271 §4.2, RFC 5492, RFC 9072). What is wrong in it by
// itself is found here (RFC 4271 §6.2); whether it suits this peer is decided in capabilities.ts.
import { type ByteReader, ReadError } from '../../net/byte-reader.ts';
import { ByteWriter } from '../../net/byte-writer.ts';
import { BgpError } from '../errors.ts';
import { bodyReader, frame } from '../framing.ts';
import { ErrorCode, MessageType, OpenError } from '../iana.ts';

export interface RawCapability {
  readonly code: number;
  readonly value: Uint8Array;
}

export interface OpenMessage {
  readonly version: number;
  /** The two-octet field: AS_TRANS where the number does not fit (RFC 6793 §9). */
  readonly asn: number;
  readonly holdTimeSeconds: number;
  /** BGP identifier, host order. */
  readonly routerId: number;
  readonly capabilities: readonly RawCapability[];
}

const BGP_VERSION = 4;
/** Optional parameter type of capabilities (RFC 5492 §4). */
const PARAMETER_CAPABILITIES = 2;
/** Length and type that announce the extended form (RFC 9072 §2). */
const EXTENDED_FORM = 255;

export function encodeOpen(open: OpenMessage): Uint8Array {
  const size = open.capabilities.reduce((sum, { value }) => sum + 2 + value.length, 0);
  const isExtended = size + 2 > EXTENDED_FORM - 1;
  const writer = new ByteWriter(10 + size + 6);
  writer.uint8(open.version).uint16(open.asn).uint16(open.holdTimeSeconds).uint32(open.routerId);
  if (size === 0) writer.uint8(0);
  else if (isExtended) {
    writer
      .uint8(EXTENDED_FORM)
      .uint8(EXTENDED_FORM)
      .uint16(size + 3);
    writer.uint8(PARAMETER_CAPABILITIES).uint16(size);
  } else
    writer
      .uint8(size + 2)
      .uint8(PARAMETER_CAPABILITIES)
      .uint8(size);
  for (const { code, value } of open.capabilities) {
    writer.uint8(code).uint8(value.length).bytes(value);
  }
  return frame(MessageType.open, writer.finish());
}

/** Takes a whole message of at least 29 bytes. Throws a BgpError with the subcode of RFC 4271 §6.2. */
export function decodeOpen(message: Uint8Array): OpenMessage {
  const reader = bodyReader(message);
  const version = reader.uint8();
  if (version !== BGP_VERSION) {
    throw openError(
      OpenError.unsupportedVersionNumber,
      `BGP version ${version}, expected ${BGP_VERSION}`,
      Uint8Array.of(0, BGP_VERSION),
    );
  }
  const asn = reader.uint16();
  const holdTimeSeconds = reader.uint16();
  const routerId = reader.uint32();
  // RFC 4271 §6.2: one or two seconds
  if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
    throw openError(
      OpenError.unacceptableHoldTime,
      `hold time ${holdTimeSeconds} s, expected 0 or at least 3 s`,
    );
  }
  // RFC 6286 §2.2
  if (routerId === 0) throw openError(OpenError.badBgpIdentifier, 'BGP identifier 0.0.0.0');
  return { version, asn, holdTimeSeconds, routerId, capabilities: optionalParameters(reader) };
}

function optionalParameters(reader: ByteReader): RawCapability[] {
  try {
    return readParameters(reader);
  } catch (error) {
    if (error instanceof ReadError) throw malformed(error.message);
    throw error;
  }
}

function readParameters(reader: ByteReader): RawCapability[] {
  const length = reader.uint8();
  if (length === 0) {
    if (reader.remaining > 0) throw malformed(`${reader.remaining} bytes after an empty OPEN`);
    return [];
  }
  // RFC 9072 §2: the first parameter's type tells; its length octet is then not a length
  const isExtended = reader.remaining > 0 && reader.peekUint8() === EXTENDED_FORM;
  if (isExtended) reader.uint8();
  const total = isExtended ? reader.uint16() : length;
  if (total !== reader.remaining) {
    throw malformed(`optional parameters of ${total} bytes, ${reader.remaining} present`);
  }
  const capabilities: RawCapability[] = [];
  while (reader.remaining > 0) {
    const type = reader.uint8();
    const parameter = reader.slice(isExtended ? reader.uint16() : reader.uint8());
    if (type !== PARAMETER_CAPABILITIES) {
      throw openError(
        OpenError.unsupportedOptionalParameter,
        `optional parameter ${type}, expected ${PARAMETER_CAPABILITIES}`,
      );
    }
    while (parameter.remaining > 0) capabilities.push(readCapability(parameter));
  }
  return capabilities;
}

function readCapability(reader: ByteReader): RawCapability {
  const code = reader.uint8();
  return { code, value: reader.bytes(reader.uint8()).slice() };
}

function malformed(message: string): BgpError {
  // RFC 4271 §6.2: recognised but malformed → unspecific
  return openError(0, message);
}

export function openError(
  subcode: number,
  message: string,
  data: Uint8Array = new Uint8Array(0),
): BgpError {
  return new BgpError({ code: ErrorCode.openMessage, subcode, data }, message);
}
