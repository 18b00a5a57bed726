// A route core of the command's own: tables from files instead of sessions, with the same parsing, decision and dumps.
import { POLICY_ACCEPT } from '../../assembly/abi.ts';
import type { Aggregation } from '../core/fibs.ts';
import type { ReceiveResult } from '../core/received.ts';
import type { RouteCore } from '../core/route-core.ts';
import { addressFamilies } from '../net/address-family.ts';
import { formatIpAddress } from '../net/ip-address.ts';
import type { MrtPeer } from '../sources/mrt-types.ts';
import type { PeerUpdate } from '../sources/mrt-updates.ts';

/** The one network of a file, and the one FIB that says what would be programmed. */
export const OFFLINE_NETWORK = 1;
export const OFFLINE_FIB = 1;

/** Updates of one peer and one moment go into the core together. */
const CHUNK_SIZE = 1 << 15;
/** What 32-bit memory can address; a file that needs more says how many routes were left out. */
const MAX_MEMORY = 4 * 2 ** 30;
const MAX_MESSAGE_SIZE = 65535; // RFC 8654

/** What became of everything fed so far. */
export interface FeedCounts {
  updateCount: number;
  announcedCount: number;
  withdrawnCount: number;
  /** RFC 7606 */
  treatedAsWithdrawCount: number;
  attributeDiscardCount: number;
  /** UPDATEs that would have closed the session. */
  sessionResetCount: number;
  ignoredFamilyCount: number;
  outOfMemoryCount: number;
}

interface FeedPeer {
  readonly id: number;
  readonly name: string;
  readonly update: PeerUpdate;
  readonly chunk: Uint8Array;
  size: number;
  seconds: number;
}

export class OfflineCore {
  readonly core: RouteCore;
  readonly counts: FeedCounts = {
    updateCount: 0,
    announcedCount: 0,
    withdrawnCount: 0,
    treatedAsWithdrawCount: 0,
    attributeDiscardCount: 0,
    sessionResetCount: 0,
    ignoredFamilyCount: 0,
    outOfMemoryCount: 0,
  };
  readonly #peers: FeedPeer[] = [];
  readonly #byKey = new Map<string, FeedPeer>();
  /** The peer of a record is the same object for every entry of a file's peer index table. */
  readonly #byRecordPeer = new WeakMap<MrtPeer, Map<number, FeedPeer>>();

  private constructor(core: RouteCore, aggregation: Aggregation) {
    this.core = core;
    core.addNetwork(OFFLINE_NETWORK, { med: 'deterministic', multipath: 1, multipathRelax: false });
    core.trackNextHops(OFFLINE_NETWORK, false);
    core.addFib(OFFLINE_FIB, OFFLINE_NETWORK, {
      holdRemovals: false,
      aggregation,
      cost: 'next-hops',
    });
  }

  /** `aggregation`: of the one FIB, as for OVN. */
  static async create(aggregation: Aggregation = 'off'): Promise<OfflineCore> {
    const { loadCore } = await import('../core/core.ts'); // no other command pays for it
    return new OfflineCore(await loadCore({ maximumBytes: MAX_MEMORY }), aggregation);
  }

  /** Takes an UPDATE as if its peer had sent it at that second. */
  feed(update: PeerUpdate, seconds: number): void {
    const peer = this.#peerOf(update);
    const { message } = update;
    if (peer.size > 0 && (peer.seconds !== seconds || peer.size + message.length > CHUNK_SIZE)) {
      this.#flush(peer);
    }
    peer.seconds = seconds;
    if (message.length > CHUNK_SIZE) this.#receive(peer, message);
    else {
      peer.chunk.set(message, peer.size);
      peer.size += message.length;
    }
  }

  /** The peer's session is gone, and so are its routes. */
  close(peer: MrtPeer): void {
    const name = formatIpAddress(peer.address);
    for (const fed of this.#peers) {
      if (fed.name !== name || fed.update.peer.asn !== peer.asn) continue;
      this.#flush(fed);
      this.core.closePeer(fed.id, []);
      this.#work();
      this.#open(fed);
    }
  }

  /** Everything fed is in the tables. */
  finish(): void {
    for (const peer of this.#peers) this.#flush(peer);
    this.#work();
  }

  peerName(id: number): string {
    return this.#peers[id - 1]?.name ?? `peer ${id}`;
  }

  /** Core ids of the peer's sessions; there are several where a file has it with and without path identifiers. */
  peerIds(name: string): number[] {
    return this.#peers.filter((peer) => peer.name === name).map(({ id }) => id);
  }

  get peerNames(): string[] {
    return [...new Set(this.#peers.map(({ name }) => name))];
  }

  #peerOf(update: PeerUpdate): FeedPeer {
    const form = (update.fourOctetAs ? 1 : 0) + (update.addPath ? 2 : 0);
    let forms = this.#byRecordPeer.get(update.peer);
    const known = forms?.get(form);
    if (known !== undefined) return known;
    const { address, asn } = update.peer;
    const key = `${formatIpAddress(address)} ${asn} ${form}`;
    const peer = this.#byKey.get(key) ?? this.#add(key, update);
    if (forms === undefined) {
      forms = new Map();
      this.#byRecordPeer.set(update.peer, forms);
    }
    forms.set(form, peer);
    return peer;
  }

  #add(key: string, update: PeerUpdate): FeedPeer {
    const { address, asn } = update.peer;
    const peer: FeedPeer = {
      id: this.#peers.length + 1,
      name: formatIpAddress(address),
      update,
      chunk: new Uint8Array(CHUNK_SIZE),
      size: 0,
      seconds: 0,
    };
    this.#peers.push(peer);
    this.#byKey.set(key, peer);
    this.core.addPeer(peer.id, {
      network: OFFLINE_NETWORK,
      address,
      asn,
      localAsn: localAsnOf(update),
      localRouterId: 0,
      interfaceIndex: 0,
      importPolicy: POLICY_ACCEPT,
      enforceFirstAs: false, // route servers leave themselves out
      maxPrefixes: {},
    });
    this.#open(peer);
    return peer;
  }

  #open({ id, update }: FeedPeer): void {
    this.core.openPeer(id, {
      routerId: update.peer.routerId,
      fourOctetAs: update.fourOctetAs,
      maxMessageBytes: MAX_MESSAGE_SIZE,
      families: addressFamilies,
      addPath: update.addPath ? addressFamilies : [],
    });
  }

  #flush(peer: FeedPeer): void {
    if (peer.size === 0) return;
    const chunk = peer.chunk.subarray(0, peer.size);
    peer.size = 0;
    this.#receive(peer, chunk);
  }

  #receive(peer: FeedPeer, chunk: Uint8Array): void {
    let result = this.core.receive(peer.id, chunk, peer.seconds);
    this.#count(result);
    while (result.status === 'control') {
      result = this.core.resume(peer.id);
      this.#count(result);
    }
    if (result.status === 'reset') this.#skipBadUpdate(peer, chunk);
  }

  /** A session would end here. A file goes on: its routes stay, and what comes behind the bad UPDATE is read. */
  #skipBadUpdate(peer: FeedPeer, chunk: Uint8Array): void {
    this.counts.sessionResetCount++;
    this.core.closePeer(peer.id, addressFamilies);
    this.#open(peer);
    const messages = splitMessages(chunk);
    if (messages.length < 2) return;
    // UPDATEs are idempotent, so those before the bad one may be taken again, each alone.
    for (const message of messages) {
      const { status } = this.core.receive(peer.id, message, peer.seconds);
      if (status !== 'reset') continue;
      this.core.closePeer(peer.id, addressFamilies);
      this.#open(peer);
    }
  }

  #count(result: ReceiveResult): void {
    const { counts } = this;
    counts.updateCount += result.updateCount;
    counts.announcedCount += result.announcedCount;
    counts.withdrawnCount += result.withdrawnCount;
    counts.treatedAsWithdrawCount += result.treatedAsWithdrawCount;
    counts.attributeDiscardCount += result.attributeDiscardCount;
    counts.ignoredFamilyCount += result.ignoredFamilyCount;
    counts.outOfMemoryCount += result.outOfMemoryCount;
  }

  #work(): void {
    while (this.core.work(1_000_000)) {
      // a file has nobody waiting: to the end
    }
  }
}

/** Messages back to back, as feed() put them. */
function splitMessages(chunk: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let offset = 0;
  while (offset < chunk.length) {
    const length = (chunk[offset + 16]! << 8) | chunk[offset + 17]!;
    messages.push(chunk.subarray(offset, offset + length));
    offset += length;
  }
  return messages;
}

const LOCAL_PREF = 5;
const EXTENDED_LENGTH = 0x10;

/** A RIB does not say what the collector's AS was; LOCAL_PREF comes from iBGP alone (RFC 4271 §5.1.5). */
function localAsnOf({ localAsn, peer, message }: PeerUpdate): number {
  if (localAsn !== 0) return localAsn;
  return hasLocalPref(message) ? peer.asn : 0;
}

function hasLocalPref(message: Uint8Array): boolean {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let offset = 23 + view.getUint16(19);
  const end = Math.min(offset + view.getUint16(offset - 2), message.length);
  while (offset + 3 < end) {
    if (message[offset + 1] === LOCAL_PREF) return true;
    const isExtended = (message[offset]! & EXTENDED_LENGTH) !== 0;
    offset += isExtended ? 4 + view.getUint16(offset + 2) : 3 + message[offset + 2]!;
  }
  return false;
}
