// The life of one Established session: chunks go to the receiver, what it hands back is answered, our own routes go out.
//
// Inbound, everything but UPDATE and KEEPALIVE comes back from the receiver as a control message, is handled, and the receiver
// goes on. Outbound, Adj-RIB-Out is written in batches, the next when the connection has taken the last (backpressure).
import {
  type AddressFamily,
  familyFromAfiSafi,
  familyFromIndex,
  familyNumbers,
} from '../net/address-family.ts';
import { ByteWriter } from '../net/byte-writer.ts';
import type { AdjRibOut, OutboundSession } from './adj-rib-out.ts';
import type { Clock } from './clock.ts';
import { BgpError } from './errors.ts';
import { messageType } from './framing.ts';
import type { FsmEvent } from './fsm.ts';
import { errorText, MessageType } from './iana.ts';
import { decodeNotification } from './messages/notification.ts';
import { decodeRouteRefresh, RefreshSubtype } from './messages/route-refresh.ts';
import type { NegotiatedSession } from './negotiate.ts';
import type { StaleRoutes } from './stale-routes.ts';
import type { ReceivedChunk, UpdateReceiver } from './update-receiver.ts';

/** What of the session the exchange uses. */
interface ExchangePort {
  send(message: Uint8Array): void;
  /** The connection has not taken everything written yet. */
  readonly isBlocked: boolean;
  dispatch(event: FsmEvent): void;
  /** What a chunk held: all messages, the UPDATEs among them, and the type of a control message or 0. */
  countChunk(messages: number, updates: number, controlType: number): void;
}

export interface ExchangeParts {
  readonly port: ExchangePort;
  readonly clock: Clock;
  readonly negotiated: NegotiatedSession;
  readonly outbound: OutboundSession;
  readonly receiver: UpdateReceiver;
  readonly adjRibOut: AdjRibOut;
  readonly staleRoutes: StaleRoutes;
  readonly prefixLimits: Partial<Record<AddressFamily, number>>;
  readonly onEndOfRib: (family: AddressFamily) => void;
  readonly onPrefixLimit: (family: AddressFamily) => void;
}

export class RouteExchange {
  readonly #parts: ExchangeParts;
  #isOpen = true;
  #isPumpScheduled = false;
  readonly #limited = new Set<AddressFamily>();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { negotiated, receiver, staleRoutes, adjRibOut, outbound } = parts;
    receiver.open({
      routerId: negotiated.routerId,
      fourOctetAs: negotiated.fourOctetAs,
      maxMessageBytes: negotiated.maxMessageBytes,
      families: negotiated.families,
      addPath: negotiated.addPathReceive,
    });
    staleRoutes.sessionEstablished(negotiated);
    adjRibOut.begin(outbound);
    this.wake();
  }

  /** Nothing is read or written any more; routes of the families the peer can restart stay when it was `graceful`. */
  close(graceful: boolean): readonly AddressFamily[] {
    this.#isOpen = false;
    const { negotiated, receiver, staleRoutes, adjRibOut } = this.#parts;
    adjRibOut.end();
    if (!graceful) staleRoutes.dropAll('session ended for good');
    const retained = graceful ? staleRoutes.sessionLost(negotiated) : [];
    receiver.close(retained);
    return retained;
  }

  receive(chunk: Uint8Array): void {
    let result = this.#parts.receiver.receive(chunk);
    for (;;) {
      const { status } = result;
      // What comes of the counters may call the receiver, whose next call takes the message away
      const control = status === 'control' ? result.message.slice() : undefined;
      const reset = status === 'reset' ? resetEvent(result) : undefined;
      this.#account(result, control);
      if (!this.#isOpen) return;
      if (reset) this.#parts.port.dispatch(reset);
      if (control) this.#control(control);
      if (!this.#isOpen || control === undefined) return;
      result = this.#parts.receiver.resume();
    }
  }

  /** Adj-RIB-Out has changed, or the connection can take more. */
  wake(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    // What is advertised one by one in a turn goes out together
    this.#parts.clock.defer(() => this.#pump());
  }

  #pump(): void {
    this.#isPumpScheduled = false;
    const { port, adjRibOut } = this.#parts;
    while (this.#isOpen && !port.isBlocked) {
      const messages = adjRibOut.take();
      if (messages.length === 0) return;
      for (const message of messages) port.send(message);
    }
  }

  #account(result: ReceivedChunk, control: Uint8Array | undefined): void {
    const { port, staleRoutes, onEndOfRib } = this.#parts;
    const { messageCount, updateCount, endOfRibMask, limitHitMask } = result;
    port.countChunk(messageCount, updateCount, control ? messageType(control) : 0);
    for (const family of familiesOf(endOfRibMask)) {
      staleRoutes.endOfRib(family);
      onEndOfRib(family);
    }
    for (const family of familiesOf(limitHitMask)) this.#limitReached(family);
  }

  #limitReached(family: AddressFamily): void {
    // The receiver says it with every chunk that holds too much
    if (this.#limited.has(family)) return;
    this.#limited.add(family);
    const limit = this.#parts.prefixLimits[family] ?? 0;
    const { afi, safi } = familyNumbers(family);
    this.#parts.onPrefixLimit(family);
    this.#parts.port.dispatch({
      type: 'prefixLimitReached',
      reason: `limit of ${limit} ${family} prefixes reached`,
      // RFC 4486 §4: AFI, SAFI, the limit
      data: new ByteWriter(7).uint16(afi).uint8(safi).uint32(limit).finish(),
    });
  }

  #control(message: Uint8Array): void {
    const { port } = this.#parts;
    switch (messageType(message)) {
      case MessageType.notification:
        port.dispatch({ type: 'notificationReceived', notification: decodeNotification(message) });
        return;
      case MessageType.routeRefresh:
        this.#routeRefresh(message);
        return;
      default:
        port.dispatch({ type: 'unexpectedMessage', name: 'OPEN' });
    }
  }

  #routeRefresh(message: Uint8Array): void {
    const { negotiated, receiver, adjRibOut, port } = this.#parts;
    try {
      const refresh = decodeRouteRefresh(message, negotiated.enhancedRouteRefresh);
      const family = familyFromAfiSafi(refresh.afi, refresh.safi);
      // RFC 2918 §4: a family that was not negotiated is ignored
      if (family === undefined || !negotiated.families.includes(family)) return;
      if (refresh.subtype === RefreshSubtype.request) {
        adjRibOut.resend(family);
        this.wake();
      }
      // RFC 7313 §4.2
      if (!negotiated.enhancedRouteRefresh) return;
      if (refresh.subtype === RefreshSubtype.begin) receiver.beginRefresh(family);
      if (refresh.subtype === RefreshSubtype.end) receiver.endRefresh(family);
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      const { notification, message: reason } = error;
      port.dispatch({ type: 'messageError', notification, reason });
    }
  }
}

function resetEvent({ errorCode, errorSubcode, errorData }: ReceivedChunk): FsmEvent {
  return {
    type: 'messageError',
    notification: { code: errorCode, subcode: errorSubcode, data: errorData.slice() },
    reason: `malformed message: ${errorText(errorCode, errorSubcode)}`,
  };
}

function familiesOf(mask: number): AddressFamily[] {
  const families: AddressFamily[] = [];
  for (let index = 0, bits = mask; bits !== 0; index++, bits >>>= 1) {
    if (bits & 1) families.push(familyFromIndex(index));
  }
  return families;
}
