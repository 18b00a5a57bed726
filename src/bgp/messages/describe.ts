// Whole BGP messages of any type → plain objects for people and JSON. Tolerant: what cannot be read is listed under `errors`.
import { ByteReader, ReadError } from '../../net/byte-reader.ts';
import { formatHex } from '../../net/hex.ts';
import type { DecodeContext, DecodeError } from '../attributes/describe.ts';
import { addressFamilyName, HEADER_SIZE, MessageType } from '../iana.ts';
import { type DescribedOpen, describeOpen } from './describe-open.ts';
import { type DescribedUpdate, describeUpdate } from './describe-update.ts';
import { notificationText } from './notification.ts';

interface DescribedNotification {
  readonly type: 'notification';
  readonly errorCode: number;
  readonly errorSubcode: number;
  readonly text: string;
  /** The data in hex. */
  readonly data: string;
}

interface DescribedRouteRefresh {
  readonly type: 'routeRefresh';
  readonly family: string;
  /** 0 request, 1 BoRR, 2 EoRR (RFC 7313 §3.2). */
  readonly subtype: number;
  /** What follows in hex: outbound route filters (RFC 5291). */
  readonly orf?: string;
}

interface DescribedUnknown {
  readonly type: 'unknown';
  readonly typeCode: number;
  readonly body: string;
}

type DescribedBody =
  | DescribedOpen
  | DescribedUpdate
  | DescribedNotification
  | { readonly type: 'keepalive' }
  | DescribedRouteRefresh
  | DescribedUnknown;

export type DescribedMessage = DescribedBody & {
  /** Bytes of the message, header included. */
  readonly length: number;
  readonly errors?: readonly DecodeError[];
};

/**
 * One whole message with its header. `base`: its offset in the input, for error offsets. A body that is cut so early that
 * nothing can be shown of it becomes `unknown` with its bytes.
 */
export function describeMessage(
  message: Uint8Array,
  context: DecodeContext,
  base = 0,
): DescribedMessage {
  const errors: DecodeError[] = [];
  const body = describeBody(message, context, base, errors);
  const described = { ...body, length: message.length };
  return errors.length === 0 ? described : { ...described, errors };
}

/** The length a message gives itself, or undefined when the header is not one (RFC 4271 §4.1). */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  for (let i = 0; i < 16; i++) if (bytes[i] !== 0xff) return undefined;
  const length = (bytes[16]! << 8) | bytes[17]!;
  return length < HEADER_SIZE ? undefined : length;
}

function describeBody(
  message: Uint8Array,
  context: DecodeContext,
  base: number,
  errors: DecodeError[],
): DescribedBody {
  const typeCode = message[HEADER_SIZE - 1]!;
  const body = message.subarray(HEADER_SIZE);
  const reader = new ByteReader(body, base + HEADER_SIZE);
  try {
    const described = describeByType(typeCode, reader, context, errors);
    if (described !== undefined) return described;
    errors.push({
      offset: base + HEADER_SIZE - 1,
      message: `message type ${typeCode}, expected 1–5`,
    });
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    errors.push({ offset: error.offset, message: error.message });
  }
  return { type: 'unknown', typeCode, body: formatHex(body) };
}

function describeByType(
  typeCode: number,
  reader: ByteReader,
  context: DecodeContext,
  errors: DecodeError[],
): DescribedBody | undefined {
  switch (typeCode) {
    case MessageType.open:
      return describeOpen(reader);
    case MessageType.update:
      return describeUpdate(reader, context, errors);
    case MessageType.notification:
      return describeNotification(reader);
    case MessageType.keepalive:
      if (reader.remaining > 0) {
        errors.push({
          offset: reader.position,
          message: `KEEPALIVE with ${reader.remaining} bytes`,
        });
      }
      return { type: 'keepalive' };
    case MessageType.routeRefresh:
      return describeRouteRefresh(reader);
    default:
      return undefined;
  }
}

function describeNotification(reader: ByteReader): DescribedNotification {
  const errorCode = reader.uint8();
  const errorSubcode = reader.uint8();
  const data = reader.rest();
  const text = notificationText({ code: errorCode, subcode: errorSubcode, data });
  return { type: 'notification', errorCode, errorSubcode, text, data: formatHex(data) };
}

function describeRouteRefresh(reader: ByteReader): DescribedRouteRefresh {
  const afi = reader.uint16();
  const subtype = reader.uint8();
  const family = addressFamilyName(afi, reader.uint8());
  const refresh = { type: 'routeRefresh', family, subtype } as const;
  return reader.remaining === 0 ? refresh : { ...refresh, orf: formatHex(reader.rest()) };
}
