// The arena: every byte of the core's state comes from here and goes back here.
//
// Linear memory past the module's static data is one region with a top that only rises. A block that is freed goes to the free
// list of its size class and is the first to be handed out again; blocks are never joined. There are two kinds of classes:
//
//   fixed     4, 8, 12 … 256 bytes: exact fits for records, so a record pays for no rounding beyond its alignment
//   variable  512, 1024 … bytes: powers of two for arrays and long attribute sets, so waste stays below one half
//
// The memory grows by whole chunks up to a ceiling. At the ceiling `allocate` answers 0 after it has tried to carve the block
// out of a larger free one; its callers refuse the route and count it. A reserve below the ceiling is kept for what must not
// fail: choosing the next best route when one goes away, and what the host configures (`allocateReserved`).
//
// The stub runtime's own allocator is not used at all: nothing here is managed, so nothing else asks for memory. A block is
// named by its address; 0 is never one. Blocks are 4-byte aligned, which leaves two tag bits in every pointer (lpm/node.ts).

/** Largest size that has an exact class. */
const FIXED_LIMIT: u32 = 256;
const FIXED_CLASSES: u32 = FIXED_LIMIT >> 2;
const CLASS_COUNT: u32 = FIXED_CLASSES + 1 + 24;
const CHUNK_PAGES: u32 = 64;
const PAGE_BITS: u32 = 16;
const RESERVE_BYTES: u32 = 512 << 10;

/** Heads of the free lists, one per class; a free block holds the address of the next one. */
const freeLists: usize = memory.data(4 * 89);

let top: u32 = 0;
let limit: u32 = 0;
let ceiling: u32 = 0;
let usedBytes: u32 = 0;

/** Must be the first call of all. `maximumBytes` is the ceiling of the whole linear memory. */
export function initialiseArena(maximumBytes: u32): void {
  top = (<u32>__heap_base + 15) & ~15;
  limit = (<u32>memory.size()) << PAGE_BITS;
  ceiling = maximumBytes;
}

/** A block of at least `size` bytes with undefined content, or 0 when the ceiling is reached. */
export function allocate(size: u32): usize {
  return take(size, RESERVE_BYTES);
}

/** Like allocate, but may use the reserve: for what must not fail while routes come and go. */
export function allocateReserved(size: u32): usize {
  return take(size, 0);
}

/** A zeroed block, or 0. */
export function allocateZeroed(size: u32): usize {
  const ptr = allocate(size);
  if (ptr) memory.fill(ptr, 0, size);
  return ptr;
}

/** Like allocateZeroed, but may use the reserve: for what the host configures. */
export function allocateRecord(size: u32): usize {
  const ptr = allocateReserved(size);
  if (ptr) memory.fill(ptr, 0, size);
  return ptr;
}

/** Gives a block back; `size` is what it was allocated with. */
export function free(ptr: usize, size: u32): void {
  const sizeClass = classOf(size);
  usedBytes -= sizeOfClass(sizeClass);
  push(sizeClass, ptr);
}

/** Keeps the first `size` bytes of a block of twice that, a power of two, and gives the rest back. Never fails. */
export function freeSecondHalf(ptr: usize, size: u32): void {
  usedBytes -= sizeOfClass(classOf(size << 1)) - size;
  push(classOf(size), ptr + size);
}

/** Bytes in blocks that are handed out. */
export function arenaUsedBytes(): u32 {
  return usedBytes;
}

/** Whether blocks that were refused have a fair chance now. */
export function hasHeadroom(): bool {
  return <u64>usedBytes + 4 * RESERVE_BYTES < <u64>ceiling;
}

function take(size: u32, reserve: u32): usize {
  const sizeClass = classOf(size);
  let ptr = pop(sizeClass);
  if (!ptr) ptr = raiseTop(sizeOfClass(sizeClass), reserve);
  if (!ptr) ptr = carve(sizeClass);
  if (ptr) usedBytes += sizeOfClass(sizeClass);
  return ptr;
}

function classOf(size: u32): u32 {
  // 257–512 bytes are the first class past the fixed ones: 32 − clz(size − 1) is 9 there.
  return size <= FIXED_LIMIT ? (size + 3) >>> 2 : FIXED_CLASSES - 8 + (32 - clz(size - 1));
}

function sizeOfClass(sizeClass: u32): u32 {
  return sizeClass <= FIXED_CLASSES ? sizeClass << 2 : 1 << (sizeClass + 8 - FIXED_CLASSES);
}

function pop(sizeClass: u32): usize {
  const head = freeLists + (sizeClass << 2);
  const ptr = load<u32>(head);
  if (ptr) store<u32>(head, load<u32>(ptr));
  return ptr;
}

function push(sizeClass: u32, ptr: usize): void {
  const head = freeLists + (sizeClass << 2);
  store<u32>(ptr, load<u32>(head));
  store<u32>(head, <u32>ptr);
}

function raiseTop(size: u32, reserve: u32): usize {
  const end = <u64>top + size;
  if (end > <u64>limit && !growTo(end, reserve)) return 0;
  // Inside pages that exist already the reserve is still kept.
  if (end + reserve > <u64>ceiling) return 0;
  const ptr = top;
  top = <u32>end;
  return ptr;
}

function growTo(end: u64, reserve: u32): bool {
  if (end + reserve > <u64>ceiling) return false;
  const needed = <u32>((end - limit + 0xffff) >> PAGE_BITS);
  const room = (ceiling - limit) >> PAGE_BITS;
  const pages = min(max(needed, CHUNK_PAGES), room);
  if (pages < needed || memory.grow(pages) < 0) return false;
  limit += pages << PAGE_BITS;
  return true;
}

/** The last resort at the ceiling: the front of a larger free block; its rest goes back in pieces. */
function carve(sizeClass: u32): usize {
  for (let larger = sizeClass + 1; larger < CLASS_COUNT; larger++) {
    const ptr = pop(larger);
    if (!ptr) continue;
    const size = sizeOfClass(sizeClass);
    giveBack(ptr + size, sizeOfClass(larger) - size);
    return ptr;
  }
  return 0;
}

function giveBack(ptr: usize, size: u32): void {
  while (size > 0) {
    const piece =
      size <= FIXED_LIMIT ? size : size < 512 ? FIXED_LIMIT : (<u32>1) << (31 - clz(size));
    push(classOf(piece), ptr);
    ptr += piece;
    size -= piece;
  }
}
