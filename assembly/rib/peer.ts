// A peer: its options, what its session agreed on, and per family what it has told us.
//
// Rounds. Every route carries the epoch of its peer and family in which it was announced last. A refresh (or the end of a
// session that keeps its routes as stale, RFC 4724) begins a new epoch: routes of earlier ones are stale from then on, with
// nothing to mark. Ending the refresh makes `sweepEpoch` the oldest epoch that may stay; the walk of the table removes the others.
// Epochs are compared as distances back from the current one, modulo 256; a new one begins only while none that may still be
// in the table is 250 rounds old.
import { FAMILY_COUNT } from '../abi';
import { allocateRecord, free } from '../memory/arena';
import { IdTable } from '../memory/id-table';
import { ParseContext } from '../wire/parse-context';

const OLDEST_DISTANCE: u8 = 250;
/** Local routes are those of this peer. */
export const LOCAL_PEER: u32 = 0;

const peers = changetype<IdTable>(memory.data(8, 4));

// PeerFamily, 28 bytes; peers × families
//   0        4          8       12         16     20          24      25           26            27
//   | limit  | received | stale | accepted | best | sweepMark | epoch | sweepEpoch | oldestEpoch | – |
@unmanaged
export class PeerFamily {
  /** Most routes stored, as many stale ones not counted; 0 is no limit. */
  limit: u32 = 0;
  received: u32 = 0;
  /** Routes of earlier epochs. */
  private stale: u32 = 0;
  accepted: u32 = 0;
  best: u32 = 0;
  /** A walk of the table that began at this generation or later finishes the sweep; 0 when none is wanted. */
  sweepMark: u32 = 0;
  epoch: u8 = 0;
  private sweepEpoch: u8 = 0;
  private oldestEpoch: u8 = 0;
  zero: u8 = 0;

  beginEpoch(): void {
    if (<u8>(this.epoch - this.oldestEpoch) >= OLDEST_DISTANCE) return;
    this.epoch++;
    this.stale = this.received;
  }

  isStale(epoch: u8): bool {
    return epoch != this.epoch;
  }

  /**
   * A restarted peer must not hit its limit because its old routes are still being swept. Once is all: with more stale routes than
   * the limit, a peer could begin refresh after refresh, each with other routes (RFC 7313), and fill the memory.
   */
  get isFull(): bool {
    if (this.limit == 0) return false;
    return this.received - this.stale >= this.limit || this.received >>> 1 >= this.limit;
  }

  /** A route of an earlier epoch was announced again, or is removed. */
  noteStaleGone(): void {
    this.stale--;
  }

  requestSweep(mark: u32): void {
    this.sweepEpoch = this.epoch;
    this.sweepMark = mark;
  }

  isSwept(epoch: u8): bool {
    if (!this.sweepMark) return false;
    return <u8>(this.epoch - epoch) > <u8>(this.epoch - this.sweepEpoch);
  }

  endSweep(): void {
    this.sweepMark = 0;
    this.oldestEpoch = this.sweepEpoch;
  }
}

@unmanaged
export class Peer {
  id: u32 = 0;
  network: u32 = 0;
  asn: u32 = 0;
  localRouterId: u32 = 0;
  interfaceIndex: u32 = 0;
  /** The peer's BGP identifier. */
  routerId: u32 = 0;
  maxMessageSize: u32 = 0;
  /** Generation of the last change that concerns every route of the peer (table-walk.ts). */
  mark: u32 = 0;
  /** What policies know the peer by. */
  nameId: u32 = 0;
  importPolicy: u32 = 0;
  isEbgp: bool = false;
  isOpen: bool = false;
  addressVersion: u8 = 0;
  /** Not a session but an import line: its routes are copies of those of another network (imports.ts). */
  isImport: bool = false;
  sourceNetwork: u32 = 0;
  /** What the import line lets through, and the generation of its last change. */
  linePolicy: u32 = 0;
  lineMark: u32 = 0;
  /** The next import line from the same network. */
  nextImporter: Peer = changetype<Peer>(0);
  /** Copies of its routes in other networks. */
  copyCount: u32 = 0;
  /** Start of a message whose end has not come yet (receive.ts); a block of its size. */
  partialPtr: u32 = 0;
  partialSize: u32 = 0;
  address0: u64 = 0;
  address1: u64 = 0;
  context0: u32 = 0;
  context1: u32 = 0;
  context2: u32 = 0;
  context3: u32 = 0;
  context4: u32 = 0;
  context5: u32 = 0;
  context6: u32 = 0;

  get addressPtr(): usize {
    return changetype<usize>(this) + offsetof<Peer>('address0');
  }

  /** What the parser must know of the session. */
  get context(): ParseContext {
    return changetype<ParseContext>(changetype<usize>(this) + offsetof<Peer>('context0'));
  }

  family(index: u32): PeerFamily {
    return changetype<PeerFamily>(
      changetype<usize>(this) + offsetof<Peer>() + index * offsetof<PeerFamily>(),
    );
  }

  dropPartial(): void {
    if (this.partialSize) free(this.partialPtr, this.partialSize);
    this.partialSize = 0;
  }

  get routeCount(): u32 {
    let count: u32 = 0;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      count += this.family(family).received;
    }
    return count;
  }
}

export function peerById(id: u32): Peer | null {
  return changetype<Peer | null>(peers.get(id));
}

/** The peer of a stored route: it exists as long as its routes do. */
export function knownPeer(id: u32): Peer {
  return changetype<Peer>(peers.get(id));
}

/** The peer with this id, made when it is new; null when there is no memory. */
export function ensurePeer(id: u32): Peer | null {
  const known = peerById(id);
  if (known) return known;
  const ptr = allocateRecord(peerSize());
  if (!ptr) return null;
  if (!peers.set(id, ptr)) {
    free(ptr, peerSize());
    return null;
  }
  const peer = changetype<Peer>(ptr);
  peer.id = id;
  return peer;
}

export function removePeerRecord(peer: Peer): void {
  peer.dropPartial();
  peers.set(peer.id, 0);
  free(changetype<usize>(peer), peerSize());
}

/** One more than the largest id that may be in use, for a loop over all peers. */
export function peerIdLimit(): u32 {
  return peers.capacity;
}

function peerSize(): u32 {
  return offsetof<Peer>() + FAMILY_COUNT * offsetof<PeerFamily>();
}
