// Where a session's routes go: the session knows this interface, the agent connects it to the route core.
import type { AddressFamily } from '../net/address-family.ts';

/** What was negotiated, as far as the receiver of UPDATEs must know it. */
export interface ReceiverSession {
  /** The peer's BGP identifier, host order. */
  readonly routerId: number;
  readonly fourOctetAs: boolean;
  /** Largest message: 4096, or 65535 with RFC 8654. */
  readonly maxMessageBytes: number;
  readonly families: readonly AddressFamily[];
  /** Families in which the peer sends path identifiers (RFC 7911). */
  readonly addPath: readonly AddressFamily[];
}

/** What one chunk did; see ReceiveResult in core/route-core.ts for the fields. */
export interface ReceivedChunk {
  readonly status: 'done' | 'control' | 'reset';
  readonly message: Uint8Array;
  readonly messageCount: number;
  readonly updateCount: number;
  readonly endOfRibMask: number;
  readonly limitHitMask: number;
  readonly errorCode: number;
  readonly errorSubcode: number;
  readonly errorData: Uint8Array;
}

/** One per peer. Framing of an established session happens behind this interface: chunks go in as TCP gave them. */
export interface UpdateReceiver {
  open(session: ReceiverSession): void;
  receive(chunk: Uint8Array): ReceivedChunk;
  /** Goes on after a control message (`status: 'control'`) was handled. */
  resume(): ReceivedChunk;
  /** `retain`: families whose routes stay as stale (RFC 4724 helper). */
  close(retain: readonly AddressFamily[]): void;
  beginRefresh(family: AddressFamily): void;
  endRefresh(family: AddressFamily): void;
}
