// Big-endian integers at an address. Every caller has compared the address with the end of its input first, by a real branch:
// nothing here checks, and nothing in the core reads input bytes in another way.

export function readUint8(ptr: usize): u32 {
  return load<u8>(ptr);
}

export function readUint16(ptr: usize): u32 {
  return bswap<u16>(load<u16>(ptr));
}

export function readUint32(ptr: usize): u32 {
  return bswap<u32>(load<u32>(ptr));
}

export function readUint64(ptr: usize): u64 {
  return bswap<u64>(load<u64>(ptr));
}

/** Four bytes as they lie: the first is the lowest. */
export function readBytes4(ptr: usize): u32 {
  return load<u32>(ptr);
}

/** Eight bytes as they lie: the first is the lowest. */
export function readBytes8(ptr: usize): u64 {
  return load<u64>(ptr);
}
