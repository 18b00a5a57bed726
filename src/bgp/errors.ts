// BgpError: the peer is wrong, and the NOTIFICATION that tells it so; and the NOTIFICATIONs we send by ourselves.
import { CeaseReason, ErrorCode, FsmError } from './iana.ts';

/** What a NOTIFICATION says (RFC 4271 §4.5). */
export interface Notification {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

/** Caught in session.ts only, where it becomes the NOTIFICATION. */
export class BgpError extends Error {
  override readonly name = 'BgpError';
  readonly code = 'bgp-protocol';
  readonly notification: Notification;

  constructor(notification: Notification, message: string) {
    super(message);
    this.notification = notification;
  }
}

const none = new Uint8Array(0);

/** RFC 4271 §6.5. */
export const holdTimerExpired: Notification = {
  code: ErrorCode.holdTimerExpired,
  subcode: 0,
  data: none,
};

/** RFC 9687 §4. */
export const sendHoldTimerExpired: Notification = {
  code: ErrorCode.sendHoldTimerExpired,
  subcode: 0,
  data: none,
};

/** RFC 4271 §6.6, with the state as subcode (RFC 6608 §4). */
export function fsmError(state: string): Notification {
  const subcodes: Readonly<Record<string, number>> = {
    openSent: FsmError.unexpectedInOpenSent,
    openConfirm: FsmError.unexpectedInOpenConfirm,
    established: FsmError.unexpectedInEstablished,
  };
  return {
    code: ErrorCode.finiteStateMachine,
    subcode: subcodes[state] ?? FsmError.unspecified,
    data: none,
  };
}

/** RFC 4271 §6.7, RFC 4486. */
export function cease(reason: number, data: Uint8Array = none): Notification {
  return { code: ErrorCode.cease, subcode: reason, data };
}

/** Longest text of a shutdown (RFC 9003 §2). */
const MAX_SHUTDOWN_TEXT_BYTES = 255;

/** Cease/Administrative Shutdown or Reset, with a text for the operator at the other end (RFC 9003). */
export function administrativeCease(
  reason: 'administrativeShutdown' | 'administrativeReset',
  text = '',
): Notification {
  const bytes = shortened(text);
  return cease(CeaseReason[reason], Uint8Array.of(bytes.length, ...bytes));
}

/** UTF-8 of at most 255 bytes, cut between characters. */
function shortened(text: string): Uint8Array {
  const encoder = new TextEncoder();
  let cut = text;
  while (encoder.encode(cut).length > MAX_SHUTDOWN_TEXT_BYTES) cut = [...cut].slice(0, -1).join('');
  return encoder.encode(cut);
}

/** RFC 8538 §3.1: tells a peer that would keep our routes that this is the end of them. */
export function hardReset(inner: Notification): Notification {
  return cease(CeaseReason.hardReset, Uint8Array.of(inner.code, inner.subcode, ...inner.data));
}
