// The two buffers that data crosses the border in, and nothing else does.
//
//   input   | headroom | what the host wrote | slack |
//
// The headroom takes the partial message a peer left behind, so that a message split over two chunks is whole again without a
// second code path (rib/receive.ts). The slack lets readers load whole words at the end of a list.
import { INPUT_HEADROOM, INPUT_SIZE, OUTPUT_SIZE } from '../abi';
import { allocate } from './arena';

const INPUT_SLACK: u32 = 32;

export let inputPtr: usize = 0;
export let outputPtr: usize = 0;
export let outputEnd: usize = 0;

/** Second call of all. False when the ceiling is too low for the core to run. */
export function initialiseBuffers(): bool {
  const input = allocate(INPUT_HEADROOM + INPUT_SIZE + INPUT_SLACK);
  outputPtr = allocate(OUTPUT_SIZE);
  if (!input || !outputPtr) return false;
  memory.fill(input, 0, INPUT_HEADROOM + INPUT_SIZE + INPUT_SLACK);
  inputPtr = input + INPUT_HEADROOM;
  outputEnd = outputPtr + OUTPUT_SIZE;
  return true;
}
