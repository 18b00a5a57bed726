// Sessions of the core's peers: bytes of TCP in, until the session is gone; and what becomes of the routes then.
import {
  INPUT_SIZE,
  RECEIVE_DONE,
  RESULT_CONSUMED_SIZE,
  RESULT_STATUS,
} from '../../assembly/abi.ts';
import { type AddressFamily, familyMask, familyNumbers } from '../net/address-family.ts';
import type { Border } from './border.ts';
import { Received, type ReceiveResult } from './received.ts';
import { millisecondsOf } from './work.ts';

/** What holds for one established session. */
export interface CoreSession {
  /** The peer's BGP identifier, host order. */
  readonly routerId: number;
  readonly fourOctetAs: boolean;
  /** Largest message, 4096 or 65535 (RFC 8654). */
  readonly maxMessageBytes: number;
  readonly families: readonly AddressFamily[];
  /** Families whose NLRI carry a path identifier from the peer (RFC 7911). */
  readonly addPath: readonly AddressFamily[];
}

export interface SessionCalls {
  openPeer(peer: number, session: CoreSession): void;
  /** Takes a TCP chunk of an established session. Partial messages are kept until the rest comes. `nowSeconds` may have a fraction. */
  receive(peer: number, chunk: Uint8Array, nowSeconds: number): ReceiveResult;
  resume(peer: number): ReceiveResult;
  /** The session is gone. `retain`: keep routes as stale for those families (RFC 4724), withdraw the others through work(). */
  closePeer(peer: number, retain: readonly AddressFamily[]): void;
  /** Starts a refresh (BoRR, RFC 7313, or a restarted peer): routes not sent again are stale. */
  beginRefresh(peer: number, family: AddressFamily): void;
  /** Ends it (EoRR, End-of-RIB, restart timer): stale routes of the family go, through work(). */
  endRefresh(peer: number, family: AddressFamily): void;
}

/** What of a peer's chunk follows a control message that the host has not handled yet. */
export type UnreadChunks = Map<number, { readonly chunk: Uint8Array; readonly nowSeconds: number }>;

export function sessionCalls(border: Border, unread: UnreadChunks): SessionCalls {
  const { exports } = border;
  const received = new Received();
  const feed = (peer: number, chunk: Uint8Array, nowSeconds: number): ReceiveResult => {
    let offset = 0;
    do {
      const part = chunk.subarray(offset, offset + INPUT_SIZE);
      border.write(part);
      const [seconds, ms] = [Math.floor(nowSeconds), millisecondsOf(nowSeconds)];
      const done = exports.receive(peer, part.length, seconds, ms, offset > 0);
      border.expect(done, `peer ${peer} has no open session`);
      offset += border.field(RESULT_CONSUMED_SIZE);
      if (border.field(RESULT_STATUS) !== RECEIVE_DONE) break;
    } while (offset < chunk.length);
    received.read(border.result());
    if (received.status === 'control') {
      unread.set(peer, { chunk: chunk.subarray(offset), nowSeconds });
    }
    return received;
  };
  return {
    openPeer(peer, { routerId, fourOctetAs, maxMessageBytes, families, addPath }) {
      unread.delete(peer);
      const done = exports.openPeer(
        peer,
        routerId,
        fourOctetAs,
        maxMessageBytes,
        familyMask(families),
        familyMask(addPath),
      );
      border.expect(done, `peer ${peer} is not known`);
    },

    receive(peer, chunk, nowSeconds) {
      unread.delete(peer);
      return feed(peer, chunk, nowSeconds);
    },

    resume(peer) {
      const { chunk, nowSeconds } = unread.get(peer) ?? { chunk: new Uint8Array(), nowSeconds: 0 };
      unread.delete(peer);
      return feed(peer, chunk, nowSeconds);
    },

    closePeer(peer, retain) {
      unread.delete(peer);
      border.expect(exports.closePeer(peer, familyMask(retain)), `peer ${peer} is not known`);
    },

    beginRefresh(peer, family) {
      const done = exports.beginRefresh(peer, familyNumbers(family).index);
      border.expect(done, `peer ${peer} is not known`);
    },

    endRefresh(peer, family) {
      const done = exports.endRefresh(peer, familyNumbers(family).index);
      border.expect(done, `peer ${peer} is not known`);
    },
  };
}
