// NOTIFICATION: why a session ends (RFC 4271 §4.5), with texts (RFC 9003) and Hard Reset (RFC 8538).
import { ByteWriter } from '../../net/byte-writer.ts';
import type { Notification } from '../errors.ts';
import { bodyReader, frame } from '../framing.ts';
import { CeaseReason, ErrorCode, errorText, MessageType } from '../iana.ts';

export function encodeNotification({ code, subcode, data }: Notification): Uint8Array {
  const body = new ByteWriter(2 + data.length).uint8(code).uint8(subcode).bytes(data);
  return frame(MessageType.notification, body.finish());
}

/** Takes a whole message of at least 21 bytes. The data is a copy. */
export function decodeNotification(message: Uint8Array): Notification {
  const reader = bodyReader(message);
  return { code: reader.uint8(), subcode: reader.uint8(), data: reader.rest().slice() };
}

/** Whether the sender ends the session for good, graceful restart or not (RFC 8538 §4). */
export function isHardReset({ code, subcode }: Notification): boolean {
  return code === ErrorCode.cease && subcode === CeaseReason.hardReset;
}

/** What a Hard Reset carries (RFC 8538 §3.1); any other notification is its own reason. */
export function innerNotification(notification: Notification): Notification {
  if (!isHardReset(notification) || notification.data.length < 2) return notification;
  const [code, subcode] = notification.data;
  return { code: code!, subcode: subcode!, data: notification.data.subarray(2) };
}

/** The operator's text of an administrative shutdown or reset, or undefined (RFC 9003 §2). */
export function shutdownText(notification: Notification): string | undefined {
  const { code, subcode, data } = innerNotification(notification);
  const carriesText =
    code === ErrorCode.cease &&
    (subcode === CeaseReason.administrativeShutdown || subcode === CeaseReason.administrativeReset);
  const length = data[0];
  if (!carriesText || length === undefined || length === 0 || length > data.length - 1) {
    return undefined;
  }
  const text = new TextDecoder().decode(data.subarray(1, 1 + length));
  // RFC 9003 §5: the text is the peer's; control characters could fool a terminal or a log
  return text.replace(/\p{Cc}/gu, ' ');
}

/** One line for people: "cease: administrative shutdown (back at ten)". */
export function notificationText(notification: Notification): string {
  const inner = innerNotification(notification);
  const name = errorText(inner.code, inner.subcode);
  const text = shutdownText(inner);
  const prefix = isHardReset(notification) ? 'hard reset, ' : '';
  return text === undefined ? `${prefix}${name}` : `${prefix}${name} (${text})`;
}
