// Joins a BGP session to the route core: the session's chunks go into the core, what they changed wakes the work loop.
import type { ReceivedChunk, ReceiverSession, UpdateReceiver } from '../bgp/update-receiver.ts';
import type { ReceiveResult } from '../core/received.ts';
import type { RouteCore } from '../core/route-core.ts';
import { type AddressFamily, familyFromIndex } from '../net/address-family.ts';

/** Totals over the life of the peer, for status and metrics. */
export interface ReceiverCounters {
  updates: number;
  announced: number;
  withdrawn: number;
  treatedAsWithdraw: number;
  attributeDiscard: number;
  ignoredFamilies: number;
  overLimit: number;
  outOfMemory: number;
}

export interface ReceiverEvents {
  /** The core may have work and changes now. */
  readonly onChanged: () => void;
  readonly onOpen: (session: ReceiverSession) => void;
  readonly onEndOfRib: (family: AddressFamily) => void;
}

export class PeerReceiver implements UpdateReceiver {
  readonly counters: ReceiverCounters = {
    updates: 0,
    announced: 0,
    withdrawn: 0,
    treatedAsWithdraw: 0,
    attributeDiscard: 0,
    ignoredFamilies: 0,
    overLimit: 0,
    outOfMemory: 0,
  };
  readonly #core: RouteCore;
  readonly #peer: number;
  readonly #events: ReceiverEvents;

  constructor(core: RouteCore, peer: number, events: ReceiverEvents) {
    this.#core = core;
    this.#peer = peer;
    this.#events = events;
  }

  open(session: ReceiverSession): void {
    this.#core.openPeer(this.#peer, session);
    this.#events.onOpen(session);
  }

  receive(chunk: Uint8Array): ReceivedChunk {
    return this.#account(this.#core.receive(this.#peer, chunk, secondsNow()));
  }

  resume(): ReceivedChunk {
    return this.#account(this.#core.resume(this.#peer));
  }

  close(retain: readonly AddressFamily[]): void {
    this.#core.closePeer(this.#peer, retain);
    this.#events.onChanged();
  }

  beginRefresh(family: AddressFamily): void {
    this.#core.beginRefresh(this.#peer, family);
  }

  endRefresh(family: AddressFamily): void {
    this.#core.endRefresh(this.#peer, family);
    this.#events.onChanged();
  }

  #account(result: ReceiveResult): ReceiveResult {
    const { counters } = this;
    counters.updates += result.updateCount;
    counters.announced += result.announcedCount;
    counters.withdrawn += result.withdrawnCount;
    counters.treatedAsWithdraw += result.treatedAsWithdrawCount;
    counters.attributeDiscard += result.attributeDiscardCount;
    counters.ignoredFamilies += result.ignoredFamilyCount;
    counters.overLimit += result.overLimitCount;
    counters.outOfMemory += result.outOfMemoryCount;
    for (let index = 0, mask = result.endOfRibMask; mask !== 0; index++, mask >>>= 1) {
      if (mask & 1) this.#events.onEndOfRib(familyFromIndex(index));
    }
    if (result.updateCount > 0) this.#events.onChanged();
    return result;
  }
}

function secondsNow(): number {
  return Date.now() / 1000;
}
