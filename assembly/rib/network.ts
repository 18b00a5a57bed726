// A network (VRF): its decision options, one table per address family, and the FIBs that follow its Loc-RIB.
import { FAMILY_COUNT } from '../abi';
import { Fib } from '../fib/fib';
import { allocateRecord, free } from '../memory/arena';
import { IdTable } from '../memory/id-table';
import { Peer } from './peer';
import { Table, tableSize } from './table';

const networks = changetype<IdTable>(memory.data(8, 4));

@unmanaged
export class Network {
  id: u32 = 0;
  /** MED is compared between all neighbouring ASes, not only within one. */
  alwaysCompareMed: bool = false;
  multipathRelax: bool = false;
  tracksNextHops: bool = false;
  zero: u8 = 0;
  /** Most next hops in one set, 1–16. */
  maximumPaths: u32 = 1;
  /** Generation of the last change that concerns every destination (table-walk.ts). */
  mark: u32 = 0;
  /** Generation of the last change of a next hop. */
  nextHopMark: u32 = 0;
  firstFib: Fib = changetype<Fib>(0);
  /** The import lines of other networks that take routes from here. */
  firstImporter: Peer = changetype<Peer>(0);

  table(family: u32): Table {
    return changetype<Table>(changetype<usize>(this) + offsetof<Network>() + family * tableSize());
  }

  /** Whether any FIB is spared the changes of restless prefixes. */
  get hasPatientFib(): bool {
    for (let fib = this.firstFib; fib; fib = fib.nextOfNetwork) if (fib.isPatient) return true;
    return false;
  }

  /** Appends: the host sees FIBs in the order they were added. */
  addFib(fib: Fib): void {
    fib.nextOfNetwork = changetype<Fib>(0);
    if (!this.firstFib) {
      this.firstFib = fib;
      return;
    }
    let last = this.firstFib;
    while (last.nextOfNetwork) last = last.nextOfNetwork;
    last.nextOfNetwork = fib;
  }

  removeFib(fib: Fib): void {
    if (this.firstFib == fib) {
      this.firstFib = fib.nextOfNetwork;
      return;
    }
    for (let before = this.firstFib; before; before = before.nextOfNetwork) {
      if (before.nextOfNetwork == fib) {
        before.nextOfNetwork = fib.nextOfNetwork;
        return;
      }
    }
  }

  addImporter(line: Peer): void {
    line.nextImporter = this.firstImporter;
    this.firstImporter = line;
  }

  removeImporter(line: Peer): void {
    if (this.firstImporter == line) {
      this.firstImporter = line.nextImporter;
      return;
    }
    for (let before = this.firstImporter; before; before = before.nextImporter) {
      if (before.nextImporter == line) {
        before.nextImporter = line.nextImporter;
        return;
      }
    }
  }

  /** Nothing is in it and nothing works on it. */
  get isEmpty(): bool {
    if (this.firstFib || this.firstImporter) return false;
    for (let family = 0; family < FAMILY_COUNT; family++) {
      const table = this.table(family);
      if (table.trie.count || table.isWalking) return false;
    }
    return true;
  }
}

export function networkById(id: u32): Network | null {
  return changetype<Network | null>(networks.get(id));
}

export function knownNetwork(id: u32): Network {
  return changetype<Network>(networks.get(id));
}

/** The network with this id, made when it is new; null when there is no memory. */
export function ensureNetwork(id: u32): Network | null {
  const known = networkById(id);
  if (known) return known;
  const size = networkSize();
  const ptr = allocateRecord(size);
  if (!ptr) return null;
  if (!networks.set(id, ptr)) {
    free(ptr, size);
    return null;
  }
  const network = changetype<Network>(ptr);
  network.id = id;
  network.maximumPaths = 1;
  for (let family = 0; family < FAMILY_COUNT; family++) {
    network.table(family).initialise(network, family);
  }
  return network;
}

/** Gives an empty network back; its id may be used again. */
export function removeNetworkRecord(network: Network): void {
  for (let family = 0; family < FAMILY_COUNT; family++) network.table(family).ownSubnets.clear();
  networks.set(network.id, 0);
  free(changetype<usize>(network), networkSize());
}

function networkSize(): u32 {
  return offsetof<Network>() + FAMILY_COUNT * tableSize();
}

/** One more than the largest id that may be in use, for a loop over all networks. */
export function networkIdLimit(): u32 {
  return networks.capacity;
}
