// The route core with one call more, which spoils what a FIB wants: the fault that the verifier is there for.
import { PAGE_CURSOR, PAGE_MATCH } from '../../../assembly/abi';
import { fibById } from '../../../assembly/fib/fib';
import { inputPtr } from '../../../assembly/memory/buffers';

export * from '../../../assembly/index';

/**
 * The entry whose key is at PAGE_MATCH of the input buffer wants what the one at PAGE_CURSOR wants, or nothing where `otherBits` is negative.
 */
export function disturb(id: u32, family: u32, bits: u32, otherBits: i32): bool {
  const fib = fibById(id);
  if (fib == null) return false;
  let set: u32 = 0;
  if (otherBits >= 0) {
    const other = fib.find(family, inputPtr + PAGE_CURSOR, otherBits);
    if (other == null) return false;
    set = other.desired;
  }
  return fib.setDesired(family, inputPtr + PAGE_MATCH, bits, set);
}
