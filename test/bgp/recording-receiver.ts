// An UpdateReceiver that keeps what it is told: frames messages by the book, one at a time, and notes every call.
import { messageType } from '../../src/bgp/framing.ts';
import { MessageType } from '../../src/bgp/iana.ts';
import type {
  ReceivedChunk,
  ReceiverSession,
  UpdateReceiver,
} from '../../src/bgp/update-receiver.ts';
import {
  type AddressFamily,
  familyFromAfiSafi,
  familyNumbers,
} from '../../src/net/address-family.ts';

export class RecordingReceiver implements UpdateReceiver {
  readonly calls: string[] = [];
  readonly updates: Uint8Array[] = [];
  session: ReceiverSession | undefined;
  /** Family bits to report as over the limit with the next chunk. */
  limitHitMask = 0;
  /** NOTIFICATION to answer the next chunk with. */
  resetWith: { code: number; subcode: number } | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  open(session: ReceiverSession): void {
    this.calls.push('open');
    this.session = session;
  }

  receive(chunk: Uint8Array): ReceivedChunk {
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    this.#rest = joined;
    return this.resume();
  }

  resume(): ReceivedChunk {
    const result = {
      status: 'done' as ReceivedChunk['status'],
      message: new Uint8Array(0) as Uint8Array,
      messageCount: 0,
      updateCount: 0,
      endOfRibMask: 0,
      limitHitMask: this.limitHitMask,
      errorCode: 0,
      errorSubcode: 0,
      errorData: new Uint8Array(0),
    };
    this.limitHitMask = 0;
    if (this.resetWith) {
      const { code, subcode } = this.resetWith;
      this.resetWith = undefined;
      return { ...result, status: 'reset', errorCode: code, errorSubcode: subcode };
    }
    for (let message = this.#next(); message; message = this.#next()) {
      result.messageCount++;
      const type = messageType(message);
      if (type === MessageType.update) {
        result.updateCount++;
        const family = endOfRibFamily(message);
        if (family === undefined) this.updates.push(message);
        else result.endOfRibMask |= 1 << familyNumbers(family).index;
      } else if (type !== MessageType.keepalive) {
        return { ...result, status: 'control', message };
      }
    }
    return result;
  }

  close(retain: readonly AddressFamily[]): void {
    this.calls.push(`close ${retain.join(' ')}`.trim());
    this.#rest = new Uint8Array(0);
  }

  beginRefresh(family: AddressFamily): void {
    this.calls.push(`beginRefresh ${family}`);
  }

  endRefresh(family: AddressFamily): void {
    this.calls.push(`endRefresh ${family}`);
  }

  #next(): Uint8Array | undefined {
    if (this.#rest.length < 19) return undefined;
    const size = (this.#rest[16]! << 8) | this.#rest[17]!;
    if (this.#rest.length < size) return undefined;
    const message = this.#rest.slice(0, size);
    this.#rest = this.#rest.subarray(size);
    return message;
  }
}

/** RFC 4724 §2: nothing at all, or an MP_UNREACH_NLRI of a family without prefixes, however its length is written. */
function endOfRibFamily(message: Uint8Array): AddressFamily | undefined {
  if (message.length === 23) return 'ipv4-unicast';
  const isExtended = (message[23]! & 0x10) !== 0;
  const value = message.subarray(isExtended ? 27 : 26);
  if (message[24] !== 15 || value.length !== 3 || message[20] !== 0) return undefined;
  return familyFromAfiSafi((value[0]! << 8) | value[1]!, value[2]!);
}
