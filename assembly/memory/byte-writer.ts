// Big-endian integers and byte runs to an address. The caller has made sure of the room.

export function writeUint8(ptr: usize, value: u32): void {
  store<u8>(ptr, <u8>value);
}

export function writeUint16(ptr: usize, value: u32): void {
  store<u16>(ptr, bswap<u16>(<u16>value));
}

export function writeUint32(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap<u32>(value));
}

/** Four bytes as readBytes4 gave them. */
export function writeBytes4(ptr: usize, value: u32): void {
  store<u32>(ptr, value);
}

/** Eight bytes as readBytes8 gave them. */
export function writeBytes8(ptr: usize, value: u64): void {
  store<u64>(ptr, value);
}

/** Below this, a loop of words is faster than the engine's memory.copy, which is a call. */
const LOOP_LIMIT: usize = 96;

export function copyBytes(toPtr: usize, fromPtr: usize, size: usize): void {
  if (size > LOOP_LIMIT) {
    memory.copy(toPtr, fromPtr, size);
    return;
  }
  const end = fromPtr + size;
  while (end - fromPtr >= 8) {
    store<u64>(toPtr, load<u64>(fromPtr));
    toPtr += 8;
    fromPtr += 8;
  }
  while (fromPtr < end) store<u8>(toPtr++, load<u8>(fromPtr++));
}

/** Clears every bit from `bits` on in a field of `size` bytes. */
export function clearBitsFrom(ptr: usize, size: usize, bits: u32): void {
  const end = ptr + size;
  let bytePtr = ptr + (bits >> 3);
  if (bytePtr < end && (bits & 7) != 0) {
    store<u8>(bytePtr, load<u8>(bytePtr) & (0xff00 >> (bits & 7)));
    bytePtr++;
  }
  while (bytePtr < end) store<u8>(bytePtr++, 0);
}
