// Which attribute types an UPDATE has had so far: 256 bits.

@unmanaged
export class SeenTypes {
  bits0: u64 = 0;
  bits1: u64 = 0;
  bits2: u64 = 0;
  bits3: u64 = 0;

  clear(): void {
    this.bits0 = 0;
    this.bits1 = 0;
    this.bits2 = 0;
    this.bits3 = 0;
  }

  /** Adds a type; true when it was there already. */
  add(type: u32): bool {
    const wordPtr = changetype<usize>(this) + ((type >> 6) << 3);
    const bit = (<u64>1) << (type & 63);
    const word = load<u64>(wordPtr);
    store<u64>(wordPtr, word | bit);
    return (word & bit) != 0;
  }
}
