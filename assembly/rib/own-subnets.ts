// A network's own subnets, of one family: what routes from outside must not claim, neither whole nor in part.
//
// Whether a destination is equal to or within one of them is found out once, when it is made, and remembered in its flags; the walk
// of the table finds it out again after the list changed.
import { keySize } from '../lpm/key';
import { Trie } from '../lpm/trie';
import { allocateRecord, free } from '../memory/arena';
import { Destination } from './destination';

const KEY_OFFSET: u32 = 4;

// OwnSubnets, 12 bytes: a trie of
//   0       2    4
//   | bits  | –  | key …
@unmanaged
class Subnet {
  bits: u16 = 0;
  zero: u16 = 0;
}

@unmanaged
export class OwnSubnets {
  root: u32 = 0;
  count: u32 = 0;
  keyOffset: u32 = 0;

  private get trie(): Trie {
    return changetype<Trie>(changetype<usize>(this));
  }

  get isEmpty(): bool {
    return this.count == 0;
  }

  has(destination: Destination): bool {
    return this.trie.longestMatch(destination.keyPtr, destination.bits) != 0;
  }

  /** False when there is no memory. */
  add(keyPtr: usize, bits: u32): bool {
    this.trie.keyOffset = <u16>KEY_OFFSET;
    if (this.trie.find(keyPtr, bits)) return true;
    const size = KEY_OFFSET + keySize(bits);
    const ptr = allocateRecord(size);
    if (!ptr) return false;
    changetype<Subnet>(ptr).bits = <u16>bits;
    memory.copy(ptr + KEY_OFFSET, keyPtr, keySize(bits));
    if (this.trie.insert(<u32>ptr)) return true;
    free(ptr, size);
    return false;
  }

  clear(): void {
    while (this.trie.count) {
      const ptr = this.trie.first();
      const bits = changetype<Subnet>(<usize>ptr).bits;
      this.trie.remove(ptr + KEY_OFFSET, bits);
      free(ptr, KEY_OFFSET + keySize(bits));
    }
  }
}
