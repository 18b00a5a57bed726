// A table: every destination of one network and address family, with all peers' routes to it (Adj-RIB-In and Loc-RIB in one).
//
// Keeping both in one place saves an index and a pointer per route: Adj-RIB-In of a peer is its routes, Loc-RIB is the chosen
// ones. What that costs is that a peer's routes are found by walking the table; walks run in slices (table-walk.ts).
import { MAXIMUM_KEY_BYTES } from '../abi';
import { Trie } from '../lpm/trie';
import { DESTINATION_KEY_OFFSET, Destination } from './destination';
import { Network } from './network';
import { OwnSubnets } from './own-subnets';

// Table, 104 bytes; networks × families
//   0          4         8                20       24                     36      40      44     48   49      50  52
//   | network  | family  | trie, 12 bytes | routes | own subnets, 12 bytes | since | start | bits | on | again | – | cursor key, 48 bytes + slack
@unmanaged
export class Table {
  private networkPtr: u32 = 0;
  family: u32 = 0;
  trieRoot: u32 = 0;
  trieCount: u32 = 0;
  trieKeyOffset: u32 = 0;
  /** Routes of all peers. */
  routeCount: u32 = 0;
  ownSubnetRoot: u32 = 0;
  ownSubnetCount: u32 = 0;
  ownSubnetKeyOffset: u32 = 0;

  // ---- the walk (table-walk.ts) ----
  /** What changed after this generation concerns the pass under way. */
  walkSince: u32 = 0;
  /** Generation at the start of the pass under way. */
  walkStart: u32 = 0;
  /** Where the pass is; −1 at its start. */
  walkBits: i32 = 0;
  isWalking: bool = false;
  /** Something changed during the pass: another one follows. */
  walkAgain: bool = false;
  zero: u16 = 0;

  initialise(network: Network, family: u32): void {
    this.networkPtr = <u32>changetype<usize>(network);
    this.family = family;
    this.trieKeyOffset = DESTINATION_KEY_OFFSET;
  }

  get network(): Network {
    return changetype<Network>(<usize>this.networkPtr);
  }

  get trie(): Trie {
    return changetype<Trie>(changetype<usize>(this) + offsetof<Table>('trieRoot'));
  }

  /** The network's own subnets of this family. */
  get ownSubnets(): OwnSubnets {
    return changetype<OwnSubnets>(changetype<usize>(this) + offsetof<Table>('ownSubnetRoot'));
  }

  get walkKeyPtr(): usize {
    return changetype<usize>(this) + offsetof<Table>();
  }

  find(keyPtr: usize, bits: u32): Destination | null {
    return changetype<Destination | null>(<usize>this.trie.find(keyPtr, bits));
  }

  /** The longest destination of at most `bits` bits that covers the address. */
  longestMatch(addressPtr: usize, bits: u32): Destination | null {
    return changetype<Destination | null>(<usize>this.trie.longestMatch(addressPtr, bits));
  }

  first(): Destination | null {
    return changetype<Destination | null>(<usize>this.trie.first());
  }

  /** The destination a walk meets after this key. */
  after(keyPtr: usize, bits: u32): Destination | null {
    return changetype<Destination | null>(<usize>this.trie.after(keyPtr, bits));
  }

  insert(destination: Destination): bool {
    return this.trie.insert(<u32>changetype<usize>(destination));
  }

  remove(destination: Destination): void {
    this.trie.remove(destination.keyPtr, destination.bits);
  }
}

/** Bytes of a table with the key of its walk. */
export function tableSize(): u32 {
  return offsetof<Table>() + MAXIMUM_KEY_BYTES + 4;
}
