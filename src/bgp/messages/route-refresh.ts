// ROUTE-REFRESH: please send a family again, or the marks around it (RFC 2918, RFC 7313). Not here: ORF entries (RFC 5291),
// which are skipped.
import { ByteWriter } from '../../net/byte-writer.ts';
import { BgpError, type Notification } from '../errors.ts';
import { bodyReader, frame } from '../framing.ts';
import { ErrorCode, HEADER_SIZE, HeaderError, MessageType, RouteRefreshError } from '../iana.ts';

/** RFC 7313 §3.2. */
export const RefreshSubtype = { request: 0, begin: 1, end: 2 } as const;

export interface RouteRefresh {
  readonly afi: number;
  readonly safi: number;
  /** 0: request; 1 and 2: the beginning and end of a refresh (BoRR, EoRR); others are ignored. */
  readonly subtype: number;
}

const BODY_SIZE = 4;

export function encodeRouteRefresh({ afi, safi, subtype }: RouteRefresh): Uint8Array {
  const body = new ByteWriter(BODY_SIZE).uint16(afi).uint8(subtype).uint8(safi);
  return frame(MessageType.routeRefresh, body.finish());
}

/** Takes a whole message with its header. Between enhanced speakers the length must be exact (RFC 7313 §5). */
export function decodeRouteRefresh(message: Uint8Array, isEnhanced: boolean): RouteRefresh {
  const reader = bodyReader(message);
  if (reader.remaining < BODY_SIZE) throw isEnhanced ? invalidLength(message) : tooShort(message);
  const refresh = { afi: reader.uint16(), subtype: reader.uint8(), safi: reader.uint8() };
  if (isEnhanced && isMark(refresh.subtype) && reader.remaining > 0) throw invalidLength(message);
  return refresh;
}

function invalidLength(message: Uint8Array): BgpError {
  const subcode = RouteRefreshError.invalidMessageLength;
  return lengthError(message, {
    code: ErrorCode.routeRefreshMessage,
    subcode,
    data: message.slice(),
  });
}

/** RFC 4271 §6.1: what a speaker that knows RFC 2918 alone can say; the data is the length field. */
function tooShort(message: Uint8Array): BgpError {
  const subcode = HeaderError.badMessageLength;
  return lengthError(message, {
    code: ErrorCode.messageHeader,
    subcode,
    data: message.slice(16, 18),
  });
}

function lengthError(message: Uint8Array, notification: Notification): BgpError {
  const expected = HEADER_SIZE + BODY_SIZE;
  return new BgpError(
    notification,
    `ROUTE-REFRESH of ${message.length} bytes, expected ${expected}`,
  );
}

function isMark(subtype: number): boolean {
  return subtype === RefreshSubtype.begin || subtype === RefreshSubtype.end;
}
