// The result record: the numbers a call answers with when one return value is not enough. The host reads it in place.

// Fields are RESULT_* of abi.ts, four bytes each, in this order.
@unmanaged
export class Result {
  status: u32 = 0;
  messagePtr: usize = 0;
  messageSize: u32 = 0;
  /** Bytes of the input buffer that were used: all, unless a control message waits. */
  consumedSize: u32 = 0;
  messageCount: u32 = 0;
  updateCount: u32 = 0;
  announcedCount: u32 = 0;
  withdrawnCount: u32 = 0;
  treatedAsWithdrawCount: u32 = 0;
  attributeDiscardCount: u32 = 0;
  malformedAttribute: u32 = 0;
  ignoredFamilyCount: u32 = 0;
  overLimitCount: u32 = 0;
  outOfMemoryCount: u32 = 0;
  endOfRibMask: u32 = 0;
  limitHitMask: u32 = 0;
  errorCode: u32 = 0;
  errorSubcode: u32 = 0;
  errorDataPtr: usize = 0;
  errorDataSize: u32 = 0;
  errorOffset: u32 = 0;
  /** Records or rows in the output buffer, and its bytes in use. */
  outputCount: u32 = 0;
  outputSize: u32 = 0;
  /** Where a page ended: key length, or −1 when there is no more. The key is at PAGE_CURSOR of the input buffer. */
  nextBits: i32 = 0;
  /** Plain numbers of the counters calls. */
  counter0: u32 = 0;
  counter1: u32 = 0;
  counter2: u32 = 0;
  counter3: u32 = 0;
  counter4: u32 = 0;
  counter5: u32 = 0;
  counter6: u32 = 0;
  counter7: u32 = 0;
  counter8: u32 = 0;

  clear(): void {
    memory.fill(changetype<usize>(this), 0, offsetof<Result>());
  }

  setCounter(index: u32, value: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<Result>('counter0') + (index << 2), value);
  }
}

export const result = changetype<Result>(memory.data(offsetof<Result>(), 4));
