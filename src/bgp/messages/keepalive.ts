// KEEPALIVE: a header and nothing else (RFC 4271 §4.4).
import { frame } from '../framing.ts';
import { MessageType } from '../iana.ts';

export function encodeKeepalive(): Uint8Array {
  return frame(MessageType.keepalive, new Uint8Array(0));
}
