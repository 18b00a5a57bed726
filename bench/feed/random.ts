// Repeatable pseudo-random 32-bit numbers (xorshift32): the same seed gives the same feed on every machine.

export function randomSource(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
